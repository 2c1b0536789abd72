/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the data plane's fragments that must wait (held.h) and the agent's event loop. */
#ifndef HF_LBNODE_HOLDING_H
#define HF_LBNODE_HOLDING_H

#include <uv.h>

#include "lbnode/dataplane.h"
#include "lbnode/held.h"

struct hf_holding {
	struct hf_dataplane *dataplane;
	struct hf_hold hold;
	uv_poll_t poll;
	uv_timer_t timer;
};

/* Borrows both for its life. */
void hf_holding_start(struct hf_holding *holding, uv_loop_t *loop, struct hf_dataplane *dataplane);
/* Its handles are closed when the loop has run once more. */
void hf_holding_stop(struct hf_holding *holding);

#endif
