/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams over TCP: snapshots, both ends (core/snapshot.c), and calls, where they are answered
 * (core/call.c). */
#ifndef HF_SYNCD_STREAMS_H
#define HF_SYNCD_STREAMS_H

#include "syncd/daemon.h"

/* Listens on the node's endpoint. 0 or a negative errno, logged. */
int hf_streams_open(struct hf_streams **streams, struct hf_daemon *daemon);
void hf_streams_close(struct hf_streams *streams);

/* Opens a stream to a member, in the place of the one that is open, and sends the request. What
 * comes goes to the core. */
void hf_streams_fetch(struct hf_streams *streams, const struct hf_endpoint *from,
		      const uint8_t *request, size_t length);

/* The core may be called: says to it what failed at once. */
void hf_streams_settle(struct hf_streams *streams);

#endif
