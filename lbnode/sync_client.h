/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lbnode's end of the connection to syncd (proto/node.proto): what the data plane knows goes there,
 * and what other nodes know comes from there. Without syncd, and until it is there again, the data
 * plane goes on with what it has been told.
 */
#ifndef HF_LBNODE_SYNC_CLIENT_H
#define HF_LBNODE_SYNC_CLIENT_H

#include <uv.h>

#include "lbnode/bpf/types.h"
#include "lbnode/forwarding.h"
#include "lbnode/sharing.h"
#include "lib/board.h"
#include "lib/node_protocol.h"

#define HF_CLIENT_BATCH	  1024 /* records in a packet */
#define HF_CLIENT_ASK	  128  /* digests in a packet */
#define HF_CLIENT_NOTICES 64   /* in a packet */
#define HF_CLIENT_ASKS	  32   /* packets that have not been answered */

/* A packet of questions, and what was asked. */
struct hf_asked {
	uint32_t ticket; /* 0: free */
	int64_t at;
	uint32_t count;
	struct hf_question question[HF_CLIENT_ASK];
};

/* What syncd tells besides; see health/health.h. */
struct hf_sync_client_calls {
	void (*connected)(void *context, bool connected);
	void (*nodes)(void *context, uint32_t clock, uint64_t self, const uint64_t *nodes,
		      uint32_t count);
	void (*board)(void *context, uint32_t clock, const struct hf_notice *notices,
		      uint32_t count);
	/* What is to be posted when syncd is there, or was too slow: all of it. */
	const struct hf_board *(*all)(void *context);
	void *context;
};

struct hf_sync_client {
	uv_loop_t *loop;
	uv_poll_t poll;
	uv_timer_t retry;
	int fd; /* -1: not connected */
	char path[108];
	struct hf_forwarding *forwarding;
	struct hf_sharing *sharing;
	struct hf_sync_client_calls calls;
	uint64_t config, tables; /* digests */
	bool serving, greeted, complained;
	bool state_due; /* the socket took no more */
	bool board_due; /* the same */
	bool owner;	/* this node, of records, now or until they are handed over */
	bool others;	/* own records, too */
	bool ready;	/* syncd has fetched what other nodes know; false until it says so */
	bool gave_up;	/* the last hand-over took too long */
	uint32_t credit;
	struct hf_record batch[HF_CLIENT_BATCH];
	uint32_t batch_count;
	struct hf_asked asked[HF_CLIENT_ASKS];
	struct hf_asked asking; /* the next packet */
	uint32_t last_ticket;
	uint8_t packet[HF_NODE_PACKET];
};

/* Connects to the syncd of that instance, now or as soon as it is there. */
void hf_sync_client_start(struct hf_sync_client *client, uv_loop_t *loop, const char *instance,
			  struct hf_forwarding *forwarding, struct hf_sharing *sharing,
			  const struct hf_sync_client_calls *calls);
void hf_sync_client_stop(struct hf_sync_client *client);

/* What this node says of itself: digests of its configuration and its tables, and whether it can be
 * an owner. */
void hf_sync_client_set_state(struct hf_sync_client *client, uint64_t config, uint64_t tables,
			      bool serving);

/* A notice for all nodes; lost if syncd is not there, and told with all others when it is. */
void hf_sync_client_post(struct hf_sync_client *client, const struct hf_notice *notice);

/* Takes a record, whose stamp is its age, for the next packet. False: there is no room now. */
bool hf_sync_client_export(struct hf_sync_client *client, const struct hf_record *record,
			   bool is_exception);

/* Asks the owners for a flow; what they say goes to `sharing`. */
void hf_sync_client_ask(struct hf_sync_client *client, const struct hf_question *question);

/* Sends what has been taken. */
void hf_sync_client_flush(struct hf_sync_client *client);

#endif
