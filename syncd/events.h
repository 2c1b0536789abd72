/* SPDX-License-Identifier: BSD-2-Clause */
/* What the core reports, in the log: once, with old and new state, and why. */
#ifndef HF_SYNCD_EVENTS_H
#define HF_SYNCD_EVENTS_H

#include "syncd/core/sync.h"

void hf_log_event(const struct hf_sync *sync, const struct hf_event *event);

#endif
