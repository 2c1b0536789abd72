// SPDX-License-Identifier: BSD-2-Clause
#include "syncd/calls.h"

#include <errno.h>
#include <stdlib.h>

#include "syncd/endpoint.h"

#define CALLS_MOST  256
#define PATIENCE_MS 20000 /* who asks may lose it sooner */
#define AGAIN_MS    10
#define TRIES_MOST  200

struct hf_calling {
	uv_tcp_t tcp;
	uv_connect_t connect;
	uv_write_t write;
	uv_timer_t timer;
	struct hf_daemon *daemon;
	struct hf_calling *next;
	struct hf_call *call;
	struct hf_call_request request;
	uint32_t ticket, tries;
	hf_calls_done done;
	void *context;
	int handles; /* not closed yet */
	uint8_t bytes[16384];
};

static void on_closed(uv_handle_t *handle)
{
	struct hf_calling *c = handle->data;

	if (--c->handles)
		return;
	hf_call_delete(c->call);
	free(c);
}

static void end(struct hf_calling *c)
{
	struct hf_calling **at = &c->daemon->calls;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	c->daemon->call_count--;
	uv_close((uv_handle_t *)&c->tcp, on_closed);
	uv_close((uv_handle_t *)&c->timer, on_closed);
}

static void fail(struct hf_calling *c, const char *why)
{
	c->done(c->context, c->ticket, why, NULL, 0);
	end(c);
}

static void on_late(uv_timer_t *timer)
{
	fail(timer->data, "it has not answered in time");
}

/* Again and again, as long as who asked is busy with the answers of others. */
static void deliver(uv_timer_t *timer)
{
	struct hf_calling *c = timer->data;
	size_t length;
	const uint8_t *answer = hf_call_answer(c->call, &length);

	if (c->done(c->context, c->ticket, NULL, answer, length) || ++c->tries == TRIES_MOST)
		end(c);
	else
		uv_timer_start(timer, deliver, AGAIN_MS, 0);
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
	struct hf_calling *c = handle->data;

	(void)suggested;
	*room = uv_buf_init((char *)c->bytes, sizeof(c->bytes));
}

static void on_bytes(uv_stream_t *stream, ssize_t got, const uv_buf_t *room)
{
	struct hf_calling *c = stream->data;
	int taken;

	(void)room;
	if (got == 0)
		return;
	if (got < 0) {
		fail(c,
		     got == UV_EOF
			     ? "the program does not run there, or hangs, or is of another version"
			     : uv_strerror((int)got));
		return;
	}
	taken = hf_call_take(c->call, c->bytes, got);
	if (taken < 0) {
		fail(c, "its answer was not authentic");
	} else if (taken) {
		uv_read_stop(stream);
		deliver(&c->timer);
	}
}

static void on_connected(uv_connect_t *connect, int status)
{
	struct hf_calling *c = connect->data;
	uv_buf_t part = uv_buf_init((char *)c->request.bytes, c->request.length);

	if (uv_is_closing((uv_handle_t *)&c->tcp))
		return;
	if (status < 0)
		fail(c, uv_strerror(status));
	else if (uv_write(&c->write, (uv_stream_t *)&c->tcp, &part, 1, NULL) < 0 ||
		 uv_read_start((uv_stream_t *)&c->tcp, give_room, on_bytes) < 0)
		fail(c, "out of memory");
}

static void start(struct hf_calling *c)
{
	struct hf_daemon *d = c->daemon;
	struct sockaddr_storage address;
	int err;

	hf_endpoint_set(&c->request.to, &address);
	c->tcp.data = c->timer.data = c->connect.data = c;
	c->handles = 2;
	uv_tcp_init(&d->loop, &c->tcp);
	uv_timer_init(&d->loop, &c->timer);
	uv_timer_start(&c->timer, on_late, PATIENCE_MS, 0);
	c->next = d->calls;
	d->calls = c;
	d->call_count++;
	err = uv_tcp_connect(&c->connect, &c->tcp, (struct sockaddr *)&address, on_connected);
	if (err)
		fail(c, uv_strerror(err));
}

static const char *why_not(int err)
{
	switch (err) {
	case -ENOENT:
		return "it is not a live member of the cluster";
	case -EMSGSIZE:
		return "the question is too long";
	case -EAGAIN:
		return "too many questions are open at this node's syncd";
	default:
		return "out of memory";
	}
}

void hf_calls_make(struct hf_daemon *d, const Holdfast__CallAsk *ask, hf_calls_done done,
		   void *context)
{
	struct hf_calling *c = d->call_count < CALLS_MOST ? calloc(1, sizeof(*c)) : NULL;
	int err = d->call_count < CALLS_MOST ? -ENOMEM : -EAGAIN;

	if (c)
		err = hf_call_new(d->sync, ask->node, ask->program, ask->message.data,
				  ask->message.len, hf_daemon_now(), &c->call, &c->request);
	if (err) {
		free(c);
		done(context, ask->ticket, why_not(err), NULL, 0);
		return;
	}
	c->daemon = d;
	c->ticket = ask->ticket;
	c->done = done;
	c->context = context;
	start(c);
}

void hf_calls_cancel(struct hf_daemon *d, const void *context)
{
	struct hf_calling *next;

	for (struct hf_calling *c = d->calls; c; c = next) {
		next = c->next;
		if (!context || c->context == context)
			end(c);
	}
}
