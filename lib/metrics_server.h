/* SPDX-License-Identifier: BSD-2-Clause */
/* Serves metrics to Prometheus: GET /metrics by HTTP, which is libmicrohttpd's, in the daemon's own
 * loop. */
#ifndef HF_METRICS_SERVER_H
#define HF_METRICS_SERVER_H

#include <stdio.h>
#include <uv.h>

#include "lib/config.h"

/* Added to metrics.port, so that a node's programs don't meet. */
enum hf_metrics_offset { HF_METRICS_LBNODE, HF_METRICS_SYNCD, HF_METRICS_LBBGP };

struct hf_metrics_server {
	struct MHD_Daemon *http; /* NULL: none is served */
	void (*fill)(void *context, FILE *out);
	void *context;
	uv_poll_t poll;
	uv_timer_t timer;
};

/* Logged as a warning if it can't: no daemon stops for want of being watched. `fill` writes all
 * metrics. */
void hf_metrics_start(struct hf_metrics_server *server, uv_loop_t *loop,
		      const struct hf_config_metrics *config, enum hf_metrics_offset offset,
		      void (*fill)(void *context, FILE *out), void *context);
void hf_metrics_stop(struct hf_metrics_server *server);

#endif
