/* SPDX-License-Identifier: BSD-2-Clause */
/* What lbbgp tells Prometheus. */
#ifndef HF_BGP_METRICS_H
#define HF_BGP_METRICS_H

#include <stdio.h>

/* Of a struct hf_bgp: see lib/metrics_server.h. */
void hf_bgp_metrics(void *bgp, FILE *out);

#endif
