// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/backends.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define INDEX_CELLS (2 * HF_MAX_BACKENDS)

struct hf_backends {
	struct hf_backend_record record[HF_MAX_BACKENDS];
	/* Open addressing by identity, rebuilt whenever an id is given or freed. */
	uint16_t index[INDEX_CELLS];
	uint16_t last_given;
	bool shared;
};

struct hf_backends *hf_backends_new(void)
{
	return calloc(1, sizeof(struct hf_backends));
}

void hf_backends_delete(struct hf_backends *backends)
{
	free(backends);
}

uint64_t hf_backend_identity(const struct hf_config_pool *pool,
			     const struct hf_config_backend *backend)
{
	static const unsigned char key[crypto_shorthash_KEYBYTES] = "holdfast backend";
	struct {
		struct hf_address address;
		uint32_t encapsulation;
		uint32_t gue_port;
	} end = { backend->address, pool->encapsulation,
		  pool->encapsulation == HF_CONFIG_GUE ? pool->gue_port : 0 };
	uint64_t identity;

	crypto_shorthash((unsigned char *)&identity, (const unsigned char *)&end, sizeof(end), key);
	return identity;
}

/* What the index knows: ids that have a meaning. */
static bool is_known(const struct hf_backend_record *record)
{
	return record->state == HF_BACKEND_SERVING || record->state == HF_BACKEND_DRAINING;
}

static void index_add(struct hf_backends *b, uint16_t id)
{
	uint32_t at = hf_backend_name(b->record[id].identity) % INDEX_CELLS;

	while (b->index[at] != HF_NO_BACKEND)
		at = (at + 1) % INDEX_CELLS;
	b->index[at] = id;
}

static void index_rebuild(struct hf_backends *b)
{
	memset(b->index, 0, sizeof(b->index));
	for (uint32_t id = 1; id < HF_MAX_BACKENDS; id++)
		if (is_known(&b->record[id]))
			index_add(b, id);
}

static uint16_t index_find(const struct hf_backends *b, uint64_t identity)
{
	uint32_t at = hf_backend_name(identity) % INDEX_CELLS;

	while (b->index[at] != HF_NO_BACKEND && b->record[b->index[at]].identity != identity)
		at = (at + 1) % INDEX_CELLS;
	return b->index[at];
}

uint16_t hf_backends_named(const struct hf_backends *b, uint32_t name)
{
	uint32_t at = name % INDEX_CELLS;

	while (b->index[at] != HF_NO_BACKEND &&
	       hf_backend_name(b->record[b->index[at]].identity) != name)
		at = (at + 1) % INDEX_CELLS;
	return b->index[at];
}

void hf_backends_set_shared(struct hf_backends *b, bool shared)
{
	b->shared = shared;
}

void hf_backends_adopt(struct hf_backends *b, uint16_t id, const struct hf_backend *entry,
		       int64_t now, int64_t drain_ms)
{
	struct hf_backend_record *record = &b->record[id];
	bool gue = entry->encapsulation == HF_ENCAP_GUE_OVER_IPV4 ||
		   entry->encapsulation == HF_ENCAP_GUE_OVER_IPV6;
	bool ipv4 = entry->encapsulation == HF_ENCAP_GUE_OVER_IPV4 ||
		    entry->encapsulation == HF_ENCAP_IPIP_OVER_IPV4;

	*record = (struct hf_backend_record){
		.state = HF_BACKEND_DRAINING,
		.identity = entry->identity,
		.drain_began = now,
		.drain_until = now + drain_ms,
		.encapsulation = gue ? HF_CONFIG_GUE : HF_CONFIG_IPIP,
		.gue_port = __builtin_bswap16(entry->gue_port),
	};
	memcpy(record->address.word, entry->address, sizeof(record->address.word));
	record->address.family = ipv4 ? 4 : 6;
	index_add(b, id);
}

/* Ids are given in a circle, so that a freed one rests as long as possible. */
static uint16_t next_free(struct hf_backends *b)
{
	for (uint32_t i = 0; i < HF_MAX_BACKENDS; i++) {
		b->last_given = b->last_given == HF_MAX_BACKENDS - 1 ? 1 : b->last_given + 1;
		if (b->record[b->last_given].state == HF_BACKEND_FREE)
			return b->last_given;
	}
	return HF_NO_BACKEND;
}

/* Its id, a new one if need be; HF_NO_BACKEND: there is none left. */
static uint16_t give_id(struct hf_backends *b, const struct hf_config_pool *pool,
			const struct hf_config_backend *backend)
{
	uint64_t identity = hf_backend_identity(pool, backend);
	uint16_t id = index_find(b, identity);

	if (id != HF_NO_BACKEND)
		return id;
	id = next_free(b);
	if (id == HF_NO_BACKEND)
		return id;
	b->record[id] = (struct hf_backend_record){
		.identity = identity,
		.address = backend->address,
		.encapsulation = pool->encapsulation,
		.gue_port = pool->gue_port,
	};
	index_add(b, id);
	return id;
}

static int serve(struct hf_backends *b, const struct hf_config_pool *pool,
		 const struct hf_config_backend *backend)
{
	uint16_t id = give_id(b, pool, backend);
	struct hf_backend_record *record = &b->record[id];

	if (id == HF_NO_BACKEND)
		return -ENOSPC;
	/* Of several pools one that has slots for it is enough. */
	record->idle = !backend->weight && (record->state != HF_BACKEND_SERVING || record->idle);
	record->state = HF_BACKEND_SERVING;
	return 0;
}

/* By an operator's word. One whose time is up is not made known again. */
static int drain(struct hf_backends *b, const struct hf_config_pool *pool,
		 const struct hf_config_backend *backend, int64_t now)
{
	uint16_t id = index_find(b, hf_backend_identity(pool, backend));
	struct hf_backend_record *record;

	if (id == HF_NO_BACKEND && backend->drain_left <= 0)
		return 0;
	id = give_id(b, pool, backend);
	if (id == HF_NO_BACKEND)
		return -ENOSPC;
	record = &b->record[id];
	if (record->state == HF_BACKEND_SERVING) /* in another pool */
		return 0;
	if (record->state != HF_BACKEND_DRAINING)
		record->drain_began = now;
	record->state = HF_BACKEND_DRAINING;
	record->drain_until = now + backend->drain_left;
	return 0;
}

static int take_pool(struct hf_backends *b, const struct hf_config_pool *pool, bool drains,
		     int64_t now)
{
	int err = 0;

	for (uint32_t i = 0; i < pool->backend_count && !err; i++)
		if (pool->backends[i].drains == drains)
			err = drains ? drain(b, pool, &pool->backends[i], now)
				     : serve(b, pool, &pool->backends[i]);
	return err;
}

static void drain_all(struct hf_backends *b, int64_t now, int64_t drain_ms)
{
	for (uint32_t id = 1; id < HF_MAX_BACKENDS; id++) {
		if (b->record[id].state != HF_BACKEND_SERVING)
			continue;
		b->record[id].idle = false;
		b->record[id].state = HF_BACKEND_DRAINING;
		b->record[id].drain_began = now;
		b->record[id].drain_until = now + drain_ms;
	}
}

int hf_backends_apply(struct hf_backends *b, const struct hf_config *config, int64_t now)
{
	struct hf_backends *before = malloc(sizeof(*before));
	int err = 0;

	if (!before)
		return -ENOMEM;
	memcpy(before, b, sizeof(*before));
	drain_all(b, now, config->timeouts.drain * 1000LL);
	for (int drains = 0; drains <= 1; drains++)
		for (uint32_t p = 0; p < config->pool_count && !err; p++)
			err = take_pool(b, &config->pools[p], drains, now);
	if (err)
		memcpy(b, before, sizeof(*b));
	free(before);
	return err;
}

uint16_t hf_backends_id(const struct hf_backends *b, uint64_t identity)
{
	return index_find(b, identity);
}

const struct hf_backend_record *hf_backends_record(const struct hf_backends *b, uint16_t id)
{
	return &b->record[id];
}

static bool drain_is_over(const struct hf_backends *b, const struct hf_backend_record *record,
			  uint32_t pins, int64_t began, int64_t now)
{
	return now >= record->drain_until ||
	       (!b->shared && pins == 0 && began > record->drain_began);
}

void hf_backends_swept(struct hf_backends *b, const uint32_t *pins, int64_t began, int64_t now,
		       void (*gone)(void *context, uint16_t id), void *context)
{
	bool changed = false;

	for (uint32_t id = 1; id < HF_MAX_BACKENDS; id++) {
		struct hf_backend_record *record = &b->record[id];

		if (record->state == HF_BACKEND_GONE && pins[id] == 0) {
			record->state = HF_BACKEND_FREE;
		} else if (record->state == HF_BACKEND_DRAINING &&
			   drain_is_over(b, record, pins[id], began, now)) {
			record->state = HF_BACKEND_GONE;
			changed = true;
			gone(context, id);
		}
	}
	if (changed)
		index_rebuild(b);
}
