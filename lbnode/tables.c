// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/tables.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lbnode/bpf/pin.h"
#include "lbnode/bpf/service_table.h"
#include "lib/maglev.h"

#define SEEDS_TRIED 1000

/* False: the chain from its place on is too long. A cell that is there already is left. */
static bool add(struct hf_service_table *table, const struct hf_service *service)
{
	uint32_t at =
		hf_service_hash(table->seed, service->address, service->port, service->protocol);

	for (uint32_t i = 0; i < HF_SERVICE_PROBES; i++) {
		struct hf_service *cell = &table->cell[(at + i) % HF_SERVICE_CELLS];

		if (!cell->family) {
			*cell = *service;
			return true;
		}
		if (memcmp(cell->address, service->address, sizeof(cell->address)) == 0 &&
		    cell->port == service->port && cell->protocol == service->protocol &&
		    cell->family == service->family)
			return true;
	}
	return false;
}

static bool add_all(struct hf_service_table *table, const struct hf_config *config,
		    const uint16_t *service_ids, const uint16_t *pool_ids)
{
	for (uint32_t i = 0; i < config->service_count; i++) {
		const struct hf_config_service *s = &config->services[i];
		struct hf_service service = {
			.family = s->address.family,
			.id = service_ids[i],
			.pool = pool_ids[s->pool],
			.table_size = config->pools[s->pool].table_size,
			.is_stateless = s->stateless,
			.has_last_chance = config->pools[s->pool].last_chance,
		};

		memcpy(service.address, s->address.word, sizeof(service.address));
		if (!add(table, &service)) /* its address is a VIP */
			return false;
		service.protocol = s->protocol == HF_CONFIG_TCP ? IPPROTO_TCP : IPPROTO_UDP;
		service.port = htons(s->port);
		if (!add(table, &service))
			return false;
	}
	return true;
}

static struct hf_own own(const struct hf_prefix *prefix)
{
	struct hf_own own = { 0 };

	if (!prefix->address.family)
		return own;
	memcpy(own.address, prefix->address.word, sizeof(own.address));
	for (uint32_t bit = 0; bit < prefix->length; bit++)
		((uint8_t *)own.mask)[bit / 8] |= 0x80 >> bit % 8;
	return own;
}

static uint16_t find_id(const struct hf_service_ids *ids, const struct hf_config_service *s)
{
	uint16_t i;

	for (i = 0; i < HF_MAX_SERVICES; i++)
		if (ids->id[i].used && ids->id[i].port == s->port &&
		    ids->id[i].protocol == s->protocol &&
		    hf_address_equal(&ids->id[i].address, &s->address))
			break;
	return i;
}

void hf_service_ids_assign(struct hf_service_ids *ids, const struct hf_config *config,
			   uint16_t *given, bool *is_new)
{
	bool kept[HF_MAX_SERVICES] = { false };
	uint16_t next = 0;

	for (uint32_t i = 0; i < config->service_count; i++) {
		given[i] = find_id(ids, &config->services[i]);
		is_new[i] = given[i] == HF_MAX_SERVICES;
		if (!is_new[i])
			kept[given[i]] = true;
	}
	for (uint32_t i = 0; i < config->service_count; i++) {
		const struct hf_config_service *s = &config->services[i];

		if (!is_new[i])
			continue;
		while (kept[next])
			next++;
		given[i] = next;
		kept[next] = true;
		ids->id[next].address = s->address;
		ids->id[next].port = s->port;
		ids->id[next].protocol = s->protocol;
	}
	for (uint32_t i = 0; i < HF_MAX_SERVICES; i++)
		ids->id[i].used = kept[i];
}

int hf_service_table_build(struct hf_service_table *table, const struct hf_config *config,
			   const uint16_t *service_ids, const uint16_t *pool_ids)
{
	for (uint64_t seed = 1; seed <= SEEDS_TRIED; seed++) {
		memset(table, 0, sizeof(*table));
		table->seed = seed;
		table->own4 = own(&config->node.source_ipv4);
		table->own6 = own(&config->node.source_ipv6);
		if (add_all(table, config, service_ids, pool_ids))
			return 0;
	}
	return -ENOSPC;
}

int hf_pool_table_build(uint16_t *slots, const struct hf_config_pool *pool,
			const struct hf_backends *backends)
{
	struct hf_maglev_member *members = calloc(pool->backend_count + 1, sizeof(*members));
	uint32_t count = 0;
	int err;

	if (!members)
		return -ENOMEM;
	for (uint32_t i = 0; i < pool->backend_count; i++) {
		const struct hf_config_backend *b = &pool->backends[i];

		if (!b->weight)
			continue;
		members[count++] = (struct hf_maglev_member){
			.name = b->name,
			.weight = b->weight,
			.value = hf_backends_id(backends, hf_backend_identity(pool, b)),
		};
	}
	/* All were taken out by operators: there is nowhere to send new flows to. */
	memset(slots, 0, pool->table_size * sizeof(*slots));
	err = count ? hf_maglev_fill(members, count, slots, pool->table_size) : 0;
	free(members);
	return err;
}

void hf_slots_remember(struct hf_slot *slots, const uint16_t *choices, const struct hf_slot *before,
		       uint32_t size)
{
	for (uint32_t i = 0; i < size; i++) {
		slots[i] = (struct hf_slot){ .backend = choices[i] };
		if (!before)
			continue;
		slots[i].previous = before[i].previous;
		slots[i].is_fresh = before[i].is_fresh;
		if (before[i].backend == choices[i])
			continue;
		slots[i].previous = before[i].backend;
		slots[i].is_fresh = 1;
	}
}

static uint8_t encapsulation_of(const struct hf_backend_record *record)
{
	if (record->encapsulation == HF_CONFIG_IPIP)
		return record->address.family == 4 ? HF_ENCAP_IPIP_OVER_IPV4
						   : HF_ENCAP_IPIP_OVER_IPV6;
	return record->address.family == 4 ? HF_ENCAP_GUE_OVER_IPV4 : HF_ENCAP_GUE_OVER_IPV6;
}

static uint32_t entropy_of(const struct hf_prefix *source)
{
	uint32_t free_bits = hf_address_length(source->address.family) * 8 - source->length;

	if (free_bits >= 32)
		return UINT32_MAX;
	return htonl((1U << free_bits) - 1);
}

/* What all outer IPv4 headers of the backend have in common; its protocol, ToS, length and the
 * source come on top (bpf/transmit.h). */
static uint32_t constant_checksum(uint32_t destination)
{
	const uint32_t version_ihl = 0x4500, dont_fragment = 0x4000, ttl = 64 << 8;

	return htons(version_ihl) + htons(dont_fragment) + htons(ttl) + (destination & 0xffff) +
	       (destination >> 16);
}

struct hf_backend hf_backend_entry(const struct hf_backend_record *record,
				   const struct hf_prefix *source, uint32_t nexthop)
{
	struct hf_backend entry = {
		.entropy = entropy_of(source),
		.nexthop = nexthop,
		.gue_port = htons(record->gue_port),
		.encapsulation = encapsulation_of(record),
		.is_draining = record->state == HF_BACKEND_DRAINING || record->idle,
		.is_down = record->idle,
		.identity = record->identity,
	};

	memcpy(entry.address, record->address.word, sizeof(entry.address));
	memcpy(entry.source, source->address.word, sizeof(entry.source));
	if (record->address.family == 4)
		entry.checksum = constant_checksum(entry.address[0]);
	return entry;
}

uint32_t hf_flow_table_bits(uint32_t flows)
{
	uint32_t bits = HF_BUCKETS_MIN_BITS;

	while (bits < HF_BUCKETS_MAX_BITS && (uint64_t)HF_BUCKET_PINS << bits < 2ULL * flows)
		bits++;
	return bits;
}
