/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One program that is connected to the node's socket, and what it has yet to be told: the latest
 * state, never a queue, so that a slow one costs no more than its place.
 */
#ifndef HF_SYNCD_NODE_CLIENT_H
#define HF_SYNCD_NODE_CLIENT_H

#include <uv.h>

#include "syncd/core/sync.h"
#include "syncd/node_keep.h"

struct hf_daemon;
struct hf_node_socket;

struct hf_node_client {
	int fd;
	int error; /* errno of the socket, which is then to be closed; 0: none */
	uv_poll_t poll;
	struct hf_daemon *daemon;
	struct hf_node_socket *nodes;
	struct hf_node_client *next;
	uint8_t *packet; /* of HF_NODE_PACKET bytes, for a moment */
	bool is_lbnode;
	/* What it has yet to be told. */
	bool hello_due, owners_due, again_due;
	struct hf_shard_set again;
	uint32_t credit; /* given, and not used up */
	struct hf_node_keep keep;
	bool keep_due;	    /* the socket took no more of it */
	uint64_t board_due; /* a bit for each group of the notice board */
};

/* False: not now, or, with client->error, never any more. */
bool hf_node_client_send(struct hf_node_client *client, const uint8_t *packet, size_t length);

/* It is lbnode, and knows nothing yet. */
void hf_node_client_greeted(struct hf_node_client *client);

/* There is a notice that it does not have. */
void hf_node_client_notice(struct hf_node_client *client, const struct hf_notice *notice);

/* Sends what is due, in this order, as far as the client takes it. */
void hf_node_client_serve(struct hf_node_client *client);
bool hf_node_client_is_due(const struct hf_node_client *client);

#endif
