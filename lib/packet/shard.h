/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shards: 4,096 parts of the digest space, each with its owners. */
#ifndef HF_PACKET_SHARD_H
#define HF_PACKET_SHARD_H

#include "lib/packet/base.h"

#define HF_SHARD_BITS 12
#define HF_SHARDS     (1U << HF_SHARD_BITS)

HF_INLINE __u32 hf_shard(__u64 digest)
{
	return digest >> (64 - HF_SHARD_BITS);
}

#endif
