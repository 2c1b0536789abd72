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
#include "lib/log.h"

/* An entry of the data plane's `nexthops`; entry 0 is never used and means: no way. */
struct way {
	uint32_t ifindex;
	struct hf_address via;
	uint32_t mtu;
	bool used;    /* a backend's entry may name it */
	bool claimed; /* in the round that is going on */
	struct hf_nexthop written;
};

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
	const struct hf_config *config;
	struct hf_route route[HF_MAX_BACKENDS];
	struct hf_backend written[HF_MAX_BACKENDS];
	struct way way[HF_MAX_BACKENDS];
	uint32_t way_count; /* the highest that was ever used, and one more */
	struct pool_slot pool[HF_MAX_POOLS];
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
	f->way_count = 1;
	f->network = hf_network_new();
	if (f->network && hf_netlink_dump(netlink, f->network) == 0)
		return f;
	hf_forwarding_delete(f);
	return NULL;
}

void hf_forwarding_delete(struct hf_forwarding *f)
{
	if (!f)
		return;
	hf_network_delete(f->network);
	free(f);
}

static bool is_reached(const struct hf_backend_record *record)
{
	return record->state == HF_BACKEND_SERVING || record->state == HF_BACKEND_DRAINING;
}

/* The id of the way that a route takes; 0: there is none, or no more ids. */
static uint32_t claim_way(struct hf_forwarding *f, const struct hf_route *route)
{
	uint32_t vacant = 0;

	for (uint32_t i = 1; i < f->way_count; i++) {
		struct way *way = &f->way[i];

		if (way->ifindex == route->ifindex && way->mtu == route->mtu &&
		    hf_address_equal(&way->via, &route->via)) {
			way->claimed = true;
			return i;
		}
		if (!way->used && !way->claimed && !vacant)
			vacant = i;
	}
	if (!vacant) {
		if (f->way_count == HF_MAX_BACKENDS)
			return 0;
		vacant = f->way_count++;
	}
	f->way[vacant] = (struct way){
		.ifindex = route->ifindex,
		.via = route->via,
		.mtu = route->mtu,
		.claimed = true,
		.written = f->way[vacant].written,
	};
	return vacant;
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
	const struct hf_route *route = &f->route[id];
	struct hf_prefix source = tunnel_source(f, record->address.family, route);
	bool has_way = route->ifindex && source.address.family == record->address.family;

	return hf_backend_entry(record, &source, has_way ? claim_way(f, route) : 0);
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

static void log_way(const struct way *way, bool resolved)
{
	char text[HF_ADDRESS_TEXT];

	hf_address_format(&way->via, text);
	if (resolved)
		hf_notice("next hop %s is resolved", text);
	else
		hf_warning(
			"next hop %s does not answer, or its link is down: packets that go by it "
			"are dropped",
			text);
}

static int write_way(struct hf_forwarding *f, uint32_t id)
{
	struct way *way = &f->way[id];
	const struct hf_route route = { .ifindex = way->ifindex, .via = way->via, .mtu = way->mtu };
	const struct hf_neighbour *neighbour =
		hf_network_neighbour(f->network, way->ifindex, &way->via);
	struct hf_nexthop nexthop = hf_network_nexthop(f->network, &route);
	int err = 0;

	if (!neighbour || (!neighbour->managed && !neighbour->permanent))
		hf_netlink_manage(f->netlink, way->ifindex, &way->via);
	if (memcmp(&nexthop, &way->written, sizeof(nexthop)) == 0)
		return 0;
	if (!nexthop.ifindex != !way->written.ifindex)
		log_way(way, nexthop.ifindex != 0);
	if (nexthop.ifindex)
		err = hf_dataplane_add_device(f->dataplane, nexthop.ifindex);
	if (!err)
		err = hf_dataplane_set_nexthop(f->dataplane, id, &nexthop);
	if (!err)
		way->written = nexthop;
	return err;
}

static int write_ways(struct hf_forwarding *f)
{
	int err = 0;

	for (uint32_t id = 1; id < f->way_count && !err; id++)
		if (f->way[id].claimed)
			err = write_way(f, id);
	return err;
}

/* Ways that no backend goes by any more are cleared, and free for the next round. */
static int release_ways(struct hf_forwarding *f)
{
	const struct hf_nexthop none = { 0 };
	int err = 0;

	for (uint32_t id = 1; id < f->way_count; id++) {
		struct way *way = &f->way[id];

		if (way->used && !way->claimed && !err) {
			err = hf_dataplane_set_nexthop(f->dataplane, id, &none);
			*way = (struct way){ 0 };
		}
		way->used = way->claimed;
		way->claimed = false;
	}
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
		err = write_ways(f);
	if (!err)
		err = each_backend(f, write_backend);
	return err ? err : release_ways(f);
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

static int make_services(const struct hf_config *config, struct made *made)
{
	struct hf_service_table *table = calloc(1, sizeof(*table));
	int err = table ? hf_service_table_build(table, config, made->pool_ids) : -ENOMEM;

	if (err)
		hf_error("can't build the service table: %s", strerror(-err));
	else
		made->services = hf_dataplane_make_services(table);
	free(table);
	return err ? err : made->services < 0 ? made->services : 0;
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
	return err ? err : make_services(config, made);
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

uint32_t hf_forwarding_unresolved(const struct hf_forwarding *f)
{
	uint32_t count = 0;

	for (uint32_t id = 1; id < f->way_count; id++)
		count += f->way[id].used && !f->way[id].written.ifindex;
	return count;
}

static void forget_backend(void *context, uint16_t id)
{
	struct hf_forwarding *f = context;
	const struct hf_backend none = { 0 };
	char text[HF_ADDRESS_TEXT];

	hf_notice("backend %s has drained and is gone",
		  hf_address_format(&hf_backends_record(f->backends, id)->address, text));
	f->written[id] = none;
	hf_dataplane_set_backend(f->dataplane, id, &none);
}

void hf_forwarding_swept(struct hf_forwarding *f, const struct hf_sweeper *sweeper, int64_t now)
{
	hf_backends_swept(f->backends, sweeper->last.backend, sweeper->pass_began, now,
			  forget_backend, f);
}
