// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/health/usable.h"

#include <stdlib.h>

#include "lib/record.h"

#define STEPS 10 /* of a slow start */

const char *hf_usable_state_name(enum hf_usable_state state)
{
	static const char *const names[] = { "up", "starting", "down", "drained", "disabled" };

	return names[state];
}

static bool is_candidate(const struct hf_usable *u)
{
	return u->override.action != HF_OVERRIDE_DRAIN && u->override.action != HF_OVERRIDE_DISABLE;
}

/* In tenths of its weight, rounded up. */
static uint32_t started(struct hf_usable *u, uint32_t weight, uint32_t slow_start, uint32_t stamp,
			uint32_t *again)
{
	uint32_t step = slow_start * HF_STAMPS_SECOND / STEPS, age, tenths;

	/* One that never was down has nothing to recover from. */
	if (!slow_start || !u->verdict.incarnation)
		return weight;
	if (!step)
		step = 1;
	age = stamp > u->verdict.since ? stamp - u->verdict.since : 0;
	tenths = age / step + 1;
	if (tenths >= STEPS)
		return weight;
	if (u->verdict.since + tenths * step < *again)
		*again = u->verdict.since + tenths * step;
	u->state = HF_USABLE_STARTING;
	return (weight * tenths + STEPS - 1) / STEPS;
}

static void weigh_one(struct hf_usable *u, const struct hf_config_pool *pool, uint32_t configured,
		      uint32_t stamp, uint32_t *again)
{
	u->configured = configured;
	u->full = u->override.action == HF_OVERRIDE_WEIGHT ? u->override.weight : configured;
	u->weight = 0;
	if (u->override.action == HF_OVERRIDE_DRAIN) {
		u->state = HF_USABLE_DRAINED;
	} else if (u->override.action == HF_OVERRIDE_DISABLE) {
		u->state = HF_USABLE_DISABLED;
	} else if (!hf_verdict_is_up(&u->verdict)) {
		u->state = HF_USABLE_DOWN;
	} else {
		u->state = HF_USABLE_UP;
		u->weight = started(u, u->full, pool->slow_start, stamp, again);
	}
}

static int order_stamps(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

/* How many went down within the window that has the most. */
static uint32_t most_at_once(uint32_t *since, uint32_t count)
{
	uint32_t most = 0, first = 0;

	qsort(since, count, sizeof(*since), order_stamps);
	for (uint32_t last = 0; last < count; last++) {
		while (since[last] - since[first] > HF_PANIC_WINDOW)
			first++;
		if (last - first + 1 > most)
			most = last - first + 1;
	}
	return most;
}

static enum hf_pool_state judge(const struct hf_usable *backends, const struct hf_config_pool *pool)
{
	uint32_t *since = calloc(pool->backend_count, sizeof(*since));
	uint32_t down = 0, candidates = 0;
	bool panics;

	for (uint32_t i = 0; i < pool->backend_count; i++) {
		if (!is_candidate(&backends[i]))
			continue;
		candidates++;
		if (backends[i].state != HF_USABLE_DOWN)
			continue;
		if (since)
			since[down] = backends[i].verdict.since;
		down++;
	}
	panics = since && (uint64_t)most_at_once(since, down) * 100 >
				  (uint64_t)candidates * pool->panic_threshold;
	free(since);
	if (down && down == candidates)
		return HF_POOL_FAIL_OPEN;
	return panics ? HF_POOL_PANIC : HF_POOL_NORMAL;
}

enum hf_pool_state hf_usable_weigh(struct hf_usable *backends, const struct hf_config_pool *pool,
				   uint32_t stamp, uint32_t *again)
{
	enum hf_pool_state state;

	for (uint32_t i = 0; i < pool->backend_count; i++)
		weigh_one(&backends[i], pool, pool->backends[i].weight, stamp, again);
	state = judge(backends, pool);
	for (uint32_t i = 0; state != HF_POOL_NORMAL && i < pool->backend_count; i++)
		if (backends[i].state == HF_USABLE_DOWN)
			backends[i].weight = backends[i].full;
	return state;
}
