// SPDX-License-Identifier: BSD-2-Clause
#include "syncd/streams.h"

#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "syncd/endpoint.h"
#include "syncd/relay.h"

#define BACKLOG	    128
#define SERVED_MOST 144
#define CALLS_MOST  128	  /* of them, as `lbctl status` takes five; joiners come first */
#define REQUEST_MS  3000  /* until a request must be there, or a chunk taken */
#define ANSWER_MS   20000 /* until a program must have answered */

/* A stream that another node opened. */
struct served {
	uv_tcp_t tcp;
	uv_timer_t timer;
	uv_write_t write;
	struct hf_streams *streams;
	struct served *next;
	struct hf_request wants;
	struct hf_snapshot *snapshot; /* or */
	struct hf_relay *relay;
	uint8_t *reply;
	uint8_t request[2 + HF_SYNC_DATAGRAM_MAX];
	size_t filled;
	bool asked; /* nothing more is to come, but the end */
	uint8_t chunk[HF_SNAPSHOT_CHUNK];
	int handles; /* not closed yet */
};

/* The one that this node opened. */
struct fetched {
	uv_tcp_t tcp;
	uv_connect_t connect;
	uv_write_t write;
	struct hf_streams *streams;
	bool current; /* the core still wants it */
	uint8_t request[2 + HF_SYNC_DATAGRAM_MAX];
	size_t length;
	uint8_t bytes[65536];
};

struct hf_streams {
	uv_tcp_t listener;
	struct hf_daemon *daemon;
	struct served *served;
	uint32_t served_count;
	struct fetched *fetched; /* NULL: none */
	bool failed;
};

static void on_served_closed(uv_handle_t *handle)
{
	struct served *s = handle->data;

	if (--s->handles)
		return;
	free(s->reply);
	free(s);
}

static void end_served(struct served *s)
{
	struct served **at = &s->streams->served;

	if (uv_is_closing((uv_handle_t *)&s->tcp))
		return;
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	s->streams->served_count--;
	hf_snapshot_delete(s->snapshot);
	hf_relay_delete(s->relay);
	s->snapshot = NULL;
	uv_close((uv_handle_t *)&s->tcp, on_served_closed);
	uv_close((uv_handle_t *)&s->timer, on_served_closed);
}

static void on_served_late(uv_timer_t *timer)
{
	end_served(timer->data);
}

static void on_written(uv_write_t *write, int status);

/* One chunk at a time: the next when TCP has taken this one. */
static void send_chunk(struct served *s)
{
	size_t length = hf_snapshot_next(s->snapshot, s->chunk);
	uv_buf_t part = uv_buf_init((char *)s->chunk, length);

	uv_timer_start(&s->timer, on_served_late, REQUEST_MS, 0);
	if (!length || uv_write(&s->write, (uv_stream_t *)&s->tcp, &part, 1, on_written) < 0)
		end_served(s);
}

static void on_written(uv_write_t *write, int status)
{
	struct served *s = write->data;

	if (uv_is_closing((uv_handle_t *)&s->tcp))
		return;
	if (status < 0 || !s->snapshot)
		end_served(s);
	else
		send_chunk(s);
}

static void on_answer(void *context, const uint8_t *answer, size_t length)
{
	struct served *s = context;
	uv_buf_t part;

	s->reply = length ? malloc(HF_CALL_REPLY) : NULL;
	if (!s->reply) {
		end_served(s);
		return;
	}
	part = uv_buf_init((char *)s->reply, hf_call_reply(&s->wants, answer, length, s->reply));
	uv_timer_start(&s->timer, on_served_late, REQUEST_MS, 0);
	if (uv_write(&s->write, (uv_stream_t *)&s->tcp, &part, 1, on_written) < 0)
		end_served(s);
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct served *s = handle->data;
	size_t length = s->filled < 2 ? 0 : hf_request_length(s->request);

	(void)suggested;
	if (s->asked) {
		*buffer = uv_buf_init((char *)s->request, 1);
		return;
	}
	*buffer =
		uv_buf_init((char *)s->request + s->filled, (length ? 2 + length : 2) - s->filled);
}

static uint32_t count_relays(const struct hf_streams *streams)
{
	uint32_t count = 0;

	for (const struct served *s = streams->served; s; s = s->next)
		count += s->relay != NULL;
	return count;
}

static void take_request(struct served *s)
{
	struct hf_daemon *daemon = s->streams->daemon;

	s->asked = true;
	if (!hf_request_open(daemon->sync, s->request + 2, s->filled - 2, hf_daemon_now(),
			     &s->wants)) {
		end_served(s);
	} else if (s->wants.kind == HF_REQUEST_CALL) {
		uv_timer_start(&s->timer, on_served_late, ANSWER_MS, 0);
		if (count_relays(s->streams) < CALLS_MOST)
			s->relay = hf_relay_new(daemon, &s->wants, on_answer, s);
		if (!s->relay)
			end_served(s);
	} else {
		s->snapshot = hf_snapshot_new(daemon->sync, &s->wants);
		if (s->snapshot)
			send_chunk(s);
		else
			end_served(s);
	}
	hf_daemon_settle(daemon);
}

static void on_request(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
	struct served *s = stream->data;
	size_t length;

	(void)buffer;
	if (got == 0)
		return;
	/* Who asked has gone, or says more than there is to say. */
	if (got < 0 || s->asked) {
		end_served(s);
		return;
	}
	s->filled += got;
	if (s->filled < 2)
		return;
	length = hf_request_length(s->request);
	if (!length)
		end_served(s);
	else if (s->filled == 2 + length)
		take_request(s);
}

/* Who has not proved anything gives way: the oldest of those. */
static bool make_room(struct hf_streams *streams)
{
	struct served *oldest = NULL;

	if (streams->served_count <= SERVED_MOST)
		return true;
	for (struct served *s = streams->served->next; s; s = s->next)
		if (!s->snapshot && !s->relay)
			oldest = s;
	if (oldest)
		end_served(oldest);
	return oldest != NULL;
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct hf_streams *streams = listener->data;
	struct served *s = status < 0 ? NULL : calloc(1, sizeof(*s));

	if (!s)
		return;
	s->streams = streams;
	s->handles = 2;
	s->tcp.data = s->timer.data = s->write.data = s;
	uv_tcp_init(&streams->daemon->loop, &s->tcp);
	uv_timer_init(&streams->daemon->loop, &s->timer);
	s->next = streams->served;
	streams->served = s;
	streams->served_count++;
	if (uv_accept(listener, (uv_stream_t *)&s->tcp) < 0 || !make_room(streams) ||
	    uv_read_start((uv_stream_t *)&s->tcp, give_buffer, on_request) < 0) {
		end_served(s);
		return;
	}
	uv_timer_start(&s->timer, on_served_late, REQUEST_MS, 0);
}

int hf_streams_open(struct hf_streams **streams, struct hf_daemon *daemon)
{
	struct hf_streams *s = calloc(1, sizeof(*s));
	struct sockaddr_storage address;
	char text[HF_ADDRESS_TEXT];
	int err;

	if (!s)
		return UV_ENOMEM;
	s->daemon = daemon;
	s->listener.data = s;
	hf_endpoint_set(&daemon->endpoint, &address);
	uv_tcp_init(&daemon->loop, &s->listener);
	err = uv_tcp_bind(&s->listener, (struct sockaddr *)&address, 0);
	if (!err)
		err = uv_listen((uv_stream_t *)&s->listener, BACKLOG, on_connection);
	if (err)
		hf_error("can't listen on TCP %s: %s; is the port free? (cluster.port)",
			 hf_endpoint_format(&daemon->endpoint.address, daemon->endpoint.port, text),
			 uv_strerror(err));
	*streams = s;
	return err;
}

static void on_fetched_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void end_fetched(struct fetched *f)
{
	f->current = false;
	if (f->streams->fetched == f)
		f->streams->fetched = NULL;
	if (!uv_is_closing((uv_handle_t *)&f->tcp))
		uv_close((uv_handle_t *)&f->tcp, on_fetched_closed);
}

/* The stream is over before the core said so. */
static void fail(struct fetched *f)
{
	struct hf_daemon *daemon = f->streams->daemon;
	bool current = f->current;

	end_fetched(f);
	if (!current)
		return;
	hf_sync_fetched(daemon->sync, NULL, 0, hf_daemon_now());
	hf_daemon_settle(daemon);
}

static void give_bytes(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct fetched *f = handle->data;

	(void)suggested;
	*buffer = uv_buf_init((char *)f->bytes, sizeof(f->bytes));
}

static void on_bytes(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
	struct fetched *f = stream->data;
	struct hf_daemon *daemon = f->streams->daemon;

	(void)buffer;
	if (got < 0) {
		fail(f);
		return;
	}
	if (got && !hf_sync_fetched(daemon->sync, f->bytes, got, hf_daemon_now()))
		end_fetched(f);
	hf_daemon_settle(daemon);
}

static void on_connected(uv_connect_t *connect, int status)
{
	struct fetched *f = connect->data;
	uv_buf_t part = uv_buf_init((char *)f->request, f->length);

	if (uv_is_closing((uv_handle_t *)&f->tcp))
		return;
	if (status < 0 || uv_write(&f->write, (uv_stream_t *)&f->tcp, &part, 1, NULL) < 0 ||
	    uv_read_start((uv_stream_t *)&f->tcp, give_bytes, on_bytes) < 0)
		fail(f);
}

void hf_streams_fetch(struct hf_streams *s, const struct hf_endpoint *from, const uint8_t *request,
		      size_t length)
{
	struct fetched *f = calloc(1, sizeof(*f));
	struct sockaddr_storage address;

	if (s->fetched)
		end_fetched(s->fetched);
	if (!f) {
		s->failed = true;
		return;
	}
	f->streams = s;
	f->current = true;
	f->length = length;
	memcpy(f->request, request, length);
	f->tcp.data = f->connect.data = f;
	hf_endpoint_set(from, &address);
	uv_tcp_init(&s->daemon->loop, &f->tcp);
	s->fetched = f;
	if (uv_tcp_connect(&f->connect, &f->tcp, (struct sockaddr *)&address, on_connected) < 0) {
		end_fetched(f);
		s->failed = true;
	}
}

void hf_streams_settle(struct hf_streams *s)
{
	if (!s || !s->failed)
		return;
	s->failed = false;
	hf_sync_fetched(s->daemon->sync, NULL, 0, hf_daemon_now());
}

static void on_listener_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void hf_streams_close(struct hf_streams *s)
{
	if (!s)
		return;
	while (s->served)
		end_served(s->served);
	if (s->fetched)
		end_fetched(s->fetched);
	uv_close((uv_handle_t *)&s->listener, on_listener_closed);
}
