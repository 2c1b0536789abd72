// SPDX-License-Identifier: BSD-2-Clause
#include "syncd/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "syncd/endpoint.h"

/* So many datagrams before anything else has its turn. */
#define BATCH	64
#define BATCHES 8
/* Some 50 ms of records at full rate. */
#define BUFFER	     (4 << 20)
#define IPV4_HEADERS 28
#define IPV6_HEADERS 48

struct hf_udp {
	int fd;
	uv_poll_t poll;
	struct hf_daemon *daemon;
	uint8_t bytes[BATCH][HF_SYNC_DATAGRAM_MAX];
};

static int explain(const struct hf_endpoint *endpoint)
{
	int err = -errno;
	char text[HF_ADDRESS_TEXT];

	hf_error("can't listen on UDP %s: %s; is it an address of this node, and the port free? "
		 "(node.gossip_address, cluster.port)",
		 hf_endpoint_format(&endpoint->address, endpoint->port, text), strerror(errno));
	return err;
}

int hf_udp_open(struct hf_udp **udp, const struct hf_endpoint *endpoint)
{
	struct hf_udp *u = calloc(1, sizeof(*u));
	struct sockaddr_storage address;
	socklen_t length = hf_endpoint_set(endpoint, &address);
	const int size = BUFFER, fragment = IP_PMTUDISC_DONT;
	int err;

	if (!u)
		return -ENOMEM;
	u->fd = socket(address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (u->fd < 0 || bind(u->fd, (struct sockaddr *)&address, length) < 0) {
		err = explain(endpoint);
		if (u->fd >= 0)
			close(u->fd);
		free(u);
		return err;
	}
	/* What a way turns out to be too small for comes in pieces, rather than not at all. */
	setsockopt(u->fd, IPPROTO_IP, IP_MTU_DISCOVER, &fragment, sizeof(fragment));
	/* Root may have more than net.core.rmem_max. */
	if (setsockopt(u->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(u->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(u->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(u->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	*udp = u;
	return 0;
}

static int receive(struct hf_udp *u)
{
	struct sockaddr_storage from[BATCH];
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	struct hf_endpoint endpoint;
	int count;

	for (int i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){ u->bytes[i], sizeof(u->bytes[i]) };
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &from[i],
			.msg_namelen = sizeof(from[i]),
			.msg_iov = &parts[i],
			.msg_iovlen = 1,
		};
	}
	count = recvmmsg(u->fd, messages, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < count; i++)
		if (hf_endpoint_get((struct sockaddr *)&from[i], &endpoint))
			hf_sync_receive(u->daemon->sync, &endpoint, u->bytes[i],
					messages[i].msg_len, hf_daemon_now());
	return count;
}

static void on_readable(uv_poll_t *handle, int status, int events)
{
	struct hf_udp *u = handle->data;

	(void)events;
	for (int i = 0; i < BATCHES; i++)
		if (receive(u) < BATCH)
			break;
	/* In error libuv has stopped to poll; reading took the error away. */
	if (status < 0)
		uv_poll_start(handle, UV_READABLE, on_readable);
	hf_daemon_settle(u->daemon);
}

void hf_udp_start(struct hf_udp *u, struct hf_daemon *daemon)
{
	u->daemon = daemon;
	uv_poll_init(&daemon->loop, &u->poll, u->fd);
	u->poll.data = u;
	uv_poll_start(&u->poll, UV_READABLE, on_readable);
}

/* What can't be sent is lost, as on the wire: whoever misses it asks again. */
void hf_udp_send(struct hf_udp *u, const struct hf_endpoint *to, const uint8_t *bytes,
		 size_t length)
{
	struct sockaddr_storage address;
	socklen_t size = hf_endpoint_set(to, &address);

	if (size)
		sendto(u->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL,
		       (struct sockaddr *)&address, size);
}

static void on_closed(uv_handle_t *handle)
{
	struct hf_udp *u = handle->data;

	close(u->fd);
	free(u);
}

void hf_udp_close(struct hf_udp *u)
{
	if (!u)
		return;
	if (u->daemon) {
		uv_close((uv_handle_t *)&u->poll, on_closed);
		return;
	}
	close(u->fd);
	free(u);
}

int hf_udp_way(const struct hf_endpoint *to, struct hf_address *source, uint32_t *datagram)
{
	struct sockaddr_storage address;
	socklen_t length = hf_endpoint_set(to, &address);
	int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0, mtu = 0;
	bool v4 = to->address.family == 4;
	struct hf_endpoint own;

	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, length) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		err = -errno;
	length = sizeof(mtu);
	if (!err && getsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_MTU : IPV6_MTU, &mtu,
			       &length) < 0)
		err = -errno;
	close(fd);
	if (err || !hf_endpoint_get((struct sockaddr *)&address, &own))
		return err ? err : -EAFNOSUPPORT;
	*source = own.address;
	mtu -= v4 ? IPV4_HEADERS : IPV6_HEADERS;
	if (mtu < HF_SYNC_DATAGRAM_MIN)
		mtu = HF_SYNC_DATAGRAM_MIN;
	*datagram = mtu > HF_SYNC_DATAGRAM_MAX ? HF_SYNC_DATAGRAM_MAX : mtu;
	return 0;
}
