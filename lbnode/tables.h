/* SPDX-License-Identifier: BSD-2-Clause */
/* From the configuration to the data plane's read-only tables. No I/O. */
#ifndef HF_LBNODE_TABLES_H
#define HF_LBNODE_TABLES_H

#include <stdint.h>

#include "lbnode/backends.h"
#include "lbnode/bpf/types.h"
#include "lib/config.h"

/* Which service has which id, by which its traffic is counted. */
struct hf_service_ids {
	struct {
		struct hf_address address;
		uint16_t port;
		uint8_t protocol; /* enum hf_config_protocol */
		bool used;
	} id[HF_MAX_SERVICES];
};

/*
 * Gives the configuration's services their ids, given[i] to the i-th: those that are known keep
 * theirs, wherever in the file they stand now. is_new[i] tells which have none to keep.
 */
void hf_service_ids_assign(struct hf_service_ids *ids, const struct hf_config *config,
			   uint16_t *given, bool *is_new);

/*
 * Fills the service table; service_ids[i] is the id of the configuration's i-th service,
 * pool_ids[i] that of its i-th pool. 0, or -ENOSPC when no seed keeps the chains short enough,
 * which takes 4,096 services and very bad luck.
 */
int hf_service_table_build(struct hf_service_table *table, const struct hf_config *config,
			   const uint16_t *service_ids, const uint16_t *pool_ids);

/* Fills slots[0..pool->table_size-1] with the ids of the pool's backends. 0 or -ENOMEM. */
int hf_pool_table_build(uint16_t *slots, const struct hf_config_pool *pool,
			const struct hf_backends *backends);

/*
 * Fills slots[0..size-1] from their choices. What the table before, if there was one of that size,
 * knew of a slot stays known; where the choice has changed, it was the former one until now.
 */
void hf_slots_remember(struct hf_slot *slots, const uint16_t *choices, const struct hf_slot *before,
		       uint32_t size);

/*
 * The data plane's entry of a backend whose tunnel comes from `source` and leaves by next hop
 * `nexthop`. The bits of the source beyond its prefix, the last 32 at most, are the flows'.
 */
struct hf_backend hf_backend_entry(const struct hf_backend_record *record,
				   const struct hf_prefix *source, uint32_t nexthop);

/* 2 to the power of this many buckets hold `flows` flows when they are half full. */
uint32_t hf_flow_table_bits(uint32_t flows);

#endif
