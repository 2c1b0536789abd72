/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Moving a frame's Ethernet header and VLAN tags, for XDP programs. */
#ifndef HF_PACKET_L2_H
#define HF_PACKET_L2_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "lib/packet/parse.h"

#define HF_L2_LENGTH_MAX (ETH_HLEN + HF_MAX_VLAN_TAGS * sizeof(struct hf_vlan_header))

struct hf_l2 {
	__be16 word[HF_L2_LENGTH_MAX / 2];
};

/* `length` is constant where this is inlined. */
HF_INLINE bool hf_move_l2_of(struct xdp_md *ctx, __u32 length, int by, __be16 protocol)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct hf_l2 l2;

	if (data + length > end)
		return false;
	__builtin_memcpy(&l2, data, length);
	if (bpf_xdp_adjust_head(ctx, by))
		return false;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + length > end)
		return false;
	l2.word[length / 2 - 1] = protocol;
	__builtin_memcpy(data, &l2, length);
	return true;
}

/*
 * Moves the frame's start by so many bytes, on or back, and the Ethernet header and its tags,
 * `length` bytes as parsed, with it; what follows them is now of EtherType `protocol`. All pointers
 * into the packet are void after it. False: the kernel refused.
 */
HF_INLINE bool hf_move_l2(struct xdp_md *ctx, __u32 length, int by, __be16 protocol)
{
	const __u32 tag = sizeof(struct hf_vlan_header);

	switch (length) {
	case ETH_HLEN:
		return hf_move_l2_of(ctx, ETH_HLEN, by, protocol);
	case ETH_HLEN + tag:
		return hf_move_l2_of(ctx, ETH_HLEN + tag, by, protocol);
	default:
		return hf_move_l2_of(ctx, ETH_HLEN + 2 * tag, by, protocol);
	}
}

/* Sends a frame back to where it came from. */
HF_INLINE bool hf_swap_macs(struct xdp_md *ctx)
{
	__u16 *mac = (void *)(long)ctx->data;

	if ((void *)(mac + 6) > (void *)(long)ctx->data_end)
		return false;
	for (int i = 0; i < 3; i++) {
		__u16 word = mac[i];

		mac[i] = mac[i + 3];
		mac[i + 3] = word;
	}
	return true;
}

#endif
