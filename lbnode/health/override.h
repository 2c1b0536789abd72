/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What operators say of a backend, beyond the configuration: notices on the board, so that all
 * nodes know them, and newest wins. No I/O.
 *
 * The key is 'w' and "POOL/BACKEND", or "+/BACKEND" for all pools that have a
 * backend of that name. The body is an Override of proto/override.proto. Of the two that may be
 * about a backend the newer one counts. To take one back is to post HF_OVERRIDE_NONE.
 */
#ifndef HF_LBNODE_HEALTH_OVERRIDE_H
#define HF_LBNODE_HEALTH_OVERRIDE_H

#include "lib/board.h"

#define HF_OVERRIDE_TARGET_MAX 128
#define HF_OVERRIDE_TEXT_MAX   120
/* How long a taken back one is known, so that an old one can't come back: 30 days of stamps. */
#define HF_OVERRIDE_GONE_LIFE (30U * 86400 * 10)

enum hf_override_action {
	HF_OVERRIDE_NONE,
	HF_OVERRIDE_DRAIN,   /* no new flows; those that it has end by themselves */
	HF_OVERRIDE_DISABLE, /* no flows at all, at once */
	HF_OVERRIDE_WEIGHT,
};

struct hf_override {
	enum hf_override_action action;
	uint32_t weight; /* of HF_OVERRIDE_WEIGHT: 1 to HF_MAGLEV_WEIGHT_MAX */
	uint32_t expires;
	uint64_t version; /* ms since 1970, as far as clocks are right */
	char target[HF_OVERRIDE_TARGET_MAX + 1];
	char author[HF_OVERRIDE_TEXT_MAX + 1];
	char reason[HF_OVERRIDE_TEXT_MAX + 1];
};

struct hf_override_notice {
	struct hf_notice notice;
	uint8_t key[1 + HF_OVERRIDE_TARGET_MAX];
	uint8_t body[HF_NOTICE_BODY_MAX];
};

/* Whether "POOL/BACKEND" or its kind is well formed; says nothing about whether there is one. */
bool hf_override_target_is_good(const char *target);

/* The notice that says it; its version is raised above what the board has of this target. `self`:
 * the node's id. False: the override is not well formed. */
bool hf_override_write(struct hf_override_notice *out, const struct hf_board *board,
		       const struct hf_override *override, uint64_t self);

/* False: the notice is none, or not understood. */
bool hf_override_read(const struct hf_notice *notice, struct hf_override *override);

/* The one in force for a backend; action NONE: there is none. */
struct hf_override hf_override_find(const struct hf_board *board, const char *pool,
				    const char *backend);

const char *hf_override_action_name(enum hf_override_action action);

#endif
