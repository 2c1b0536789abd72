// SPDX-License-Identifier: BSD-2-Clause
/* From configuration and health to what is in force: at once for the first change, and for those
 * that follow it closely, together. */
#include <errno.h>
#include <string.h>

#include "lbnode/agent_state.h"
#include "lbnode/notices_file.h"
#include "lib/log.h"

/* How long the first change waits for others of its kind, and how far two changes of the tables are
 * apart: each costs new tables, and exceptions to be shared. */
#define GATHER_MS 20
#define APART_MS  250

static void log_backend(const struct hf_config_pool *pool, const struct hf_config_backend *backend,
			const struct hf_usable *before, const struct hf_usable *now)
{
	if (before->state == now->state)
		return;
	switch (now->state) {
	case HF_USABLE_DOWN:
		hf_warning("backend %s of pool %s is down, say its checkers: %s", backend->name,
			   pool->name, now->verdict.cause);
		return;
	case HF_USABLE_STARTING:
		hf_notice("backend %s of pool %s is up again, with %u of its weight of %u for now",
			  backend->name, pool->name, now->weight, now->full);
		return;
	case HF_USABLE_UP:
		hf_notice("backend %s of pool %s is up, with all its weight", backend->name,
			  pool->name);
		return;
	case HF_USABLE_DRAINED:
	case HF_USABLE_DISABLED:
		hf_notice("backend %s of pool %s is %s, by %s: %s", backend->name, pool->name,
			  hf_usable_state_name(now->state), now->override.author,
			  now->override.reason);
		return;
	}
}

static void log_pool(const struct hf_config_pool *pool, enum hf_pool_state before,
		     enum hf_pool_state now)
{
	if (before == now)
		return;
	if (now == HF_POOL_FAIL_OPEN)
		hf_error("pool %s: all backends look dead, so all of them serve: look at them, and "
			 "at "
			 "what the checks ask for",
			 pool->name);
	else if (now == HF_POOL_PANIC)
		hf_error("pool %s: more than %u %% of its backends went down at once, so all of "
			 "them "
			 "serve: look at them, and at what the checks ask for; disable those that "
			 "are dead",
			 pool->name, pool->panic_threshold);
	else
		hf_notice("pool %s: only backends that are up serve again", pool->name);
}

/* Both of one configuration. */
static void log_changes(const struct hf_plan *before, const struct hf_plan *now)
{
	for (uint32_t p = 0; p < now->config.pool_count; p++) {
		const struct hf_config_pool *pool = &now->config.pools[p];

		for (uint32_t b = 0; b < pool->backend_count; b++)
			log_backend(pool, &pool->backends[b], &before->pools[p].backends[b],
				    &now->pools[p].backends[b]);
		log_pool(pool, before->pools[p].state, now->pools[p].state);
	}
}

static void put_in_force(struct agent *a, struct hf_plan *plan)
{
	hf_plan_delete(a->plan);
	a->plan = plan;
	a->plans++;
	hf_sharing_tables_changed(&a->sharing);
	hf_agent_share(a);
	hf_agent_tell_state(a);
	hf_lease_client_changed(&a->lease);
}

/* What is checked, and planned, follows from `members`. */
static int apply_members(struct agent *a, struct hf_config *members)
{
	struct hf_plan *plan;
	int err = hf_checking_configure(&a->checking, members);

	if (err)
		return err;
	plan = hf_plan_new(members, a->checking.health, hf_agent_now());
	err = plan ? hf_forwarding_apply(a->forwarding, &plan->config,
					 a->plan ? &a->plan->config : NULL, hf_agent_now())
		   : -ENOMEM;
	if (err) {
		hf_plan_delete(plan);
		return err;
	}
	put_in_force(a, plan);
	hf_members_delete(a->members);
	a->members = members;
	a->replanned = hf_agent_now();
	return 0;
}

int hf_agent_apply(struct agent *a, const struct hf_config *config, struct hf_discovery *discovery)
{
	uint32_t left_out;
	struct hf_config *members =
		hf_members_new(config, hf_discovery_lists(discovery), &left_out);
	int err = members ? apply_members(a, members) : -ENOMEM;

	if (err) {
		if (a->members)
			hf_checking_configure(&a->checking, a->members);
		hf_members_delete(members);
		return err;
	}
	if (left_out)
		hf_warning("%u discovered members can't be backends here: their address is a VIP, "
			   "or node.addresses has none of their family, or table_size is too small",
			   left_out);
	return 0;
}

/* Members are the same; verdicts, overrides or the time of slow starts have changed. */
static void replan(struct agent *a)
{
	struct hf_plan *plan = hf_plan_new(a->members, a->checking.health, hf_agent_now());

	a->replanned = hf_agent_now();
	/* Opinions come and go without a verdict. */
	if (plan && hf_plan_equal(plan, a->plan)) {
		hf_plan_delete(plan);
		return;
	}
	/* What fails stays as it was, and is tried again with the next change. */
	if (!plan || hf_forwarding_apply(a->forwarding, &plan->config, &a->plan->config,
					 hf_agent_now()) < 0) {
		hf_plan_delete(plan);
		return;
	}
	log_changes(a->plan, plan);
	put_in_force(a, plan);
}

static void on_replan(uv_timer_t *timer)
{
	struct agent *a = timer->data;

	if (a->members_changed)
		hf_agent_apply(a, a->config, a->discovery);
	else
		replan(a);
	a->members_changed = false;
	hf_notices_save(a->instance, hf_health_board(a->checking.health));
	hf_checking_settle(&a->checking);
}

void hf_agent_members_changed(void *context)
{
	struct agent *a = context;

	a->members_changed = true;
	hf_agent_health_changed(a);
}

void hf_agent_health_changed(void *context)
{
	struct agent *a = context;
	int64_t wait = a->replanned + APART_MS - hf_agent_now();

	if (!a->running || uv_is_active((uv_handle_t *)&a->replan))
		return;
	uv_timer_start(&a->replan, on_replan, wait < GATHER_MS ? GATHER_MS : wait, 0);
}
