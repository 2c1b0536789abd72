/* SPDX-License-Identifier: BSD-2-Clause */
/* The cluster on one screen; for status.c and top.c. */
#ifndef HF_LBCTL_STATUS_H
#define HF_LBCTL_STATUS_H

#include <stdio.h>

#include "lbctl/command.h"

/* A new object: "state" ("fine", "degraded", "unknown"), "problems", "nodes", "pools"; see
 * docs/lbctl.md. */
json_t *hf_status_make(const struct hf_context *context);
void hf_status_show(FILE *out, const json_t *status);
/* Records that a syncd, by its Status, has yet to send to others, or to hear confirmed. */
int64_t hf_status_waiting(const json_t *syncd);

#endif
