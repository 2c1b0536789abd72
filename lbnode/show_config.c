// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/show_config.h"

#include "lbnode/bpf/pin.h"
#include "lbnode/bpf/types.h"
#include "lbnode/tables.h"

static const char *show_source(const struct hf_prefix *source, char *text)
{
	if (!source->address.family)
		return "the route's";
	return hf_prefix_format(source, text);
}

static void show_node(FILE *out, const struct hf_config *config)
{
	const struct hf_config_node *node = &config->node;
	char text[HF_ADDRESS_TEXT];

	fprintf(out, "node %s: interfaces", node->name);
	for (uint32_t i = 0; i < node->interface_count; i++)
		fprintf(out, " %s", node->interfaces[i]);
	if (!node->interface_count)
		fprintf(out, " of the default routes");
	fprintf(out, ", XDP %s\n",
		node->xdp_mode == HF_CONFIG_XDP_NATIVE ? "native" : "generic (slow)");
	fprintf(out, "  tunnels from IPv4 %s,", show_source(&node->source_ipv4, text));
	fprintf(out, " IPv6 %s\n", show_source(&node->source_ipv6, text));
}

static void show_limits(FILE *out, const struct hf_config *config)
{
	uint64_t pins = (uint64_t)HF_BUCKET_PINS << hf_flow_table_bits(config->flows);

	fprintf(out, "flow table: %u flows in %lu pins, %lu MB\n", config->flows,
		(unsigned long)pins, (unsigned long)(pins * sizeof(uint64_t) >> 20));
	fprintf(out,
		"timeouts: embryonic %u s, established %u s, closing %u s, new UDP %u s, UDP %u s, "
		"drain %u s\n",
		config->timeouts.tcp_embryonic, config->timeouts.tcp_established,
		config->timeouts.tcp_closing, config->timeouts.udp_new, config->timeouts.udp,
		config->timeouts.drain);
}

static void show_check(FILE *out, const struct hf_config_pool *pool)
{
	const struct hf_config_check *check = &pool->check;

	if (check->type == HF_CONFIG_CHECK_NONE) {
		fprintf(out, "  not checked: all backends are taken to live\n");
		return;
	}
	fprintf(out,
		"  checked by %s to port %u%s every %g s for %g s; down after %u failures, up "
		"after "
		"%u successes\n",
		hf_config_check_name(check->type), check->port,
		check->through == HF_CONFIG_THROUGH_TUNNEL ? " of the VIP, through the tunnel,"
							   : "",
		check->interval / 1000.0, check->timeout / 1000.0, check->fall, check->rise);
}

static void show_pool(FILE *out, const struct hf_config_pool *pool)
{
	char text[HF_ADDRESS_TEXT];

	fprintf(out, "pool %s: %s", pool->name, hf_config_encapsulation_name(pool->encapsulation));
	if (pool->encapsulation == HF_CONFIG_GUE)
		fprintf(out, " to port %u", pool->gue_port);
	fprintf(out, ", %s last chance", pool->last_chance ? "with" : "without");
	fprintf(out, ", %u backends, %u slots\n", pool->backend_count, pool->table_size);
	show_check(out, pool);
	if (pool->discover.file || pool->discover.dns)
		fprintf(out, "  and backends by %s\n",
			pool->discover.file ? pool->discover.file : pool->discover.dns);
	for (uint32_t i = 0; i < pool->backend_count; i++)
		fprintf(out, "  %-20s %-39s weight %u\n", pool->backends[i].name,
			hf_address_format(&pool->backends[i].address, text),
			pool->backends[i].weight);
}

static void show_service(FILE *out, const struct hf_config *config,
			 const struct hf_config_service *service)
{
	char text[HF_ADDRESS_TEXT];

	fprintf(out, "service %s %s -> pool %s%s\n", hf_config_protocol_name(service->protocol),
		hf_endpoint_format(&service->address, service->port, text),
		config->pools[service->pool].name,
		!service->stateless ? ""
		: service->protocol == HF_CONFIG_TCP
			? ", stateless: connections break when the pool changes"
			: ", stateless");
}

void hf_show_config(FILE *out, const char *path, const struct hf_config *config)
{
	fprintf(out, "%s: good\n", path);
	fprintf(out, "cluster: %s%s\n", config->cluster.insecure ? "INSECURE, no key" : "key in ",
		config->cluster.insecure ? "" : config->cluster.key_file);
	show_node(out, config);
	show_limits(out, config);
	for (uint32_t i = 0; i < config->pool_count; i++)
		show_pool(out, &config->pools[i]);
	for (uint32_t i = 0; i < config->service_count; i++)
		show_service(out, config, &config->services[i]);
}
