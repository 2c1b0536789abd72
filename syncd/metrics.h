/* SPDX-License-Identifier: BSD-2-Clause */
/* What syncd tells Prometheus. */
#ifndef HF_SYNCD_METRICS_H
#define HF_SYNCD_METRICS_H

#include <stdio.h>

/* Of a struct hf_daemon: see lib/metrics_server.h. */
void hf_daemon_metrics(void *daemon, FILE *out);

#endif
