// SPDX-License-Identifier: BSD-2-Clause
/* The talk with BIRD: what it says, as live BIRDs said it, and what the driver makes of it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bgp/core/driver.h"
#include "bgp/core/include.h"
#include "bgp/problems.h"
#include "tests/unit/unit.h"

/* From BIRD 2.0.12. */
#define GREETING "0001 BIRD 2.0.12 ready.\n"
#define CHECKED                                                 \
	"0002-Reading configuration from /etc/bird/bird.conf\n" \
	"0020 Configuration OK\n"
#define RECONFIGURED                                                                \
	"0002-Reading configuration from /etc/bird/bird.conf\n0022-Undo scheduled " \
	"in 10 s\n0003 Reconfigured\n"
#define IN_PROGRESS                                                                 \
	"0002-Reading configuration from /etc/bird/bird.conf\n0022-Undo scheduled " \
	"in 10 s\n0004 Reconfiguration in progress\n"
#define FAULT                                                   \
	"0002-Reading configuration from /etc/bird/bird.conf\n" \
	"8002 /etc/bird/bird.conf:16:38 syntax error, unexpected NUM\n"
#define HEAD   "2002-Name       Proto      Table      State  Since         Info\n"
#define DEVICE "1002-device1    Device     ---        up     19:46:45.846  \n"
#define OURS                                                        \
	" holdfast4  Static     master4    up     19:46:45.846  \n" \
	" holdfast6  Static     master6    up     19:46:45.846  \n"
#define SESSIONS  " spine1     BGP        ---        up     19:47:44.838  Established\n"
#define PROTOCOLS HEAD DEVICE OURS SESSIONS "0000 \n"
#define CONFIRMED "0018 Reconfiguration confirmed\n"
#define STATUS(when)                                                              \
	"1000-BIRD 2.0.12\n1011-Router ID is 10.99.0.2\n Hostname is vm\n"        \
	" Current server time is 2026-11-23 19:51:38.363\n"                       \
	" Last reboot on 2026-11-23 19:46:45.846\n Last reconfiguration on " when \
	"\n0013 Daemon is up and running\n"
#define ALL                                                                                      \
	HEAD DEVICE "1006-\n" OURS_ALL                                                           \
		    "1002-spine1     BGP        ---        up     19:47:44.838  Established\n"   \
		    "1006-  BGP state:          Established\n     Neighbor address: 10.99.0.1\n" \
		    "     Neighbor AS:      65000\n     Hold timer:       214.369/240\n   "      \
		    "Channel ipv4\n"                                                             \
		    "     State:          UP\n     Output filter:  vip_out\n"                    \
		    "     Routes:         0 imported, 2 exported, 0 preferred\n \n"              \
		    "1002-spine2     BGP        ---        start  19:47:44.838  Active        "  \
		    "Socket: "                                                                   \
		    "Connection refused\n"                                                       \
		    "1006-  BGP state:          Active\n     Neighbor address: fe80::1%eth0\n"   \
		    "   Channel ipv6\n     State:          DOWN\n \n0000 \n"
#define OURS_ALL                                                                          \
	"1002-holdfast4  Static     master4    up     19:46:45.846  \n"                   \
	"1006-  Channel ipv4\n     State:          UP\n     Table:          master4\n \n" \
	"1002-holdfast6  Static     master6    up     19:46:45.846  \n"                   \
	"1006-  Channel ipv6\n     State:          UP\n \n"
#define EXPORTED                                                                      \
	"1007-Table export:\n"                                                        \
	" 203.0.113.11/32      unicast [holdfast4 19:52:37.327] * (200)\n \tdev "     \
	"holdfast0\n 203.0.113.10/32      unicast [holdfast4 19:52:37.327] * (200)\n" \
	" \tdev holdfast0\n0000 \n"

static struct hf_driver d;
static int64_t now;
static char commands[512], file[2048];
static int write_error;
static uint32_t reports;
static bool connected;

static void connect_it(void *context)
{
	(void)context;
	connected = true;
}

static void disconnect_it(void *context)
{
	(void)context;
	connected = false;
}

static void send_it(void *context, const char *command)
{
	(void)context;
	assert_true(strlen(commands) + strlen(command) < sizeof(commands));
	strcat(commands, command);
}

static int write_it(void *context, const char *text)
{
	(void)context;
	if (!write_error)
		snprintf(file, sizeof(file), "%s", text);
	return write_error;
}

static bool is_read = true;

static void watch_it(void *context)
{
	(void)context;
}

static bool was_read(void *context)
{
	(void)context;
	return is_read;
}

static bool holds_it(void *context, const char *text)
{
	(void)context;
	return strcmp(file, text) == 0;
}

/* What is; empty: nothing is known to be. */
static const char *in_force(void)
{
	return d.in_force ? d.in_force : "";
}

static void report(void *context)
{
	(void)context;
	reports++;
}

static const struct hf_driver_output output = {
	.connect = connect_it,
	.disconnect = disconnect_it,
	.send = send_it,
	.write = write_it,
	.watch = watch_it,
	.was_read = was_read,
	.holds = holds_it,
	.report = report,
};

static void expect(const char *command)
{
	assert_string_equal(commands, command);
	commands[0] = '\0';
}

static void say(const char *text)
{
	now += 1;
	hf_driver_bytes(&d, text, strlen(text), now);
}

static void begin(void)
{
	hf_driver_free(&d);
	now = 1000;
	commands[0] = file[0] = '\0';
	write_error = 0;
	connected = false;
	hf_driver_init(&d, "/var/lib/holdfast/bgp/vips.conf", &output, NULL);
	hf_driver_turn(&d, now);
	assert_true(connected);
	hf_driver_connected(&d, now);
}

#define TWO                                                                           \
	"protocol static holdfast4 {\n    route 203.0.113.10/32 via \"holdfast0\";\n" \
	"    route 203.0.113.11/32 via \"holdfast0\";\n}\n"

static void apply(const char *text)
{
	assert_int_equal(hf_driver_want(&d, text, now), 0);
	hf_driver_turn(&d, now);
	expect("configure check\n");
	assert_string_equal(file, text);
	say(CHECKED);
	expect("configure timeout 10\n");
	say(RECONFIGURED);
	expect("show protocols\n");
	say(PROTOCOLS);
	expect("configure confirm\n");
	assert_false(hf_driver_is_settled(&d));
	say(CONFIRMED);
	assert_true(hf_driver_is_settled(&d));
	assert_string_equal(in_force(), text);
	assert_int_equal(d.trouble, HF_TROUBLE_NONE);
	expect("");
	now += 300;
	hf_driver_turn(&d, now);
}

static void look(const char *when, const char *exported)
{
	expect("show status\n");
	say(when);
	expect("show protocols all\n");
	say(ALL);
	expect("show route export table 'spine1'.ipv4\n");
	say(exported);
	expect("");
	now += 1000;
	hf_driver_turn(&d, now);
}

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
	assert_string_equal(d.reconfigured, "2026-11-23 19:47:40.585");
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
	commands[0] = '\0';
	apply(TWO);
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
	commands[0] = '\0';
	assert_int_equal(hf_driver_want(&d, TWO, now), 0);
	assert_true(hf_driver_is_settled(&d));
}

/* While a text is being put in force another one is wanted. */
static void a_newer_text(void **state)
{
	(void)state;
	begin();
	say(GREETING);
	commands[0] = '\0';
	d.step = HF_STEP_IDLE;
	hf_driver_want(&d, "first", now);
	hf_driver_turn(&d, now);
	say(CHECKED);
	hf_driver_want(&d, TWO, now);
	say(RECONFIGURED);
	say(PROTOCOLS);
	commands[0] = '\0';
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
	commands[0] = '\0';
	say(STATUS("1"));
	say(ALL);
	say("0000 \n");
	commands[0] = '\0';
	apply(TWO);
	look(STATUS("2"), some);
	/* BIRD may still be at it. */
	hf_problems_of_bird(&problems, &config, &d);
	assert_int_equal(problems.count, 1);
	look(STATUS("2"), some);
	hf_problems_of_bird(&problems, &config, &d);
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
	hf_problems_of_bird(&problems, &config, &d);
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

static void a_fault_of_the_configuration(void **state)
{
	(void)state;
	begin();
	say(GREETING);
	commands[0] = '\0';
	d.step = HF_STEP_IDLE;
	apply(TWO);
	say(STATUS("1"));
	say(ALL);
	say(EXPORTED);
	commands[0] = '\0';
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
	commands[0] = '\0';
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
	say(CHECKED);
	say(RECONFIGURED);
	commands[0] = '\0';
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
	commands[0] = '\0';
	d.step = HF_STEP_IDLE;
	apply(TWO);
	say(STATUS("1"));
	say(ALL);
	say(EXPORTED);
	commands[0] = '\0';
	hf_driver_want(&d, "text", now);
	hf_driver_turn(&d, now);
	say(CHECKED);
	say(IN_PROGRESS);
	commands[0] = '\0';
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
	commands[0] = '\0';
	d.step = HF_STEP_IDLE;
	hf_driver_want(&d, TWO, now);
	hf_driver_turn(&d, now);
	say(CHECKED);
	say("0002-Reading configuration from /etc/bird/bird.conf\n0005 Reconfiguration already in "
	    "progress, queueing new config\n");
	commands[0] = '\0';
	now += 50;
	hf_driver_turn(&d, now);
	expect("configure check\n");
	say(CHECKED);
	say(RECONFIGURED);
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
	commands[0] = '\0';
	d.step = HF_STEP_IDLE;
	hf_driver_want(&d, TWO, now);
	hf_driver_turn(&d, now);
	say(CHECKED);
	say(IN_PROGRESS);
	say(HEAD DEVICE "0000 \n");
	now += 50;
	hf_driver_turn(&d, now);
	say(PROTOCOLS);
	say(CONFIRMED);
	assert_string_equal(in_force(), TWO);
}

static void others_reconfigure(void **state)
{
	(void)state;
	begin();
	say(GREETING);
	say(STATUS("1"));
	say(ALL);
	say(EXPORTED);
	commands[0] = '\0';
	apply(TWO);
	look(STATUS("2"), EXPORTED);
	assert_int_equal(d.counters.reconfigured, 0);
	/* By hand: if what is exported is as it should be, that is all. */
	expect("show status\n");
	say(STATUS("3"));
	assert_int_equal(d.counters.reconfigured, 1);
	say(ALL);
	commands[0] = '\0';
	say(EXPORTED);
	expect("");
	assert_true(hf_driver_is_settled(&d));
	/* If not, ours is put in force again: something is missing, or too much. */
	now += 1000;
	hf_driver_turn(&d, now);
	say(STATUS("4"));
	say(ALL);
	commands[0] = '\0';
	say("1007-Table export:\n 203.0.113.11/32  unicast [holdfast4 19:52:37] * (200)\n "
	    "203.0.113.10/32  unicast [holdfast4 19:52:37] * (200)\n 203.0.113.12/32  unicast "
	    "[holdfast4 19:52:37] * (200)\n0000 \n");
	expect("configure check\n");
	say(CHECKED);
	say(RECONFIGURED);
	say(PROTOCOLS);
	say(CONFIRMED);
	assert_true(hf_driver_is_settled(&d));
	now += 300;
	hf_driver_turn(&d, now);
	say(STATUS("5"));
	say(ALL);
	say(EXPORTED);
	now += 1000;
	commands[0] = '\0';
	hf_driver_turn(&d, now);
	/* A wrong file in ours' place. */
	say(STATUS("5"));
	say(ALL);
	say(EXPORTED);
	snprintf(file, sizeof(file), "wrong");
	now += 1000;
	commands[0] = '\0';
	hf_driver_turn(&d, now);
	expect("configure check\n");
	assert_string_equal(file, TWO);
	assert_int_equal(d.counters.restored, 1);
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
	commands[0] = '\0';
	apply(TWO);
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
	commands[0] = '\0';
	d.step = HF_STEP_IDLE;
	hf_driver_want(&d, TWO, now);
	hf_driver_turn(&d, now);
	expect("configure check\n");
	now += 10000;
	hf_driver_turn(&d, now);
	assert_int_equal(d.trouble, HF_TROUBLE_SILENT);
	assert_false(connected);
	/* All is tried again, with a new connection. */
	now += 200;
	hf_driver_turn(&d, now);
	assert_true(connected);
	hf_driver_connected(&d, now);
	say(GREETING);
	expect("configure check\n");
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
	commands[0] = '\0';
	d.step = HF_STEP_IDLE;
	hf_driver_want(&d, TWO, now);
	hf_driver_turn(&d, now);
	say("8007 Access denied\n");
	assert_int_equal(d.trouble, HF_TROUBLE_DENIED);
	commands[0] = '\0';
	write_error = -EROFS;
	now += 1000;
	hf_driver_turn(&d, now);
	assert_int_equal(d.trouble, HF_TROUBLE_FILE);
	write_error = 0;
	now += 1000;
	commands[0] = '\0';
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
		cmocka_unit_test(lines_wherever_they_are_cut),
		cmocka_unit_test(a_text_comes_in_force),
		cmocka_unit_test(a_newer_text),
		cmocka_unit_test(what_a_filter_eats_is_told),
		cmocka_unit_test(dynamic_and_disabled),
		cmocka_unit_test(without_an_export_table),
		cmocka_unit_test(a_fault_of_the_configuration),
		cmocka_unit_test(an_include_that_is_not_there),
		cmocka_unit_test(an_include_that_goes),
		cmocka_unit_test(a_confirmation_of_nothing),
		cmocka_unit_test(a_reconfiguration_in_progress),
		cmocka_unit_test(others_reconfigure),
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
