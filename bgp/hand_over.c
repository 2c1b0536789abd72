// SPDX-License-Identifier: BSD-2-Clause
#include "bgp/hand_over.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/bgp_protocol.h"
#include "lib/log.h"
#include "lib/seqpacket.h"
#include "proto/bgp.pb-c.h"

#define PATIENCE_S 2

/* The descriptor that came along, or -EPROTO. */
static int receive_descriptor(int from)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	uint8_t packet[1024];
	struct iovec part = { packet, sizeof(packet) };
	struct msghdr m = { .msg_iov = &part,
			    .msg_iovlen = 1,
			    .msg_control = control.bytes,
			    .msg_controllen = sizeof(control.bytes) };
	int fd = -1;

	if (recvmsg(from, &m, MSG_CMSG_CLOEXEC) <= 0 || m.msg_controllen < CMSG_LEN(sizeof(fd)) ||
	    control.header.cmsg_type != SCM_RIGHTS)
		return -EPROTO;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

int hf_hand_over_ask(const char *instance, int *device)
{
	Holdfast__ToBgp message = HOLDFAST__TO_BGP__INIT;
	Holdfast__HandOver body = HOLDFAST__HAND_OVER__INIT;
	uint8_t packet[64];
	char path[108];
	ssize_t length;
	int fd = hf_seqpacket_connect(hf_bgp_socket_path(instance, path, sizeof(path)), PATIENCE_S);

	*device = -1;
	if (fd == -ENOENT || fd == -ECONNREFUSED)
		return 0;
	if (fd >= 0) {
		message.body_case = HOLDFAST__TO_BGP__BODY_HAND_OVER;
		message.hand_over = &body;
		length = (ssize_t)holdfast__to_bgp__pack(&message, packet);
		if (send(fd, packet, length, MSG_NOSIGNAL) == length)
			*device = receive_descriptor(fd);
		/* Its end of the connection closes when all is given up, the lock, too. */
		if (*device >= 0 && recv(fd, packet, sizeof(packet), 0) < 0)
			hf_warning("the former lbbgp takes long to end");
		close(fd);
	}
	if (*device >= 0)
		return 0;
	hf_error("the running lbbgp at %s does not hand over: %s; stop it, which withdraws the "
		 "VIPs for a moment",
		 path, strerror(fd < 0 ? -fd : EPROTO));
	return -EPROTO;
}
