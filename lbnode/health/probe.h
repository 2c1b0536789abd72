/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One look at a backend: begins, and ends with an answer, good or not, or is given up. What to send
 * and what to make of the answer is the check's of the configuration; how long to wait, the
 * caller's.
 */
#ifndef HF_LBNODE_HEALTH_PROBE_H
#define HF_LBNODE_HEALTH_PROBE_H

#include <uv.h>

#include "lib/config.h"

/* Whom a probe goes to. All of it must last until the probe has ended. */
struct hf_probe_target {
	const struct hf_config_check *check;
	const char *pool, *backend; /* names, for commands */
	struct hf_address address;  /* that sockets are connected to */
	uint16_t port;
	/* Of a probe through a tunnel: */
	uint32_t mark;		      /* of its packets; 0: it goes to the address itself */
	const struct hf_address *vip; /* whom they reach */
};

/* The answer; `cause` says why it is not good, in words, until the call returns. Called once, never
 * from within hf_probe_start(). */
typedef void (*hf_probe_done)(void *context, bool good, const char *cause);

struct hf_prober; /* what all probes share */
struct hf_probe;

/* NULL: no memory. */
struct hf_prober *hf_prober_new(uv_loop_t *loop);
/* When no probe is under way any more; the loop must run once more. */
void hf_prober_delete(struct hf_prober *prober);

/* NULL: this node is short of something, sockets or memory, which says nothing of the backend. */
struct hf_probe *hf_probe_start(struct hf_prober *prober, const struct hf_probe_target *target,
				hf_probe_done done, void *context);

/* Ends it; done() is not called. Not for one that has ended. */
void hf_probe_give_up(struct hf_probe *probe);

#endif
