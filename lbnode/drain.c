// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/drain.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lbnode/control_client.h"
#include "lbnode/drain_state.h"
#include "lib/log.h"

#define LOOK_MS 200

/* Says it, and hears how things are. */
static int say(int fd, Holdfast__ToNode__BodyCase what, Holdfast__NodeState *state)
{
	Holdfast__ToNode message = HOLDFAST__TO_NODE__INIT;
	Holdfast__Drain drain = HOLDFAST__DRAIN__INIT;
	Holdfast__Undrain undrain = HOLDFAST__UNDRAIN__INIT;
	Holdfast__StateAsk ask = HOLDFAST__STATE_ASK__INIT;
	Holdfast__FromNode *reply;

	message.body_case = what;
	if (what == HOLDFAST__TO_NODE__BODY_DRAIN)
		message.drain = &drain;
	else if (what == HOLDFAST__TO_NODE__BODY_UNDRAIN)
		message.undrain = &undrain;
	else
		message.state = &ask;
	reply = hf_control_ask(fd, &message, HOLDFAST__FROM_NODE__BODY_STATE);
	if (!reply)
		return -EPROTO;
	*state = *reply->state; /* of numbers alone */
	holdfast__from_node__free_unpacked(reply, NULL);
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static int tell_result(FILE *out, const Holdfast__NodeState *state)
{
	const char *risk = hf_drain_risk(state);

	if (risk) {
		hf_error("drained, but %s", risk);
		return -ENODATA;
	}
	fprintf(out, "drained: lbnode and syncd can be stopped, then `lbnode --detach`\n");
	return 0;
}

static int wait_until_done(FILE *out, int fd, uint32_t timeout_s)
{
	const int64_t end = now_ms() + timeout_s * 1000LL;
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000 };
	const char *last = NULL, *now;
	Holdfast__NodeState state;
	int err;

	for (;; nanosleep(&pause, NULL)) {
		err = say(fd, HOLDFAST__TO_NODE__BODY_STATE, &state);
		if (err)
			return err;
		if (!state.draining) {
			hf_error("somebody has put the node back into service");
			return -ECANCELED;
		}
		now = hf_drain_left(&state);
		if (!now)
			break;
		if (now_ms() >= end) {
			hf_error("not done after %u s: %s; the node stays drained, --undrain takes "
				 "it back",
				 timeout_s, now);
			return -ETIMEDOUT;
		}
		if (now != last)
			fprintf(out, "draining: %s\n", now);
		fflush(out);
		last = now;
	}
	return tell_result(out, &state);
}

int hf_drain(FILE *out, const char *instance, uint32_t timeout_s)
{
	Holdfast__NodeState state;
	int fd = hf_control_connect(instance), err;

	if (fd < 0)
		return fd;
	err = say(fd, HOLDFAST__TO_NODE__BODY_DRAIN, &state);
	if (!err)
		err = wait_until_done(out, fd, timeout_s);
	close(fd);
	return err;
}

int hf_undrain(const char *instance)
{
	Holdfast__NodeState state;
	int fd = hf_control_connect(instance), err;

	if (fd < 0)
		return fd;
	err = say(fd, HOLDFAST__TO_NODE__BODY_UNDRAIN, &state);
	close(fd);
	return err;
}
