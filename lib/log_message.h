/* SPDX-License-Identifier: BSD-2-Clause */
/* What a program has said, as a message (proto/common.proto). */
#ifndef HF_LOG_MESSAGE_H
#define HF_LOG_MESSAGE_H

#include "lib/log.h"
#include "proto/common.pb-c.h"

#define HF_LOG_PAGE 100 /* entries: less than a packet, whatever they say */

struct hf_log_page {
	Holdfast__Log log;
	Holdfast__LogEntry entries[HF_LOG_PAGE], *list[HF_LOG_PAGE];
};

/* What was said after the entry, up to a page of it. Valid until more is said. */
Holdfast__Log *hf_log_message(struct hf_log_page *page, uint64_t after);

#endif
