/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which VIPs this node announces, and how. Time comes in as an argument, in milliseconds of a
 * monotonic clock; no I/O.
 *
 * Announcing is a **lease**: lbnode says what the node can serve, and says it again and again; what
 * it said last holds for `lease_time`. A VIP can be served while the lease runs, lbnode says that
 * the node is ready, and each of the VIP's services has enough backends (hf_vip_can_be_served()).
 * Each VIP then goes its own way:
 *
 *	                can be served                  held for long enough
 *	  WITHDRAWN -------------------------> HELD -------------------------> ANNOUNCED
 *	    ^   ^                               |                               |  |   ^
 *	    |   +---- can't be served, drained -+                               |  |   |
 *	    |                                                                   |  |   |
 *	    +------------------- can't be served -------------------------------+  |   |
 *	    |                                                               drained|   |not drained
 *	    |                                                                      v   |
 *	    +------------------- can't be served, or drain_time is over ------- DRAINING
 *
 * DRAINING is announced, too, but marked so that routers take other ways where they have some (RFC
 * 8326). HELD lasts `hold_down` after a fault, and no time at all at the first start and when an
 * operator's drain has ended. A VIP that lost its backends again and again is held longer: route
 * flap damping (RFC 2439, section 4.2) with the figures below.
 */
#ifndef HF_BGP_ANNOUNCE_H
#define HF_BGP_ANNOUNCE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/address.h"

#define HF_VIPS_MAX 4096 /* as many as services */

/* Each withdrawal for want of backends costs a penalty, which halves with time. Above one limit
 * the VIP is held until it has fallen below the other: 66 s at most, for what is held gets no
 * penalties. */
#define HF_DAMP_PENALTY	  1000
#define HF_DAMP_SUPPRESS  2500
#define HF_DAMP_REUSE	  750
#define HF_DAMP_HALF_LIFE 30000 /* ms */

enum hf_vip_state { HF_VIP_WITHDRAWN, HF_VIP_HELD, HF_VIP_ANNOUNCED, HF_VIP_DRAINING };

/* A pool without any backend may be about to find its members: a reload with another source of them
 * is no reason to break the flows that drain. */
#define HF_EMPTY_GRACE 10000 /* ms */

/* Why a VIP is not plainly announced. */
enum hf_vip_why {
	HF_WHY_NOT_AT_ALL,   /* it is */
	HF_WHY_NO_LEASE,     /* lbnode has not said anything for too long */
	HF_WHY_NOT_READY,    /* lbnode says that the node is not */
	HF_WHY_NO_SERVICE,   /* no service of the configuration has it */
	HF_WHY_NO_BACKENDS,  /* there are none, or operators disabled them all */
	HF_WHY_FEW_BACKENDS, /* usable ones, on all nodes */
	HF_WHY_UNREACHABLE,  /* from this node */
	HF_WHY_NODE_DRAINED,
	HF_WHY_VIP_DRAINED,
	HF_WHY_HOLD_DOWN,
	HF_WHY_DAMPED,
};

/* What lbnode says of a VIP: of that one of its services that lacks most. */
struct hf_vip_facts {
	struct hf_address address;
	uint32_t usable;    /* backends that are up, by the cluster's verdicts, and may serve */
	uint32_t reachable; /* those of them that this node can forward to */
	uint32_t needed;
	uint32_t open; /* backends that are not disabled, be they up or down */
	uint32_t ways; /* of those, to how many this node knows the way */
	char service[24];
};

struct hf_vip {
	struct hf_vip_facts facts;
	enum hf_vip_state state;
	enum hf_vip_why why;
	int64_t since; /* of the state */
	int64_t until; /* HELD, DRAINING */
	int64_t empty; /* since when it has had no backend at all; -1: it has */
	bool served;   /* the lease names it */
	bool drained;  /* by an operator's word for this VIP */
	bool news;     /* it has entered its state, and nobody has cleared this yet */
	bool damped;   /* held until its penalty is low enough */
	bool faulty;   /* it was withdrawn for a fault: it is held before it is announced again */
	uint32_t penalty;
	int64_t penalty_at;
};

struct hf_announce_rules {
	int64_t lease_time, hold_down, drain_time; /* ms */
	bool withdraw_all_down;			   /* on_all_down: withdraw */
};

struct hf_announcer {
	struct hf_announce_rules rules;
	struct hf_vip *vips; /* in the order of their addresses */
	uint32_t count;
	int64_t lease_until;
	bool leased;   /* a lease was taken since the start */
	bool ready;    /* so it says */
	bool draining; /* lbnode is */
	bool drained;  /* by an operator's word, all VIPs of this node */
};

/* Until the first lease, for lease_time, what is adopted stays as it is. */
void hf_announcer_init(struct hf_announcer *announcer, const struct hf_announce_rules *rules,
		       int64_t now);
/* What has been promised for longer than they say is not any more. */
void hf_announcer_set_rules(struct hf_announcer *announcer, const struct hf_announce_rules *rules,
			    int64_t now);
void hf_announcer_free(struct hf_announcer *announcer);

/* A former lbbgp announced it; `draining` as it marked it. 0, -ENOMEM or -ENOSPC. */
int hf_announcer_adopt(struct hf_announcer *announcer, const struct hf_address *vip, bool draining,
		       int64_t now);

/* A lease: what holds for lease_time from when it was sent. 0, or -ENOMEM or -ENOSPC: what held
 * before does. */
int hf_announcer_lease(struct hf_announcer *announcer, bool ready, bool draining,
		       const struct hf_vip_facts *vips, uint32_t count, int64_t sent);

/* An operator's word; NULL: for all VIPs of the node. 0, -ENOMEM or -ENOSPC. */
int hf_announcer_drain(struct hf_announcer *announcer, const struct hf_address *vip, bool drained,
		       int64_t now);

/* Lets every VIP take the steps that are due. When to call again: a time, INT64_MAX: not by time.
 */
int64_t hf_announcer_turn(struct hf_announcer *announcer, int64_t now);

/* NULL: not known. */
const struct hf_vip *hf_announcer_find(const struct hf_announcer *announcer,
				       const struct hf_address *vip);

static inline bool hf_vip_is_out(const struct hf_vip *vip)
{
	return vip->state == HF_VIP_ANNOUNCED || vip->state == HF_VIP_DRAINING;
}

const char *hf_vip_state_name(enum hf_vip_state state);
/* In words. */
const char *hf_vip_why_text(enum hf_vip_why why);

#endif
