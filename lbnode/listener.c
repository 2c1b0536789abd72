// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/listener.h"

#include <errno.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lbnode/path_mtu.h"
#include "lib/log.h"

#define MESSAGE_MAX   2048
#define MESSAGES_ONCE 64 /* before the loop's other events have their turn */

static int open_raw(int family, int protocol)
{
	return socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

void hf_listener_open(struct hf_listener *l)
{
	struct icmp_filter all_but_unreachable = { ~(1U << ICMP_DEST_UNREACH) };
	struct icmp6_filter too_big;

	ICMP6_FILTER_SETBLOCKALL(&too_big);
	ICMP6_FILTER_SETPASS(ICMP6_PACKET_TOO_BIG, &too_big);
	l->ipv4 = open_raw(AF_INET, IPPROTO_ICMP);
	l->ipv6 = open_raw(AF_INET6, IPPROTO_ICMPV6);
	if (l->ipv4 < 0 || l->ipv6 < 0)
		hf_warning("no raw ICMP sockets: %s; routers that want smaller tunnel packets are "
			   "not heard, so let the routes tell their MTU, or grant CAP_NET_RAW",
			   strerror(errno));
	if (l->ipv4 >= 0)
		setsockopt(l->ipv4, SOL_RAW, ICMP_FILTER, &all_but_unreachable,
			   sizeof(all_but_unreachable));
	if (l->ipv6 >= 0)
		setsockopt(l->ipv6, IPPROTO_ICMPV6, ICMP6_FILTER, &too_big, sizeof(too_big));
}

void hf_listener_close(struct hf_listener *l)
{
	if (l->ipv4 >= 0)
		close(l->ipv4);
	if (l->ipv6 >= 0)
		close(l->ipv6);
	l->ipv4 = l->ipv6 = -1;
}

static void hear(struct hf_listener *l, int fd, uint32_t family)
{
	for (int i = 0; i < MESSAGES_ONCE; i++) {
		uint32_t message[MESSAGE_MAX / sizeof(uint32_t)];
		ssize_t length = recv(fd, message, sizeof(message), 0);
		struct hf_path_news news;

		if (length < 0)
			return;
		if (hf_path_mtu_read(family, message, length, &news))
			hf_forwarding_learn(l->forwarding, &news, uv_hrtime() / 1000000);
	}
}

static void on_ipv4(uv_poll_t *handle, int status, int events)
{
	(void)status;
	(void)events;
	hear(handle->data, ((struct hf_listener *)handle->data)->ipv4, 4);
}

static void on_ipv6(uv_poll_t *handle, int status, int events)
{
	(void)status;
	(void)events;
	hear(handle->data, ((struct hf_listener *)handle->data)->ipv6, 6);
}

void hf_listener_start(struct hf_listener *l, uv_loop_t *loop, struct hf_forwarding *forwarding)
{
	l->forwarding = forwarding;
	l->poll4.data = l->poll6.data = l;
	if (l->ipv4 >= 0) {
		uv_poll_init(loop, &l->poll4, l->ipv4);
		uv_poll_start(&l->poll4, UV_READABLE, on_ipv4);
	}
	if (l->ipv6 >= 0) {
		uv_poll_init(loop, &l->poll6, l->ipv6);
		uv_poll_start(&l->poll6, UV_READABLE, on_ipv6);
	}
}

void hf_listener_stop(struct hf_listener *l)
{
	if (l->ipv4 >= 0)
		uv_close((uv_handle_t *)&l->poll4, NULL);
	if (l->ipv6 >= 0)
		uv_close((uv_handle_t *)&l->poll6, NULL);
}
