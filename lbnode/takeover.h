/* SPDX-License-Identifier: BSD-2-Clause */
/* What an agent takes over from the one before it, which may have died at any moment. */
#ifndef HF_LBNODE_TAKEOVER_H
#define HF_LBNODE_TAKEOVER_H

#include "lbnode/dataplane.h"
#include "lib/config.h"

#define HF_PROGRAM_PIN "program"

/* What a flow table of ours means. */
struct hf_layout hf_takeover_layout(const struct hf_dataplane_settings *settings);

/* The former agent's flow table, if it means what ours would, and its marks: descriptors for the
 * caller to close. False: there is none, and both are -1. */
bool hf_takeover_open(const char *instance, const struct hf_layout *wanted, int *flows, int *marks);

/* Calls adopt() for each of the former agent's backends: pins name them by ids that only its map
 * explains. -ENOENT without it. */
int hf_takeover_backends(const char *instance,
			 void (*adopt)(void *context, uint16_t id, const struct hf_backend *entry),
			 void *context);

/* What the former agent's data plane knows of the cluster: 0, or a negative errno without one. */
int hf_takeover_cluster(const char *instance, struct hf_cluster *cluster);

/* Calls adopt() for each pool of the configuration whose table the former agent had, as large: the
 * slots are mapped, and for the callee to unmap. */
void hf_takeover_pools(const char *instance, const struct hf_config *config,
		       void (*adopt)(void *context, const struct hf_config_pool *pool,
				     struct hf_slot *slots),
		       void *context);

/* Ends, or undoes, a takeover that was broken off. */
int hf_takeover_recover(const char *instance);

#endif
