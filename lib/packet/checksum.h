/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The Internet checksum (RFC 1071), for BPF and C alike. All words are as they stand in memory. */
#ifndef HF_PACKET_CHECKSUM_H
#define HF_PACKET_CHECKSUM_H

#include "lib/packet/base.h"

/* The sum of some words, folded: what a header's checksum field holds. */
HF_INLINE __u16 hf_checksum_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~((sum & 0xffff) + (sum >> 16));
}

/* RFC 1624, equation 3: the checksum once a 16-bit word of what it covers has changed. */
HF_INLINE __u16 hf_checksum_replace(__u16 checksum, __u16 old, __u16 new)
{
	return hf_checksum_fold((__u64)(__u16)~checksum + (__u16)~old + new);
}

#endif
