// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/lease_client.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/bgp_protocol.h"
#include "lib/log.h"
#include "lib/seqpacket.h"
#include "lib/seqpacket_server.h"
#include "proto/bgp.pb-c.h"

#define RETRY_MS    100
#define GATHER_MS   5 /* changes that come together are told together */
#define PATIENCE_S  1
#define END_TRIES   100
#define END_WAIT_NS 20000000

static void on_timer(uv_timer_t *timer);

static void set_timer(struct hf_lease_client *c, uint64_t ms)
{
	uv_timer_start(&c->timer, on_timer, ms, 0);
}

static void on_closed(uv_handle_t *handle)
{
	struct hf_lease_client *c = handle->data;

	close(c->fd);
	c->fd = -1;
	if (c->renew_ms && !uv_is_closing((uv_handle_t *)&c->timer))
		set_timer(c, RETRY_MS);
}

static void end(struct hf_lease_client *c)
{
	if (!c->open)
		return;
	c->open = c->heard = false;
	uv_close((uv_handle_t *)&c->poll, on_closed);
}

/* lbbgp's answers, of which the last is the one that counts. */
static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct hf_lease_client *c = poll->data;
	uint8_t packet[1024];
	ssize_t length = recv(c->fd, packet, sizeof(packet), MSG_DONTWAIT);
	Holdfast__FromBgp *message;

	(void)events;
	if (length < 0 && status >= 0 && (errno == EAGAIN || errno == EINTR))
		return;
	message = length > 0 ? holdfast__from_bgp__unpack(NULL, length, packet) : NULL;
	c->heard = message && message->body_case == HOLDFAST__FROM_BGP__BODY_TAKEN;
	if (c->heard)
		c->withdrawn = message->taken->withdrawn;
	else
		end(c);
	holdfast__from_bgp__free_unpacked(message, NULL);
}

static bool connect_to(struct hf_lease_client *c)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (c->fd >= 0) /* the former one is not closed yet */
		return false;
	c->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return false;
	memcpy(address.sun_path, c->path, sizeof(address.sun_path));
	if (connect(c->fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    uv_poll_init(c->timer.loop, &c->poll, c->fd) == 0) {
		c->poll.data = c;
		c->open = true;
		uv_poll_start(&c->poll, UV_READABLE, on_readable);
		return true;
	}
	close(c->fd);
	c->fd = -1;
	return false;
}

static bool send_page(int fd, const struct hf_lease *lease, uint32_t from)
{
	static uint8_t packet[HF_SEQPACKET_MAX];
	static Holdfast__LeaseVip vips[HF_BGP_LEASE_VIPS], *list[HF_BGP_LEASE_VIPS];
	Holdfast__ToBgp message = HOLDFAST__TO_BGP__INIT;
	Holdfast__Lease body = HOLDFAST__LEASE__INIT;
	uint32_t count = 0;
	size_t length;

	for (; count < HF_BGP_LEASE_VIPS && from + count < lease->count; count++) {
		const struct hf_lease_vip *vip = &lease->vips[from + count];

		holdfast__lease_vip__init(&vips[count]);
		vips[count].address.data = (uint8_t *)vip->address.word;
		vips[count].address.len = hf_address_length(vip->address.family);
		vips[count].usable = vip->usable;
		vips[count].reachable = vip->reachable;
		vips[count].needed = vip->needed;
		vips[count].open = vip->open;
		vips[count].ways = vip->ways;
		vips[count].service = (char *)vip->service;
		list[count] = &vips[count];
	}
	body.program = "lbnode " HF_VERSION;
	body.first = !from;
	body.last = from + count == lease->count;
	body.ready = lease->ready;
	body.why_not = (char *)lease->why_not;
	body.draining = lease->draining;
	body.sent_ms = (int64_t)(uv_hrtime() / 1000000);
	body.vips = list;
	body.n_vips = count;
	message.body_case = HOLDFAST__TO_BGP__BODY_LEASE;
	message.lease = &body;
	length = holdfast__to_bgp__pack(&message, packet);
	return send(fd, packet, length, MSG_NOSIGNAL) == (ssize_t)length;
}

static bool send_lease(int fd, const struct hf_lease *lease)
{
	uint32_t from = 0;

	do {
		if (!send_page(fd, lease, from))
			return false;
		from += HF_BGP_LEASE_VIPS;
	} while (from < lease->count);
	return true;
}

static void on_timer(uv_timer_t *timer)
{
	struct hf_lease_client *c = timer->data;
	struct hf_lease lease;

	set_timer(c, c->renew_ms);
	if (!c->open && !connect_to(c))
		set_timer(c, RETRY_MS < c->renew_ms ? RETRY_MS : c->renew_ms);
	/* What can't be sent now is told anew when it is there again. */
	else if (c->ask(c->context, &lease) && !send_lease(c->fd, &lease))
		end(c);
}

void hf_lease_client_start(struct hf_lease_client *c, uv_loop_t *loop, const char *instance,
			   hf_lease_ask ask, void *context)
{
	c->fd = -1;
	c->instance = instance;
	c->ask = ask;
	c->context = context;
	hf_bgp_socket_path(instance, c->path, sizeof(c->path));
	uv_timer_init(loop, &c->timer);
	c->timer.data = c;
	c->started = true;
}

void hf_lease_client_set_renewal(struct hf_lease_client *c, uint32_t ms)
{
	c->renew_ms = ms;
	if (ms)
		set_timer(c, 0);
	else
		uv_timer_stop(&c->timer);
	if (!ms)
		end(c);
}

void hf_lease_client_changed(struct hf_lease_client *c)
{
	if (c->started && c->renew_ms && c->open && uv_timer_get_due_in(&c->timer) > GATHER_MS)
		set_timer(c, GATHER_MS);
}

void hf_lease_client_stop(struct hf_lease_client *c)
{
	end(c);
	uv_close((uv_handle_t *)&c->timer, NULL);
	c->started = false;
}

/* Until then a next lbbgp takes over what the last one announced. */
static bool is_noted(const char *instance)
{
	char path[PATH_MAX];
	FILE *file = fopen(hf_bgp_lease_path(instance, path, sizeof(path)), "re");
	long long until = 0;
	bool noted = file && fscanf(file, "%lld", &until) == 1 &&
		     (long long)(uv_hrtime() / 1000000) < until;

	if (file)
		fclose(file);
	return noted;
}

bool hf_lease_client_is_withdrawn(const struct hf_lease_client *c)
{
	return !c->renew_ms || (c->heard ? c->withdrawn : !is_noted(c->instance));
}

static bool is_withdrawn(int fd)
{
	uint8_t packet[1024];
	ssize_t length = recv(fd, packet, sizeof(packet), 0);
	Holdfast__FromBgp *message =
		length > 0 ? holdfast__from_bgp__unpack(NULL, length, packet) : NULL;
	/* Who does not answer will not withdraw for being asked again. */
	bool withdrawn = !message || message->body_case != HOLDFAST__FROM_BGP__BODY_TAKEN ||
			 message->taken->withdrawn;

	holdfast__from_bgp__free_unpacked(message, NULL);
	return withdrawn;
}

void hf_lease_end(const char *instance)
{
	const struct hf_lease lease = { .why_not = "lbnode --detach has ended the data plane" };
	const struct timespec pause = { .tv_nsec = END_WAIT_NS }, routers = { .tv_sec = 1 };
	bool announced = false;
	char path[108];
	int fd = hf_seqpacket_connect(hf_bgp_socket_path(instance, path, sizeof(path)), PATIENCE_S);

	/* One that has crashed or starts anew, and will take over what it announced. */
	for (int i = 0;
	     i < END_TRIES && (fd == -ECONNREFUSED || fd == -ENOENT) && is_noted(instance); i++) {
		nanosleep(&pause, NULL);
		fd = hf_seqpacket_connect(path, PATIENCE_S);
	}
	if (fd < 0)
		return;
	for (int i = 0; i < END_TRIES; i++) {
		if (!send_lease(fd, &lease) || is_withdrawn(fd))
			break;
		announced = true;
		nanosleep(&pause, NULL);
	}
	close(fd);
	/* BIRD has withdrawn them; routers send for another moment, and a kernel without the data
	 * plane resets what comes. */
	if (announced)
		nanosleep(&routers, NULL);
}
