/* SPDX-License-Identifier: BSD-2-Clause */
/* What lbnode keeps over restarts: files under /var/lib/holdfast, each replaced as a whole. */
#ifndef HF_LBNODE_STATE_FILE_H
#define HF_LBNODE_STATE_FILE_H

#include <stddef.h>
#include <stdint.h>

/* 0 or a negative errno. */
int hf_state_save(const char *name, const uint8_t *bytes, size_t length);

/* Its bytes, with a 0 behind them, to be freed; NULL: there is no such file, or it is of no use. */
uint8_t *hf_state_load(const char *name, size_t *length);

#endif
