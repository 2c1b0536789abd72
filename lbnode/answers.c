// SPDX-License-Identifier: BSD-2-Clause
/* What the agent answers to operators' commands (proto/control.proto). */
#include <stdio.h>
#include <string.h>

#include "lbnode/answers.h"
#include "lbnode/explain.h"
#include "lib/log.h"
#include "lib/percpu.h"
#include "lib/record.h"

#define PAGE 100 /* entries: far less than a packet */

size_t hf_answer_pack(const Holdfast__FromNode *message, uint8_t *out, size_t size)
{
	if (holdfast__from_node__get_packed_size(message) > size)
		return 0;
	return holdfast__from_node__pack(message, out);
}

static size_t answer_state(struct agent *a, uint8_t *out, size_t size)
{
	Holdfast__FromNode message = HOLDFAST__FROM_NODE__INIT;
	Holdfast__NodeState body = HOLDFAST__NODE_STATE__INIT;

	hf_agent_look_for_packets(a);
	body.draining = a->draining;
	body.sharing = a->sync.greeted;
	body.owner = a->sync.owner;
	body.others = a->sync.others;
	body.gave_up = a->sync.gave_up;
	body.announced = !hf_lease_client_is_withdrawn(&a->lease);
	body.quiet_ms = hf_agent_now() - a->quiet_since;
	message.body_case = HOLDFAST__FROM_NODE__BODY_STATE;
	message.state = &body;
	return hf_answer_pack(&message, out, size);
}

static size_t answer_result(const char *error, uint8_t *out, size_t size)
{
	Holdfast__FromNode message = HOLDFAST__FROM_NODE__INIT;
	Holdfast__Result body = HOLDFAST__RESULT__INIT;

	body.error = (char *)error;
	message.body_case = HOLDFAST__FROM_NODE__BODY_RESULT;
	message.result = &body;
	return hf_answer_pack(&message, out, size);
}

/* "+/web1" is any pool's. */
static bool is_known(const struct agent *a, const char *target)
{
	const struct hf_config *config = &a->plan->config;
	const char *slash = strchr(target, '/');
	size_t length = slash - target;

	for (uint32_t p = 0; p < config->pool_count; p++) {
		const struct hf_config_pool *pool = &config->pools[p];

		if (target[0] != '+' &&
		    (strncmp(pool->name, target, length) != 0 || pool->name[length]))
			continue;
		for (uint32_t b = 0; b < pool->backend_count; b++)
			if (strcmp(pool->backends[b].name, slash + 1) == 0)
				return true;
	}
	return false;
}

static bool find_action(const char *name, enum hf_override_action *action)
{
	for (int i = HF_OVERRIDE_NONE; i <= HF_OVERRIDE_WEIGHT; i++) {
		*action = (enum hf_override_action)i;
		if (strcmp(hf_override_action_name(*action), name) == 0)
			return true;
	}
	return false;
}

/* NULL: done. */
static const char *set_override(struct agent *a, const Holdfast__OverrideSet *set)
{
	struct hf_override o = { .weight = set->weight };
	char weight[16] = "";
	uint32_t stamp = hf_health_stamp(a->checking.health, hf_agent_now());

	if (!hf_override_target_is_good(set->target))
		return "the backend must be named POOL/BACKEND, or +/BACKEND for all pools";
	if (!find_action(set->action, &o.action))
		return "the action must be drain, disable, weight or none";
	if (o.action != HF_OVERRIDE_NONE && !is_known(a, set->target))
		return "there is no such backend in this node's configuration";
	if (strlen(set->author) > HF_OVERRIDE_TEXT_MAX ||
	    strlen(set->reason) > HF_OVERRIDE_TEXT_MAX)
		return "author and reason may have 120 characters each";
	if (set->seconds)
		o.expires = stamp + set->seconds * HF_STAMPS_SECOND;
	if (o.action == HF_OVERRIDE_NONE)
		o.expires = stamp + HF_OVERRIDE_GONE_LIFE;
	snprintf(o.target, sizeof(o.target), "%s", set->target);
	snprintf(o.author, sizeof(o.author), "%s", set->author);
	snprintf(o.reason, sizeof(o.reason), "%s", set->reason);
	if (!hf_health_override(a->checking.health, &o, hf_agent_now()))
		return "weights are 1 to 65535, and author and reason printable ASCII";
	if (o.action == HF_OVERRIDE_WEIGHT)
		snprintf(weight, sizeof(weight), " %u", o.weight);
	hf_notice("override: %s %s%s, by %s%s%s", o.target, set->action, weight, o.author,
		  o.reason[0] ? ": " : "", o.reason);
	hf_checking_settle(&a->checking);
	return NULL;
}

static void fill_override(const struct agent *a, const struct hf_override *o,
			  Holdfast__OverrideState *to)
{
	uint32_t stamp = hf_health_stamp(a->checking.health, hf_agent_now());

	to->target = (char *)o->target;
	to->action = (char *)hf_override_action_name(o->action);
	to->weight = o->weight;
	to->author = (char *)o->author;
	to->reason = (char *)o->reason;
	to->set_at = o->version;
	to->seconds_left =
		o->expires ? (o->expires - stamp + HF_STAMPS_SECOND - 1) / HF_STAMPS_SECOND : 0;
	to->unknown = !is_known(a, o->target);
}

static size_t answer_overrides(struct agent *a, uint32_t from, uint8_t *out, size_t size)
{
	Holdfast__FromNode message = HOLDFAST__FROM_NODE__INIT;
	Holdfast__Overrides body = HOLDFAST__OVERRIDES__INIT;
	Holdfast__OverrideState states[PAGE], *list[PAGE];
	struct hf_override overrides[PAGE];
	const struct hf_notice *notice;
	uint32_t index = 0, count = 0;
	uint64_t cursor = 0;

	while (count < PAGE &&
	       (notice = hf_board_next(hf_health_board(a->checking.health), &cursor))) {
		if (!hf_override_read(notice, &overrides[count]) ||
		    overrides[count].action == HF_OVERRIDE_NONE || index++ < from)
			continue;
		holdfast__override_state__init(&states[count]);
		fill_override(a, &overrides[count], &states[count]);
		list[count] = &states[count];
		count++;
	}
	body.overrides = list;
	body.n_overrides = count;
	body.next = count == PAGE ? from + PAGE : 0;
	message.body_case = HOLDFAST__FROM_NODE__BODY_OVERRIDES;
	message.overrides = &body;
	return hf_answer_pack(&message, out, size);
}

const char *hf_pool_state_name(enum hf_pool_state state)
{
	static const char *const names[] = { "normal", "panic", "fail-open" };

	return names[state];
}

/* Storage of a page, too large for a stack. */
static struct {
	Holdfast__BackendState states[PAGE], *list[PAGE];
	Holdfast__OverrideState overrides[PAGE];
	char addresses[PAGE][HF_ADDRESS_TEXT];
} page;

static void fill_check(struct agent *a, const struct hf_config_pool *pool,
		       const struct hf_config_backend *backend, const struct hf_usable *u,
		       Holdfast__BackendState *to)
{
	const struct hf_health *health = a->checking.health;
	const struct hf_health_target *t = hf_health_find(
		health, hf_health_key(pool->name, hf_backend_identity(pool, backend)));
	uint32_t stamp = hf_health_stamp(health, hf_agent_now());

	to->checked = t != NULL;
	if (!t)
		return;
	to->verdict_up = hf_verdict_is_up(&u->verdict);
	to->verdict_passed = u->verdict.incarnation;
	to->verdict_s =
		stamp > u->verdict.since ? (stamp - u->verdict.since) / HF_STAMPS_SECOND : 0;
	to->cause = (char *)u->verdict.cause;
	if (!t->mine)
		return;
	to->check = (char *)hf_check_state_name(t->check.state);
	to->check_cause = (char *)t->cause;
	to->dissents = hf_check_is_up(&t->check) != to->verdict_up;
}

static void fill_traffic(struct agent *a, uint64_t identity, Holdfast__BackendState *to)
{
	uint16_t id = hf_backends_id(a->backends, identity);
	struct hf_traffic sum = { 0 };

	hf_percpu_read(a->metric_maps.backends, id, (uint64_t *)&sum,
		       sizeof(sum) / sizeof(uint64_t));
	to->pins = a->sweeper.last.backend[id];
	to->packets = sum.packets;
	to->bytes = sum.bytes;
}

static void fill_backend(struct agent *a, uint32_t p, uint32_t b, uint32_t i)
{
	const struct hf_config_pool *pool = &a->plan->config.pools[p];
	const struct hf_config_backend *backend = &pool->backends[b];
	const struct hf_usable *u = &a->plan->pools[p].backends[b];
	Holdfast__BackendState *to = &page.states[i];

	holdfast__backend_state__init(to);
	page.list[i] = to;
	to->pool = (char *)pool->name;
	to->name = (char *)backend->name;
	to->address = (char *)hf_address_format(&backend->address, page.addresses[i]);
	to->state = (char *)hf_usable_state_name(u->state);
	to->weight = u->weight;
	to->configured_weight = a->plan->pools[p].backends[b].configured;
	to->pool_state = (char *)hf_pool_state_name(a->plan->pools[p].state);
	to->encapsulation = (char *)hf_config_encapsulation_name(pool->encapsulation);
	fill_traffic(a, hf_backend_identity(pool, backend), to);
	fill_check(a, pool, backend, u, to);
	if (u->override.action == HF_OVERRIDE_NONE)
		return;
	holdfast__override_state__init(&page.overrides[i]);
	fill_override(a, &u->override, &page.overrides[i]);
	to->override = &page.overrides[i];
}

static size_t answer_backends(struct agent *a, uint32_t from, uint8_t *out, size_t size)
{
	Holdfast__FromNode message = HOLDFAST__FROM_NODE__INIT;
	Holdfast__Backends body = HOLDFAST__BACKENDS__INIT;
	const struct hf_health_counters *counters = hf_health_counters(a->checking.health);
	const struct hf_config *config = &a->plan->config;
	uint32_t index = 0, count = 0;

	for (uint32_t p = 0; p < config->pool_count; p++)
		for (uint32_t b = 0; b < config->pools[p].backend_count; b++, index++)
			if (index >= from && count < PAGE)
				fill_backend(a, p, b, count++);
	body.backends = page.list;
	body.n_backends = count;
	body.next = from + count < index ? from + count : 0;
	body.probes = counters->probes;
	body.failures = counters->failures;
	body.unable = counters->unable;
	body.opinions = counters->opinions;
	body.verdicts = counters->verdicts;
	body.plans = a->plans;
	message.body_case = HOLDFAST__FROM_NODE__BODY_BACKENDS;
	message.backends = &body;
	return hf_answer_pack(&message, out, size);
}

size_t hf_agent_answer(void *context, const Holdfast__ToNode *message, uint8_t *out, size_t size)
{
	struct agent *a = context;
	const char *error;

	switch (message->body_case) {
	case HOLDFAST__TO_NODE__BODY_DRAIN:
		hf_agent_set_draining(a, true, message->drain->author, message->drain->reason);
		return answer_state(a, out, size);
	case HOLDFAST__TO_NODE__BODY_UNDRAIN:
		hf_agent_set_draining(a, false, message->undrain->author, message->undrain->reason);
		return answer_state(a, out, size);
	case HOLDFAST__TO_NODE__BODY_STATE:
		return answer_state(a, out, size);
	case HOLDFAST__TO_NODE__BODY_OVERRIDE:
		error = set_override(a, message->override);
		return answer_result(error ? error : "", out, size);
	case HOLDFAST__TO_NODE__BODY_OVERRIDES:
		return answer_overrides(a, message->overrides->from, out, size);
	case HOLDFAST__TO_NODE__BODY_BACKENDS:
		return answer_backends(a, message->backends->from, out, size);
	case HOLDFAST__TO_NODE__BODY_FACTS:
		return hf_answer_facts(a, out, size);
	case HOLDFAST__TO_NODE__BODY_SERVICES:
		return hf_answer_services(a, message->services->from, out, size);
	case HOLDFAST__TO_NODE__BODY_LOG:
		return hf_answer_log(message->log->after, out, size);
	case HOLDFAST__TO_NODE__BODY_RELOAD:
		return hf_answer_reload(a, out, size);
	case HOLDFAST__TO_NODE__BODY_EXPLAIN:
		return hf_explain(a, message->explain, out, size);
	case HOLDFAST__TO_NODE__BODY__NOT_SET:
	default: /* of a later version */
		return 0;
	}
}
