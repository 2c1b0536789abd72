/* SPDX-License-Identifier: BSD-2-Clause */
/* What another node asks a program of this one (core/call.c), and its answer. */
#ifndef HF_SYNCD_RELAY_H
#define HF_SYNCD_RELAY_H

#include "syncd/daemon.h"

/* Length 0: there is no answer. The answer is valid until this returns. */
typedef void (*hf_relay_done)(void *context, const uint8_t *answer, size_t length);

struct hf_relay;

/* Asks. Calls done() once, from the loop; or returns NULL, and there is nobody to ask. */
struct hf_relay *hf_relay_new(struct hf_daemon *daemon, const struct hf_request *request,
			      hf_relay_done done, void *context);
/* Nobody waits for it any more: done() is not called. To be called after done(), too. */
void hf_relay_delete(struct hf_relay *relay);

#endif
