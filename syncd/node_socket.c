// SPDX-License-Identifier: BSD-2-Clause
#include "syncd/node_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/node_protocol.h"
#include "syncd/calls.h"
#include "syncd/node_client.h"
#include "syncd/node_command.h"
#include "syncd/node_message.h"
#include "syncd/node_take.h"

#define CLIENTS_MOST   160
#define BACKLOG	       8
#define PACKETS_A_TURN 64
/* How long this node stays an owner without an lbnode: it may be restarting, and its data plane
 * forwards on. */
#define WARN_MS	 60000
#define GRACE_MS 10000

/* A look-up that is open at the core. */
struct asked {
	struct hf_node_client *client; /* NULL: free, or gone */
	uint32_t core_ticket, ticket;
};

#define ASKED_MOST 64 /* as many as the core has room for */

struct hf_node_socket {
	int fd;
	char path[108];
	uv_poll_t poll;
	uv_timer_t grace;
	struct hf_daemon *daemon;
	struct hf_node_client *clients, *lbnode;
	uint32_t count;
	int handles;
	bool closing, serving;
	struct asked asked[ASKED_MOST];
	uint32_t next_ticket;
	uint64_t warned; /* of who may not connect */
	uint8_t packet[HF_NODE_PACKET];
};

int hf_node_socket_open(struct hf_node_socket **nodes, const char *instance)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct hf_node_socket *n = calloc(1, sizeof(*n));
	int err;

	if (!n)
		return -ENOMEM;
	hf_node_socket_path(instance, n->path, sizeof(n->path));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", n->path);
	n->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* The lock says that nobody else listens there. */
	unlink(n->path);
	if (n->fd < 0 || bind(n->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    chmod(n->path, 0666) < 0 || listen(n->fd, BACKLOG) < 0) {
		err = -errno;
		hf_error("can't listen on %s: %s; its directory must be there, and be syncd's "
			 "user's",
			 n->path, strerror(errno));
		if (n->fd >= 0)
			close(n->fd);
		free(n);
		return err;
	}
	*nodes = n;
	return 0;
}

static void free_if_closed(struct hf_node_socket *n)
{
	if (!n->closing || n->handles)
		return;
	close(n->fd);
	free(n);
}

static void on_client_closed(uv_handle_t *handle)
{
	struct hf_node_client *c = handle->data;
	struct hf_node_socket *n = c->nodes;

	close(c->fd);
	free(c);
	n->handles--;
	free_if_closed(n);
}

static void set_serving(struct hf_node_socket *n, const struct hf_node_hello *hello, bool serving)
{
	const struct hf_member_facts *f = &hf_sync_self(n->daemon->sync)->facts;

	n->serving = serving;
	hf_sync_set_self(n->daemon->sync, hello ? hello->config : f->config,
			 hello ? hello->tables : f->tables, n->daemon->config->node.weight, serving,
			 hf_daemon_now());
}

static void on_grace_over(uv_timer_t *timer)
{
	struct hf_node_socket *n = timer->data;

	hf_warning("lbnode has not come back for %d s: this node owns no records until it does",
		   GRACE_MS / 1000);
	set_serving(n, NULL, false);
	hf_daemon_settle(n->daemon);
}

static void end_client(struct hf_node_client *c, const char *why)
{
	struct hf_node_socket *n = c->nodes;
	struct hf_node_client **at = &n->clients;

	if (uv_is_closing((uv_handle_t *)&c->poll))
		return;
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	n->count--;
	hf_calls_cancel(n->daemon, c);
	for (int i = 0; i < ASKED_MOST; i++)
		if (n->asked[i].client == c)
			n->asked[i].client = NULL;
	if (n->lbnode == c) {
		n->lbnode = NULL;
		hf_notice("lbnode has gone: %s", why);
		if (!n->closing)
			uv_timer_start(&n->grace, on_grace_over, GRACE_MS, 0);
	}
	uv_close((uv_handle_t *)&c->poll, on_client_closed);
}

static void on_client(uv_poll_t *handle, int status, int events);

static void watch(struct hf_node_client *c)
{
	int events = UV_READABLE | (hf_node_client_is_due(c) ? UV_WRITABLE : 0);

	if (c->error)
		end_client(c, strerror(c->error));
	else if (!uv_is_closing((uv_handle_t *)&c->poll))
		uv_poll_start(&c->poll, events, on_client);
}

void hf_node_socket_settle(struct hf_node_socket *n)
{
	struct hf_node_client *next;

	if (!n || !n->daemon)
		return;
	for (struct hf_node_client *c = n->clients; c; c = next) {
		next = c->next;
		hf_node_client_serve(c);
		watch(c);
	}
}

static void greet(struct hf_node_client *c, const struct hf_node_hello *hello)
{
	struct hf_node_socket *n = c->nodes;

	if (n->lbnode && n->lbnode != c)
		end_client(n->lbnode, "another one has come");
	uv_timer_stop(&n->grace);
	hf_notice("%s is connected%s", hello->program,
		  hello->serving ? "" : ", and does not serve yet");
	n->lbnode = c;
	hf_node_client_greeted(c);
	set_serving(n, hello, hello->serving);
}

static void send_status(struct hf_node_client *c)
{
	struct hf_node_socket *n = c->nodes;
	const struct hf_daemon *d = n->daemon;
	const struct hf_node_facts facts = {
		.cluster = d->config->cluster.name,
		.insecure = d->config->cluster.insecure,
		.served = n->lbnode != NULL,
		.key_ids = d->key_ids,
		.key_count = d->key_count,
		.up_ms = (hf_daemon_now() - d->started) / 1000,
	};

	hf_node_client_send(c, n->packet,
			    hf_node_pack_status(d->sync, &facts, hf_daemon_now(), n->packet,
						sizeof(n->packet)));
}

static void tell(struct hf_node_client *c, uint32_t ticket, const struct hf_record *records,
		 uint32_t count, bool all)
{
	struct hf_node_socket *n = c->nodes;

	hf_node_client_send(c, n->packet,
			    hf_node_pack_told(n->daemon->sync, ticket, records, count, all,
					      hf_daemon_now(), n->packet, sizeof(n->packet)));
}

/* Where there is no room nobody knows, as far as can be told in time. */
static void ask(struct hf_node_client *c, const struct hf_node_news *news)
{
	struct hf_node_socket *n = c->nodes;
	struct asked *asked = n->asked;

	while (asked < n->asked + ASKED_MOST && asked->client)
		asked++;
	if (asked < n->asked + ASKED_MOST) {
		*asked = (struct asked){ c, ++n->next_ticket, news->ticket };
		if (hf_sync_lookup(n->daemon->sync, news->digests, news->digest_count,
				   asked->core_ticket, hf_daemon_now()) == 0)
			return;
		asked->client = NULL;
	}
	tell(c, news->ticket, NULL, 0, false);
}

/* False: the client is gone. */
static bool obey(struct hf_node_client *c, enum hf_node_taken taken,
		 const struct hf_node_news *news)
{
	c->credit -= news->exported < c->credit ? news->exported : c->credit;
	switch (taken) {
	case HF_NODE_TAKEN:
	case HF_NODE_OTHER:
		break;
	case HF_NODE_GREETED:
		greet(c, &news->hello);
		break;
	case HF_NODE_STATE:
		set_serving(c->nodes, &news->hello, news->hello.serving);
		break;
	case HF_NODE_ASKED:
		send_status(c);
		break;
	case HF_NODE_ASKS:
		ask(c, news);
		break;
	case HF_NODE_VERSION:
		hf_error("%s speaks protocol %u, this syncd %d: upgrade the older of the two",
			 news->hello.program, news->hello.protocol, HF_NODE_PROTOCOL);
		end_client(c, "it speaks another protocol");
		break;
	case HF_NODE_REFUSED:
		end_client(c, "it sent what can't be understood");
		break;
	}
	return !c->error && !uv_is_closing((uv_handle_t *)&c->poll);
}

/* False: no more for now, or the client is gone. */
static bool take_packet(struct hf_node_client *c)
{
	struct hf_node_socket *n = c->nodes;
	ssize_t length = recv(c->fd, n->packet, sizeof(n->packet), MSG_DONTWAIT | MSG_TRUNC);
	struct hf_node_news news = { .exported = 0 };
	enum hf_node_taken taken = HF_NODE_REFUSED;

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (length <= 0) {
		end_client(c, length ? strerror(errno) : "it closed the connection");
		return false;
	}
	if (length <= (ssize_t)sizeof(n->packet))
		taken = hf_node_take(n->daemon->sync, n->packet, length, c->is_lbnode, &news,
				     hf_daemon_now());
	if (taken == HF_NODE_OTHER)
		hf_node_command(c, n->packet, length);
	return obey(c, taken, &news);
}

/* libuv says no more than that there is one. */
static const char *last_error(int fd)
{
	int err = 0;
	socklen_t length = sizeof(err);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &length);
	return strerror(err ? err : ECONNRESET);
}

static void on_client(uv_poll_t *handle, int status, int events)
{
	struct hf_node_client *c = handle->data;
	struct hf_daemon *daemon = c->nodes->daemon;

	if (status < 0)
		end_client(c, last_error(c->fd));
	else if (events & UV_READABLE)
		for (int i = 0; i < PACKETS_A_TURN && take_packet(c); i++)
			;
	hf_daemon_settle(daemon);
}

/* Not by the socket's mode: lbnode is root without the right to override it. */
static bool may_connect(struct hf_node_socket *n, int fd)
{
	uint64_t now = uv_now(&n->daemon->loop);

	struct ucred who;
	socklen_t length = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) < 0)
		return false;
	if (who.uid == 0 || who.uid == geteuid())
		return true;
	if (n->warned && now - n->warned < WARN_MS)
		return false;
	n->warned = now;
	hf_warning("process %d of user %u may not use syncd's socket: only root and syncd's own "
		   "user may",
		   who.pid, who.uid);
	return false;
}

static void on_connection(uv_poll_t *handle, int status, int events)
{
	struct hf_node_socket *n = handle->data;
	int fd = accept4(n->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	const int size = 1 << 20;
	struct hf_node_client *c;

	(void)status;
	(void)events;
	if (fd < 0)
		return;
	c = n->count < CLIENTS_MOST && may_connect(n, fd) ? calloc(1, sizeof(*c)) : NULL;
	if (!c || uv_poll_init(&n->daemon->loop, &c->poll, fd) < 0) {
		close(fd);
		free(c);
		return;
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	c->fd = fd;
	c->nodes = n;
	c->daemon = n->daemon;
	c->packet = n->packet;
	c->poll.data = c;
	c->hello_due = true;
	c->next = n->clients;
	n->clients = c;
	n->count++;
	n->handles++;
	watch(c);
}

void hf_node_socket_start(struct hf_node_socket *n, struct hf_daemon *daemon)
{
	n->daemon = daemon;
	uv_poll_init(&daemon->loop, &n->poll, n->fd);
	uv_timer_init(&daemon->loop, &n->grace);
	n->poll.data = n->grace.data = n;
	n->handles = 2;
	uv_poll_start(&n->poll, UV_READABLE, on_connection);
}

static void on_closed(uv_handle_t *handle)
{
	struct hf_node_socket *n = handle->data;

	n->handles--;
	free_if_closed(n);
}

void hf_node_socket_close(struct hf_node_socket *n)
{
	if (!n)
		return;
	n->closing = true;
	unlink(n->path);
	if (!n->daemon) {
		free_if_closed(n);
		return;
	}
	while (n->clients)
		end_client(n->clients, "syncd stops");
	uv_close((uv_handle_t *)&n->poll, on_closed);
	uv_close((uv_handle_t *)&n->grace, on_closed);
}

void hf_node_socket_owners(struct hf_node_socket *n)
{
	if (n->lbnode)
		n->lbnode->owners_due = true;
}

void hf_node_socket_record(struct hf_node_socket *n, const struct hf_record *record)
{
	if (n && n->lbnode)
		hf_node_keep_add(&n->lbnode->keep, record);
}

void hf_node_socket_notice(struct hf_node_socket *n, const struct hf_notice *notice)
{
	if (n && n->lbnode)
		hf_node_client_notice(n->lbnode, notice);
}

void hf_node_socket_export_again(struct hf_node_socket *n, const struct hf_shard_set *shards)
{
	if (!n->lbnode)
		return;
	for (uint32_t i = 0; i < HF_SHARDS / 64; i++)
		n->lbnode->again.word[i] |= shards->word[i];
	n->lbnode->again_due = true;
}

void hf_node_socket_told(struct hf_node_socket *n, uint32_t ticket, const struct hf_record *records,
			 uint32_t count, bool all)
{
	for (int i = 0; i < ASKED_MOST; i++) {
		struct asked *asked = &n->asked[i];

		if (!asked->client || asked->core_ticket != ticket)
			continue;
		tell(asked->client, asked->ticket, records, count, all);
		asked->client = NULL;
	}
}

bool hf_node_socket_is_serving(const struct hf_node_socket *n)
{
	return n->serving;
}
