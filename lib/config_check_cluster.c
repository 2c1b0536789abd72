// SPDX-License-Identifier: BSD-2-Clause
/* What concerns the cluster: its keys, its name, who is asked first, and where this node is found.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/config_internal.h"

static int check_key(struct hf_config_checker *c)
{
	const struct hf_config_cluster *cluster = &c->config->cluster;

	if (cluster->key_file && cluster->insecure)
		return hf_config_fault(c, "cluster.insecure",
				       "true contradicts key_file; keep one of them");
	if (!cluster->key_file && !cluster->insecure)
		return hf_config_fault(
			c, "cluster", "no key_file; name one, or say `insecure: true` for a trial");
	return 0;
}

/* "HOST", "HOST:PORT", "ADDRESS", "[IPv6]" or "[IPv6]:PORT"; HOST a name or an IPv4 address. */
bool hf_config_parse_seed(const char *text, uint16_t port, struct hf_config_seed *seed)
{
	const char *rest;
	uint32_t number = port;
	struct hf_address address;
	size_t length;

	if (hf_address_parse(text, &address) == 0) {
		length = strlen(text);
		rest = text + length;
	} else if (text[0] == '[') {
		length = strcspn(++text, "]");
		rest = text[length] ? text + length + 1 : "?";
	} else {
		length = strcspn(text, ":");
		rest = text + length;
	}
	if (!length || length >= sizeof(seed->host))
		return false;
	snprintf(seed->host, sizeof(seed->host), "%.*s", (int)length, text);
	if (rest[0] == ':' && !hf_config_parse_number(rest + 1, &number))
		return false;
	seed->port = number;
	if ((rest[0] && rest[0] != ':') || number < 1 || number > 65535)
		return false;
	return hf_address_parse(seed->host, &address) == 0 || hf_config_name_is_good(seed->host);
}

static int check_seeds(struct hf_config_checker *c)
{
	struct hf_config_cluster *cluster = &c->config->cluster;

	for (uint32_t i = 0; i < cluster->written.seed_count; i++)
		if (!hf_config_parse_seed(cluster->written.seeds[i], cluster->port,
					  &cluster->seeds[i]))
			return hf_config_fault(
				c, hf_config_path("cluster.seeds[%u]", i),
				"\"%.80s\" is no node; use a name or an address, and a port where "
				"it is not cluster.port: lb1.example.net, 192.0.2.1:7000, "
				"\"[2001:db8::1]:7000\"",
				cluster->written.seeds[i]);
	cluster->seed_count = cluster->written.seed_count;
	return 0;
}

static int check_gossip_address(struct hf_config_checker *c)
{
	struct hf_config_node *node = &c->config->node;
	const char *text = node->written.gossip_address;

	if (!text)
		return 0;
	if (hf_address_parse(text, &node->gossip_address) < 0 ||
	    !hf_address_is_routable(&node->gossip_address))
		return hf_config_fault(c, "node.gossip_address",
				       "\"%.80s\" is no address at which other nodes can reach "
				       "this one",
				       text);
	return 0;
}

static int check_metrics(struct hf_config_checker *c)
{
	struct hf_config_metrics *metrics = &c->config->metrics;
	const char *address =
		metrics->written.address ? metrics->written.address : HF_CONFIG_METRICS_ADDRESS;

	if (hf_address_parse(address, &metrics->address) < 0)
		return hf_config_fault(c, "metrics.address",
				       "\"%.80s\" is no address to serve metrics at; use "
				       "127.0.0.1, or one that Prometheus reaches",
				       address);
	return hf_config_number(c, metrics->written.port, HF_CONFIG_METRICS_PORT, 0, 65533,
				"metrics.port", &metrics->port);
}

int hf_config_check_cluster(struct hf_config_checker *c)
{
	struct hf_config_cluster *cluster = &c->config->cluster;
	uint32_t port;

	if (check_key(c) < 0)
		return -EINVAL;
	cluster->name = cluster->written.name ? cluster->written.name : HF_CONFIG_CLUSTER_DEFAULT;
	if (!hf_config_name_is_good(cluster->name))
		return hf_config_fault(c, "cluster.name",
				       "\"%.80s\" is no name; use 1 to %d letters, digits, '.', "
				       "'_' or '-'",
				       cluster->name, HF_CONFIG_NAME_MAX);
	if (hf_config_number(c, cluster->written.port, HF_CONFIG_GOSSIP_PORT, 1, 65535,
			     "cluster.port", &port) < 0)
		return -EINVAL;
	cluster->port = port;
	if (hf_config_number(c, cluster->written.owners, 2, 1, 3, "cluster.owners",
			     &cluster->owners) < 0)
		return -EINVAL;
	if (hf_config_number(c, c->config->node.written.weight, HF_CONFIG_WEIGHT_DEFAULT, 1, 65535,
			     "node.weight", &c->config->node.weight) < 0)
		return -EINVAL;
	if (check_metrics(c) < 0 || check_seeds(c) < 0)
		return -EINVAL;
	return check_gossip_address(c);
}
