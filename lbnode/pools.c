// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/pools.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lbnode/tables.h"
#include "lib/log.h"
#include "lib/packet/digest.h"

/* How long a slot's change may make UDP flows strangers. */
#define FRESH_MS 30000
/* And a flow that nobody knows is not taken for its choice's, since a record may be on its way. */
#define UNSETTLED_MS 3000
/* For so long a node that has just started leaves it to others to guess: they saw slots change that
 * it did not. */
#define HISTORY_MS 300000

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

struct hf_pools {
	int64_t began; /* when the first tables were made */
	bool has_history;
	struct hf_dataplane *dataplane;
	const struct hf_backends *backends;
	struct pool_slot pool[HF_MAX_POOLS];
	uint32_t pools_of[HF_MAX_BACKENDS]; /* into memberships; 0: none */
	struct membership *memberships;
	struct hf_service_ids service_ids;
	struct hf_service_table *services; /* in force */
};

struct hf_pools *hf_pools_new(struct hf_dataplane *dataplane, const struct hf_backends *backends)
{
	struct hf_pools *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->dataplane = dataplane;
	p->backends = backends;
	return p;
}

void hf_pools_delete(struct hf_pools *p)
{
	if (!p)
		return;
	for (uint32_t i = 0; i < HF_MAX_POOLS; i++)
		hf_dataplane_unmap_pool(p->pool[i].slots, p->pool[i].size);
	free(p->memberships);
	free(p->services);
	free(p);
}

/* The pool's slot, or a free one. There are twice as many as pools. */
static uint16_t find_pool_slot(const struct hf_pools *p, const struct hf_config_pool *pool)
{
	uint16_t vacant = 0;

	for (uint16_t i = HF_MAX_POOLS; i-- > 0;) {
		if (strcmp(p->pool[i].name, pool->name) == 0 && p->pool[i].size == pool->table_size)
			return i;
		if (!p->pool[i].name[0])
			vacant = i;
	}
	return vacant;
}

static void name_pool(struct pool_slot *slot, const struct hf_config_pool *pool)
{
	snprintf(slot->name, sizeof(slot->name), "%s", pool->name);
	slot->size = pool->table_size;
}

void hf_pools_adopt(struct hf_pools *p, const struct hf_config_pool *pool, struct hf_slot *slots)
{
	struct pool_slot *slot = &p->pool[find_pool_slot(p, pool)];

	name_pool(slot, pool);
	p->has_history = true;
	slot->slots = slots; /* and no hash, so that a table is made, whatever the choices are */
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
	struct hf_service_table *service_table; /* what is in it */
	uint32_t pools;				/* how many are made */
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
	free(made->service_table);
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

static int make_pool(struct hf_pools *p, const struct hf_config_pool *pool, struct made *made)
{
	uint16_t *choices = calloc(pool->table_size, sizeof(*choices)),
		 id = find_pool_slot(p, pool);
	int err = choices ? hf_pool_table_build(choices, pool, p->backends) : -ENOMEM, table = -1;
	struct pool_slot *slot = &p->pool[id];
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
	if (!slot->name[0])
		name_pool(slot, pool);
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
	made->service_table = table;
	return err ? err : made->services < 0 ? made->services : 0;
}

static int make_services(struct hf_pools *p, const struct hf_config *config, struct made *made)
{
	uint16_t ids[HF_MAX_SERVICES];
	bool is_new[HF_MAX_SERVICES];
	int err;

	hf_service_ids_assign(&p->service_ids, config, ids, is_new);
	err = make_service_table(config, ids, made);
	for (uint32_t i = 0; i < config->service_count && !err; i++)
		if (is_new[i])
			err = hf_dataplane_clear_service(p->dataplane, ids[i]);
	return err;
}

static int make_tables(struct hf_pools *p, const struct hf_config *config, struct made *made)
{
	int err = 0;

	*made = (struct made){ .services = -1 };
	made->pool_ids = calloc(config->pool_count, sizeof(*made->pool_ids));
	made->pool = calloc(config->pool_count, sizeof(*made->pool));
	if (!made->pool_ids || !made->pool)
		return -ENOMEM;
	for (uint32_t i = 0; i < config->pool_count && !err; i++)
		err = make_pool(p, &config->pools[i], made);
	return err ? err : make_services(p, config, made);
}

static bool made_has(const struct made *made, uint16_t id)
{
	for (uint32_t i = 0; i < made->pools; i++)
		if (made->pool_ids[i] == id)
			return true;
	return false;
}

static void pool_is_in_force(struct hf_pools *p, struct made *made, uint32_t i, int64_t now)
{
	struct pool_slot *slot = &p->pool[made->pool_ids[i]];
	struct made_pool *pool = &made->pool[i];

	if (pool->table < 0)
		return;
	slot->changed = slot->slots ? now : 0;
	hf_dataplane_unmap_pool(slot->slots, slot->size);
	slot->slots = pool->slots;
	slot->hash = pool->hash;
	pool->slots = NULL;
}

static int put_pools_in_force(struct hf_pools *p, struct made *made, int64_t now)
{
	uint32_t *ids = calloc(made->pools + 1, sizeof(*ids)), count = 0;
	int *tables = calloc(made->pools + 1, sizeof(*tables)), err = -ENOMEM;

	for (uint32_t i = 0; ids && tables && i < made->pools; i++) {
		if (made->pool[i].table < 0)
			continue;
		ids[count] = made->pool_ids[i];
		tables[count++] = made->pool[i].table;
	}
	if (ids && tables)
		err = hf_dataplane_set_pools(p->dataplane, ids, tables, count);
	free(ids);
	free(tables);
	for (uint32_t i = 0; i < made->pools && !err; i++)
		pool_is_in_force(p, made, i, now);
	return err;
}

static void forget_pool(struct hf_pools *p, uint16_t id)
{
	hf_dataplane_remove_pool(p->dataplane, id);
	hf_dataplane_unmap_pool(p->pool[id].slots, p->pool[id].size);
	p->pool[id] = (struct pool_slot){ .slots = NULL };
}

/* Pools first, then the services that name them; then what no service names any more. */
static int put_in_force(struct hf_pools *p, struct made *made, int64_t now)
{
	int err = put_pools_in_force(p, made, now);

	if (!err)
		err = hf_dataplane_set_services(p->dataplane, made->services);
	if (!err) {
		free(p->services);
		p->services = made->service_table;
		made->service_table = NULL;
	}
	for (uint16_t id = 0; id < HF_MAX_POOLS && !err; id++)
		if (p->pool[id].name[0] && !made_has(made, id))
			forget_pool(p, id);
	return err;
}

/* Which pools each backend is in. */
static int note_memberships(struct hf_pools *p, const struct hf_config *config,
			    const struct made *made)
{
	struct membership *all;
	uint32_t count = 1;

	for (uint32_t i = 0; i < config->pool_count; i++)
		count += config->pools[i].backend_count;
	all = calloc(count, sizeof(*all));
	if (!all)
		return -ENOMEM;
	memset(p->pools_of, 0, sizeof(p->pools_of));
	count = 1;
	for (uint32_t i = 0; i < config->pool_count; i++) {
		const struct hf_config_pool *pool = &config->pools[i];

		for (uint32_t j = 0; j < pool->backend_count; j++, count++) {
			uint16_t id = hf_backends_id(p->backends,
						     hf_backend_identity(pool, &pool->backends[j]));

			all[count] = (struct membership){ made->pool_ids[i], p->pools_of[id] };
			p->pools_of[id] = count;
		}
	}
	free(p->memberships);
	p->memberships = all;
	return 0;
}

int hf_pools_apply(struct hf_pools *p, const struct hf_config *config, int64_t now)
{
	struct made made;
	int err = make_tables(p, config, &made);

	if (!p->began)
		p->began = now;
	if (!err)
		err = put_in_force(p, &made, now);
	if (!err)
		err = note_memberships(p, config, &made);
	unmake(&made);
	return err;
}

/* In force as it is; a slot is read and written as one word by all. */
static void end_freshness(struct pool_slot *pool)
{
	pool->changed = 0;
	for (uint32_t i = 0; i < pool->size; i++)
		pool->slots[i].is_fresh = 0;
}

void hf_pools_end_freshness(struct hf_pools *p, int64_t now)
{
	for (uint32_t i = 0; i < HF_MAX_POOLS; i++)
		if (p->pool[i].changed && now - p->pool[i].changed > FRESH_MS)
			end_freshness(&p->pool[i]);
}

void hf_pools_forget_backend(struct hf_pools *p, uint16_t id)
{
	for (uint32_t i = 0; i < HF_MAX_POOLS; i++)
		for (uint32_t j = 0; p->pool[i].slots && j < p->pool[i].size; j++)
			if (p->pool[i].slots[j].previous == id)
				p->pool[i].slots[j].previous = HF_NO_BACKEND;
}

static const struct hf_slot *slot_of(const struct pool_slot *pool, uint64_t digest)
{
	return pool->slots ? &pool->slots[hf_slot(digest, pool->size)] : NULL;
}

bool hf_pools_is_exception(const struct hf_pools *p, uint64_t digest, uint16_t backend)
{
	for (uint32_t i = p->pools_of[backend]; i; i = p->memberships[i].next) {
		const struct hf_slot *slot = slot_of(&p->pool[p->memberships[i].pool], digest);

		if (slot && slot->backend == backend)
			return false;
	}
	return true;
}

bool hf_pools_is_doubtful(const struct hf_pools *p, uint64_t digest, uint16_t backend)
{
	for (uint32_t i = p->pools_of[backend]; i; i = p->memberships[i].next) {
		const struct hf_slot *slot = slot_of(&p->pool[p->memberships[i].pool], digest);

		if (slot && slot->backend == backend)
			return slot->previous != HF_NO_BACKEND;
	}
	return true;
}

uint16_t hf_pools_settled_choice(const struct hf_pools *p, uint16_t pool, uint64_t digest,
				 int64_t now)
{
	const struct hf_slot *slot = pool < HF_MAX_POOLS ? slot_of(&p->pool[pool], digest) : NULL;

	if (!p->has_history && now - p->began < HISTORY_MS)
		return HF_NO_BACKEND;
	if (!slot || (slot->is_fresh && now - p->pool[pool].changed < UNSETTLED_MS))
		return HF_NO_BACKEND;
	return slot->backend;
}

const struct hf_service_table *hf_pools_services(const struct hf_pools *p)
{
	return p->services;
}

const struct hf_slot *hf_pools_slot(const struct hf_pools *p, const struct hf_service *service,
				    uint64_t digest)
{
	const struct pool_slot *pool = &p->pool[service->pool];

	return pool->slots ? &pool->slots[hf_slot(digest, pool->size)] : NULL;
}
