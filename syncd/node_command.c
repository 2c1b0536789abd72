// SPDX-License-Identifier: BSD-2-Clause
#include "syncd/node_command.h"

#include "lib/log_message.h"
#include "lib/node_protocol.h"
#include "syncd/calls.h"
#include "syncd/node_message.h"

static bool answer(struct hf_node_client *c, const Holdfast__FromSync *message)
{
	return hf_node_client_send(c, c->packet, hf_node_pack(message, c->packet, HF_NODE_PACKET));
}

static bool called(void *context, uint32_t ticket, const char *error, const uint8_t *bytes,
		   size_t length)
{
	Holdfast__FromSync message = HOLDFAST__FROM_SYNC__INIT;
	Holdfast__CallAnswer body = HOLDFAST__CALL_ANSWER__INIT;

	body.ticket = ticket;
	body.error = (char *)(error ? error : "");
	body.message.data = (uint8_t *)bytes;
	body.message.len = length;
	message.body_case = HOLDFAST__FROM_SYNC__BODY_CALL;
	message.call = &body;
	if (holdfast__from_sync__get_packed_size(&message) > HF_NODE_PACKET) {
		body.message.len = 0;
		body.error = (char *)"its answer is too long";
	}
	return answer(context, &message);
}

static void tell_log(struct hf_node_client *c, uint64_t after)
{
	static struct hf_log_page page;
	Holdfast__FromSync message = HOLDFAST__FROM_SYNC__INIT;

	message.body_case = HOLDFAST__FROM_SYNC__BODY_LOG;
	message.log = hf_log_message(&page, after);
	answer(c, &message);
}

static void reload(struct hf_node_client *c)
{
	Holdfast__FromSync message = HOLDFAST__FROM_SYNC__INIT;
	Holdfast__Done body = HOLDFAST__DONE__INIT;
	uint64_t before = hf_log_last();

	hf_daemon_reload(c->daemon);
	body.error = (char *)hf_log_error_since(before);
	message.body_case = HOLDFAST__FROM_SYNC__BODY_DONE;
	message.done = &body;
	answer(c, &message);
}

void hf_node_command(struct hf_node_client *c, const uint8_t *packet, size_t length)
{
	Holdfast__ToSync *m = holdfast__to_sync__unpack(NULL, length, packet);

	if (m && m->body_case == HOLDFAST__TO_SYNC__BODY_CALL)
		hf_calls_make(c->daemon, m->call, called, c);
	else if (m && m->body_case == HOLDFAST__TO_SYNC__BODY_LOG)
		tell_log(c, m->log->after);
	else if (m && m->body_case == HOLDFAST__TO_SYNC__BODY_RELOAD)
		reload(c);
	holdfast__to_sync__free_unpacked(m, NULL);
}
