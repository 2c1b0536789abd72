/* SPDX-License-Identifier: BSD-2-Clause */
/* Metrics in Prometheus' text format (exposition format 0.0.4): counters end in _total, units are
 * seconds and bytes. */
#ifndef HF_METRICS_H
#define HF_METRICS_H

#include <stdint.h>
#include <stdio.h>

enum hf_metric_type { HF_METRIC_COUNTER, HF_METRIC_GAUGE };

/* Once, before the values of a metric. `help` is one line. */
void hf_metric_head(FILE *out, const char *name, enum hf_metric_type type, const char *help);

/* A value, with labels: pairs of name and text, the last followed by NULL. */
void hf_metric_value(FILE *out, const char *name, uint64_t value, ...) __attribute__((sentinel));
void hf_metric_seconds(FILE *out, const char *name, double seconds, ...) __attribute__((sentinel));

/* Both, of a metric without labels. */
void hf_metric(FILE *out, const char *name, enum hf_metric_type type, const char *help,
	       uint64_t value);

#endif
