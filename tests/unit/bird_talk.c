// SPDX-License-Identifier: BSD-2-Clause
#include "tests/unit/bird_talk.h"

#include <stdio.h>
#include <string.h>

struct hf_driver d;
int64_t now;
char file[2048];
char commands[512];
int write_error;
uint32_t reports;
bool connected;

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
	size_t used = strlen(commands);

	(void)context;
	assert_true(used + strlen(command) < sizeof(commands));
	snprintf(commands + used, sizeof(commands) - used, "%s", command);
}

static int write_it(void *context, const char *text)
{
	(void)context;
	if (!write_error)
		snprintf(file, sizeof(file), "%s", text);
	return write_error;
}

bool is_read = true;

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

const char *in_force(void)
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

void forget(void)
{
	commands[0] = '\0';
}

void expect(const char *command)
{
	assert_string_equal(commands, command);
	forget();
}

void say(const char *text)
{
	now += 1;
	hf_driver_bytes(&d, text, strlen(text), now);
}

void begin(void)
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

void apply(const char *text, const char *when)
{
	assert_int_equal(hf_driver_want(&d, text, now), 0);
	hf_driver_turn(&d, now);
	expect("configure check\n");
	assert_string_equal(file, text);
	say(CHECKED);
	expect("configure timeout 10\n");
	say(RECONFIGURED);
	expect("show status\n");
	say(when);
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

void look(const char *when, const char *exported)
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
