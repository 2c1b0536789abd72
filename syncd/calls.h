/* SPDX-License-Identifier: BSD-2-Clause */
/* What this node's commands ask programs of other nodes: the asking end of core/call.c, over TCP.
 */
#ifndef HF_SYNCD_CALLS_H
#define HF_SYNCD_CALLS_H

#include "proto/node.pb-c.h"
#include "syncd/daemon.h"

/* How it went: an answer, or in words why there is none. Called from the loop, or from within
 * hf_calls_make(); once, and again soon if it says that it could not take an answer. */
typedef bool (*hf_calls_done)(void *context, uint32_t ticket, const char *error,
			      const uint8_t *answer, size_t length);

void hf_calls_make(struct hf_daemon *daemon, const Holdfast__CallAsk *ask, hf_calls_done done,
		   void *context);

/* Who made them does not wait any more; NULL: nobody does. */
void hf_calls_cancel(struct hf_daemon *daemon, const void *context);

#endif
