/* SPDX-License-Identifier: BSD-2-Clause */
/* The backend's agent: attaches, follows the host's addresses, detaches on SIGTERM. */
#ifndef HF_LBHOST_AGENT_H
#define HF_LBHOST_AGENT_H

#include <stdbool.h>
#include <stdio.h>

#include "lbhost/dataplane.h"

/* Runs until SIGTERM or SIGINT. 0, or a negative errno, logged. */
int hf_host_run(const struct hf_host_settings *settings);

/* What a crashed agent left. 0 or a negative errno, logged. */
int hf_host_clean(const char *instance);

/* The counters: a text, or one JSON object {"instance", "counters": {name: n}}. */
int hf_host_show_statistics(FILE *out, const char *instance, bool json);

#endif
