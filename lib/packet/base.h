/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What all code that is compiled for BPF and for C needs. */
#ifndef HF_PACKET_BASE_H
#define HF_PACKET_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#define HF_INLINE static inline __attribute__((always_inline))

#ifdef __clang__
#define HF_UNROLL _Pragma("clang loop unroll(full)")
#else
#define HF_UNROLL _Pragma("GCC unroll 8")
#endif

/* The compiler takes the number for one that could be any. */
#define HF_OPAQUE(number) asm volatile("" : "+r"(number))

#define HF_ROTL64(x, n) (((x) << (n)) | ((x) >> (64 - (n))))

#define HF_GUE_PORT 6080 /* IANA's for GUE */

#define HF_TCP_FIN 0x01
#define HF_TCP_SYN 0x02
#define HF_TCP_RST 0x04
#define HF_TCP_ACK 0x10

#endif
