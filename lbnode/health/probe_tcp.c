// SPDX-License-Identifier: BSD-2-Clause
/* TCP: good if the connection opens. It is reset, not closed, so that neither side keeps it in
 * TIME_WAIT; and so that an application sees no request that never comes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lbnode/health/probe_kind.h"

struct tcp {
	struct hf_probe probe;
	uv_tcp_t socket;
	uv_connect_t request;
	uv_timer_t refusal; /* tells of what connect(2) said at once */
	int error;	    /* of that; 0: none */
};

static void on_connected(uv_connect_t *request, int status)
{
	struct tcp *tcp = request->data;

	/* Given up. */
	if (status == UV_ECANCELED)
		return;
	hf_probe_answer(&tcp->probe, status == 0, status ? strerror(-status) : NULL);
}

static void on_refusal(uv_timer_t *timer)
{
	struct tcp *tcp = timer->data;

	hf_probe_answer(&tcp->probe, false, strerror(tcp->error));
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* The socket is closed; the timer is the last handle of a probe that was refused at once. */
static void on_refused_closed(uv_handle_t *handle)
{
	struct tcp *tcp = handle->data;

	uv_close((uv_handle_t *)&tcp->refusal, on_closed);
}

static int connect_socket(struct tcp *tcp, const struct hf_probe_target *target)
{
	struct sockaddr_storage address;
	uv_os_fd_t fd;
	int err;

	hf_probe_address(target, &address);
	err = uv_fileno((uv_handle_t *)&tcp->socket, &fd);
	if (!err)
		err = hf_probe_prepare(target, fd);
	return err ? err
		   : uv_tcp_connect(&tcp->request, &tcp->socket, (struct sockaddr *)&address,
				    on_connected);
}

static struct hf_probe *start(struct hf_prober *prober, const struct hf_probe_target *target)
{
	struct tcp *tcp = calloc(1, sizeof(*tcp));
	int err;

	if (!tcp)
		return NULL;
	tcp->socket.data = tcp->request.data = tcp->refusal.data = tcp;
	err = uv_tcp_init_ex(prober->loop, &tcp->socket,
			     target->address.family == 4 ? AF_INET : AF_INET6);
	if (err) {
		free(tcp);
		return NULL;
	}
	err = connect_socket(tcp, target);
	if (!err)
		return &tcp->probe;
	if (hf_probe_is_own_fault(-err)) {
		uv_close((uv_handle_t *)&tcp->socket, on_closed);
		return NULL;
	}
	tcp->error = -err;
	uv_timer_init(prober->loop, &tcp->refusal);
	uv_timer_start(&tcp->refusal, on_refusal, 0, 0);
	return &tcp->probe;
}

static void end(struct hf_probe *probe)
{
	struct tcp *tcp = (struct tcp *)probe;

	if (tcp->error)
		uv_close((uv_handle_t *)&tcp->socket, on_refused_closed);
	else if (uv_tcp_close_reset(&tcp->socket, on_closed) < 0)
		uv_close((uv_handle_t *)&tcp->socket, on_closed);
}

const struct hf_probe_kind hf_probe_tcp = { start, end };
