// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/forwarding.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lbnode/network.h"
#include "lbnode/peers.h"
#include "lbnode/pools.h"
#include "lbnode/tables.h"
#include "lbnode/ways.h"
#include "lib/log.h"

struct hf_forwarding {
	struct hf_dataplane *dataplane;
	struct hf_netlink *netlink;
	struct hf_backends *backends;
	struct hf_network *network;
	struct hf_ways *ways;
	struct hf_peers *peers;
	const struct hf_config *config;
	struct hf_route route[HF_MAX_BACKENDS];
	struct {
		int64_t until;
		uint16_t mtu; /* 0: what the route says */
	} path[HF_MAX_BACKENDS];
	bool learnt; /* or forgot: what is written is not what it should be */
	struct hf_backend written[HF_MAX_BACKENDS];
	struct hf_pools *pools;
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
	f->peers = hf_peers_new(dataplane, netlink);
	f->pools = hf_pools_new(dataplane, backends);
	if (f->network && f->ways && f->peers && f->pools &&
	    hf_netlink_dump(netlink, f->network) == 0)
		return f;
	hf_forwarding_delete(f);
	return NULL;
}

void hf_forwarding_delete(struct hf_forwarding *f)
{
	if (!f)
		return;
	hf_pools_delete(f->pools);
	hf_peers_delete(f->peers);
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
	return hf_peers_query(f->peers);
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

	hf_peers_claim(f->peers, f->ways);
	if (!err)
		err = hf_ways_write(f->ways);
	if (!err)
		err = each_backend(f, write_backend);
	if (!err)
		err = hf_peers_write(f->peers);
	return err ? err : hf_ways_release(f->ways);
}

static int apply(struct hf_forwarding *f, const struct hf_config *config, int64_t now)
{
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
	return err ? err : hf_pools_apply(f->pools, config, now);
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

bool hf_forwarding_reaches(const struct hf_forwarding *f, uint16_t backend)
{
	return backend != HF_NO_BACKEND && hf_ways_mtu(f->ways, f->written[backend].nexthop);
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
	hf_pools_forget_backend(f->pools, id);
	hf_dataplane_set_backend(f->dataplane, id, &none);
}

void hf_forwarding_swept(struct hf_forwarding *f, const struct hf_sweeper *sweeper, int64_t now)
{
	hf_backends_swept(f->backends, sweeper->last.backend, sweeper->pass_began, now,
			  forget_backend, f);
	forget_paths(f, now);
	hf_pools_end_freshness(f->pools, now);
}

int hf_forwarding_set_cluster(struct hf_forwarding *f, const struct hf_cluster_news *news)
{
	int err = hf_peers_set(f->peers, news);

	return err ? err : write_all(f);
}

void hf_forwarding_adopt_cluster(struct hf_forwarding *f, const struct hf_cluster *former)
{
	hf_peers_adopt(f->peers, former);
}

void hf_forwarding_set_keys(struct hf_forwarding *f, const struct hf_key_ring *keys)
{
	hf_peers_set_keys(f->peers, keys);
	hf_peers_write(f->peers);
}

void hf_forwarding_adopt_pool(struct hf_forwarding *f, const struct hf_config_pool *pool,
			      struct hf_slot *slots)
{
	hf_pools_adopt(f->pools, pool, slots);
}

const struct hf_cluster *hf_forwarding_cluster(const struct hf_forwarding *f)
{
	return hf_peers_cluster(f->peers);
}

const struct hf_pools *hf_forwarding_pools(const struct hf_forwarding *f)
{
	return f->pools;
}
