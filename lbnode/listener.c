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
	l->ipv4 = (struct hf_ear){ .fd = open_raw(AF_INET, IPPROTO_ICMP), .family = 4 };
	l->ipv6 = (struct hf_ear){ .fd = open_raw(AF_INET6, IPPROTO_ICMPV6), .family = 6 };
	if (l->ipv4.fd < 0 || (l->ipv6.fd < 0 && errno != EAFNOSUPPORT))
		hf_warning("no raw ICMP sockets: %s; routers that want smaller tunnel packets are "
			   "not heard, so let the routes tell their MTU, or grant CAP_NET_RAW",
			   strerror(errno));
	if (l->ipv4.fd >= 0)
		setsockopt(l->ipv4.fd, SOL_RAW, ICMP_FILTER, &all_but_unreachable,
			   sizeof(all_but_unreachable));
	if (l->ipv6.fd >= 0) {
		setsockopt(l->ipv6.fd, IPPROTO_ICMPV6, ICMP6_FILTER, &too_big, sizeof(too_big));
		setsockopt(l->ipv6.fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	}
}

static void close_ear(struct hf_ear *ear)
{
	if (ear->fd >= 0)
		close(ear->fd);
	ear->fd = -1;
}

void hf_listener_close(struct hf_listener *l)
{
	close_ear(&l->ipv4);
	close_ear(&l->ipv6);
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

static void hear(struct hf_listener *l, const struct hf_ear *ear)
{
	for (int i = 0; i < MESSAGES_WHILE; i++) {
		uint32_t message[MESSAGE_MAX / sizeof(uint32_t)];
		char control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
		struct iovec part = { message, sizeof(message) };
		struct msghdr m = { .msg_iov = &part,
				    .msg_iovlen = 1,
				    .msg_control = control,
				    .msg_controllen = sizeof(control) };
		ssize_t length = recvmsg(ear->fd, &m, 0);

		if (length < 0)
			return;
		take(l, ear->family, &m, length);
	}
}

static void on_message(uv_poll_t *handle, int status, int events)
{
	struct hf_listener *l = handle->data;

	(void)events;
	hear(l, handle == &l->ipv4.poll ? &l->ipv4 : &l->ipv6);
	/* In error libuv has stopped to poll. Reading took the error away. */
	if (status < 0)
		uv_poll_start(handle, UV_READABLE, on_message);
}

static void start_ear(struct hf_listener *l, struct hf_ear *ear, uv_loop_t *loop)
{
	if (ear->fd < 0)
		return;
	uv_poll_init(loop, &ear->poll, ear->fd);
	ear->poll.data = l;
	uv_poll_start(&ear->poll, UV_READABLE, on_message);
}

void hf_listener_start(struct hf_listener *l, uv_loop_t *loop, struct hf_forwarding *forwarding)
{
	l->forwarding = forwarding;
	start_ear(l, &l->ipv4, loop);
	start_ear(l, &l->ipv6, loop);
}

static void stop_ear(struct hf_ear *ear)
{
	if (ear->fd >= 0)
		uv_close((uv_handle_t *)&ear->poll, NULL);
}

void hf_listener_stop(struct hf_listener *l)
{
	stop_ear(&l->ipv4);
	stop_ear(&l->ipv6);
}
