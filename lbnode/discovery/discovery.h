/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Follows the sources of pools' members: files, looked at twice a second, and DNS, asked again when
 * answers expire. A source that fails, or is empty, changes nothing: its last good answer stays,
 * over restarts, too (/var/lib/holdfast).
 */
#ifndef HF_LBNODE_DISCOVERY_DISCOVERY_H
#define HF_LBNODE_DISCOVERY_DISCOVERY_H

#include <uv.h>

#include "lbnode/discovery/members.h"

struct hf_discovery;

/*
 * Knows at once what was known before, or what files say. NULL: no memory. `config` must outlive
 * it; changed() is called, once there is a loop, whenever a source says something else.
 */
struct hf_discovery *hf_discovery_new(const struct hf_config *config, const char *instance,
				      void (*changed)(void *context), void *context);
void hf_discovery_start(struct hf_discovery *discovery, uv_loop_t *loop);
/* Frees it when the loop has run once more; at once if it was never started. */
void hf_discovery_delete(struct hf_discovery *discovery);

/* By pool; for hf_members_new(). */
const struct hf_found_list *hf_discovery_lists(const struct hf_discovery *discovery);

#endif
