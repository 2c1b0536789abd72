// SPDX-License-Identifier: BSD-2-Clause
/* The talk with BIRD: what it says, and what the driver makes of it. */
#include <string.h>

#include "bgp/problems.h"
#include "tests/unit/bird_talk.h"

static void lines_wherever_they_are_cut(void **state)
{
	(void)state;
	begin();
	for (const char *at = GREETING; *at; at++)
		hf_driver_bytes(&d, at, 1, now);
	assert_string_equal(d.version, "2.0.12");
	/* Nothing is wanted yet, so it looks. */
	expect("show status\n");
	for (const char *at = STATUS("2026-11-23 19:47:40.585"); *at; at++)
		hf_driver_bytes(&d, at, 1, now);
	expect("show protocols all\n");
	assert_int_equal(d.configured_at, 54739);
}

static void a_text_comes_in_force(void **state)
{
	const struct hf_session *s = d.sessions.session;

	(void)state;
	begin();
	say(GREETING);
	say(STATUS("1"));
	say(ALL);
	say(EXPORTED);
	forget();
	apply(TWO, STATUS("2"));
	look(STATUS("2"), EXPORTED);
	assert_true(d.looked);
	assert_int_equal(d.sessions.count, 2);
	assert_string_equal(s[0].name, "spine1");
	assert_string_equal(s[0].neighbour, "10.99.0.1");
	assert_true(s[0].established && s[0].channel[HF_IPV4].up && !s[0].channel[HF_IPV6].there);
	assert_int_equal(s[0].channel[HF_IPV4].exported, 2);
	assert_string_equal(s[1].neighbour, "fe80::1%eth0");
	assert_string_equal(s[1].state, "Active");
	assert_true(!s[1].established && s[1].channel[HF_IPV6].there && !s[1].channel[HF_IPV6].up);
	/* The same again is nothing new. */
	forget();
	assert_int_equal(hf_driver_want(&d, TWO, now), 0);
	assert_true(hf_driver_is_settled(&d));
}

/* While a text is being put in force another one is wanted. */
static void a_newer_text(void **state)
{
	(void)state;
	begin();
	say(GREETING);
	forget();
	d.step = HF_STEP_IDLE;
	hf_driver_want(&d, "first", now);
	hf_driver_turn(&d, now);
	say(CHECKED);
	hf_driver_want(&d, TWO, now);
	say(RECONFIGURED);
	say(STATUS("2"));
	say(PROTOCOLS);
	forget();
	say(CONFIRMED);
	assert_string_equal(in_force(), "first");
	assert_false(hf_driver_is_settled(&d));
	expect("configure check\n");
	assert_string_equal(file, TWO);
}

static void what_a_filter_eats_is_told(void **state)
{
	static const char some[] =
		"1007-Table export:\n 203.0.113.11/32  unicast [holdfast4 19:52:37] * (200)\n "
		"203.0.113.10/32  unicast [other 19:52:37] * (200)\n0000 \n";
	const struct hf_config_bgp config = { .local_as = 65001 };
	struct hf_problems problems;

	(void)state;
	begin();
	say(GREETING);
	forget();
	say(STATUS("1"));
	say(ALL);
	say("0000 \n");
	forget();
	apply(TWO, STATUS("2"));
	look(STATUS("2"), some);
	/* BIRD may still be at it. */
	hf_problems_of_bird(&problems, &config, &d, true);
	assert_int_equal(problems.count, 1);
	look(STATUS("2"), some);
	hf_problems_of_bird(&problems, &config, &d, true);
	assert_int_equal(problems.count, 2);
	assert_non_null(strstr(problems.text[0], "exports 1 of 2 IPv4 VIPs to spine1, for instance "
						 "not 203.0.113.10"));
	assert_non_null(strstr(problems.text[1], "spine2 with fe80::1%eth0 is not up;"));
}

/* What stands for neighbours to come is no session that is down; a protocol of ours may be. */
static void dynamic_and_disabled(void **state)
{
	const struct hf_config_bgp config = { .local_as = 65001 };
	struct hf_problems problems;

	(void)state;
	begin();
	say(GREETING);
	say(STATUS("1"));
	say(HEAD "1002-holdfast4  Static     master4    down   19:46:45.846  \n1006-\n"
		 "1002-holdfast6  Static     master6    up     19:46:45.846  \n1006-\n"
		 "1002-spine3     BGP        ---        start  11:12:30.211  Passive\n"
		 "1006-  BGP state:          Passive\n     Neighbor range:   fe80::/10%eth0\n"
		 "0000 \n");
	assert_true(d.looked);
	hf_problems_of_bird(&problems, &config, &d, true);
	assert_int_equal(problems.count, 2);
	assert_non_null(strstr(problems.text[1], "somebody has disabled holdfast4"));
}

/* A session without an export table: what its filter would say. */
static void without_an_export_table(void **state)
{
	(void)state;
	begin();
	say(GREETING);
	say(STATUS("1"));
	say(ALL);
	say("8001 No export table in channel spine1.ipv4\n");
	assert_non_null(strstr(commands, "show route protocol holdfast4 export 'spine1'\n"));
	say("0000 \n");
	assert_true(d.looked);
	assert_true(d.sessions.session[0].channel[HF_IPV4].told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_wherever_they_are_cut),
		cmocka_unit_test(a_text_comes_in_force),
		cmocka_unit_test(a_newer_text),
		cmocka_unit_test(what_a_filter_eats_is_told),
		cmocka_unit_test(dynamic_and_disabled),
		cmocka_unit_test(without_an_export_table),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	hf_driver_free(&d);
	return failed;
}
