// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/drain.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lbnode/control.h"
#include "lib/log.h"
#include "lib/seqpacket.h"
#include "proto/control.pb-c.h"

#define PATIENCE_S 2
#define LOOK_MS	   200
#define QUIET_MS   3000 /* ECMP's stragglers, and a client's retransmission or two */

static int connect_to(const char *instance)
{
	char path[108];
	int fd = hf_seqpacket_connect(hf_control_path(instance, path, sizeof(path)), PATIENCE_S);

	if (fd < 0)
		hf_error("can't reach lbnode at %s: %s; does it run, and are you root?", path,
			 strerror(-fd));
	return fd;
}

/* Says it, and hears how things are. */
static int say(int fd, Holdfast__ToNode__BodyCase what, struct hf_node_state *state)
{
	Holdfast__ToNode message = HOLDFAST__TO_NODE__INIT;
	Holdfast__Drain drain = HOLDFAST__DRAIN__INIT;
	Holdfast__Undrain undrain = HOLDFAST__UNDRAIN__INIT;
	Holdfast__StateAsk ask = HOLDFAST__STATE_ASK__INIT;
	Holdfast__FromNode *reply = NULL;
	uint8_t packet[HF_CONTROL_PACKET];
	ssize_t length;
	int err = 0;

	message.body_case = what;
	if (what == HOLDFAST__TO_NODE__BODY_DRAIN)
		message.drain = &drain;
	else if (what == HOLDFAST__TO_NODE__BODY_UNDRAIN)
		message.undrain = &undrain;
	else
		message.state = &ask;
	length = holdfast__to_node__pack(&message, packet);
	if (send(fd, packet, length, MSG_NOSIGNAL) == length) {
		length = recv(fd, packet, sizeof(packet), 0);
		if (length > 0)
			reply = holdfast__from_node__unpack(NULL, length, packet);
	}
	if (!reply || reply->body_case != HOLDFAST__FROM_NODE__BODY_STATE) {
		err = -EPROTO;
		hf_error("lbnode did not answer; its log may tell why");
	} else {
		*state = (struct hf_node_state){
			.draining = reply->state->draining,
			.sharing = reply->state->sharing,
			.owner = reply->state->owner,
			.others = reply->state->others,
			.gave_up = reply->state->gave_up,
			.quiet_ms = reply->state->quiet_ms,
		};
	}
	holdfast__from_node__free_unpacked(reply, NULL);
	return err;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* What there is to wait for; NULL: nothing. */
static const char *left_to_do(const struct hf_node_state *state)
{
	if (state->owner)
		return state->sharing ? "its records are being handed over"
				      : "it owns records, and its syncd does not run: start it, "
					"or they are lost";
	if (state->quiet_ms < QUIET_MS)
		return "packets still come: its VIPs must be withdrawn (in BIRD)";
	return NULL;
}

static int tell_result(FILE *out, const struct hf_node_state *state)
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
	struct hf_node_state state;
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
	struct hf_node_state state;
	int fd = connect_to(instance), err;

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
	struct hf_node_state state;
	int fd = connect_to(instance), err;

	if (fd < 0)
		return fd;
	err = say(fd, HOLDFAST__TO_NODE__BODY_UNDRAIN, &state);
	close(fd);
	return err;
}
