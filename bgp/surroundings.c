// SPDX-License-Identifier: BSD-2-Clause
/* What the driver wants of its surroundings: BIRD's socket, the include, the log. */
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "bgp/daemon.h"
#include "bgp/device.h"
#include "bgp/files.h"
#include "lib/log.h"

static void connect_bird(void *context)
{
	hf_bird_connect(&((struct hf_bgp *)context)->bird);
}

static void disconnect_bird(void *context)
{
	hf_bird_disconnect(&((struct hf_bgp *)context)->bird);
}

static void send_bird(void *context, const char *command)
{
	hf_debug("to BIRD: %.*s", (int)strcspn(command, "\n"), command);
	hf_bird_send(&((struct hf_bgp *)context)->bird, command);
}

static int write_include(void *context, const char *text)
{
	return hf_file_write(((struct hf_bgp *)context)->config->bgp.include, text);
}

/* BIRD opens all files that its configuration includes. */
static bool was_include_read(void *context)
{
	struct hf_bgp *b = context;
	/* Those of a file have no name, so all are of one size. */
	struct inotify_event events[16];
	/* If it can't be told, the look after it was configured will have to do. */
	bool was = b->readers < 0;
	ssize_t got;

	while (b->readers >= 0 && (got = read(b->readers, events, sizeof(events))) > 0)
		for (size_t i = 0; i < (size_t)got / sizeof(events[0]); i++)
			was |= (events[i].mask & IN_OPEN) != 0;
	return was;
}

/* One for good: to close it takes the kernel milliseconds. */
static void watch_include(void *context)
{
	struct hf_bgp *b = context;

	if (b->readers < 0)
		b->readers = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (b->readers < 0)
		return;
	if (inotify_add_watch(b->readers, b->config->bgp.include, IN_OPEN) < 0) {
		close(b->readers);
		b->readers = -1;
		return;
	}
	was_include_read(b);
}

static bool holds_include(void *context, const char *text)
{
	return hf_file_holds(((struct hf_bgp *)context)->config->bgp.include, text);
}

static void report(void *context)
{
	struct hf_bgp *b = context;
	struct hf_problems before = b->problems;

	if (b->driver.counters.restored != b->restored)
		hf_warning("somebody has changed %s; it was written anew", b->config->bgp.include);
	b->restored = b->driver.counters.restored;
	hf_problems_of_bird(&b->problems, &b->config->bgp, &b->driver,
			    hf_device_is_up(b->device, b->config->bgp.device));
	hf_problems_log(&before, &b->problems);
}

const struct hf_driver_output hf_bgp_driver_output = {
	.connect = connect_bird,
	.disconnect = disconnect_bird,
	.send = send_bird,
	.write = write_include,
	.watch = watch_include,
	.was_read = was_include_read,
	.holds = holds_include,
	.report = report,
};
