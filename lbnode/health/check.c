// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/health/check.h"

#define JITTER 10 /* of an interval, one part in so many */

bool hf_check_is_up(const struct hf_check *check)
{
	return check->state == HF_CHECK_UP || check->state == HF_CHECK_FAILING;
}

void hf_check_begin(struct hf_check *check, const struct hf_check_rules *rules, bool up,
		    int64_t now, uint32_t chance)
{
	*check = (struct hf_check){
		.state = up ? HF_CHECK_UP : HF_CHECK_DOWN,
		.next = now + chance % rules->interval,
	};
}

void hf_check_started(struct hf_check *check, int64_t now)
{
	check->started = now;
}

static uint32_t pause_after(const struct hf_check *check, const struct hf_check_rules *rules)
{
	uint32_t sooner;

	if (check->state != HF_CHECK_FAILING || rules->fall < 2)
		return rules->interval;
	sooner = rules->timeout / (rules->fall - 1) + 1;
	return sooner < rules->interval ? rules->interval - sooner : 1;
}

static void fail(struct hf_check *check, const struct hf_check_rules *rules)
{
	check->streak = check->state == HF_CHECK_FAILING ? check->streak + 1 : 1;
	if (hf_check_is_up(check))
		check->state = check->streak < rules->fall ? HF_CHECK_FAILING : HF_CHECK_DOWN;
	else
		check->state = HF_CHECK_DOWN;
}

static void succeed(struct hf_check *check, const struct hf_check_rules *rules)
{
	check->streak = check->state == HF_CHECK_RISING ? check->streak + 1 : 1;
	if (!hf_check_is_up(check))
		check->state = check->streak < rules->rise ? HF_CHECK_RISING : HF_CHECK_UP;
	else
		check->state = HF_CHECK_UP;
}

bool hf_check_ended(struct hf_check *check, const struct hf_check_rules *rules, bool good,
		    int64_t now, uint32_t chance)
{
	bool was_up = hf_check_is_up(check);

	if (good)
		succeed(check, rules);
	else
		fail(check, rules);
	check->next = check->started + pause_after(check, rules) -
		      chance % (rules->interval / JITTER + 1);
	if (check->next < now)
		check->next = now;
	return hf_check_is_up(check) != was_up;
}

const char *hf_check_state_name(enum hf_check_state state)
{
	static const char *const names[] = { "up", "failing", "down", "rising" };

	return names[state];
}
