// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log.h"
#include "proto/control.pb-c.h"

#define BACKLOG 8

struct hf_control_client {
	struct hf_control *control;
	struct hf_control_client *next;
	uv_poll_t poll;
	int fd;
};

const char *hf_control_path(const char *instance, char *path, size_t size)
{
	snprintf(path, size, HF_RUN_DIRECTORY "/%s.control", instance);
	return path;
}

int hf_control_open(struct hf_control *c, const char *instance, hf_control_answer answer,
		    void *context)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t mask;
	int err = 0;

	c->answer = answer;
	c->context = context;
	hf_control_path(instance, c->path, sizeof(c->path));
	memcpy(address.sun_path, c->path, sizeof(address.sun_path));
	c->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* The instance's lock says that nobody else listens there. */
	unlink(c->path);
	mask = umask(0177);
	if (c->fd < 0 || bind(c->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(c->fd, BACKLOG) < 0) {
		err = -errno;
		hf_error("can't listen on %s: %s", c->path, strerror(errno));
	}
	umask(mask);
	return err;
}

static void on_closed(uv_handle_t *handle)
{
	struct hf_control_client *client = handle->data;

	close(client->fd);
	free(client);
}

static void drop_client(struct hf_control_client *client)
{
	struct hf_control_client **at = &client->control->clients;

	while (*at != client)
		at = &(*at)->next;
	*at = client->next;
	client->control->client_count--;
	uv_close((uv_handle_t *)&client->poll, on_closed);
}

/* False: not understood, or the answer could not be sent. */
static bool send_answer(struct hf_control_client *client, const Holdfast__ToNode *message)
{
	struct hf_control *c = client->control;
	size_t length = c->answer(c->context, message, c->packet, sizeof(c->packet));

	return length &&
	       send(client->fd, c->packet, length, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)length;
}

static void on_packet(uv_poll_t *handle, int status, int events)
{
	struct hf_control_client *client = handle->data;
	uint8_t *packet = client->control->packet;
	ssize_t got = recv(client->fd, packet, HF_CONTROL_PACKET, MSG_DONTWAIT);
	Holdfast__ToNode *message = NULL;

	(void)events;
	if (got < 0 && (errno == EAGAIN || errno == EINTR) && status >= 0)
		return;
	if (got > 0)
		message = holdfast__to_node__unpack(NULL, got, packet);
	if (!message || !send_answer(client, message))
		drop_client(client);
	holdfast__to_node__free_unpacked(message, NULL);
}

static void on_connection(uv_poll_t *handle, int status, int events)
{
	struct hf_control *c = handle->data;
	struct hf_control_client *client = NULL;
	int fd = accept4(c->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)status;
	(void)events;
	if (fd < 0)
		return;
	if (c->client_count < HF_CONTROL_CLIENTS)
		client = calloc(1, sizeof(*client));
	if (!client || uv_poll_init(c->loop, &client->poll, fd) < 0) {
		free(client);
		close(fd);
		return;
	}
	client->control = c;
	client->fd = fd;
	client->next = c->clients;
	c->clients = client;
	c->client_count++;
	client->poll.data = client;
	uv_poll_start(&client->poll, UV_READABLE, on_packet);
}

void hf_control_start(struct hf_control *c, uv_loop_t *loop)
{
	c->loop = loop;
	uv_poll_init(loop, &c->poll, c->fd);
	c->poll.data = c;
	uv_poll_start(&c->poll, UV_READABLE, on_connection);
}

void hf_control_stop(struct hf_control *c)
{
	while (c->clients)
		drop_client(c->clients);
	uv_close((uv_handle_t *)&c->poll, NULL);
}

void hf_control_close(struct hf_control *c)
{
	if (c->fd < 0)
		return;
	unlink(c->path);
	close(c->fd);
}
