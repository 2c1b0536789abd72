/* SPDX-License-Identifier: BSD-2-Clause */
/* Overrides and verdicts, kept over a restart of this node, or of all of them, under
 * /var/lib/holdfast. */
#ifndef HF_LBNODE_NOTICES_FILE_H
#define HF_LBNODE_NOTICES_FILE_H

#include "lib/board.h"

/* A failure is logged, once, and does no harm. */
void hf_notices_save(const char *instance, const struct hf_board *board);

/* Calls `take` for each that was kept; none if there is no file, or it can't be understood. */
void hf_notices_load(const char *instance,
		     void (*take)(void *context, const struct hf_notice *notice), void *context);

#endif
