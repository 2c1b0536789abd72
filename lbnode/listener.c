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

#define MESSAGE_MAX 2048
/* So many a while are looked at, for each costs a look at all backends; the rest are thrown away.
 */
#define WHILE_MS       50
#define MESSAGES_WHILE 64

static int open_raw(int family, int protocol)
{
	return socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

void hf_listener_open(struct hf_listener *l)
{
	struct icmp_filter all_but_unreachable = { ~(1U << ICMP_DEST_UNREACH) };
	struct icmp6_filter too_big;
	const int on = 1;

	ICMP6_FILTER_SETBLOCKALL(&too_big);
	ICMP6_FILTER_SETPASS(ICMP6_PACKET_TOO_BIG, &too_big);
	l->ipv4 = open_raw(AF_INET, IPPROTO_ICMP);
	l->ipv6 = open_raw(AF_INET6, IPPROTO_ICMPV6);
	if (l->ipv4 < 0 || (l->ipv6 < 0 && errno != EAFNOSUPPORT))
		hf_warning("no raw ICMP sockets: %s; routers that want smaller tunnel packets are "
			   "not heard, so let the routes tell their MTU, or grant CAP_NET_RAW",
			   strerror(errno));
	if (l->ipv4 >= 0)
		setsockopt(l->ipv4, SOL_RAW, ICMP_FILTER, &all_but_unreachable,
			   sizeof(all_but_unreachable));
	if (l->ipv6 >= 0) {
		setsockopt(l->ipv6, IPPROTO_ICMPV6, ICMP6_FILTER, &too_big, sizeof(too_big));
		setsockopt(l->ipv6, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	}
}

void hf_listener_close(struct hf_listener *l)
{
	if (l->ipv4 >= 0)
		close(l->ipv4);
	if (l->ipv6 >= 0)
		close(l->ipv6);
	l->ipv4 = l->ipv6 = -1;
}

/* An IPv6 message's receiver. */
static struct hf_address receiver_of(struct msghdr *m)
{
	struct hf_address receiver = { .family = 6 };

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
			memcpy(receiver.word, &((struct in6_pktinfo *)CMSG_DATA(c))->ipi6_addr,
			       sizeof(receiver.word));
	return receiver;
}

static void take(struct hf_listener *l, uint32_t family, struct msghdr *m, ssize_t length)
{
	int64_t now = uv_hrtime() / 1000000;
	struct hf_address receiver;
	struct hf_path_news news;

	receiver = receiver_of(m);
	if (!hf_path_mtu_read(family, m->msg_iov->iov_base, length, &receiver, &news))
		return;
	if (now - l->since >= WHILE_MS) {
		l->since = now;
		l->heard = 0;
	}
	if (l->heard++ < MESSAGES_WHILE)
		hf_forwarding_learn(l->forwarding, &news, now);
}

static void hear(struct hf_listener *l, int fd, uint32_t family)
{
	for (int i = 0; i < MESSAGES_WHILE; i++) {
		uint32_t message[MESSAGE_MAX / sizeof(uint32_t)];
		char control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
		struct iovec part = { message, sizeof(message) };
		struct msghdr m = { .msg_iov = &part,
				    .msg_iovlen = 1,
				    .msg_control = control,
				    .msg_controllen = sizeof(control) };
		ssize_t length = recvmsg(fd, &m, 0);

		if (length < 0)
			return;
		take(l, family, &m, length);
	}
}

/* In error libuv has stopped to poll. Reading takes the error away. */
static void on_ipv4(uv_poll_t *handle, int status, int events)
{
	struct hf_listener *l = handle->data;

	(void)events;
	hear(l, l->ipv4, 4);
	if (status < 0)
		uv_poll_start(handle, UV_READABLE, on_ipv4);
}

static void on_ipv6(uv_poll_t *handle, int status, int events)
{
	struct hf_listener *l = handle->data;

	(void)events;
	hear(l, l->ipv6, 6);
	if (status < 0)
		uv_poll_start(handle, UV_READABLE, on_ipv6);
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
