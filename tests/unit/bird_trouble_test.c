// SPDX-License-Identifier: BSD-2-Clause
/* The talk with a BIRD that refuses, hangs, is changed by others, or is none. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bgp/problems.h"
#include "tests/unit/bird_talk.h"

static void a_fault_of_the_configuration(void **state)
{
	(void)state;
	begin();
	say(GREETING);
	forget();
	d.step = HF_STEP_IDLE;
	apply(TWO, STATUS("2"));
	say(STATUS("2"));
	say(ALL);
	say(EXPORTED);
	forget();
	/* Somebody else's: the new text stays in the file, for when they have mended theirs. */
	assert_int_equal(hf_driver_want(&d, "text", now), 0);
	hf_driver_turn(&d, now);
	expect("configure check\n");
	say(FAULT);
	assert_int_equal(d.trouble, HF_TROUBLE_REFUSED);
	assert_string_equal(d.why, "/etc/bird/bird.conf:16:38 syntax error, unexpected NUM");
	assert_string_equal(in_force(), TWO);
	assert_string_equal(file, "text");
	expect("");
	/* Tried again, later; ours: the former text is put back. */
	now += 1000;
	hf_driver_turn(&d, now);
	expect("configure check\n");
	say("0002-Reading configuration from /etc/bird/bird.conf\n8002 "
	    "/var/lib/holdfast/bgp/vips.conf:1:2 syntax error\n");
	assert_string_equal(file, TWO);
	assert_int_equal(d.counters.refused, 2);
	assert_false(hf_driver_is_settled(&d));
}

static void an_include_that_is_not_there(void **state)
{
	(void)state;
	begin();
	say(GREETING);
	forget();
	d.step = HF_STEP_IDLE;
	hf_driver_want(&d, TWO, now);
	hf_driver_turn(&d, now);
	expect("configure check\n");
	/* Nobody opened it. */
	is_read = false;
	say(CHECKED);
	is_read = true;
	expect("");
	assert_int_equal(d.trouble, HF_TROUBLE_NOT_INCLUDED);
	/* It is opened, but our protocols do not come. */
	now += 1000;
	hf_driver_turn(&d, now);
	say(NO_TRIAL);
	say(CHECKED);
	say(RECONFIGURED);
	say(STATUS("2"));
	forget();
	say(HEAD DEVICE SESSIONS "0000 \n");
	/* A reconfiguration may be in progress, for a while. */
	expect("");
	now += 50;
	hf_driver_turn(&d, now);
	expect("show protocols\n");
	now += 1900;
	say(HEAD DEVICE SESSIONS "0000 \n");
	now += 60;
	hf_driver_turn(&d, now);
	expect("show protocols\n");
	say(HEAD DEVICE SESSIONS "0000 \n");
	expect("configure undo\n");
	say("0021-Undo requested\n0003 Reconfigured\n");
	assert_int_equal(d.trouble, HF_TROUBLE_NOT_INCLUDED);
	assert_int_equal(d.counters.undone, 1);
	assert_string_equal(in_force(), "");
}

/* Protocols that were there, and are about to go: that is undone at once. */
static void an_include_that_goes(void **state)
{
	(void)state;
	begin();
	say(GREETING);
	forget();
	d.step = HF_STEP_IDLE;
	apply(TWO, STATUS("2"));
	say(STATUS("2"));
	say(ALL);
	say(EXPORTED);
	forget();
	hf_driver_want(&d, "text", now);
	hf_driver_turn(&d, now);
	say(CHECKED);
	say(IN_PROGRESS);
	say(STATUS("2"));
	forget();
	say(HEAD DEVICE "1002-holdfast4  Static     master4    flush  19:46:45.846  \n"
			" holdfast6  Static     master6    flush  19:46:45.846  \n0000 \n");
	expect("configure undo\n");
}

/* The time-out was over, or somebody has configured something else. */
static void a_confirmation_of_nothing(void **state)
{
	(void)state;
	begin();
	say(GREETING);
	forget();
	d.step = HF_STEP_IDLE;
	hf_driver_want(&d, TWO, now);
	hf_driver_turn(&d, now);
	say(CHECKED);
	say("0002-Reading configuration from /etc/bird/bird.conf\n0005 Reconfiguration already in "
	    "progress, queueing new config\n");
	forget();
	now += 50;
	hf_driver_turn(&d, now);
	expect("configure status\n");
	say(NO_TRIAL);
	expect("configure check\n");
	say(CHECKED);
	now += 2000;
	say("0005 Reconfiguration already in progress, queueing new config\n");
	assert_int_equal(d.trouble, HF_TROUBLE_DENIED);
	now += 50;
	hf_driver_turn(&d, now);
	say(NO_TRIAL);
	say(CHECKED);
	say(RECONFIGURED);
	say(STATUS("2"));
	say(PROTOCOLS);
	say("0019 Nothing to do\n");
	assert_false(hf_driver_is_settled(&d));
	assert_string_equal(in_force(), "");
}

static void a_reconfiguration_in_progress(void **state)
{
	(void)state;
	begin();
	say(GREETING);
	forget();
	d.step = HF_STEP_IDLE;
	hf_driver_want(&d, TWO, now);
	hf_driver_turn(&d, now);
	say(CHECKED);
	say(IN_PROGRESS);
	say(STATUS("2"));
	say(HEAD DEVICE "0000 \n");
	now += 50;
	hf_driver_turn(&d, now);
	say(PROTOCOLS);
	say(CONFIRMED);
	assert_string_equal(in_force(), TWO);
}

#define BEFORE "2026-11-26 16:31:01.999"
#define OWN    "2026-11-26 16:32:01.999"
#define LATER  "2026-11-26 16:33:01.999"

/* Connected, with both VIPs in force since OWN, and looking. */
static void begin_with_two(void)
{
	begin();
	say(GREETING);
	say(STATUS(BEFORE));
	say(ALL);
	say(EXPORTED);
	forget();
	apply(TWO, STATUS(OWN));
	look(STATUS(OWN), EXPORTED);
	assert_int_equal(d.counters.reconfigured, 0);
}

/* By hand: if what is exported is as it should be, that is all. If not, ours is put in force again.
 */
static void others_reconfigure(void **state)
{
	(void)state;
	begin_with_two();
	expect("show status\n");
	say(STATUS(LATER));
	expect("configure status\n");
	assert_int_equal(d.counters.reconfigured, 1);
	say(NO_TRIAL);
	expect("show protocols all\n");
	say(ALL);
	forget();
	say(EXPORTED);
	expect("");
	assert_true(hf_driver_is_settled(&d));
	now += 1000;
	hf_driver_turn(&d, now);
	say(STATUS(LATER));
	say(NO_TRIAL);
	say(ALL);
	forget();
	say("1007-Table export:\n 203.0.113.11/32  unicast [holdfast4 19:52:37] * (200)\n "
	    "203.0.113.10/32  unicast [holdfast4 19:52:37] * (200)\n 203.0.113.12/32  unicast "
	    "[holdfast4 19:52:37] * (200)\n0000 \n");
	expect("configure status\n");
	say(NO_TRIAL);
	expect("configure check\n");
	assert_int_equal(d.counters.reconfigured, 1);
}

/* At once after ours was confirmed, before anybody looked: BIRD's time tells. All is exported, but
 * with other attributes, it may be. */
static void ours_is_undone_at_once(void **state)
{
	(void)state;
	begin();
	say(GREETING);
	say(STATUS(BEFORE));
	say(ALL);
	say(EXPORTED);
	forget();
	apply(TWO, STATUS(OWN));
	expect("show status\n");
	say(STATUS(BEFORE));
	say(NO_TRIAL);
	say(ALL);
	forget();
	say(EXPORTED);
	expect("configure status\n");
	say(NO_TRIAL);
	expect("configure check\n");
}

/* `birdc configure timeout`: ours would confirm it, and BIRD not take it back any more. */
static void a_trial_is_let_alone(void **state)
{
	const struct hf_config_bgp config = { .local_as = 65001 };
	struct hf_problems problems;

	(void)state;
	begin_with_two();
	for (int i = 0; i < 3; i++) {
		expect("show status\n");
		say(STATUS(LATER));
		expect("configure status\n");
		say(TRIAL);
		say(ALL);
		forget();
		say("0000 \n");
		expect("");
		now += 1000;
		hf_driver_turn(&d, now);
	}
	hf_problems_of_bird(&problems, &config, &d, true);
	assert_non_null(strstr(problems.text[0], "somebody tries a configuration"));
	/* It has been taken back: ours is in force, whatever BIRD's file says. */
	forget();
	say(STATUS(OWN));
	say(ALL);
	forget();
	say("0000 \n");
	expect("");
	assert_true(hf_driver_is_settled(&d));
	assert_int_equal(d.counters.reconfigured, 1);
}

static void a_wrong_file(void **state)
{
	(void)state;
	begin_with_two();
	say(STATUS(OWN));
	say(ALL);
	say(EXPORTED);
	snprintf(file, sizeof(file), "wrong");
	/* As long as ours can't be written, how BIRD is is looked at all the same. */
	write_error = -EROFS;
	now += 1000;
	forget();
	hf_driver_turn(&d, now);
	expect("show status\n");
	assert_int_equal(d.trouble, HF_TROUBLE_FILE);
	assert_int_equal(d.counters.restored, 0);
	say(STATUS(OWN));
	say(ALL);
	say(EXPORTED);
	write_error = 0;
	now += 1000;
	forget();
	hf_driver_turn(&d, now);
	expect("configure status\n");
	say(NO_TRIAL);
	expect("configure check\n");
	assert_string_equal(file, TWO);
}

/* Nor by a driver that has lost its connection, or finds the include changed; only VIPs that come
 * or go confirm it. */
static void a_trial_is_let_alone_by_all_but_vips(void **state)
{
	(void)state;
	begin_with_two();
	hf_driver_lost(&d, "gone", now);
	now += 200;
	hf_driver_turn(&d, now);
	hf_driver_connected(&d, now);
	forget();
	say(GREETING);
	expect("configure status\n");
	say(TRIAL);
	hf_driver_turn(&d, now);
	expect("show status\n");
	assert_int_equal(d.trouble, HF_TROUBLE_NONE);
	assert_true(d.trial);
	say(STATUS(LATER));
	say(TRIAL);
	say(HEAD DEVICE SESSIONS "0000 \n");
	assert_int_equal(d.trouble, HF_TROUBLE_NOT_INCLUDED);
	snprintf(file, sizeof(file), "wrong");
	forget();
	now += 1000;
	hf_driver_turn(&d, now);
	expect("configure status\n");
	assert_string_equal(file, TWO);
	say(TRIAL);
	forget();
	hf_driver_turn(&d, now);
	say(STATUS(LATER));
	say(TRIAL);
	say(ALL);
	say("0000 \n");
	forget();
	assert_int_equal(hf_driver_want(&d, "text", now), 0);
	hf_driver_turn(&d, now);
	expect("configure check\n");
}

/* As BIRD tells it: worked out anew each time, and not always alike. */
static void a_time_that_jitters(void **state)
{
	(void)state;
	begin();
	say(GREETING);
	say(STATUS("2026-11-26 16:32:01.999"));
	say(ALL);
	say(EXPORTED);
	forget();
	apply(TWO, STATUS("2026-11-26 16:32:05.999"));
	look(STATUS("2026-11-26 16:32:05.999"), EXPORTED);
	look(STATUS("2026-11-26 16:32:06.000"), EXPORTED);
	look(STATUS("2026-11-26 16:32:05.999"), EXPORTED);
	assert_int_equal(d.counters.reconfigured, 0);
	expect("show status\n");
	say(STATUS("2026-11-26 16:32:06.002"));
	assert_int_equal(d.counters.reconfigured, 1);
}

static void silence(void **state)
{
	(void)state;
	begin();
	say(GREETING);
	forget();
	d.step = HF_STEP_IDLE;
	hf_driver_want(&d, TWO, now);
	hf_driver_turn(&d, now);
	expect("configure check\n");
	/* Told soon, though it may be busy for longer. */
	now += 2000;
	hf_driver_turn(&d, now);
	assert_int_equal(d.trouble, HF_TROUBLE_SILENT);
	assert_true(connected);
	now += 8000;
	hf_driver_turn(&d, now);
	assert_false(connected);
	/* All is tried again, with a new connection. */
	now += 200;
	hf_driver_turn(&d, now);
	assert_true(connected);
	hf_driver_connected(&d, now);
	say(GREETING);
	expect("configure status\n");
	hf_driver_lost(&d, "gone", now);
	assert_int_equal(d.trouble, HF_TROUBLE_APART);
}

static void what_is_no_bird(void **state)
{
	static const char *const others[] = {
		"SSH-2.0-OpenSSH_9.2\n", "0001 BIRD 1.6.8 ready.\n",
		"0001 Quagga\n",	 " no code yet\n",
		"9001 what?\n",		 "00 1\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		begin();
		say(others[i]);
		assert_int_equal(d.trouble, HF_TROUBLE_STRANGE);
		assert_false(connected);
	}
	begin();
	say("0001 BIRD 3.0.1 ready.\n");
	assert_string_equal(d.version, "3.0.1");
	/* It speaks without being asked. */
	say(STATUS("1"));
	say(ALL);
	say(EXPORTED);
	say("0000 \n");
	assert_int_equal(d.trouble, HF_TROUBLE_STRANGE);
	/* A line that goes on, of a reply that has ended. */
	begin();
	say(GREETING " more\n");
	assert_int_equal(d.trouble, HF_TROUBLE_STRANGE);
	/* Echoed messages are no answers. */
	begin();
	say(GREETING "+spine1: Error\n");
	assert_true(connected);
	hf_driver_bytes(&d, "\0\n", 2, now);
	assert_false(connected);
}

static void what_it_will_not_do(void **state)
{
	(void)state;
	begin();
	say(GREETING);
	forget();
	d.step = HF_STEP_IDLE;
	hf_driver_want(&d, TWO, now);
	hf_driver_turn(&d, now);
	say("8007 Access denied\n");
	assert_int_equal(d.trouble, HF_TROUBLE_DENIED);
	forget();
	write_error = -EROFS;
	now += 1000;
	hf_driver_turn(&d, now);
	assert_int_equal(d.trouble, HF_TROUBLE_FILE);
	write_error = 0;
	now += 1000;
	forget();
	hf_driver_turn(&d, now);
	say(CHECKED);
	say("0006 Reconfiguration ignored, shutting down\n");
	assert_int_equal(d.trouble, HF_TROUBLE_DENIED);
}

/* A line that is longer than any: cut, and nothing else. */
static void a_long_line(void **state)
{
	(void)state;
	begin();
	say(GREETING);
	for (int i = 0; i < 10000; i++)
		hf_driver_bytes(&d, i ? "x" : "1", 1, now);
	assert_true(connected);
	say("\n");
	assert_int_equal(d.trouble, HF_TROUBLE_STRANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_of_the_configuration),
		cmocka_unit_test(an_include_that_is_not_there),
		cmocka_unit_test(an_include_that_goes),
		cmocka_unit_test(a_confirmation_of_nothing),
		cmocka_unit_test(a_reconfiguration_in_progress),
		cmocka_unit_test(others_reconfigure),
		cmocka_unit_test(ours_is_undone_at_once),
		cmocka_unit_test(a_trial_is_let_alone),
		cmocka_unit_test(a_wrong_file),
		cmocka_unit_test(a_trial_is_let_alone_by_all_but_vips),
		cmocka_unit_test(a_time_that_jitters),
		cmocka_unit_test(silence),
		cmocka_unit_test(what_is_no_bird),
		cmocka_unit_test(what_it_will_not_do),
		cmocka_unit_test(a_long_line),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	hf_driver_free(&d);
	return failed;
}
