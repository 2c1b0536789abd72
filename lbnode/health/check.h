/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this node thinks of a backend that it checks, and when it looks again. No I/O: times are
 * milliseconds of a monotonic clock, chance comes in as a number.
 *
 *             a failure               `fall` failures in a row
 *      UP -----------------> FAILING --------------------------> DOWN
 *      ^ ^                      |                                |  ^
 *      | +---- a success -------+                    a success   |  | a failure
 *      |                                                         v  |
 *      +------------ `rise` successes in a row ---------------- RISING
 *
 * Failures count in a row, or a service that answers every other time would never be down. A
 * backend that FAILING is looked at a little sooner, so that `fall` failures, the last one's
 * timeout included, take no longer than `fall` intervals from the last success.
 */
#ifndef HF_LBNODE_HEALTH_CHECK_H
#define HF_LBNODE_HEALTH_CHECK_H

#include <stdbool.h>
#include <stdint.h>

enum hf_check_state { HF_CHECK_UP, HF_CHECK_FAILING, HF_CHECK_DOWN, HF_CHECK_RISING };

/* 1 or more each; timeout at most interval. */
struct hf_check_rules {
	uint32_t interval, timeout; /* ms */
	uint32_t fall, rise;
};

struct hf_check {
	enum hf_check_state state;
	uint32_t streak; /* FAILING, RISING: how many in a row */
	int64_t started; /* the last probe */
	int64_t next;	 /* when the next one is to start */
};

/* Looks at it first within an interval, so that checks that begin together spread: `chance` is any
 * number, as below. `up`: what is believed until then. */
void hf_check_begin(struct hf_check *check, const struct hf_check_rules *rules, bool up,
		    int64_t now, uint32_t chance);

/* A probe starts: its answer is waited for until now + timeout. */
void hf_check_started(struct hf_check *check, int64_t now);

/* It has ended, well or not, and check->next is set, up to a tenth of an interval early. True: the
 * node thinks otherwise of the backend now. */
bool hf_check_ended(struct hf_check *check, const struct hf_check_rules *rules, bool good,
		    int64_t now, uint32_t chance);

/* UP or FAILING. */
bool hf_check_is_up(const struct hf_check *check);

const char *hf_check_state_name(enum hf_check_state state);

#endif
