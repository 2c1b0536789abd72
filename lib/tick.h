/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HF_TICK_H
#define HF_TICK_H

#include <stdint.h>

/* How long one of the kernel's jiffies is, in microseconds: BPF programs can count them, but not
 * tell. */
uint32_t hf_tick_us(void);

#endif
