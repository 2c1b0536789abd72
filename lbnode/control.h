/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where an operator's commands reach the running agent (proto/control.proto). Only the agent's own
 * user and root may connect: the socket's mode says so.
 */
#ifndef HF_LBNODE_CONTROL_H
#define HF_LBNODE_CONTROL_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "lib/preflight.h"

#define HF_CONTROL_CLIENTS 16	/* at once */
#define HF_CONTROL_PACKET  4096 /* bytes at most */

struct hf_node_state {
	bool draining;
	bool sharing;	   /* connected to syncd */
	bool owner;	   /* of records, now or until they are handed over */
	bool others;	   /* own records, too */
	bool gave_up;	   /* the last hand-over took too long */
	uint64_t quiet_ms; /* for so long no packet was forwarded */
};

struct hf_control_calls {
	void (*set_draining)(void *context, bool draining);
	void (*get_state)(void *context, struct hf_node_state *state);
};

struct hf_control_client;

struct hf_control {
	const struct hf_control_calls *calls;
	void *context;
	uv_loop_t *loop;
	uv_poll_t poll;
	int fd;
	char path[108];
	struct hf_control_client *clients;
	uint32_t client_count;
};

/* Puts the path of an instance's socket in `path`, and returns it. */
const char *hf_control_path(const char *instance, char *path, size_t size);

/* Binds the socket, which takes rights. 0 or a negative errno, logged. */
int hf_control_open(struct hf_control *control, const char *instance,
		    const struct hf_control_calls *calls, void *context);
void hf_control_start(struct hf_control *control, uv_loop_t *loop);
void hf_control_stop(struct hf_control *control);
void hf_control_close(struct hf_control *control);

#endif
