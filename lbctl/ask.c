// SPDX-License-Identifier: BSD-2-Clause
#include "lbctl/ask.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/bgp_protocol.h"
#include "lib/control_protocol.h"
#include "lib/node_protocol.h"

#define AT_ONCE 200 /* syncd has 256 calls open at most */

static uint8_t packet[HF_NODE_PACKET];

const char *hf_program_name(Holdfast__Program program)
{
	switch (program) {
	case HOLDFAST__PROGRAM__PROGRAM_SYNCD:
		return "syncd";
	case HOLDFAST__PROGRAM__PROGRAM_LBNODE:
		return "lbnode";
	case HOLDFAST__PROGRAM__PROGRAM_LBBGP:
		return "lbbgp";
	default:
		return "?";
	}
}

/* Length 0: it is too long to be asked. */
static void pack(struct hf_question_to *q, const ProtobufCMessage *message)
{
	q->length = protobuf_c_message_get_packed_size(message);
	if (q->length <= sizeof(q->message))
		protobuf_c_message_pack(message, q->message);
	else
		q->length = 0;
}

void hf_ask_syncd(struct hf_question_to *q, const Holdfast__ToSync *message)
{
	q->program = HOLDFAST__PROGRAM__PROGRAM_SYNCD;
	pack(q, &message->base);
}

void hf_ask_lbnode(struct hf_question_to *q, const Holdfast__ToNode *message)
{
	q->program = HOLDFAST__PROGRAM__PROGRAM_LBNODE;
	pack(q, &message->base);
}

void hf_ask_lbbgp(struct hf_question_to *q, const Holdfast__ToBgp *message)
{
	q->program = HOLDFAST__PROGRAM__PROGRAM_LBBGP;
	pack(q, &message->base);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static int connect_to(const char *instance, Holdfast__Program program)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char *path = address.sun_path;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), err;

	if (program == HOLDFAST__PROGRAM__PROGRAM_SYNCD)
		hf_node_socket_path(instance, path, sizeof(address.sun_path));
	else if (program == HOLDFAST__PROGRAM__PROGRAM_LBNODE)
		hf_control_path(instance, path, sizeof(address.sun_path));
	else
		hf_bgp_socket_path(instance, path, sizeof(address.sun_path));
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

static void fail(struct hf_question_to *q, const char *why)
{
	q->over = true;
	snprintf(q->why, sizeof(q->why), "%s", why);
}

static const char *why_not_reached(int err)
{
	switch (-err) {
	case ENOENT:
	case ECONNREFUSED:
		return "it does not run";
	case EAGAIN:
		return "it hangs: it accepts no connections any more";
	case EACCES:
	case ECONNRESET:
	case EPIPE:
		return "it does not talk to this user; try as root";
	default:
		return strerror(-err);
	}
}

static void ask_here(const char *instance, struct hf_question_to *q)
{
	q->fd = connect_to(instance, q->program);
	if (q->fd < 0)
		fail(q, why_not_reached(q->fd));
	else if (send(q->fd, q->message, q->length, MSG_NOSIGNAL) != (ssize_t)q->length)
		fail(q, why_not_reached(-errno));
}

static void ask_there(int syncd, struct hf_question_to *q, uint32_t ticket)
{
	Holdfast__ToSync message = HOLDFAST__TO_SYNC__INIT;
	Holdfast__CallAsk call = HOLDFAST__CALL_ASK__INIT;
	size_t length;

	call.ticket = ticket;
	call.node = q->node;
	call.program = q->program;
	call.message.data = q->message;
	call.message.len = q->length;
	message.body_case = HOLDFAST__TO_SYNC__BODY_CALL;
	message.call = &call;
	length = holdfast__to_sync__pack(&message, packet);
	if (syncd < 0)
		fail(q, "this node's syncd, which would ask it, can't be reached");
	else if (send(syncd, packet, length, MSG_NOSIGNAL) != (ssize_t)length)
		fail(q, why_not_reached(-errno));
}

static void take(struct hf_question_to *q, const uint8_t *bytes, size_t length)
{
	const ProtobufCMessageDescriptor *kind = &holdfast__from_bgp__descriptor;

	if (q->program == HOLDFAST__PROGRAM__PROGRAM_SYNCD)
		kind = &holdfast__from_sync__descriptor;
	else if (q->program == HOLDFAST__PROGRAM__PROGRAM_LBNODE)
		kind = &holdfast__from_node__descriptor;
	q->answer = protobuf_c_message_unpack(kind, NULL, length, bytes);
	if (!q->answer)
		fail(q, "its answer can't be understood; is it of another version?");
	q->over = true;
}

/* syncd greets whoever comes. */
static bool is_greeting(const struct hf_question_to *q)
{
	return q->program == HOLDFAST__PROGRAM__PROGRAM_SYNCD && q->answer &&
	       ((Holdfast__FromSync *)q->answer)->body_case == HOLDFAST__FROM_SYNC__BODY_HELLO;
}

static void hear_here(struct hf_question_to *q)
{
	ssize_t got = recv(q->fd, packet, sizeof(packet), MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		fail(q, got < 0 ? why_not_reached(-errno)
				: "it does not understand the question; is it of another version?");
		return;
	}
	take(q, packet, got);
	if (!is_greeting(q))
		return;
	protobuf_c_message_free_unpacked(q->answer, NULL);
	q->answer = NULL;
	q->over = false;
}

static void take_call(const Holdfast__CallAnswer *call, struct hf_question_to *questions,
		      uint32_t count)
{
	struct hf_question_to *q = &questions[call->ticket];

	if (call->ticket >= count || q->local || q->over)
		return;
	if (call->error[0])
		fail(q, call->error);
	else
		take(q, call->message.data, call->message.len);
}

/* False: syncd is gone. */
static bool hear_syncd(int syncd, struct hf_question_to *questions, uint32_t count)
{
	ssize_t got = recv(syncd, packet, sizeof(packet), MSG_DONTWAIT);
	Holdfast__FromSync *message;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	message = got > 0 ? holdfast__from_sync__unpack(NULL, got, packet) : NULL;
	if (!message)
		return false;
	if (message->body_case == HOLDFAST__FROM_SYNC__BODY_CALL)
		take_call(message->call, questions, count);
	holdfast__from_sync__free_unpacked(message, NULL);
	return true;
}

static void fail_there(struct hf_question_to *questions, uint32_t count, const char *why)
{
	for (uint32_t i = 0; i < count; i++)
		if (!questions[i].local && !questions[i].over)
			fail(&questions[i], why);
}

/* How many are still open; polls[0] is syncd's. */
static uint32_t watch(int syncd, const struct hf_question_to *questions, uint32_t count,
		      struct pollfd *polls)
{
	uint32_t open = 0;

	polls[0] = (struct pollfd){ .fd = syncd, .events = POLLIN };
	for (uint32_t i = 0; i < count; i++) {
		bool here = questions[i].local && !questions[i].over;

		polls[i + 1] =
			(struct pollfd){ .fd = here ? questions[i].fd : -1, .events = POLLIN };
		open += !questions[i].over;
	}
	return open;
}

static void wait_for_answers(int syncd, struct hf_question_to *questions, uint32_t count,
			     int64_t until)
{
	struct pollfd *polls = calloc(count + 1, sizeof(*polls));
	int64_t left;

	while (polls && watch(syncd, questions, count, polls) && (left = until - now_ms()) > 0) {
		if (poll(polls, count + 1, (int)left) < 0 && errno != EINTR)
			break;
		if (polls[0].revents && !hear_syncd(syncd, questions, count)) {
			fail_there(questions, count, "this node's syncd has gone away meanwhile");
			syncd = -1;
		}
		for (uint32_t i = 0; i < count; i++)
			if (polls[i + 1].revents)
				hear_here(&questions[i]);
	}
	free(polls);
}

static void ask_some(const char *instance, struct hf_question_to *questions, uint32_t count,
		     uint32_t patience_ms)
{
	int syncd = -1;
	char why[HF_WHY_MAX];

	for (uint32_t i = 0; i < count; i++) {
		struct hf_question_to *q = &questions[i];

		q->answer = NULL;
		q->over = false;
		q->why[0] = '\0';
		q->fd = -1;
		if (!q->local && syncd < 0)
			syncd = connect_to(instance, HOLDFAST__PROGRAM__PROGRAM_SYNCD);
		if (!q->length)
			fail(q, "what is to be said is too long");
		else if (q->local)
			ask_here(instance, q);
		else
			ask_there(syncd, q, i);
	}
	wait_for_answers(syncd, questions, count, now_ms() + patience_ms);
	snprintf(why, sizeof(why), "it has not answered within %.3g s", patience_ms / 1000.0);
	for (uint32_t i = 0; i < count; i++) {
		if (!questions[i].over)
			fail(&questions[i], why);
		if (questions[i].fd >= 0)
			close(questions[i].fd);
	}
	if (syncd >= 0)
		close(syncd);
}

void hf_ask(const char *instance, struct hf_question_to *questions, uint32_t count,
	    uint32_t patience_ms)
{
	for (uint32_t i = 0; i < count; i += AT_ONCE)
		ask_some(instance, questions + i, count - i < AT_ONCE ? count - i : AT_ONCE,
			 patience_ms);
}

void hf_ask_free(struct hf_question_to *questions, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (questions[i].answer)
			protobuf_c_message_free_unpacked(questions[i].answer, NULL);
}
