// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/control_client.h"

#include <string.h>
#include <sys/socket.h>

#include "lbnode/control.h"
#include "lib/log.h"
#include "lib/seqpacket.h"

#define PATIENCE_S 2

int hf_control_connect(const char *instance)
{
	char path[108];
	int fd = hf_seqpacket_connect(hf_control_path(instance, path, sizeof(path)), PATIENCE_S);

	if (fd < 0)
		hf_error("can't reach lbnode at %s: %s; does it run, and are you root?", path,
			 strerror(-fd));
	return fd;
}

Holdfast__FromNode *hf_control_ask(int fd, const Holdfast__ToNode *message,
				   Holdfast__FromNode__BodyCase expected)
{
	static uint8_t packet[HF_SEQPACKET_MAX];
	Holdfast__FromNode *reply = NULL;
	ssize_t length = holdfast__to_node__pack(message, packet);

	if (send(fd, packet, length, MSG_NOSIGNAL) == length) {
		length = recv(fd, packet, sizeof(packet), 0);
		if (length > 0)
			reply = holdfast__from_node__unpack(NULL, length, packet);
	}
	if (reply && reply->body_case == expected)
		return reply;
	holdfast__from_node__free_unpacked(reply, NULL);
	hf_error("lbnode did not answer; its log may tell why, or it is of another version");
	return NULL;
}
