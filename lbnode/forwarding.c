// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/forwarding.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lbnode/network.h"
#include "lbnode/tables.h"
#include "lbnode/ways.h"
#include "lib/log.h"

struct pool_slot {
	char name[HF_CONFIG_NAME_MAX + 1]; /* "": free */
	uint32_t size;
	uint64_t slots; /* a hash of the table that is in force */
};

struct hf_forwarding {
	struct hf_dataplane *dataplane;
	struct hf_netlink *netlink;
	struct hf_backends *backends;
	struct hf_network *network;
	struct hf_ways *ways;
	const struct hf_config *config;
	struct hf_route route[HF_MAX_BACKENDS];
	struct {
		int64_t until;
		uint16_t mtu; /* 0: what the route says */
	} path[HF_MAX_BACKENDS];
	bool learnt; /* or forgot: what is written is not what it should be */
	struct hf_backend written[HF_MAX_BACKENDS];
	struct pool_slot pool[HF_MAX_POOLS];
	struct hf_service_ids service_ids;
};

struct hf_forwarding *hf_forwarding_new(struct hf_dataplane *dataplane, struct hf_netlink *netlink,
					struct hf_backends *backends)
{
	struct hf_forwarding *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->dataplane = dataplane;
	f->netlink = netlink;
	f->backends = backends;
	f->network = hf_network_new();
	f->ways = hf_ways_new(dataplane, netlink, f->network);
	if (f->network && f->ways && hf_netlink_dump(netlink, f->network) == 0)
		return f;
	hf_forwarding_delete(f);
	return NULL;
}

void hf_forwarding_delete(struct hf_forwarding *f)
{
	if (!f)
		return;
	hf_ways_delete(f->ways);
	hf_network_delete(f->network);
	free(f);
}

static bool is_reached(const struct hf_backend_record *record)
{
	return record->state == HF_BACKEND_SERVING || record->state == HF_BACKEND_DRAINING;
}

static struct hf_prefix tunnel_source(const struct hf_forwarding *f, uint32_t family,
				      const struct hf_route *route)
{
	const struct hf_config_node *node = &f->config->node;
	const struct hf_prefix *configured = family == 4 ? &node->source_ipv4 : &node->source_ipv6;

	if (configured->address.family)
		return *configured;
	return (struct hf_prefix){ route->source, hf_address_length(family) * 8 };
}

/* What the data plane should hold of a backend; claims the way that its entry names. */
static struct hf_backend plan_backend(struct hf_forwarding *f, uint16_t id)
{
	const struct hf_backend_record *record = hf_backends_record(f->backends, id);
	struct hf_route route = f->route[id];
	struct hf_prefix source = tunnel_source(f, record->address.family, &route);
	bool has_way = route.ifindex && source.address.family == record->address.family;

	if (f->path[id].mtu && (!route.mtu || f->path[id].mtu < route.mtu))
		route.mtu = f->path[id].mtu;
	return hf_backend_entry(record, &source,
				has_way ? hf_ways_claim(f->ways, &route) : HF_NO_WAY);
}

static int write_backend(struct hf_forwarding *f, uint16_t id)
{
	const struct hf_backend_record *record = hf_backends_record(f->backends, id);
	struct hf_backend entry = plan_backend(f, id), *written = &f->written[id];
	char text[HF_ADDRESS_TEXT];
	int err;

	if (memcmp(&entry, written, sizeof(entry)) == 0)
		return 0;
	hf_address_format(&record->address, text);
	if (!entry.nexthop && (written->nexthop || !written->encapsulation))
		hf_warning("no way to backend %s: its packets are dropped; see `ip route get %s`",
			   text, text);
	else if (entry.nexthop && written->encapsulation && !written->nexthop)
		hf_notice("backend %s can be reached again", text);
	err = hf_dataplane_set_backend(f->dataplane, id, &entry);
	if (!err)
		*written = entry;
	return err;
}

static int query_routes(struct hf_forwarding *f)
{
	for (uint32_t id = 1; id < HF_MAX_BACKENDS; id++) {
		const struct hf_backend_record *record = hf_backends_record(f->backends, id);
		int err;

		if (!is_reached(record))
			continue;
		err = hf_netlink_route(f->netlink, &record->address, &f->route[id]);
		if (err) {
			hf_error("can't ask the kernel for routes: %s", strerror(-err));
			return err;
		}
	}
	return 0;
}

static int each_backend(struct hf_forwarding *f, int (*visit)(struct hf_forwarding *f, uint16_t id))
{
	int err = 0;

	for (uint32_t id = 1; id < HF_MAX_BACKENDS && !err; id++)
		if (is_reached(hf_backends_record(f->backends, id)))
			err = visit(f, id);
	return err;
}

static int claim(struct hf_forwarding *f, uint16_t id)
{
	plan_backend(f, id);
	return 0;
}

/* Next hops are written before the backends that name them, and cleared after. */
static int write_all(struct hf_forwarding *f)
{
	int err = each_backend(f, claim);

	if (!err)
		err = hf_ways_write(f->ways);
	if (!err)
		err = each_backend(f, write_backend);
	return err ? err : hf_ways_release(f->ways);
}

/* The pool's slot, or a free one. There are twice as many as pools. */
static uint16_t find_pool_slot(const struct hf_forwarding *f, const struct hf_config_pool *pool)
{
	uint16_t vacant = 0;

	for (uint16_t i = HF_MAX_POOLS; i-- > 0;) {
		if (strcmp(f->pool[i].name, pool->name) == 0 && f->pool[i].size == pool->table_size)
			return i;
		if (!f->pool[i].name[0])
			vacant = i;
	}
	return vacant;
}

static uint64_t hash_slots(const uint16_t *slots, uint32_t size)
{
	static const unsigned char key[crypto_shorthash_KEYBYTES] = "holdfast slots";
	uint64_t hash;

	crypto_shorthash((unsigned char *)&hash, (const unsigned char *)slots,
			 size * sizeof(*slots), key);
	return hash;
}

/* Everything of a configuration that must be made before any of it is put in force. */
struct made {
	uint16_t *pool_ids;
	int *pool_tables; /* -1: as it is already */
	uint64_t *pool_slots;
	int services;
	uint32_t pools; /* how many are made */
};

static void unmake(struct made *made)
{
	for (uint32_t i = 0; i < made->pools; i++)
		if (made->pool_tables[i] >= 0)
			close(made->pool_tables[i]);
	if (made->services >= 0)
		close(made->services);
	free(made->pool_ids);
	free(made->pool_tables);
	free(made->pool_slots);
}

/* A table that came out as it is in force is not made: each exchange costs the kernel's grace
 * period, some 10 ms. */
static int make_pool(struct hf_forwarding *f, const struct hf_config_pool *pool, struct made *made)
{
	uint16_t *slots = calloc(pool->table_size, sizeof(*slots)), id = find_pool_slot(f, pool);
	int err = slots ? hf_pool_table_build(slots, pool, f->backends) : -ENOMEM, table = -1;
	struct pool_slot *slot = &f->pool[id];
	uint64_t hash = 0;

	if (err) {
		hf_error("can't build the table of pool %s: %s", pool->name, strerror(-err));
	} else {
		hash = hash_slots(slots, pool->table_size);
		if (!slot->name[0] || hash != slot->slots)
			err = table = hf_dataplane_make_pool(slots, pool->table_size);
	}
	free(slots);
	if (err < 0)
		return err;
	if (!slot->name[0]) {
		snprintf(slot->name, sizeof(slot->name), "%s", pool->name);
		slot->size = pool->table_size;
		slot->slots = 0;
	}
	made->pool_ids[made->pools] = id;
	made->pool_slots[made->pools] = hash;
	made->pool_tables[made->pools++] = table;
	return 0;
}

static int make_service_table(const struct hf_config *config, const uint16_t *ids,
			      struct made *made)
{
	struct hf_service_table *table = calloc(1, sizeof(*table));
	int err = table ? hf_service_table_build(table, config, ids, made->pool_ids) : -ENOMEM;

	if (err)
		hf_error("can't build the service table: %s", strerror(-err));
	else
		made->services = hf_dataplane_make_services(table);
	free(table);
	return err ? err : made->services < 0 ? made->services : 0;
}

static int make_services(struct hf_forwarding *f, const struct hf_config *config, struct made *made)
{
	uint16_t ids[HF_MAX_SERVICES];
	bool is_new[HF_MAX_SERVICES];
	int err;

	hf_service_ids_assign(&f->service_ids, config, ids, is_new);
	err = make_service_table(config, ids, made);
	for (uint32_t i = 0; i < config->service_count && !err; i++)
		if (is_new[i])
			err = hf_dataplane_clear_service(f->dataplane, ids[i]);
	return err;
}

static int make_tables(struct hf_forwarding *f, const struct hf_config *config, struct made *made)
{
	int err = 0;

	*made = (struct made){ .services = -1 };
	made->pool_ids = calloc(config->pool_count, sizeof(*made->pool_ids));
	made->pool_tables = calloc(config->pool_count, sizeof(*made->pool_tables));
	made->pool_slots = calloc(config->pool_count, sizeof(*made->pool_slots));
	if (!made->pool_ids || !made->pool_tables || !made->pool_slots)
		return -ENOMEM;
	for (uint32_t i = 0; i < config->pool_count && !err; i++)
		err = make_pool(f, &config->pools[i], made);
	return err ? err : make_services(f, config, made);
}

static bool made_has(const struct made *made, uint16_t id)
{
	for (uint32_t i = 0; i < made->pools; i++)
		if (made->pool_ids[i] == id)
			return true;
	return false;
}

/* Pools first, then the services that name them; then what no service names any more. */
static int put_in_force(struct hf_forwarding *f, const struct made *made)
{
	int err = 0;

	for (uint32_t i = 0; i < made->pools && !err; i++) {
		if (made->pool_tables[i] < 0)
			continue;
		err = hf_dataplane_set_pool(f->dataplane, made->pool_ids[i], made->pool_tables[i]);
		if (!err)
			f->pool[made->pool_ids[i]].slots = made->pool_slots[i];
	}
	if (!err)
		err = hf_dataplane_set_services(f->dataplane, made->services);
	for (uint16_t id = 0; id < HF_MAX_POOLS && !err; id++) {
		if (!f->pool[id].name[0] || made_has(made, id))
			continue;
		hf_dataplane_remove_pool(f->dataplane, id);
		f->pool[id].name[0] = '\0';
	}
	return err;
}

static int apply(struct hf_forwarding *f, const struct hf_config *config, int64_t now)
{
	struct made made = { .services = -1 };
	int err = hf_backends_apply(f->backends, config, now);

	if (err) {
		hf_error(
			"no ids left for the backends, %d with those that drain; reload again when "
			"drains have ended",
			HF_MAX_BACKENDS - 1);
		return err;
	}
	f->config = config;
	err = query_routes(f);
	if (!err)
		err = write_all(f);
	if (!err)
		err = make_tables(f, config, &made);
	if (!err)
		err = put_in_force(f, &made);
	unmake(&made);
	return err;
}

int hf_forwarding_apply(struct hf_forwarding *f, const struct hf_config *config,
			const struct hf_config *former, int64_t now)
{
	int err = apply(f, config, now);

	if (err && former) {
		f->config = former;
		apply(f, former, now);
	}
	return err;
}

int hf_forwarding_follow(struct hf_forwarding *f)
{
	struct hf_netlink_news news;
	int err = hf_netlink_read(f->netlink, f->network, &news);

	if (err) {
		hf_error("can't read the kernel's network changes: %s", strerror(-err));
		return err;
	}
	if (news.routes)
		err = query_routes(f);
	if (!err && (news.routes || news.links_or_neighbours))
		err = write_all(f);
	return err;
}

/* A router may quote any of the addresses that the tunnel's source is taken from. */
static bool is_about(const struct hf_forwarding *f, uint16_t id, const struct hf_path_news *news)
{
	const struct hf_backend_record *record = hf_backends_record(f->backends, id);
	uint16_t port = record->encapsulation == HF_CONFIG_GUE ? record->gue_port : 0;
	struct hf_prefix source;

	if (!is_reached(record) || port != news->gue_port ||
	    !hf_address_equal(&record->address, &news->destination))
		return false;
	source = tunnel_source(f, record->address.family, &f->route[id]);
	return hf_prefix_contains(&source, &news->source);
}

void hf_forwarding_learn(struct hf_forwarding *f, const struct hf_path_news *news, int64_t now)
{
	char text[HF_ADDRESS_TEXT];
	bool learnt = false;

	for (uint32_t id = 1; id < HF_MAX_BACKENDS; id++) {
		if (!is_about(f, id, news) ||
		    news->mtu >= hf_ways_mtu(f->ways, f->written[id].nexthop) ||
		    (f->path[id].mtu && news->mtu >= f->path[id].mtu))
			continue;
		f->path[id].mtu = news->mtu;
		f->path[id].until = now + HF_PATH_MTU_MS;
		learnt = true;
	}
	if (!learnt)
		return;
	f->learnt = true;
	hf_notice("a router says that the way to backend %s takes packets of %u bytes at most",
		  hf_address_format(&news->destination, text), news->mtu);
}

int hf_forwarding_refresh(struct hf_forwarding *f)
{
	if (!f->learnt)
		return 0;
	f->learnt = false;
	return write_all(f);
}

static void forget_paths(struct hf_forwarding *f, int64_t now)
{
	for (uint32_t id = 1; id < HF_MAX_BACKENDS; id++) {
		if (!f->path[id].mtu || now < f->path[id].until)
			continue;
		f->path[id].mtu = 0;
		f->learnt = true;
	}
}

uint32_t hf_forwarding_unresolved(const struct hf_forwarding *f)
{
	return hf_ways_unresolved(f->ways);
}

static void forget_backend(void *context, uint16_t id)
{
	struct hf_forwarding *f = context;
	const struct hf_backend none = { 0 };
	char text[HF_ADDRESS_TEXT];

	hf_notice("backend %s has drained and is gone",
		  hf_address_format(&hf_backends_record(f->backends, id)->address, text));
	f->written[id] = none;
	f->path[id].mtu = 0;
	hf_dataplane_set_backend(f->dataplane, id, &none);
}

void hf_forwarding_swept(struct hf_forwarding *f, const struct hf_sweeper *sweeper, int64_t now)
{
	hf_backends_swept(f->backends, sweeper->last.backend, sweeper->pass_began, now,
			  forget_backend, f);
	forget_paths(f, now);
}
