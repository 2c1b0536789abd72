// SPDX-License-Identifier: BSD-2-Clause
#include "syncd/node_client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/log.h"
#include "lib/node_protocol.h"
#include "syncd/daemon.h"
#include "syncd/node_message.h"

/* How much credit there is at most, and how much must be missing before more is given. */
#define CREDIT_MOST 16384
#define CREDIT_STEP 2048

bool hf_node_client_send(struct hf_node_client *c, const uint8_t *packet, size_t length)
{
	if (length && send(c->fd, packet, length, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)length)
		return true;
	if (!length || errno == EAGAIN || errno == EWOULDBLOCK)
		return false;
	c->error = errno;
	return false;
}

static bool send_message(struct hf_node_client *c, const Holdfast__FromSync *message)
{
	return hf_node_client_send(c, c->packet, hf_node_pack(message, c->packet, HF_NODE_PACKET));
}

static bool send_hello(struct hf_node_client *c)
{
	Holdfast__FromSync message = HOLDFAST__FROM_SYNC__INIT;
	Holdfast__NodeHello hello = HOLDFAST__NODE_HELLO__INIT;

	hello.protocol = HF_NODE_PROTOCOL;
	hello.program = "syncd " HF_VERSION;
	message.body_case = HOLDFAST__FROM_SYNC__BODY_HELLO;
	message.hello = &hello;
	return send_message(c, &message);
}

static bool send_again(struct hf_node_client *c)
{
	Holdfast__FromSync message = HOLDFAST__FROM_SYNC__INIT;
	Holdfast__ExportAgain again = HOLDFAST__EXPORT_AGAIN__INIT;

	again.shards.data = (uint8_t *)&c->again;
	again.shards.len = sizeof(c->again);
	message.body_case = HOLDFAST__FROM_SYNC__BODY_EXPORT_AGAIN;
	message.export_again = &again;
	return send_message(c, &message);
}

static void send_credit(struct hf_node_client *c)
{
	Holdfast__FromSync message = HOLDFAST__FROM_SYNC__INIT;
	Holdfast__Credit credit = HOLDFAST__CREDIT__INIT;
	uint32_t room = hf_sync_room(c->daemon->sync) / 2;

	if (room > CREDIT_MOST)
		room = CREDIT_MOST;
	if (room < c->credit + CREDIT_STEP)
		return;
	credit.records = room - c->credit;
	message.body_case = HOLDFAST__FROM_SYNC__BODY_CREDIT;
	message.credit = &credit;
	if (send_message(c, &message))
		c->credit = room;
}

static void send_owners(struct hf_node_client *c)
{
	size_t length =
		hf_node_pack_owners(c->daemon->sync, hf_daemon_now(), c->packet, HF_NODE_PACKET);

	if (!length)
		hf_error("the table of owners does not fit a packet: lbnode goes on with the one "
			 "that it has; is this cluster of some hundred nodes one?");
	if (!length || hf_node_client_send(c, c->packet, length))
		c->owners_due = false;
}

#define KEEPS_A_TURN 64

static void send_keep(struct hf_node_client *c)
{
	const struct hf_sync *sync = c->daemon->sync;
	uint32_t count = 0;

	c->keep_due = false;
	for (int i = 0; i < KEEPS_A_TURN && (count = hf_node_keep_next(&c->keep, sync)); i++) {
		if (!hf_node_client_send(c, c->packet,
					 hf_node_pack_keep(sync, c->keep.record, count,
							   hf_daemon_now(), c->packet,
							   HF_NODE_PACKET)))
			break;
		c->keep.count = 0;
	}
	c->keep_due = count > 0;
}

/* False: the client takes no more now. */
static bool send_group(struct hf_node_client *c, uint32_t group)
{
	const struct hf_board *board = hf_sync_board(c->daemon->sync);
	const struct hf_notice *notices[HF_NODE_BOARD_MOST];
	uint64_t cursor = 0;
	uint32_t count;

	do {
		for (count = 0; count < HF_NODE_BOARD_MOST; count++)
			if (!(notices[count] = hf_board_next_of(board, group, &cursor)))
				break;
		if (count && !hf_node_client_send(c, c->packet,
						  hf_node_pack_board(c->daemon->sync, notices,
								     count, hf_daemon_now(),
								     c->packet, HF_NODE_PACKET)))
			return false;
	} while (count == HF_NODE_BOARD_MOST);
	return true;
}

static void send_board(struct hf_node_client *c)
{
	for (uint32_t group = 0; group < HF_BOARD_GROUPS && c->board_due; group++) {
		if (!(c->board_due >> group & 1))
			continue;
		if (!send_group(c, group))
			return;
		c->board_due &= ~(1ULL << group);
	}
}

void hf_node_client_notice(struct hf_node_client *c, const struct hf_notice *notice)
{
	size_t length = hf_node_pack_board(c->daemon->sync, &notice, 1, hf_daemon_now(), c->packet,
					   HF_NODE_PACKET);

	if (c->hello_due || !hf_node_client_send(c, c->packet, length))
		c->board_due |= 1ULL << hf_board_group(notice->key, notice->key_length);
}

void hf_node_client_greeted(struct hf_node_client *c)
{
	c->is_lbnode = c->owners_due = c->again_due = true;
	c->again = hf_all_shards;
	c->credit = 0;
	c->board_due = UINT64_MAX;
	hf_node_keep_all(&c->keep);
}

bool hf_node_client_is_due(const struct hf_node_client *c)
{
	return c->hello_due ||
	       (c->is_lbnode && (c->owners_due || c->again_due || c->keep_due || c->board_due));
}

void hf_node_client_serve(struct hf_node_client *c)
{
	if (c->hello_due && send_hello(c))
		c->hello_due = false;
	if (!c->is_lbnode || c->hello_due)
		return;
	if (c->owners_due)
		send_owners(c);
	if (c->again_due && !c->owners_due && send_again(c)) {
		c->again_due = false;
		memset(&c->again, 0, sizeof(c->again));
	}
	if (!c->again_due && !c->error)
		send_credit(c);
	if (!c->owners_due && !c->error)
		send_board(c);
	if (!c->owners_due && !c->error)
		send_keep(c);
}
