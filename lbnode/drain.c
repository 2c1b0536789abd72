// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/drain.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lbnode/control_client.h"
#include "lib/log.h"

#define LOOK_MS	 200
#define QUIET_MS 3000 /* ECMP's stragglers, and a client's retransmission or two */

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

/* What there is to wait for; NULL: nothing. */
static const char *left_to_do(const Holdfast__NodeState *state)
{
	if (state->owner)
		return state->sharing ? "its records are being handed over"
				      : "it owns records, and its syncd does not run: start it, "
					"or they are lost";
	if (state->announced)
		return "lbbgp has routers take other ways, and then withdraws its VIPs";
	if (state->quiet_ms < QUIET_MS)
		return "packets still come: its VIPs must be withdrawn (by lbbgp, or in BIRD)";
	return NULL;
}

static int tell_result(FILE *out, const Holdfast__NodeState *state)
{
	if (state->sharing && (!state->others || state->gave_up)) {
		hf_error("drained, but %s: stop this node, and flows that only it knows may break",
			 state->others ? "its records were not all taken in time"
				       : "no other node is ready to take its records");
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
		now = left_to_do(&state);
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
