// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/forwarding.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lbnode/network.h"
#include "lbnode/peers.h"
#include "lbnode/tables.h"
#include "lbnode/ways.h"
#include "lib/log.h"
#include "lib/packet/digest.h"

/* How long a slot's change may make UDP flows strangers. */
#define FRESH_MS 30000
/* And a flow that nobody knows is not taken for its choice's, since a record may be on its way. */
#define UNSETTLED_MS 3000

struct pool_slot {
	char name[HF_CONFIG_NAME_MAX + 1]; /* "": free */
	uint32_t size;
	uint64_t hash;	       /* of the choices that are in force */
	struct hf_slot *slots; /* mapped; NULL: none is in force yet */
	int64_t changed;       /* 0: not, or long ago */
};

/* A backend's pools, chained. */
struct membership {
	uint16_t pool;
	uint32_t next; /* 0: no more */
};

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
	struct pool_slot pool[HF_MAX_POOLS];
	uint32_t pools_of[HF_MAX_BACKENDS]; /* into memberships; 0: none */
	struct membership *memberships;
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
	f->peers = hf_peers_new(dataplane, netlink);
	if (f->network && f->ways && f->peers && hf_netlink_dump(netlink, f->network) == 0)
		return f;
	hf_forwarding_delete(f);
	return NULL;
}

void hf_forwarding_delete(struct hf_forwarding *f)
{
	if (!f)
		return;
	for (uint32_t i = 0; i < HF_MAX_POOLS; i++)
		hf_dataplane_unmap_pool(f->pool[i].slots, f->pool[i].size);
	free(f->memberships);
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
struct made_pool {
	int table;	       /* -1: as it is already */
	struct hf_slot *slots; /* mapped, and not yet in force; NULL: none */
	uint32_t size;
	uint64_t hash;
};

struct made {
	uint16_t *pool_ids;
	struct made_pool *pool;
	int services;
	uint32_t pools; /* how many are made */
};

static void unmake(struct made *made)
{
	for (uint32_t i = 0; i < made->pools; i++) {
		if (made->pool[i].table >= 0)
			close(made->pool[i].table);
		hf_dataplane_unmap_pool(made->pool[i].slots, made->pool[i].size);
	}
	if (made->services >= 0)
		close(made->services);
	free(made->pool_ids);
	free(made->pool);
}

/* A table that came out as it is in force is not made: each exchange costs the kernel's grace
 * period, some 10 ms. Its descriptor, -1 for none, or another negative errno. */
static int make_slots(const struct pool_slot *slot, const uint16_t *choices, uint32_t size,
		      struct hf_slot **mapped)
{
	struct hf_slot *slots = malloc(size * sizeof(*slots));
	int table;

	if (!slots)
		return -ENOMEM;
	hf_slots_remember(slots, choices, slot->slots, size);
	table = hf_dataplane_make_pool(slots, size, mapped);
	free(slots);
	return table;
}

static int make_pool(struct hf_forwarding *f, const struct hf_config_pool *pool, struct made *made)
{
	uint16_t *choices = calloc(pool->table_size, sizeof(*choices)),
		 id = find_pool_slot(f, pool);
	int err = choices ? hf_pool_table_build(choices, pool, f->backends) : -ENOMEM, table = -1;
	struct pool_slot *slot = &f->pool[id];
	struct hf_slot *mapped = NULL;
	uint64_t hash = 0;

	if (err) {
		hf_error("can't build the table of pool %s: %s", pool->name, strerror(-err));
	} else {
		hash = hash_slots(choices, pool->table_size);
		if (!slot->slots || hash != slot->hash)
			err = table = make_slots(slot, choices, pool->table_size, &mapped);
	}
	free(choices);
	if (err < 0)
		return err;
	if (!slot->name[0]) {
		snprintf(slot->name, sizeof(slot->name), "%s", pool->name);
		slot->size = pool->table_size;
	}
	made->pool_ids[made->pools] = id;
	made->pool[made->pools++] = (struct made_pool){ table, mapped, pool->table_size, hash };
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
	made->pool = calloc(config->pool_count, sizeof(*made->pool));
	if (!made->pool_ids || !made->pool)
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

static int put_pool_in_force(struct hf_forwarding *f, struct made *made, uint32_t i, int64_t now)
{
	struct pool_slot *slot = &f->pool[made->pool_ids[i]];
	struct made_pool *pool = &made->pool[i];
	int err;

	if (pool->table < 0)
		return 0;
	err = hf_dataplane_set_pool(f->dataplane, made->pool_ids[i], pool->table);
	if (err)
		return err;
	slot->changed = slot->slots ? now : 0;
	hf_dataplane_unmap_pool(slot->slots, slot->size);
	slot->slots = pool->slots;
	slot->hash = pool->hash;
	pool->slots = NULL;
	return 0;
}

static void forget_pool(struct hf_forwarding *f, uint16_t id)
{
	hf_dataplane_remove_pool(f->dataplane, id);
	hf_dataplane_unmap_pool(f->pool[id].slots, f->pool[id].size);
	f->pool[id] = (struct pool_slot){ .slots = NULL };
}

/* Pools first, then the services that name them; then what no service names any more. */
static int put_in_force(struct hf_forwarding *f, struct made *made, int64_t now)
{
	int err = 0;

	for (uint32_t i = 0; i < made->pools && !err; i++)
		err = put_pool_in_force(f, made, i, now);
	if (!err)
		err = hf_dataplane_set_services(f->dataplane, made->services);
	for (uint16_t id = 0; id < HF_MAX_POOLS && !err; id++)
		if (f->pool[id].name[0] && !made_has(made, id))
			forget_pool(f, id);
	return err;
}

/* Which pools each backend is in. */
static int note_memberships(struct hf_forwarding *f, const struct hf_config *config,
			    const struct made *made)
{
	struct membership *all;
	uint32_t count = 1;

	for (uint32_t i = 0; i < config->pool_count; i++)
		count += config->pools[i].backend_count;
	all = calloc(count, sizeof(*all));
	if (!all)
		return -ENOMEM;
	memset(f->pools_of, 0, sizeof(f->pools_of));
	count = 1;
	for (uint32_t i = 0; i < config->pool_count; i++) {
		const struct hf_config_pool *pool = &config->pools[i];

		for (uint32_t j = 0; j < pool->backend_count; j++, count++) {
			uint16_t id = hf_backends_id(f->backends,
						     hf_backend_identity(pool, &pool->backends[j]));

			all[count] = (struct membership){ made->pool_ids[i], f->pools_of[id] };
			f->pools_of[id] = count;
		}
	}
	free(f->memberships);
	f->memberships = all;
	return 0;
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
		err = put_in_force(f, &made, now);
	if (!err)
		err = note_memberships(f, config, &made);
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
	for (uint32_t i = 0; i < HF_MAX_POOLS; i++)
		for (uint32_t j = 0; f->pool[i].slots && j < f->pool[i].size; j++)
			if (f->pool[i].slots[j].previous == id)
				f->pool[i].slots[j].previous = HF_NO_BACKEND;
	hf_dataplane_set_backend(f->dataplane, id, &none);
}

/* In force as it is; a slot is read and written as one word by all. */
static void end_freshness(struct pool_slot *pool)
{
	pool->changed = 0;
	for (uint32_t i = 0; i < pool->size; i++)
		pool->slots[i].is_fresh = 0;
}

void hf_forwarding_swept(struct hf_forwarding *f, const struct hf_sweeper *sweeper, int64_t now)
{
	hf_backends_swept(f->backends, sweeper->last.backend, sweeper->pass_began, now,
			  forget_backend, f);
	forget_paths(f, now);
	for (uint32_t i = 0; i < HF_MAX_POOLS; i++)
		if (f->pool[i].changed && now - f->pool[i].changed > FRESH_MS)
			end_freshness(&f->pool[i]);
}

static const struct hf_slot *slot_of(const struct pool_slot *pool, uint64_t digest)
{
	return pool->slots ? &pool->slots[hf_slot(digest, pool->size)] : NULL;
}

bool hf_forwarding_is_exception(const struct hf_forwarding *f, uint64_t digest, uint16_t backend)
{
	for (uint32_t i = f->pools_of[backend]; i; i = f->memberships[i].next) {
		const struct hf_slot *slot = slot_of(&f->pool[f->memberships[i].pool], digest);

		if (slot && slot->backend == backend)
			return false;
	}
	return true;
}

bool hf_forwarding_is_doubtful(const struct hf_forwarding *f, uint64_t digest, uint16_t backend)
{
	for (uint32_t i = f->pools_of[backend]; i; i = f->memberships[i].next) {
		const struct hf_slot *slot = slot_of(&f->pool[f->memberships[i].pool], digest);

		if (slot && slot->backend == backend && slot->previous != HF_NO_BACKEND)
			return true;
	}
	return false;
}

uint16_t hf_forwarding_settled_choice(const struct hf_forwarding *f, uint16_t pool, uint64_t digest,
				      int64_t now)
{
	const struct hf_slot *slot = pool < HF_MAX_POOLS ? slot_of(&f->pool[pool], digest) : NULL;

	if (!slot || (slot->is_fresh && now - f->pool[pool].changed < UNSETTLED_MS))
		return HF_NO_BACKEND;
	return slot->backend;
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
