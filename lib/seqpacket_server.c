// SPDX-License-Identifier: BSD-2-Clause
#include "lib/seqpacket_server.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/node_protocol.h"

#define BACKLOG 64

struct hf_seqpacket_client {
	struct hf_seqpacket_server *server;
	struct hf_seqpacket_client *next;
	uv_poll_t poll;
	int fd;
	bool is_syncd;
};

int hf_seqpacket_open(struct hf_seqpacket_server *s, const char *path, hf_seqpacket_take take,
		      void *context)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int err;

	s->take = take;
	s->context = context;
	snprintf(s->path, sizeof(s->path), "%s", path);
	memcpy(address.sun_path, s->path, sizeof(address.sun_path));
	s->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* The instance's lock says that nobody else listens there. */
	unlink(s->path);
	if (s->fd >= 0 && bind(s->fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    chmod(s->path, 0666) == 0 && listen(s->fd, BACKLOG) == 0)
		return 0;
	err = -errno;
	hf_error("can't listen on %s: %s", s->path, strerror(-err));
	return err;
}

static void on_closed(uv_handle_t *handle)
{
	struct hf_seqpacket_client *client = handle->data;

	close(client->fd);
	free(client);
}

static void drop_client(struct hf_seqpacket_client *client)
{
	struct hf_seqpacket_client **at = &client->server->clients;

	while (*at != client)
		at = &(*at)->next;
	*at = client->next;
	client->server->client_count--;
	uv_close((uv_handle_t *)&client->poll, on_closed);
}

static bool send_answer(int to, const struct hf_seqpacket_answer *answer)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct iovec part = { answer->bytes, answer->length };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };

	if (answer->fd >= 0) {
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof(control.bytes);
		control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
						   .cmsg_level = SOL_SOCKET,
						   .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.header), &answer->fd, sizeof(answer->fd));
	}
	return sendmsg(to, &m, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)answer->length;
}

static void on_packet(uv_poll_t *handle, int status, int events)
{
	struct hf_seqpacket_client *client = handle->data;
	struct hf_seqpacket_server *s = client->server;
	struct hf_seqpacket_answer answer = {
		.bytes = s->out, .fd = -1, .connection = client->fd, .by_syncd = client->is_syncd
	};
	ssize_t got = recv(client->fd, s->in, sizeof(s->in), MSG_DONTWAIT);

	(void)events;
	if (got < 0 && (errno == EAGAIN || errno == EINTR) && status >= 0)
		return;
	if (got > 0)
		s->take(s->context, s->in, got, &answer);
	if (answer.later)
		return;
	if (!answer.length || !send_answer(client->fd, &answer))
		drop_client(client);
	else if (answer.sent)
		answer.sent(s->context);
}

/* Whom root has given syncd's directory. */
static bool is_syncd(uid_t uid)
{
	struct stat about;

	return stat(HF_SYNCD_DIRECTORY, &about) == 0 && about.st_uid == uid;
}

static bool may_connect(int fd, bool *by_syncd)
{
	struct ucred who;
	socklen_t length = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) < 0)
		return false;
	*by_syncd = who.uid != 0 && who.uid != geteuid() && is_syncd(who.uid);
	return who.uid == 0 || who.uid == geteuid() || *by_syncd;
}

static void on_connection(uv_poll_t *handle, int status, int events)
{
	struct hf_seqpacket_server *s = handle->data;
	struct hf_seqpacket_client *client = NULL;
	int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	bool by_syncd = false;

	(void)status;
	(void)events;
	if (fd < 0)
		return;
	if (s->client_count < HF_SEQPACKET_CLIENTS && may_connect(fd, &by_syncd))
		client = calloc(1, sizeof(*client));
	if (!client || uv_poll_init(s->loop, &client->poll, fd) < 0) {
		free(client);
		close(fd);
		return;
	}
	client->server = s;
	client->fd = fd;
	client->is_syncd = by_syncd;
	client->next = s->clients;
	s->clients = client;
	s->client_count++;
	client->poll.data = client;
	uv_poll_start(&client->poll, UV_READABLE, on_packet);
}

void hf_seqpacket_start(struct hf_seqpacket_server *s, uv_loop_t *loop)
{
	s->loop = loop;
	uv_poll_init(loop, &s->poll, s->fd);
	s->poll.data = s;
	uv_poll_start(&s->poll, UV_READABLE, on_connection);
}

void hf_seqpacket_stop(struct hf_seqpacket_server *s)
{
	while (s->clients)
		drop_client(s->clients);
	uv_close((uv_handle_t *)&s->poll, NULL);
}

void hf_seqpacket_close(struct hf_seqpacket_server *s)
{
	if (s->fd < 0)
		return;
	unlink(s->path);
	close(s->fd);
	s->fd = -1;
}
