// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/health/health.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lbnode/backends.h"
#include "lib/record.h"

#define STAMP_MS (1000 / HF_STAMPS_SECOND)
/* A timer that ran so late tells of this node, not of backends. */
#define LATE	   200
#define TIDY_EVERY 1000
/* After this node could not even begin a probe. */
#define RETRY 1000

struct hf_health {
	struct hf_health_output output;
	void *context;
	struct hf_board *board;
	uint64_t self;
	uint64_t nodes[HF_HEALTH_NODES_MAX];
	uint32_t node_count;
	bool connected;
	int64_t disconnected;		  /* since when; INT64_MAX: alone already */
	struct hf_health_target *targets; /* sorted by key */
	uint32_t count;
	uint32_t stamp_base; /* the cluster's clock at stamp_at */
	int64_t stamp_at;
	uint32_t again; /* stamp at which weights change by themselves; UINT32_MAX: never */
	int64_t deadline, tidied;
	uint64_t chance;
	struct hf_health_counters counters;
};

struct hf_health *hf_health_new(const struct hf_health_output *output, void *context, uint64_t seed,
				uint32_t stamp, int64_t now)
{
	struct hf_health *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->board = hf_board_new();
	if (!h->board) {
		free(h);
		return NULL;
	}
	h->output = *output;
	h->context = context;
	h->chance = seed;
	h->stamp_base = stamp;
	h->stamp_at = now;
	h->again = UINT32_MAX;
	h->self = h->nodes[0] = 1; /* until syncd tells: no node's id is so small */
	h->node_count = 1;
	h->disconnected = INT64_MAX;
	h->tidied = h->deadline = now;
	return h;
}

void hf_health_delete(struct hf_health *h)
{
	if (!h)
		return;
	hf_board_delete(h->board);
	free(h->targets);
	free(h);
}

static uint32_t chance(struct hf_health *h)
{
	h->chance = h->chance * 6364136223846793005ULL + 1442695040888963407ULL;
	return h->chance >> 33;
}

uint32_t hf_health_stamp(const struct hf_health *h, int64_t now)
{
	return h->stamp_base + (now - h->stamp_at) / STAMP_MS;
}

/* Milliseconds since 1970, of the cluster's clock: versions of what this node says. */
static uint64_t version_now(const struct hf_health *h, int64_t now)
{
	return (uint64_t)HF_STAMP_EPOCH * 1000 + (uint64_t)hf_health_stamp(h, now) * STAMP_MS +
	       (now - h->stamp_at) % STAMP_MS;
}

static void wake(struct hf_health *h, int64_t at)
{
	if (at < h->deadline)
		h->deadline = at;
}

static void wake_again(struct hf_health *h, uint32_t stamp, int64_t now)
{
	if (h->again != UINT32_MAX)
		wake(h, now + (int64_t)(h->again - stamp) * STAMP_MS);
}

static void emit(struct hf_health *h, const struct hf_notice *notice)
{
	if (hf_board_post(h->board, notice) == HF_POSTED)
		h->output.post(h->context, notice);
}

static void give_up(struct hf_health *h, struct hf_health_target *t)
{
	if (t->probing)
		h->output.give_up(h->context, t - h->targets);
	t->probing = false;
}

/* Who checks it, what this node has to say, and what follows. */
static void consider(struct hf_health *h, struct hf_health_target *t, int64_t now)
{
	uint32_t stamp = hf_health_stamp(h, now);
	uint64_t checkers[HF_CHECKERS];
	uint32_t count = hf_checkers(h->nodes, h->node_count, t->key, checkers);
	struct hf_verdict verdict;
	struct hf_health_notice notice;
	bool mine = false;

	for (uint32_t i = 0; i < count; i++)
		mine |= checkers[i] == h->self;
	if (mine && !t->mine) {
		verdict = hf_verdict_read(h->board, t->key);
		hf_check_begin(&t->check, &t->rules, hf_verdict_is_up(&verdict), now, chance(h));
		wake(h, t->check.next);
	}
	if (!mine)
		give_up(h, t);
	t->mine = mine;
	if (!mine)
		return;
	if (hf_opinion_write(&notice, h->board, t->key, h->self, hf_check_is_up(&t->check),
			     t->cause, stamp, version_now(h, now))) {
		h->counters.opinions++;
		emit(h, &notice.notice);
	}
	if (hf_verdict_write(&notice, h->board, t->key, checkers, count, stamp)) {
		h->counters.verdicts++;
		emit(h, &notice.notice);
		h->output.changed(h->context);
	}
}

static void consider_all(struct hf_health *h, int64_t now)
{
	for (uint32_t i = 0; i < h->count; i++)
		consider(h, &h->targets[i], now);
}

static int order_targets(const void *a, const void *b)
{
	const struct hf_health_target *left = a, *right = b;

	return (left->key > right->key) - (left->key < right->key);
}

static struct hf_health_target *find(const struct hf_health *h, uint64_t key)
{
	const struct hf_health_target wanted = { .key = key };

	return h->count ? bsearch(&wanted, h->targets, h->count, sizeof(wanted), order_targets)
			: NULL;
}

/* What was known of the target before it was configured anew. */
static void inherit(struct hf_health *h, struct hf_health_target *t, int64_t now)
{
	const struct hf_health_target *former = find(h, t->key);

	if (!former || !former->mine)
		return;
	t->mine = true;
	memcpy(t->cause, former->cause, sizeof(t->cause));
	hf_check_begin(&t->check, &t->rules, hf_check_is_up(&former->check), now, chance(h));
}

static uint32_t fill_targets(struct hf_health *h, const struct hf_config *config,
			     struct hf_health_target *targets, int64_t now)
{
	uint32_t count = 0;

	for (uint32_t p = 0; p < config->pool_count; p++) {
		const struct hf_config_pool *pool = &config->pools[p];
		const struct hf_config_check *check = &pool->check;

		for (uint32_t b = 0; check->type && b < pool->backend_count; b++) {
			const struct hf_config_backend *backend = &pool->backends[b];
			struct hf_health_target *t = &targets[count++];

			*t = (struct hf_health_target){
				.key = hf_health_key(pool->name,
						     hf_backend_identity(pool, backend)),
				.pool = pool,
				.backend = backend,
				.rules = { check->interval, check->timeout, check->fall,
					   check->rise },
			};
			inherit(h, t, now);
		}
	}
	return count;
}

int hf_health_configure(struct hf_health *h, const struct hf_config *config, int64_t now)
{
	struct hf_health_target *targets;
	uint32_t most = 1, count;

	for (uint32_t p = 0; p < config->pool_count; p++)
		most += config->pools[p].backend_count;
	for (uint32_t i = 0; i < h->count; i++)
		give_up(h, &h->targets[i]);
	targets = calloc(most, sizeof(*targets));
	count = targets ? fill_targets(h, config, targets, now) : 0;
	free(h->targets);
	if (count)
		qsort(targets, count, sizeof(*targets), order_targets);
	h->targets = targets;
	h->count = count;
	h->deadline = now;
	consider_all(h, now);
	return targets ? 0 : -ENOMEM;
}

static void be_alone(struct hf_health *h, int64_t now)
{
	h->disconnected = INT64_MAX;
	h->nodes[0] = h->self;
	h->node_count = 1;
	consider_all(h, now);
}

void hf_health_set_nodes(struct hf_health *h, uint64_t self, const uint64_t *nodes, uint32_t count,
			 int64_t now)
{
	h->self = self;
	h->node_count = count < HF_HEALTH_NODES_MAX ? count : HF_HEALTH_NODES_MAX;
	memcpy(h->nodes, nodes, h->node_count * sizeof(*nodes));
	if (h->node_count)
		consider_all(h, now);
	else
		be_alone(h, now);
}

void hf_health_set_connected(struct hf_health *h, bool connected, int64_t now)
{
	if (connected == h->connected)
		return;
	h->connected = connected;
	h->disconnected = connected ? INT64_MAX : now;
	if (!connected)
		wake(h, now + HF_HEALTH_ALONE_AFTER);
}

/* Zero: of a syncd that does not tell it. */
void hf_health_set_clock(struct hf_health *h, uint32_t clock, int64_t now)
{
	if (!clock)
		return;
	h->stamp_base = clock;
	h->stamp_at = now;
}

void hf_health_take(struct hf_health *h, const struct hf_notice *notices, uint32_t count,
		    int64_t now)
{
	uint32_t stamp = hf_health_stamp(h, now);
	struct hf_override override;
	struct hf_health_target *t;
	bool changed = false;
	uint64_t key;

	for (uint32_t i = 0; i < count; i++) {
		if ((notices[i].expires && notices[i].expires <= stamp) ||
		    hf_board_post(h->board, &notices[i]) != HF_POSTED)
			continue;
		if (hf_override_read(&notices[i], &override)) {
			changed = true;
		} else if (hf_health_notice_key(&notices[i], &key)) {
			changed = true;
			t = find(h, key);
			if (t)
				consider(h, t, now);
		}
	}
	if (changed)
		h->output.changed(h->context);
}

bool hf_health_override(struct hf_health *h, const struct hf_override *override, int64_t now)
{
	struct hf_override dated = *override;
	struct hf_override_notice notice;

	if (!dated.version)
		dated.version = version_now(h, now);
	if (!hf_override_write(&notice, h->board, &dated, h->self))
		return false;
	emit(h, &notice.notice);
	h->output.changed(h->context);
	return true;
}

static void conclude(struct hf_health *h, struct hf_health_target *t, bool good, const char *cause,
		     int64_t now)
{
	t->probing = false;
	if (!good) {
		h->counters.failures++;
		snprintf(t->cause, sizeof(t->cause), "%s", cause);
	}
	if (hf_check_ended(&t->check, &t->rules, good, now, chance(h)))
		consider(h, t, now);
	wake(h, t->check.next);
}

void hf_health_ended(struct hf_health *h, uint32_t target, bool good, const char *cause,
		     int64_t now)
{
	if (target < h->count && h->targets[target].probing)
		conclude(h, &h->targets[target], good, cause, now);
}

static void look(struct hf_health *h, struct hf_health_target *t, int64_t now)
{
	char cause[HF_CAUSE_MAX];

	if (t->probing && now >= t->until) {
		give_up(h, t);
		snprintf(cause, sizeof(cause), "no answer within %u ms", t->rules.timeout);
		conclude(h, t, false, cause, now);
	}
	if (!t->probing && now >= t->check.next) {
		h->counters.probes++;
		hf_check_started(&t->check, now);
		t->until = now + t->rules.timeout;
		t->probing = h->output.probe(h->context, t - h->targets);
		if (!t->probing) {
			h->counters.unable++;
			t->check.next = now + RETRY;
		}
	}
	wake(h, t->probing ? t->until : t->check.next);
}

/* Opinions and verdicts that must be repeated, and what has expired. */
static void tidy(struct hf_health *h, int64_t now)
{
	uint32_t stamp = hf_health_stamp(h, now);

	if (now - h->tidied >= TIDY_EVERY) {
		h->tidied = now;
		if (hf_board_expire(h->board, stamp))
			h->output.changed(h->context);
		consider_all(h, now);
	}
	wake(h, h->tidied + TIDY_EVERY);
	if (stamp >= h->again) {
		h->again = UINT32_MAX;
		h->output.changed(h->context);
	}
	wake_again(h, stamp, now);
}

void hf_health_turn(struct hf_health *h, int64_t now)
{
	int64_t late = now - h->deadline;

	h->deadline = INT64_MAX;
	if (h->disconnected != INT64_MAX && now - h->disconnected >= HF_HEALTH_ALONE_AFTER)
		be_alone(h, now);
	if (h->disconnected != INT64_MAX)
		wake(h, h->disconnected + HF_HEALTH_ALONE_AFTER);
	for (uint32_t i = 0; i < h->count; i++) {
		struct hf_health_target *t = &h->targets[i];

		if (late > LATE && t->probing)
			t->until += late;
		if (t->mine)
			look(h, t, now);
	}
	tidy(h, now);
}

int64_t hf_health_deadline(const struct hf_health *h)
{
	return h->deadline;
}

enum hf_pool_state hf_health_weigh(struct hf_health *h, const struct hf_config_pool *pool,
				   struct hf_usable *backends, int64_t now)
{
	enum hf_pool_state state;

	for (uint32_t i = 0; i < pool->backend_count; i++) {
		const struct hf_config_backend *b = &pool->backends[i];
		uint64_t key = hf_health_key(pool->name, hf_backend_identity(pool, b));

		memset(&backends[i], 0, sizeof(backends[i]));
		if (pool->check.type)
			backends[i].verdict = hf_verdict_read(h->board, key);
		backends[i].override = hf_override_find(h->board, pool->name, b->name);
	}
	state = hf_usable_weigh(backends, pool, hf_health_stamp(h, now), &h->again);
	wake_again(h, hf_health_stamp(h, now), now);
	return state;
}

const struct hf_board *hf_health_board(const struct hf_health *h)
{
	return h->board;
}

uint32_t hf_health_target_count(const struct hf_health *h)
{
	return h->count;
}

const struct hf_health_target *hf_health_target(const struct hf_health *h, uint32_t target)
{
	return &h->targets[target];
}

const struct hf_health_target *hf_health_find(const struct hf_health *h, uint64_t key)
{
	return find(h, key);
}

const struct hf_health_counters *hf_health_counters(const struct hf_health *h)
{
	return &h->counters;
}
