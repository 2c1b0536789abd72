/* SPDX-License-Identifier: BSD-2-Clause */
/* The wall clock as the cluster's clock counts (record.h): what it starts as, until other nodes are
 * heard. */
#ifndef HF_STAMP_H
#define HF_STAMP_H

#include <time.h>

#include "lib/record.h"

static inline uint32_t hf_stamp_of_wall(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec < HF_STAMP_EPOCH)
		return 1;
	return (uint32_t)((now.tv_sec - HF_STAMP_EPOCH) * HF_STAMPS_SECOND +
			  now.tv_nsec / (1000000000 / HF_STAMPS_SECOND));
}

#endif
