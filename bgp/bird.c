// SPDX-License-Identifier: BSD-2-Clause
#include "bgp/bird.h"

#include <stdlib.h>
#include <string.h>

/* It outlives its place in hf_bird until libuv has let go of it. */
struct hf_bird_connection {
	struct hf_bird *bird; /* NULL: it is not wanted any more */
	uv_pipe_t pipe;
	uv_connect_t connecting;
	char bytes[16384];
};

struct command {
	uv_write_t request;
	char text[];
};

static int64_t now_of(const struct hf_bird *b)
{
	uv_update_time(b->loop);
	return (int64_t)uv_now(b->loop);
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void hf_bird_disconnect(struct hf_bird *b)
{
	struct hf_bird_connection *c = b->connection;

	if (!c)
		return;
	b->connection = NULL;
	c->bird = NULL;
	uv_close((uv_handle_t *)&c->pipe, on_closed);
}

static void lose(struct hf_bird *b, const char *why)
{
	hf_bird_disconnect(b);
	hf_driver_lost(b->driver, why, now_of(b));
	b->settle(b->context);
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
	struct hf_bird_connection *c = handle->data;

	(void)suggested;
	*room = uv_buf_init(c->bytes, sizeof(c->bytes));
}

static void on_bytes(uv_stream_t *stream, ssize_t count, const uv_buf_t *room)
{
	struct hf_bird_connection *c = stream->data;
	struct hf_bird *b = c->bird;

	if (!b || !count)
		return;
	if (count < 0) {
		lose(b, count == UV_EOF ? "it has closed the connection" : uv_strerror((int)count));
		return;
	}
	hf_driver_bytes(b->driver, room->base, count, now_of(b));
	b->settle(b->context);
}

static void on_connected(uv_connect_t *request, int status)
{
	struct hf_bird_connection *c = request->data;
	struct hf_bird *b = c->bird;

	if (!b)
		return;
	if (status == UV_EAGAIN) {
		hf_bird_disconnect(b);
		hf_driver_hangs(b->driver, now_of(b));
		b->settle(b->context);
		return;
	}
	if (status < 0) {
		lose(b, uv_strerror(status));
		return;
	}
	hf_driver_connected(b->driver, now_of(b));
	uv_read_start((uv_stream_t *)&c->pipe, give_room, on_bytes);
	b->settle(b->context);
}

void hf_bird_connect(struct hf_bird *b)
{
	struct hf_bird_connection *c;

	hf_bird_disconnect(b);
	c = calloc(1, sizeof(*c));
	if (!c)
		return;
	c->bird = b;
	b->connection = c;
	uv_pipe_init(b->loop, &c->pipe, 0);
	c->pipe.data = c->connecting.data = c;
	uv_pipe_connect(&c->connecting, &c->pipe, b->path, on_connected);
}

/* A connection that fails is noticed when it is read. */
static void on_sent(uv_write_t *request, int status)
{
	(void)status;
	free(request);
}

void hf_bird_send(struct hf_bird *b, const char *text)
{
	size_t length = strlen(text);
	struct command *command = malloc(sizeof(*command) + length);
	uv_buf_t bytes;

	if (!command || !b->connection) {
		free(command);
		return;
	}
	memcpy(command->text, text, length);
	bytes = uv_buf_init(command->text, length);
	if (uv_write(&command->request, (uv_stream_t *)&b->connection->pipe, &bytes, 1, on_sent) <
	    0)
		free(command);
}
