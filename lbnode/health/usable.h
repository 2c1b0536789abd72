/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * With which weights the backends of a pool serve now: what follows from the configuration, the
 * verdicts and the overrides, which are the same on all nodes. No I/O.
 *
 * An override counts more than a verdict: what is drained or disabled does not serve, whatever else
 * there is. Of the others those serve that are up; but
 *
 *  - if none is up, all of them do (**fail open**): checks that fail everywhere are more likely to
 * be wrong than all backends are to be dead, and there is nothing to lose;
 *  - if more than `panic_threshold` percent of them are down, and went down within ten seconds, all
 * of them do, too (**panic**), as long as they are.
 *
 * One that has come back begins with a tenth of its weight and has all of it after `slow_start`.
 */
#ifndef HF_LBNODE_HEALTH_USABLE_H
#define HF_LBNODE_HEALTH_USABLE_H

#include "lbnode/health/agreement.h"
#include "lbnode/health/override.h"
#include "lib/config.h"

#define HF_PANIC_WINDOW 100 /* stamps */

enum hf_usable_state {
	HF_USABLE_UP,
	HF_USABLE_STARTING, /* with a part of its weight */
	HF_USABLE_DOWN,	    /* and not chosen, unless the pool fails open or panics */
	HF_USABLE_DRAINED,
	HF_USABLE_DISABLED,
};

enum hf_pool_state { HF_POOL_NORMAL, HF_POOL_PANIC, HF_POOL_FAIL_OPEN };

struct hf_usable {
	struct hf_verdict verdict;
	struct hf_override override;
	enum hf_usable_state state;
	uint32_t configured; /* its weight there */
	uint32_t full;	     /* when it is up: that, or an operator's */
	uint32_t weight;     /* 0: no slots */
};

/* From verdict and override of each of the pool's backends, in its order, their states and weights.
 * *again: the stamp at which it is to be called again though nothing else has changed, lowered. */
enum hf_pool_state hf_usable_weigh(struct hf_usable *backends, const struct hf_config_pool *pool,
				   uint32_t stamp, uint32_t *again);

const char *hf_usable_state_name(enum hf_usable_state state);

#endif
