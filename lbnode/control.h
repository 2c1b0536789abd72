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
#include "proto/control.pb-c.h"

#define HF_CONTROL_CLIENTS 16	 /* at once */
#define HF_CONTROL_PACKET  65536 /* bytes at most */

/* Packs the answer to a message into `out`; its length, 0 if there is none. */
typedef size_t (*hf_control_answer)(void *context, const Holdfast__ToNode *message, uint8_t *out,
				    size_t size);

struct hf_control_client;

struct hf_control {
	hf_control_answer answer;
	void *context;
	uv_loop_t *loop;
	uv_poll_t poll;
	int fd;
	char path[108];
	struct hf_control_client *clients;
	uint32_t client_count;
	uint8_t packet[HF_CONTROL_PACKET];
};

/* Puts the path of an instance's socket in `path`, and returns it. */
const char *hf_control_path(const char *instance, char *path, size_t size);

/* Binds the socket, which takes rights. 0 or a negative errno, logged. */
int hf_control_open(struct hf_control *control, const char *instance, hf_control_answer answer,
		    void *context);
void hf_control_start(struct hf_control *control, uv_loop_t *loop);
void hf_control_stop(struct hf_control *control);
void hf_control_close(struct hf_control *control);

#endif
