/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pools' tables and the services that name them: made of a configuration, put in force
 * together, and remembered, so that a slot knows its previous backend. Functions return 0 or a
 * negative errno, logged.
 */
#ifndef HF_LBNODE_POOLS_H
#define HF_LBNODE_POOLS_H

#include <stdbool.h>
#include <stdint.h>

#include "lbnode/backends.h"
#include "lbnode/dataplane.h"
#include "lib/config.h"

struct hf_pools;

/* Of backends that have their ids already. Both must outlive the pools. NULL: out of memory. */
struct hf_pools *hf_pools_new(struct hf_dataplane *dataplane, const struct hf_backends *backends);
void hf_pools_delete(struct hf_pools *pools);

/* All tables are made before the first is put in force. `now` in ms. */
int hf_pools_apply(struct hf_pools *pools, const struct hf_config *config, int64_t now);

/* A former agent's table of a pool, mapped by hf_dataplane's means and now the pools': what is
 * applied next remembers it. */
void hf_pools_adopt(struct hf_pools *pools, const struct hf_config_pool *pool,
		    struct hf_slot *slots);

/* The backend is gone: no slot remembers it. */
void hf_pools_forget_backend(struct hf_pools *pools, uint16_t id);

/* Of slots that changed long enough ago. */
void hf_pools_end_freshness(struct hf_pools *pools, int64_t now);

/* Whether the choice of the digest's slot, in none of the backend's pools, is the backend. */
bool hf_pools_is_exception(const struct hf_pools *pools, uint64_t digest, uint16_t backend);

/* Whether a flow of which no more is known than that the backend is, or was, its choice may be
 * another one's: its slot has changed. */
bool hf_pools_is_doubtful(const struct hf_pools *pools, uint64_t digest, uint16_t backend);

/* The choice of a slot, which has not changed just now; HF_NO_BACKEND if it has, or if this node
 * has not been there for long enough to know. */
uint16_t hf_pools_settled_choice(const struct hf_pools *pools, uint16_t pool, uint64_t digest,
				 int64_t now);

/* The services in force; NULL: none are yet. And the slot of a service's pool for a digest, NULL if
 * there is none. */
const struct hf_service_table *hf_pools_services(const struct hf_pools *pools);
const struct hf_slot *hf_pools_slot(const struct hf_pools *pools, const struct hf_service *service,
				    uint64_t digest);

#endif
