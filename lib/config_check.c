// SPDX-License-Identifier: BSD-2-Clause
/*
 * What no schema can say: ranges, addresses, names that refer to each other, duplicates. The first
 * fault found is reported, with the line of the value that is at fault.
 */
#include "lib/config_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/maglev.h"
#include "lib/packet/base.h"

/* In seconds: two passes of the sweeper, below which a living flow might seem idle; and a week. */
#define TIMEOUT_MIN 4
#define TIMEOUT_MAX (7 * 86400)

static int check_name(struct hf_config_checker *c, const char *name, const char *path)
{
	if (hf_config_name_is_good(name))
		return 0;
	return hf_config_fault(c, path,
			       "\"%.80s\" is no name; use 1 to %d letters, digits, '.', '_' or '-'",
			       name, HF_CONFIG_NAME_MAX);
}

static int check_node_name(struct hf_config_checker *c)
{
	struct hf_config_node *node = &c->config->node;

	if (node->written.name) {
		if (check_name(c, node->written.name, "node.name") < 0)
			return -EINVAL;
		snprintf(node->name, sizeof(node->name), "%s", node->written.name);
		return 0;
	}
	if (gethostname(node->name, sizeof(node->name) - 1) < 0 ||
	    !hf_config_name_is_good(node->name))
		return hf_config_fault(c, "node.name",
				       "missing, and the host name can't stand in for it");
	return 0;
}

/* 192.0.2.1/24 is an address with its network: tunnels would come from all over it. */
static bool is_prefix_as_written(const char *text, const struct hf_prefix *prefix)
{
	char address[HF_ADDRESS_TEXT];
	struct hf_address written;

	snprintf(address, sizeof(address), "%.*s", (int)strcspn(text, "/"), text);
	return hf_address_parse(address, &written) == 0 &&
	       hf_address_equal(&written, &prefix->address);
}

static int check_interfaces(struct hf_config_checker *c)
{
	const struct hf_config_node *node = &c->config->node;

	for (uint32_t i = 0; i < node->interface_count; i++)
		if (strlen(node->interfaces[i]) > 15 || strpbrk(node->interfaces[i], "/: \t"))
			return hf_config_fault(c, hf_config_path("node.interfaces[%u]", i),
					       "\"%.40s\" can't be an interface's name",
					       node->interfaces[i]);
	return 0;
}

static int check_node(struct hf_config_checker *c)
{
	struct hf_config_node *node = &c->config->node;

	if (check_node_name(c) < 0 || check_interfaces(c) < 0)
		return -EINVAL;
	for (uint32_t i = 0; i < node->written.address_count; i++) {
		const char *text = node->written.addresses[i];
		struct hf_prefix prefix, *kept;

		if (hf_prefix_parse(text, &prefix) < 0 || !hf_address_is_routable(&prefix.address))
			return hf_config_fault(c, hf_config_path("node.addresses[%u]", i),
					       "\"%.80s\" is no address or prefix of this node",
					       text);
		if (!is_prefix_as_written(text, &prefix))
			return hf_config_fault(
				c, hf_config_path("node.addresses[%u]", i),
				"\"%.80s\" has bits beyond its length; write the address alone, or "
				"the prefix that is routed to this node",
				text);
		kept = prefix.address.family == 4 ? &node->source_ipv4 : &node->source_ipv6;
		if (kept->address.family)
			return hf_config_fault(c, hf_config_path("node.addresses[%u]", i),
					       "a second IPv%u address; give one a family",
					       prefix.address.family);
		*kept = prefix;
	}
	return 0;
}

static int check_timeouts(struct hf_config_checker *c)
{
	struct hf_config *config = c->config;
	const struct hf_config_timeouts *w = &config->written_timeouts;
	const struct {
		const char *path;
		const char *written;
		uint32_t otherwise;
		uint32_t *value;
	} rows[] = {
		{ "timeouts.tcp_embryonic", w->tcp_embryonic, 60, &config->timeouts.tcp_embryonic },
		{ "timeouts.tcp_established", w->tcp_established, 7200,
		  &config->timeouts.tcp_established },
		{ "timeouts.tcp_closing", w->tcp_closing, 60, &config->timeouts.tcp_closing },
		{ "timeouts.udp_new", w->udp_new, 30, &config->timeouts.udp_new },
		{ "timeouts.udp", w->udp, 120, &config->timeouts.udp },
		{ "timeouts.drain", w->drain, 3600, &config->timeouts.drain },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (hf_config_number(c, rows[i].written, rows[i].otherwise, TIMEOUT_MIN,
				     TIMEOUT_MAX, rows[i].path, rows[i].value) < 0)
			return -EINVAL;
	return 0;
}

static int check_backend(struct hf_config_checker *c, uint32_t pool, uint32_t i)
{
	struct hf_config_backend *b = &c->config->pools[pool].backends[i];
	const struct hf_config_node *node = &c->config->node;
	const struct hf_prefix *source;
	char path[HF_CONFIG_PATH];

	b->name = b->written.name;
	if (check_name(c, b->name, hf_config_path("pools[%u].backends[%u].name", pool, i)) < 0)
		return -EINVAL;
	snprintf(path, sizeof(path), "pools[%u].backends[%u].address", pool, i);
	if (hf_address_parse(b->written.address, &b->address) < 0)
		return hf_config_fault(c, path, "\"%.80s\" is neither an IPv4 nor an IPv6 address",
				       b->written.address);
	if (!hf_address_is_routable(&b->address))
		return hf_config_fault(c, path,
				       "%s can't be a tunnel's end: it is no single host's address",
				       b->written.address);
	source = b->address.family == 4 ? &node->source_ipv4 : &node->source_ipv6;
	if (node->written.address_count && !source->address.family)
		return hf_config_fault(
			c, path,
			"IPv%u, but node.addresses names no IPv%u address for its tunnel to "
			"come from; add one",
			b->address.family, b->address.family);
	return hf_config_number(
		c, b->written.weight, HF_CONFIG_WEIGHT_DEFAULT, 1, HF_MAGLEV_WEIGHT_MAX,
		hf_config_path("pools[%u].backends[%u].weight", pool, i), &b->weight);
}

/* A key and where it stood in the file: sorted, equal keys stand together, in file order. */
struct sortable {
	const void *key;
	uint32_t index;
};

typedef int (*order_f)(const void *left, const void *right);
typedef const void *(*key_f)(const void *array, uint32_t i);

static int by_key(const void *a, const void *b, void *order_of_keys)
{
	const struct sortable *left = a, *right = b;
	order_f order = *(order_f *)order_of_keys;
	int result = order(left->key, right->key);

	return result ? result : (left->index > right->index) - (left->index < right->index);
}

/* NULL: no memory. */
static struct sortable *sorted(key_f key, const void *array, uint32_t count, order_f order)
{
	struct sortable *s = calloc(count + 1, sizeof(*s));

	if (!s)
		return NULL;
	for (uint32_t i = 0; i < count; i++)
		s[i] = (struct sortable){ key(array, i), i };
	qsort_r(s, count, sizeof(*s), by_key, &order);
	return s;
}

/* The index of the first entry whose key an earlier one has, or -1. */
static long find_twin(key_f key, const void *array, uint32_t count, order_f order)
{
	struct sortable *s = sorted(key, array, count, order);
	long found = -1;

	for (uint32_t i = 1; s && i < count; i++)
		if (order(s[i - 1].key, s[i].key) == 0 && (found < 0 || s[i].index < found))
			found = s[i].index;
	free(s);
	return found;
}

static int order_texts(const void *left, const void *right)
{
	return strcmp(left, right);
}

static int order_addresses(const void *left, const void *right)
{
	return memcmp(left, right, sizeof(struct hf_address));
}

static int order_services(const void *left, const void *right)
{
	const struct hf_config_service *l = left, *r = right;
	int order = order_addresses(&l->address, &r->address);

	if (!order)
		order = (int)l->protocol - (int)r->protocol;
	return order ? order : (int)l->port - (int)r->port;
}

static const void *backend_name(const void *array, uint32_t i)
{
	return ((const struct hf_config_backend *)array)[i].name;
}

static const void *backend_address(const void *array, uint32_t i)
{
	return &((const struct hf_config_backend *)array)[i].address;
}

static const void *pool_name(const void *array, uint32_t i)
{
	return ((const struct hf_config_pool *)array)[i].name;
}

static const void *service(const void *array, uint32_t i)
{
	return (const struct hf_config_service *)array + i;
}

static int check_pool(struct hf_config_checker *c, uint32_t i)
{
	struct hf_config_pool *pool = &c->config->pools[i];
	uint32_t port;
	long twin;

	pool->name = pool->written.name;
	if (check_name(c, pool->name, hf_config_path("pools[%u].name", i)) < 0)
		return -EINVAL;
	if (pool->written.gue_port && pool->encapsulation != HF_CONFIG_GUE)
		return hf_config_fault(c, hf_config_path("pools[%u].gue_port", i),
				       "the pool's encapsulation is ipip");
	/* Of IPIP, the kernel's own tunnel device may take it off. */
	pool->last_chance = pool->written.last_chance == HF_CONFIG_DEFAULT
				    ? pool->encapsulation == HF_CONFIG_GUE
				    : pool->written.last_chance == HF_CONFIG_YES;
	if (hf_config_number(c, pool->written.gue_port, HF_GUE_PORT, 1, 65535,
			     hf_config_path("pools[%u].gue_port", i), &port) < 0)
		return -EINVAL;
	pool->gue_port = port;
	if (hf_config_number(c, pool->written.table_size, HF_MAGLEV_SIZE_DEFAULT, 3,
			     HF_MAGLEV_SIZE_MAX, hf_config_path("pools[%u].table_size", i),
			     &pool->table_size) < 0)
		return -EINVAL;
	if (!hf_maglev_size_is_valid(pool->table_size) || pool->table_size < pool->backend_count)
		return hf_config_fault(
			c, hf_config_path("pools[%u].table_size", i),
			"%u slots; use a prime of 3 to %d, some 100 times the backends",
			pool->table_size, HF_MAGLEV_SIZE_MAX);
	for (uint32_t b = 0; b < pool->backend_count; b++)
		if (check_backend(c, i, b) < 0)
			return -EINVAL;
	twin = find_twin(backend_name, pool->backends, pool->backend_count, order_texts);
	if (twin >= 0)
		return hf_config_fault(c, hf_config_path("pools[%u].backends[%ld].name", i, twin),
				       "\"%s\" is already a backend of this pool",
				       pool->backends[twin].name);
	twin = find_twin(backend_address, pool->backends, pool->backend_count, order_addresses);
	if (twin >= 0)
		return hf_config_fault(c,
				       hf_config_path("pools[%u].backends[%ld].address", i, twin),
				       "%s is already a backend of this pool",
				       pool->backends[twin].written.address);
	return 0;
}

static int check_pools(struct hf_config_checker *c)
{
	struct hf_config *config = c->config;
	uint64_t backends = 0;
	long twin;

	for (uint32_t i = 0; i < config->pool_count; i++) {
		if (check_pool(c, i) < 0)
			return -EINVAL;
		backends += config->pools[i].backend_count;
	}
	if (backends > HF_CONFIG_BACKENDS_MAX)
		return hf_config_fault(c, "pools", "%lu backends in all; at most %d are possible",
				       (unsigned long)backends, HF_CONFIG_BACKENDS_MAX);
	twin = find_twin(pool_name, config->pools, config->pool_count, order_texts);
	if (twin >= 0)
		return hf_config_fault(c, hf_config_path("pools[%ld].name", twin),
				       "\"%s\" is already a pool", config->pools[twin].name);
	return 0;
}

static int find_pool(const struct hf_config *config, const char *name, uint32_t *pool)
{
	for (uint32_t i = 0; i < config->pool_count; i++) {
		if (strcmp(config->pools[i].name, name) == 0) {
			*pool = i;
			return 0;
		}
	}
	return -ENOENT;
}

static int check_port(struct hf_config_checker *c, struct hf_config_service *service, uint32_t i)
{
	uint32_t port;

	service->port = 0;
	if (strcmp(service->written.port, "all") == 0)
		return 0;
	if (!hf_config_parse_number(service->written.port, &port) || port < 1 || port > 65535)
		return hf_config_fault(c, hf_config_path("services[%u].port", i),
				       "\"%.20s\" is no port; use 1 to 65535, or all",
				       service->written.port);
	service->port = port;
	return 0;
}

static bool is_backend(const struct hf_config *config, const struct hf_address *address)
{
	for (uint32_t p = 0; p < config->pool_count; p++)
		for (uint32_t b = 0; b < config->pools[p].backend_count; b++)
			if (hf_address_equal(&config->pools[p].backends[b].address, address))
				return true;
	return false;
}

/* A backend's agent would take its datagrams for tunnels inside tunnels. */
static int check_tunnel_port(struct hf_config_checker *c, const struct hf_config_service *service,
			     uint32_t i)
{
	bool taken = service->port == HF_GUE_PORT;

	if (service->protocol != HF_CONFIG_UDP)
		return 0;
	for (uint32_t p = 0; p < c->config->pool_count && service->port; p++)
		taken |= c->config->pools[p].encapsulation == HF_CONFIG_GUE &&
			 c->config->pools[p].gue_port == service->port;
	if (!taken)
		return 0;
	return hf_config_fault(
		c, hf_config_path("services[%u].port", i),
		"UDP port %u is that of GUE tunnels, which must not come from clients; use "
		"another",
		service->port);
}

static int check_service(struct hf_config_checker *c, uint32_t i)
{
	struct hf_config_service *service = &c->config->services[i];
	char path[HF_CONFIG_PATH];

	snprintf(path, sizeof(path), "services[%u].address", i);
	if (hf_address_parse(service->written.address, &service->address) < 0)
		return hf_config_fault(c, path, "\"%.80s\" is neither an IPv4 nor an IPv6 address",
				       service->written.address);
	if (!hf_address_is_routable(&service->address))
		return hf_config_fault(c, path, "%s can't be a VIP: it is no single host's address",
				       service->written.address);
	if (is_backend(c->config, &service->address))
		return hf_config_fault(
			c, path,
			"%s is a backend's own address, too: packets for it would be "
			"sent in circles",
			service->written.address);
	if (check_port(c, service, i) < 0)
		return -EINVAL;
	if (find_pool(c->config, service->written.pool, &service->pool) < 0)
		return hf_config_fault(c, hf_config_path("services[%u].pool", i),
				       "there is no pool \"%.63s\"; define it under pools",
				       service->written.pool);
	return check_tunnel_port(c, service, i);
}

static unsigned long line_of(struct hf_config_checker *c, const struct hf_config_service *service)
{
	char path[HF_CONFIG_PATH];

	snprintf(path, sizeof(path), "services[%u]", (uint32_t)(service - c->config->services));
	return hf_config_locate(c->text, path);
}

static bool same_but_port(const struct hf_config_service *a, const struct hf_config_service *b)
{
	return a->protocol == b->protocol && hf_address_equal(&a->address, &b->address);
}

/* Sorted, services of one address and protocol stand together, all-ports first. */
static int check_overlaps(struct hf_config_checker *c, const struct sortable *s, uint32_t count)
{
	const struct hf_config_service *all = NULL, *before = NULL;
	char text[HF_ADDRESS_TEXT];

	for (uint32_t i = 0; i < count; i++) {
		const struct hf_config_service *now = s[i].key;

		if (before && before->port == now->port && same_but_port(before, now))
			return hf_config_fault(c,
					       hf_config_path("services[%u].address", s[i].index),
					       "%s %s is already the service in line %lu",
					       hf_config_protocol_name(now->protocol),
					       hf_endpoint_format(&now->address, now->port, text),
					       line_of(c, before));
		if (all && same_but_port(all, now))
			return hf_config_fault(
				c, hf_config_path("services[%u].port", s[i].index),
				"%u overlaps the service on all ports of %s in line %lu", now->port,
				hf_address_format(&now->address, text), line_of(c, all));
		if (now->port == 0)
			all = now;
		before = now;
	}
	return 0;
}

static int check_services(struct hf_config_checker *c)
{
	struct sortable *s;
	int err;

	for (uint32_t i = 0; i < c->config->service_count; i++)
		if (check_service(c, i) < 0)
			return -EINVAL;
	s = sorted(service, c->config->services, c->config->service_count, order_services);
	if (!s)
		return hf_config_fault(c, "services", "out of memory");
	err = check_overlaps(c, s, c->config->service_count);
	free(s);
	return err;
}

int hf_config_check(struct hf_config *config, const struct hf_config_text *text,
		    struct hf_config_error *error)
{
	struct hf_config_checker c = { .text = text, .error = error, .config = config };

	if (hf_config_check_cluster(&c) < 0 || check_node(&c) < 0 || check_timeouts(&c) < 0)
		return -EINVAL;
	if (hf_config_number(&c, config->tables.written_flows, HF_CONFIG_FLOWS_DEFAULT,
			     HF_CONFIG_FLOWS_MIN, HF_CONFIG_FLOWS_MAX, "tables.flows",
			     &config->flows) < 0)
		return -EINVAL;
	if (check_pools(&c) < 0 || check_services(&c) < 0)
		return -EINVAL;
	for (uint32_t i = 0; i < config->pool_count; i++)
		if (hf_config_check_discover(&c, i) < 0 || hf_config_check_health(&c, i) < 0)
			return -EINVAL;
	return hf_config_check_bgp(&c);
}
