// SPDX-License-Identifier: BSD-2-Clause
#include "lib/tick.h"

#include <time.h>

uint32_t hf_tick_us(void)
{
	struct timespec resolution = { .tv_nsec = 4000000 }; /* of most kernels */

	clock_getres(CLOCK_MONOTONIC_COARSE, &resolution); /* which the tick moves on */
	return resolution.tv_nsec / 1000;
}
