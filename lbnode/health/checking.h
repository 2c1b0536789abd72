/* SPDX-License-Identifier: BSD-2-Clause */
/* Health on the event loop: makes the probes that it asks for, and gives it its turns. */
#ifndef HF_LBNODE_HEALTH_CHECKING_H
#define HF_LBNODE_HEALTH_CHECKING_H

#include <uv.h>

#include "lbnode/health/health.h"
#include "lbnode/health/probe.h"

struct hf_checking_slot {
	struct hf_checking *checking;
	uint32_t target;
	struct hf_probe *probe; /* NULL: none is under way */
	struct hf_probe_target to;
};

struct hf_checking_calls {
	void (*post)(void *context, const struct hf_notice *notice);
	void (*changed)(void *context);
	/* The mark that sends packets into the backend's tunnel; 0: there is no such way now.
	 * `number` is the target's. */
	uint32_t (*mark)(void *context, uint32_t number, const struct hf_config_pool *pool,
			 const struct hf_config_backend *backend);
	void *context;
};

struct hf_checking {
	struct hf_checking_calls calls;
	struct hf_health *health;
	struct hf_prober *prober;
	uv_loop_t *loop;
	uv_timer_t timer;
	struct hf_checking_slot *slots;
	bool running;
};

/* Health alone, before there is a loop. 0 or -ENOMEM. */
int hf_checking_open(struct hf_checking *checking, const struct hf_checking_calls *calls);
void hf_checking_close(struct hf_checking *checking);

/* From now on the loop gives it its turns. */
int hf_checking_start(struct hf_checking *checking, uv_loop_t *loop);
/* The loop must run once more afterwards. */
void hf_checking_stop(struct hf_checking *checking);

/* See hf_health_configure(). */
int hf_checking_configure(struct hf_checking *checking, const struct hf_config *config);

/* After any other call of a function of health's that takes `now`. */
void hf_checking_settle(struct hf_checking *checking);

/* Now, as health wants it. */
int64_t hf_checking_now(void);

#endif
