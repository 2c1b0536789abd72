/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where an operator's commands reach the running agent (proto/control.proto).
 */
#ifndef HF_LBNODE_CONTROL_H
#define HF_LBNODE_CONTROL_H

#include "lib/control_protocol.h"
#include "lib/seqpacket_server.h"
#include "proto/control.pb-c.h"

/* Packs the answer to a message into `out`; its length, 0 if there is none, or HF_CONTROL_LATER if
 * another process gives it, by control->connection. */
#define HF_CONTROL_LATER SIZE_MAX
typedef size_t (*hf_control_answer)(void *context, const Holdfast__ToNode *message, uint8_t *out,
				    size_t size);

struct hf_control {
	hf_control_answer answer;
	void *context;
	int connection; /* of the message that is being answered */
	struct hf_seqpacket_server server;
};

/* Binds the socket, which takes rights. 0 or a negative errno, logged. */
int hf_control_open(struct hf_control *control, const char *instance, hf_control_answer answer,
		    void *context);

#endif
