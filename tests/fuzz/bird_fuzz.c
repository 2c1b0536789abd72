// SPDX-License-Identifier: BSD-2-Clause
/* BIRD, or what pretends to be it, says anything at any time: the driver neither crashes nor stops
 * trying, and puts only whole texts in force. The input is what it says; a byte 0xff lets time
 * pass, 0xfe ends the connection. */
#include <stdlib.h>
#include <string.h>

#include "bgp/core/driver.h"
#include "bgp/problems.h"

#define WANTED "protocol static holdfast4 {\n    route 203.0.113.10/32 via \"holdfast0\";\n}\n"

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct hf_driver d;
static struct hf_problems problems;
static const struct hf_config_bgp config = { .bird_socket = "/bird.ctl",
					     .include = "/x/vips.conf" };
static int64_t now;
static bool connecting, connected, asked;

static void connect_it(void *context)
{
	(void)context;
	connecting = true;
}

static void disconnect_it(void *context)
{
	(void)context;
	connected = false;
}

static void send_it(void *context, const char *command)
{
	(void)context;
	MUST(connected && command[strlen(command) - 1] == '\n');
	asked = true;
}

static int write_it(void *context, const char *text)
{
	(void)context;
	return text[0] ? 0 : -1;
}

static void watch_it(void *context)
{
	(void)context;
}

static bool was_read(void *context)
{
	(void)context;
	return now % 7;
}

static bool holds_it(void *context, const char *text)
{
	(void)context;
	return now % 3 || !text[0];
}

static void report(void *context)
{
	(void)context;
	MUST(!d.in_force || strcmp(d.in_force, WANTED) == 0);
	hf_problems_of_bird(&problems, &config, &d, true);
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

static void turn(int64_t ms)
{
	int64_t next;

	now += ms;
	next = hf_driver_turn(&d, now);
	MUST(next <= now + 10000);
	if (connecting) {
		connecting = false;
		connected = true;
		hf_driver_connected(&d, now);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	now = 1;
	connecting = connected = asked = false;
	hf_driver_init(&d, config.include, &output, NULL);
	hf_driver_want(&d, WANTED, now);
	turn(0);
	for (size_t i = 0; i < size; i++) {
		if (data[i] == 0xff)
			turn(1000);
		else if (data[i] == 0xfe && connected) {
			connected = false;
			hf_driver_lost(&d, "ended", now);
		} else if (connected) {
			hf_driver_bytes(&d, (const char *)&data[i], 1, now);
		}
	}
	/* Whatever was said, it is asked again. */
	asked = false;
	for (int i = 0; i < 20; i++) {
		turn(1000);
		if (connected)
			hf_driver_bytes(&d, "0001 BIRD 2.0.12 ready.\n", 24, now);
	}
	MUST(asked);
	hf_driver_free(&d);
	return 0;
}
