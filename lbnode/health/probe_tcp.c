// SPDX-License-Identifier: BSD-2-Clause
/* TCP: good if the connection opens. It is reset, not closed, so that neither side keeps it in
 * TIME_WAIT; and so that an application sees no request that never comes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lbnode/health/probe_kind.h"

struct tcp {
	struct hf_probe probe;
	uv_poll_t poll;
	uv_timer_t refusal; /* tells of what connect(2) said at once */
	int fd;		    /* -1: refused at once */
	int error;
};

static void on_writable(uv_poll_t *poll, int status, int events)
{
	struct tcp *tcp = poll->data;
	socklen_t length = sizeof(tcp->error);

	(void)events;
	tcp->error = status < 0 ? -status : 0;
	getsockopt(tcp->fd, SOL_SOCKET, SO_ERROR, &tcp->error, &length);
	hf_probe_answer(&tcp->probe, !tcp->error, strerror(tcp->error));
}

static void on_refusal(uv_timer_t *timer)
{
	struct tcp *tcp = timer->data;

	hf_probe_answer(&tcp->probe, false, strerror(tcp->error));
}

static struct hf_probe *start(struct hf_prober *prober, const struct hf_probe_target *target)
{
	struct tcp *tcp = calloc(1, sizeof(*tcp));
	bool refused;

	if (!tcp)
		return NULL;
	tcp->poll.data = tcp->refusal.data = tcp;
	tcp->fd = hf_probe_connect(target, SOCK_STREAM, &refused);
	if (tcp->fd < 0 && !refused) {
		free(tcp);
		return NULL;
	}
	if (tcp->fd >= 0) {
		uv_poll_init(prober->loop, &tcp->poll, tcp->fd);
		uv_poll_start(&tcp->poll, UV_WRITABLE, on_writable);
	} else {
		tcp->error = -tcp->fd;
		tcp->fd = -1;
		uv_timer_init(prober->loop, &tcp->refusal);
		uv_timer_start(&tcp->refusal, on_refusal, 0, 0);
	}
	return &tcp->probe;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void end(struct hf_probe *probe)
{
	struct tcp *tcp = (struct tcp *)probe;
	const struct linger reset = { 1, 0 };

	if (tcp->fd < 0) {
		uv_close((uv_handle_t *)&tcp->refusal, on_closed);
		return;
	}
	uv_poll_stop(&tcp->poll);
	setsockopt(tcp->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(tcp->fd);
	uv_close((uv_handle_t *)&tcp->poll, on_closed);
}

const struct hf_probe_kind hf_probe_tcp = { start, end };
