/* SPDX-License-Identifier: BSD-2-Clause */
/* Times in the core: microseconds of a monotonic clock that the caller reads, once for each call.
 */
#ifndef HF_SYNC_CLOCK_H
#define HF_SYNC_CLOCK_H

#include <stdint.h>

typedef int64_t hf_time;

#define HF_MS(n)      ((hf_time)(n)*1000)
#define HF_SECONDS(n) ((hf_time)(n)*1000000)
#define HF_NEVER      INT64_MAX

#endif
