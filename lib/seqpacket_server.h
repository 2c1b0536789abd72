/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where commands, and the node's other programs, reach a running daemon: a Unix seqpacket socket,
 * on which each packet is a message that is answered by one. Only root, the daemon's own user and
 * syncd's, who brings what is asked on other nodes, may connect: not by the socket's mode, for
 * lbnode is root without the right to override it.
 */
#ifndef HF_SEQPACKET_SERVER_H
#define HF_SEQPACKET_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define HF_SEQPACKET_CLIENTS 160   /* at once: the calls that syncd serves, and some here */
#define HF_SEQPACKET_MAX     65536 /* bytes of a packet at most */

struct hf_seqpacket_answer {
	uint8_t *bytes;		     /* to be filled, up to HF_SEQPACKET_MAX */
	size_t length;		     /* 0: the message was not understood; the connection ends */
	int connection;		     /* that it goes by: for whom answers later, */
	bool later;		     /* which is to be said here */
	bool by_syncd;		     /* the message comes from syncd's user, and so from anywhere */
	int fd;			     /* sent along; -1: none. Stays its owner's */
	void (*sent)(void *context); /* called when it was; NULL: nothing is */
};

typedef void (*hf_seqpacket_take)(void *context, const uint8_t *message, size_t length,
				  struct hf_seqpacket_answer *answer);

struct hf_seqpacket_client;

struct hf_seqpacket_server {
	hf_seqpacket_take take;
	void *context;
	uv_loop_t *loop;
	uv_poll_t poll;
	int fd; /* -1: not open */
	char path[108];
	struct hf_seqpacket_client *clients;
	uint32_t client_count;
	uint8_t in[HF_SEQPACKET_MAX], out[HF_SEQPACKET_MAX];
};

/* Binds the socket, in the place of one that is left there. 0 or a negative errno, logged. */
int hf_seqpacket_open(struct hf_seqpacket_server *server, const char *path, hf_seqpacket_take take,
		      void *context);
void hf_seqpacket_start(struct hf_seqpacket_server *server, uv_loop_t *loop);
void hf_seqpacket_stop(struct hf_seqpacket_server *server);
void hf_seqpacket_close(struct hf_seqpacket_server *server);

#endif
