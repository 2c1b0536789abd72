/* SPDX-License-Identifier: BSD-2-Clause */
/* Hears what routers say of the tunnels' packets (path_mtu.h), by raw ICMP sockets. */
#ifndef HF_LBNODE_LISTENER_H
#define HF_LBNODE_LISTENER_H

#include <uv.h>

#include "lbnode/forwarding.h"

struct hf_ear {
	int fd; /* -1: none */
	uint32_t family;
	uv_poll_t poll;
};

struct hf_listener {
	struct hf_forwarding *forwarding;
	struct hf_ear ipv4, ipv6;
	int64_t since; /* when the while that goes on began, and what was heard in it */
	uint32_t heard;
};

/* Opens the sockets, which takes CAP_NET_RAW. Without it a warning is logged, and path MTUs
 * are those that the kernel's routes tell. */
void hf_listener_open(struct hf_listener *listener);
void hf_listener_close(struct hf_listener *listener);

/* Borrows the other two until hf_listener_stop(), whose handles are closed when the loop has run
 * once more. */
void hf_listener_start(struct hf_listener *listener, uv_loop_t *loop,
		       struct hf_forwarding *forwarding);
void hf_listener_stop(struct hf_listener *listener);

#endif
