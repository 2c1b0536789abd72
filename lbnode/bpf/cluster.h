/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Look-ups in the cluster's table, for BPF and C: who sent this, and whom to ask. */
#ifndef HF_LBNODE_BPF_CLUSTER_H
#define HF_LBNODE_BPF_CLUSTER_H

#include "lbnode/bpf/types.h"

/* As hf_service_hash(): the keys are the operator's. */
HF_INLINE __u32 hf_peer_hash(const __u32 address[4])
{
	__u64 low = (__u64)address[1] << 32 | address[0];
	__u64 high = (__u64)address[3] << 32 | address[2];
	__u64 h = low * 0x6a09e667f3bcc909ULL ^ HF_ROTL64(high * 0xbb67ae8584caa73bULL, 29);

	h ^= h >> 32;
	h *= 0xa54ff53a5f1d36f1ULL;
	return h >> 54; /* log2(HF_PEER_CELLS) = 10 bits */
}

HF_INLINE bool hf_is_address(const __u32 a[4], const __u32 b[4])
{
	return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3];
}

/* Whether a member has the address, or had it in the last day. */
HF_INLINE bool hf_is_peer(const struct hf_cluster *cluster, const __u32 address[4])
{
	__u32 at = hf_peer_hash(address);

	for (int i = 0; i < HF_PEER_PROBES; i++) {
		__u32 index = cluster->by_address[(at + i) & (HF_PEER_CELLS - 1)];

		if (!index || index >= HF_MAX_PEERS)
			return false;
		if (hf_is_address(cluster->peer[index].address, address))
			return true;
	}
	return false;
}

_Static_assert(HF_PEER_CELLS == 1 << 10, "hf_peer_hash() gives 10 bits");

#endif
