// SPDX-License-Identifier: BSD-2-Clause
#include "syncd/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/bgp_protocol.h"
#include "lib/control_protocol.h"
#include "lib/node_protocol.h"
#include "proto/bgp.pb-c.h"
#include "proto/node.pb-c.h"

struct hf_relay {
	uv_poll_t poll;
	int fd;
	uint32_t program;
	hf_relay_done done;
	void *context;
	uint8_t answer[HF_CALL_ANSWER];
};

static const char *path_of(const char *instance, uint32_t program, char *path, size_t size)
{
	switch (program) {
	case HOLDFAST__PROGRAM__PROGRAM_SYNCD:
		return hf_node_socket_path(instance, path, size);
	case HOLDFAST__PROGRAM__PROGRAM_LBNODE:
		return hf_control_path(instance, path, size);
	case HOLDFAST__PROGRAM__PROGRAM_LBBGP:
		return hf_bgp_socket_path(instance, path, size);
	default: /* of a later version */
		return NULL;
	}
}

/* Only what operators ask: no other node has anything else to say to this one's programs, such as a
 * lease, a hand-over, or that it were lbnode. */
static bool is_for_syncd(const struct hf_request *r)
{
	Holdfast__ToSync *m = holdfast__to_sync__unpack(NULL, r->length, r->message);
	bool is = m && (m->body_case == HOLDFAST__TO_SYNC__BODY_STATUS ||
			m->body_case == HOLDFAST__TO_SYNC__BODY_LOG ||
			m->body_case == HOLDFAST__TO_SYNC__BODY_RELOAD);

	holdfast__to_sync__free_unpacked(m, NULL);
	return is;
}

static bool is_for_lbbgp(const struct hf_request *r)
{
	Holdfast__ToBgp *m = holdfast__to_bgp__unpack(NULL, r->length, r->message);
	bool is = m && (m->body_case == HOLDFAST__TO_BGP__BODY_ASK ||
			m->body_case == HOLDFAST__TO_BGP__BODY_DRAIN ||
			m->body_case == HOLDFAST__TO_BGP__BODY_LOG ||
			m->body_case == HOLDFAST__TO_BGP__BODY_RELOAD);

	holdfast__to_bgp__free_unpacked(m, NULL);
	return is;
}

static bool may_pass(const struct hf_request *r)
{
	switch (r->program) {
	case HOLDFAST__PROGRAM__PROGRAM_SYNCD:
		return is_for_syncd(r);
	case HOLDFAST__PROGRAM__PROGRAM_LBBGP:
		return is_for_lbbgp(r);
	default: /* all that lbnode's socket takes is operators' */
		return true;
	}
}

/* Connecting to a Unix socket is done at once, or never. */
static int ask(const char *path, const struct hf_request *r)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, path, strnlen(path, sizeof(address.sun_path) - 1));
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    send(fd, r->message, r->length, MSG_NOSIGNAL) == (ssize_t)r->length)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* syncd, which this asks by its own socket like anyone, greets whoever comes before it answers. */
static bool is_greeting(const uint8_t *bytes, size_t length)
{
	Holdfast__FromSync *m = holdfast__from_sync__unpack(NULL, length, bytes);
	bool is = m && m->body_case == HOLDFAST__FROM_SYNC__BODY_HELLO;

	holdfast__from_sync__free_unpacked(m, NULL);
	return is;
}

static void on_answer(uv_poll_t *poll, int status, int events)
{
	struct hf_relay *r = poll->data;
	ssize_t got = recv(r->fd, r->answer, sizeof(r->answer), MSG_DONTWAIT | MSG_TRUNC);

	(void)events;
	if (got < 0 && (errno == EAGAIN || errno == EINTR) && status >= 0)
		return;
	if (got < 0 || got > (ssize_t)sizeof(r->answer))
		got = 0;
	if (r->program == HOLDFAST__PROGRAM__PROGRAM_SYNCD && got && is_greeting(r->answer, got))
		return;
	uv_poll_stop(poll);
	r->done(r->context, r->answer, got);
}

struct hf_relay *hf_relay_new(struct hf_daemon *d, const struct hf_request *request,
			      hf_relay_done done, void *context)
{
	char path[108];
	const char *to = path_of(d->settings.instance, request->program, path, sizeof(path));
	struct hf_relay *r = to && may_pass(request) ? calloc(1, sizeof(*r)) : NULL;

	if (!r)
		return NULL;
	r->done = done;
	r->context = context;
	r->program = request->program;
	r->fd = ask(to, request);
	if (r->fd < 0 || uv_poll_init(&d->loop, &r->poll, r->fd) < 0) {
		if (r->fd >= 0)
			close(r->fd);
		free(r);
		return NULL;
	}
	r->poll.data = r;
	uv_poll_start(&r->poll, UV_READABLE, on_answer);
	return r;
}

static void on_closed(uv_handle_t *handle)
{
	struct hf_relay *r = handle->data;

	close(r->fd);
	free(r);
}

void hf_relay_delete(struct hf_relay *r)
{
	if (r)
		uv_close((uv_handle_t *)&r->poll, on_closed);
}
