/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is to be in force: the configuration, with what verdicts, overrides and the clock make of
 * its backends. The data plane's tables are made of a plan, never of the configuration itself. No
 * I/O.
 */
#ifndef HF_LBNODE_PLAN_H
#define HF_LBNODE_PLAN_H

#include "lbnode/health/health.h"
#include "lib/config.h"

struct hf_plan_pool {
	enum hf_pool_state state;
	struct hf_usable *backends; /* in the order of the configuration's */
};

struct hf_plan {
	struct hf_config config; /* borrows all texts; its pools and backends are its own */
	struct hf_plan_pool *pools;
	uint64_t digest; /* the same on all nodes whose tables are equal */
};

/* Weighs all pools. `config` must outlive the plan. NULL: no memory. */
struct hf_plan *hf_plan_new(const struct hf_config *config, struct hf_health *health, int64_t now);
void hf_plan_delete(struct hf_plan *plan);

/* Whether two plans of the same configuration say the same of all backends. */
bool hf_plan_equal(const struct hf_plan *a, const struct hf_plan *b);

#endif
