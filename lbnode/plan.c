// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/plan.h"

#include <stdlib.h>
#include <string.h>

#include "lib/record.h"

/* How much of a drain is left, by the cluster's clock: the same on all nodes. */
static int64_t drain_left(const struct hf_config *config, const struct hf_usable *u, uint32_t stamp)
{
	int64_t now = HF_STAMP_EPOCH * 1000LL + stamp * (1000LL / HF_STAMPS_SECOND);
	int64_t left = (int64_t)u->override.version + config->timeouts.drain * 1000LL - now;

	return u->state == HF_USABLE_DISABLED || left < 0 ? 0 : left;
}

static bool plan_pool(struct hf_plan *plan, uint32_t i, struct hf_health *health, int64_t now)
{
	struct hf_config_pool *pool = &plan->config.pools[i];
	struct hf_plan_pool *planned = &plan->pools[i];
	size_t size = pool->backend_count * sizeof(*pool->backends);
	struct hf_config_backend *backends = malloc(size ? size : 1);

	planned->backends = calloc(pool->backend_count + 1, sizeof(*planned->backends));
	if (!backends || !planned->backends) {
		free(backends);
		pool->backends = NULL;
		return false;
	}
	memcpy(backends, pool->backends, size);
	planned->state = hf_health_weigh(health, pool, planned->backends, now);
	pool->backends = backends;
	for (uint32_t b = 0; b < pool->backend_count; b++) {
		const struct hf_usable *u = &planned->backends[b];

		backends[b].weight = u->weight;
		backends[b].drains =
			u->state == HF_USABLE_DRAINED || u->state == HF_USABLE_DISABLED;
		backends[b].drain_left = drain_left(&plan->config, u, hf_health_stamp(health, now));
	}
	return true;
}

struct hf_plan *hf_plan_new(const struct hf_config *config, struct hf_health *health, int64_t now)
{
	struct hf_plan *plan = calloc(1, sizeof(*plan));
	bool good = plan;

	if (!plan)
		return NULL;
	plan->config = *config;
	plan->config.pools = calloc(config->pool_count, sizeof(*config->pools));
	plan->pools = calloc(config->pool_count, sizeof(*plan->pools));
	if (!plan->config.pools || !plan->pools) {
		plan->config.pool_count = 0;
		hf_plan_delete(plan);
		return NULL;
	}
	memcpy(plan->config.pools, config->pools, config->pool_count * sizeof(*config->pools));
	for (uint32_t i = 0; i < config->pool_count; i++) {
		/* Or those of the configuration would be freed. */
		if (!good)
			plan->config.pools[i].backends = NULL;
		else
			good = plan_pool(plan, i, health, now);
	}
	if (!good) {
		hf_plan_delete(plan);
		return NULL;
	}
	plan->digest = hf_config_digest(&plan->config);
	return plan;
}

void hf_plan_delete(struct hf_plan *plan)
{
	if (!plan)
		return;
	for (uint32_t i = 0; i < plan->config.pool_count; i++) {
		free(plan->config.pools[i].backends);
		free(plan->pools[i].backends);
	}
	free(plan->config.pools);
	free(plan->pools);
	free(plan);
}

bool hf_plan_equal(const struct hf_plan *a, const struct hf_plan *b)
{
	if (a->digest != b->digest)
		return false;
	for (uint32_t i = 0; i < a->config.pool_count; i++) {
		const struct hf_plan_pool *left = &a->pools[i], *right = &b->pools[i];

		if (left->state != right->state ||
		    memcmp(left->backends, right->backends,
			   a->config.pools[i].backend_count * sizeof(*left->backends)) != 0)
			return false;
	}
	return true;
}
