/* SPDX-License-Identifier: BSD-2-Clause */
/* Times as BIRD tells them: worked out anew each time, from a clock that may have been set
 * meanwhile. So only differences of times of one reply mean anything, give or take a ms or two. No
 * I/O. */
#ifndef HF_BGP_TIMES_H
#define HF_BGP_TIMES_H

#include <stdint.h>

/* In ms of some clock, of "2026-11-26 16:32:01.256"; -1: it is told in some other form. */
int64_t hf_bird_time(const char *text);

#endif
