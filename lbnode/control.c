// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/control.h"

static void take(void *context, const uint8_t *message, size_t length,
		 struct hf_seqpacket_answer *answer)
{
	struct hf_control *c = context;
	Holdfast__ToNode *unpacked = holdfast__to_node__unpack(NULL, length, message);

	c->connection = answer->connection;
	if (unpacked)
		answer->length = c->answer(c->context, unpacked, answer->bytes, HF_SEQPACKET_MAX);
	if (answer->length == HF_CONTROL_LATER) {
		answer->length = 0;
		answer->later = true;
	}
	holdfast__to_node__free_unpacked(unpacked, NULL);
}

int hf_control_open(struct hf_control *c, const char *instance, hf_control_answer answer,
		    void *context)
{
	char path[108];

	c->answer = answer;
	c->context = context;
	return hf_seqpacket_open(&c->server, hf_control_path(instance, path, sizeof(path)), take,
				 c);
}
