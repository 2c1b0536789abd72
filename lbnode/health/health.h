/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The health of all backends, as this node and its cluster see it: which of them this node checks,
 * and when, what it says of them on the notice board, and which verdicts follow. No I/O: times,
 * answers and notices come in; probes to be made, notices to be told and the news that something
 * has changed go out.
 *
 * Times are milliseconds of a monotonic clock. After each call with `now` the caller asks
 * hf_health_deadline() when to call hf_health_turn() at the latest.
 */
#ifndef HF_LBNODE_HEALTH_HEALTH_H
#define HF_LBNODE_HEALTH_HEALTH_H

#include "lbnode/health/agreement.h"
#include "lbnode/health/check.h"
#include "lbnode/health/usable.h"
#include "lib/board.h"
#include "lib/config.h"

#define HF_HEALTH_NODES_MAX 256
/* For so long without syncd the cluster that it told of is believed in; then this node is alone. */
#define HF_HEALTH_ALONE_AFTER 10000

struct hf_health;

/* A backend of a pool that is checked, by whomever. */
struct hf_health_target {
	uint64_t key;
	const struct hf_config_pool *pool;
	const struct hf_config_backend *backend;
	struct hf_check_rules rules;
	bool mine; /* this node checks it */
	bool probing;
	int64_t until; /* probing: the answer is waited for */
	struct hf_check check;
	char cause[HF_CAUSE_MAX + 1]; /* of the last failure */
};

/* None may call back. */
struct hf_health_output {
	/* Begin to look at the target; the answer goes to hf_health_ended(). False: this node
	 * can't, which says nothing of the backend. */
	bool (*probe)(void *context, uint32_t target);
	void (*give_up)(void *context, uint32_t target);
	/* To be told to all nodes. */
	void (*post)(void *context, const struct hf_notice *notice);
	/* A verdict or an override has changed, or a slow start has come further. */
	void (*changed)(void *context);
};

struct hf_health_counters {
	uint64_t probes, failures, unable, verdicts, opinions;
};

/* NULL: no memory. `seed`: of chance, any number. `stamp`: what the wall clock says (record.h). */
struct hf_health *hf_health_new(const struct hf_health_output *output, void *context, uint64_t seed,
				uint32_t stamp, int64_t now);
void hf_health_delete(struct hf_health *health);

/* The pools whose backends are to be checked; what is known of those that stay, stays. Targets have
 * new numbers afterwards, and their probes have been given up. `config` must live until the next
 * one. 0, or -ENOMEM: then nothing is checked. */
int hf_health_configure(struct hf_health *health, const struct hf_config *config, int64_t now);

/* The nodes that check, this one among them, as syncd tells; and that syncd is, or is not, there.
 */
void hf_health_set_nodes(struct hf_health *health, uint64_t self, const uint64_t *nodes,
			 uint32_t count, int64_t now);
void hf_health_set_connected(struct hf_health *health, bool connected, int64_t now);

/* What the cluster's clock says now: by which notices expire, and slow starts begin. */
void hf_health_set_clock(struct hf_health *health, uint32_t clock, int64_t now);

/* Notices that syncd tells of. */
void hf_health_take(struct hf_health *health, const struct hf_notice *notices, uint32_t count,
		    int64_t now);

/* The answer of a probe. `cause` is not NULL if it is not good. */
void hf_health_ended(struct hf_health *health, uint32_t target, bool good, const char *cause,
		     int64_t now);

/* An operator's word: on the board, and told. False: it is not well formed. */
bool hf_health_override(struct hf_health *health, const struct hf_override *override, int64_t now);

void hf_health_turn(struct hf_health *health, int64_t now);
int64_t hf_health_deadline(const struct hf_health *health);

/* For the plan, displays and tests. */
const struct hf_board *hf_health_board(const struct hf_health *health);
uint32_t hf_health_stamp(const struct hf_health *health, int64_t now);
uint32_t hf_health_target_count(const struct hf_health *health);
const struct hf_health_target *hf_health_target(const struct hf_health *health, uint32_t target);
const struct hf_health_counters *hf_health_counters(const struct hf_health *health);
/* NULL: it is not checked. */
const struct hf_health_target *hf_health_find(const struct hf_health *health, uint64_t key);

/* Weighs a pool's backends now (usable.h); `backends` has room for them. What will change by time
 * alone makes output->changed() be called then. */
enum hf_pool_state hf_health_weigh(struct hf_health *health, const struct hf_config_pool *pool,
				   struct hf_usable *backends, int64_t now);

#endif
