/* SPDX-License-Identifier: BSD-2-Clause */
/* Times of day as BIRD tells them. No I/O. */
#ifndef HF_BGP_TIMES_H
#define HF_BGP_TIMES_H

#include <stdbool.h>
#include <stdint.h>

/* In ms, of "2026-11-26 16:32:01.256"; -1: it is told in some other form. */
int64_t hf_bird_time(const char *text);

/* BIRD works a time out anew whenever it tells it, and so differs by a millisecond from itself. */
bool hf_bird_same_time(const char *a, const char *b);

#endif
