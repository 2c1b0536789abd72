/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Unix socket to the node's other programs, above all lbnode (proto/node.proto).
 *
 * A packet is a message. Both sides begin with NodeHello; syncd then says all that there is to
 * know: owners, credit, and that all is to be exported again. So either side may start anew at any
 * time. What changes later is told when it can be: for a client that reads too slowly it is the
 * latest state that waits, not a queue. Only root and syncd's own user may connect.
 */
#ifndef HF_SYNCD_NODE_SOCKET_H
#define HF_SYNCD_NODE_SOCKET_H

#include "syncd/daemon.h"

/* 0 or a negative errno, logged. */
int hf_node_socket_open(struct hf_node_socket **nodes, const char *instance);
void hf_node_socket_start(struct hf_node_socket *nodes, struct hf_daemon *daemon);
void hf_node_socket_close(struct hf_node_socket *nodes);

/* A record that this node keeps has changed. */
void hf_node_socket_record(struct hf_node_socket *nodes, const struct hf_record *record);

/* A notice from another node is news. */
void hf_node_socket_notice(struct hf_node_socket *nodes, const struct hf_notice *notice);

/* What the core says, from within a call of it: is told when that is over. */
void hf_node_socket_owners(struct hf_node_socket *nodes);
void hf_node_socket_export_again(struct hf_node_socket *nodes, const struct hf_shard_set *shards);
void hf_node_socket_told(struct hf_node_socket *nodes, uint32_t ticket,
			 const struct hf_record *records, uint32_t count, bool all);

/* The core may be called, and has been. */
void hf_node_socket_settle(struct hf_node_socket *nodes);

/* lbnode is there, or was until lately, and says that it serves. */
bool hf_node_socket_is_serving(const struct hf_node_socket *nodes);

#endif
