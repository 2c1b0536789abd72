// SPDX-License-Identifier: BSD-2-Clause
#include "bgp/core/announce.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void hf_announcer_init(struct hf_announcer *a, const struct hf_announce_rules *rules, int64_t now)
{
	*a = (struct hf_announcer){ .rules = *rules, .lease_until = now + rules->lease_time };
}

void hf_announcer_set_rules(struct hf_announcer *a, const struct hf_announce_rules *rules,
			    int64_t now)
{
	a->rules = *rules;
	if (a->lease_until > now + rules->lease_time)
		a->lease_until = now + rules->lease_time;
}

void hf_announcer_free(struct hf_announcer *a)
{
	free(a->vips);
	a->vips = NULL;
	a->count = 0;
}

static int order(const struct hf_address *a, const struct hf_address *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->word, b->word, sizeof(a->word));
}

static int order_vips(const void *a, const void *b)
{
	return order(&((const struct hf_vip *)a)->facts.address,
		     &((const struct hf_vip *)b)->facts.address);
}

static struct hf_vip *find(const struct hf_announcer *a, const struct hf_address *address)
{
	struct hf_vip key = { .facts.address = *address };

	if (!a->count)
		return NULL;
	return bsearch(&key, a->vips, a->count, sizeof(key), order_vips);
}

const struct hf_vip *hf_announcer_find(const struct hf_announcer *a, const struct hf_address *vip)
{
	return find(a, vip);
}

static bool is_to_keep(const struct hf_vip *vip)
{
	return vip->served || vip->drained || hf_vip_is_out(vip);
}

/* Room for so many more, without those that nothing is to be known of any more. */
static int make_room(struct hf_announcer *a, uint32_t more)
{
	uint32_t kept = 0;
	struct hf_vip *vips;

	for (uint32_t i = 0; i < a->count; i++)
		if (is_to_keep(&a->vips[i]))
			a->vips[kept++] = a->vips[i];
	a->count = kept;
	if (!more)
		return 0;
	if (kept + more > 2 * HF_VIPS_MAX)
		return -ENOSPC;
	vips = realloc(a->vips, (kept + more) * sizeof(*vips));
	if (!vips)
		return -ENOMEM;
	a->vips = vips;
	return 0;
}

static void sort(struct hf_announcer *a)
{
	if (a->count)
		qsort(a->vips, a->count, sizeof(*a->vips), order_vips);
}

int hf_announcer_adopt(struct hf_announcer *a, const struct hf_address *address, bool draining,
		       int64_t now)
{
	struct hf_vip *vip = find(a, address);
	int err = vip ? 0 : make_room(a, 1);

	if (err || vip)
		return err;
	a->vips[a->count++] = (struct hf_vip){
		.facts.address = *address,
		.state = draining ? HF_VIP_DRAINING : HF_VIP_ANNOUNCED,
		.since = now,
		.until = now + a->rules.drain_time,
		.empty = -1,
	};
	sort(a);
	return 0;
}

int hf_announcer_lease(struct hf_announcer *a, bool ready, bool draining,
		       const struct hf_vip_facts *facts, uint32_t count, int64_t sent)
{
	uint32_t before;
	int err;

	if (count > HF_VIPS_MAX)
		return -ENOSPC;
	err = make_room(a, count);
	if (err)
		return err;
	for (uint32_t i = 0; i < a->count; i++)
		a->vips[i].served = false;
	before = a->count;
	for (uint32_t i = 0; i < count; i++) {
		struct hf_announcer known = { .vips = a->vips, .count = before };
		struct hf_vip *vip = find(&known, &facts[i].address);

		if (!vip) {
			vip = &a->vips[a->count++];
			*vip = (struct hf_vip){ .since = sent, .empty = -1 };
		}
		vip->facts = facts[i];
		vip->served = true;
		if (facts[i].open)
			vip->empty = -1;
		else if (vip->empty < 0)
			vip->empty = sent;
	}
	sort(a);
	a->lease_until = sent + a->rules.lease_time;
	a->leased = true;
	a->ready = ready;
	a->draining = draining;
	return 0;
}

int hf_announcer_drain(struct hf_announcer *a, const struct hf_address *address, bool drained,
		       int64_t now)
{
	struct hf_vip *vip = address ? find(a, address) : NULL;
	int err;

	if (!address) {
		a->drained = drained;
		return 0;
	}
	if (vip || !drained) {
		if (vip)
			vip->drained = drained;
		return 0;
	}
	err = make_room(a, 1);
	if (err)
		return err;
	a->vips[a->count++] = (struct hf_vip){
		.facts.address = *address,
		.drained = true,
		.since = now,
		.empty = -1,
	};
	sort(a);
	return 0;
}

/* Whether it can be served, and why not. Before the first lease all that was adopted can. */
static enum hf_vip_why fault_of(const struct hf_announcer *a, const struct hf_vip *vip, int64_t now)
{
	const struct hf_vip_facts *f = &vip->facts;

	if (now >= a->lease_until)
		return HF_WHY_NO_LEASE;
	if (!a->leased)
		return hf_vip_is_out(vip) ? HF_WHY_NOT_AT_ALL : HF_WHY_NO_LEASE;
	if (!a->ready)
		return HF_WHY_NOT_READY;
	if (!vip->served)
		return HF_WHY_NO_SERVICE;
	if (!f->open)
		return hf_vip_is_out(vip) && now < vip->empty + HF_EMPTY_GRACE ? HF_WHY_NOT_AT_ALL
									       : HF_WHY_NO_BACKENDS;
	/* Checks that fail everywhere are more likely to be wrong than all backends are to be dead,
	 * and the data plane spreads flows over all of them then. */
	if (!f->usable && !a->rules.withdraw_all_down)
		return f->ways ? HF_WHY_NOT_AT_ALL : HF_WHY_UNREACHABLE;
	if (f->usable < f->needed)
		return HF_WHY_FEW_BACKENDS;
	return f->reachable < f->needed ? HF_WHY_UNREACHABLE : HF_WHY_NOT_AT_ALL;
}

static enum hf_vip_why drain_of(const struct hf_announcer *a, const struct hf_vip *vip)
{
	if (a->drained || a->draining)
		return HF_WHY_NODE_DRAINED;
	return vip->drained ? HF_WHY_VIP_DRAINED : HF_WHY_NOT_AT_ALL;
}

static uint32_t penalty_now(const struct hf_vip *vip, int64_t now)
{
	return (uint32_t)(vip->penalty *
			  exp2(-(double)(now - vip->penalty_at) / HF_DAMP_HALF_LIFE));
}

static void punish(struct hf_vip *vip, int64_t now)
{
	vip->penalty = penalty_now(vip, now) + HF_DAMP_PENALTY;
	vip->penalty_at = now;
}

/* How long a VIP that can be served is held all the same. */
static int64_t hold_until(const struct hf_announcer *a, struct hf_vip *vip, int64_t now)
{
	uint32_t penalty = penalty_now(vip, now);
	int64_t until = vip->faulty ? now + a->rules.hold_down : now;

	vip->why = HF_WHY_HOLD_DOWN;
	vip->damped = penalty > HF_DAMP_SUPPRESS || (vip->damped && penalty > HF_DAMP_REUSE);
	if (vip->damped) {
		int64_t reuse =
			now + (int64_t)(HF_DAMP_HALF_LIFE * log2((double)penalty / HF_DAMP_REUSE));

		vip->why = HF_WHY_DAMPED;
		until = reuse > until ? reuse : until;
	}
	return until;
}

static void enter(struct hf_vip *vip, enum hf_vip_state state, int64_t now)
{
	vip->state = state;
	vip->since = now;
	vip->news = true;
}

static void withdraw(struct hf_vip *vip, enum hf_vip_why fault, int64_t now)
{
	if (fault == HF_WHY_FEW_BACKENDS || fault == HF_WHY_UNREACHABLE)
		punish(vip, now);
	vip->faulty = fault != HF_WHY_NOT_AT_ALL;
	enter(vip, HF_VIP_WITHDRAWN, now);
}

/* The drawing of announce.h. A VIP may take more than one step at once. */
static void step(const struct hf_announcer *a, struct hf_vip *vip, int64_t now)
{
	enum hf_vip_why fault = fault_of(a, vip, now), drain = drain_of(a, vip);

	switch (vip->state) {
	case HF_VIP_WITHDRAWN:
		vip->why = fault ? fault : drain;
		if (vip->why)
			return;
		enter(vip, HF_VIP_HELD, now);
		vip->until = hold_until(a, vip, now);
		step(a, vip, now);
		return;
	case HF_VIP_HELD:
		if (fault || drain) {
			enter(vip, HF_VIP_WITHDRAWN, now);
			vip->news = false; /* it was not announced */
			vip->why = fault ? fault : drain;
		} else if (now >= vip->until) {
			enter(vip, HF_VIP_ANNOUNCED, now);
			vip->why = HF_WHY_NOT_AT_ALL;
			vip->damped = false;
		}
		return;
	case HF_VIP_ANNOUNCED:
		vip->why = HF_WHY_NOT_AT_ALL;
		if (fault) {
			vip->why = fault;
			withdraw(vip, fault, now);
		} else if (drain) {
			enter(vip, HF_VIP_DRAINING, now);
			vip->until = now + a->rules.drain_time;
			step(a, vip, now);
		}
		return;
	case HF_VIP_DRAINING:
		vip->why = fault ? fault : drain;
		/* One that was adopted keeps its mark until lbnode has said how things are. */
		if (!fault && !drain && a->leased)
			enter(vip, HF_VIP_ANNOUNCED, now);
		else if (fault || (drain && now >= vip->until))
			withdraw(vip, fault, now);
		return;
	}
}

int64_t hf_announcer_turn(struct hf_announcer *a, int64_t now)
{
	int64_t next = now < a->lease_until ? a->lease_until : INT64_MAX;

	for (uint32_t i = 0; i < a->count; i++) {
		struct hf_vip *vip = &a->vips[i];

		step(a, vip, now);
		if ((vip->state == HF_VIP_HELD || vip->state == HF_VIP_DRAINING) &&
		    vip->until > now && vip->until < next)
			next = vip->until;
		if (vip->empty >= 0 && hf_vip_is_out(vip) && vip->empty + HF_EMPTY_GRACE < next)
			next = vip->empty + HF_EMPTY_GRACE;
	}
	return next;
}

const char *hf_vip_state_name(enum hf_vip_state state)
{
	static const char *const names[] = { "withdrawn", "held", "announced", "draining" };

	return names[state];
}

const char *hf_vip_why_text(enum hf_vip_why why)
{
	static const char *const texts[] = {
		[HF_WHY_NOT_AT_ALL] = "",
		[HF_WHY_NO_LEASE] = "lbnode does not renew its lease",
		[HF_WHY_NOT_READY] = "the node is not ready",
		[HF_WHY_NO_SERVICE] = "no service has it any more",
		[HF_WHY_NO_BACKENDS] = "a pool has no backend that may serve",
		[HF_WHY_FEW_BACKENDS] = "a pool has too few usable backends",
		[HF_WHY_UNREACHABLE] = "this node can't reach enough backends",
		[HF_WHY_NODE_DRAINED] = "the node is drained",
		[HF_WHY_VIP_DRAINED] = "it is drained on this node",
		[HF_WHY_HOLD_DOWN] = "held for a moment after a fault",
		[HF_WHY_DAMPED] = "damped: it has come and gone too often",
	};

	return texts[why];
}
