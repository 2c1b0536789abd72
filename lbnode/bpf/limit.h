/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Rate limits per source, for what a source could otherwise make others suffer from: ICMP errors,
 * which cost backends a look-up each, answers, which cost whoever was forged, and fragments that
 * must wait, for which there is little room.
 *
 * The generic cell rate algorithm (ITU-T I.371): a cell holds the time at which a source that sent
 * at its full rate would have had its last turn. Sources that meet in one cell share its rate; the
 * hash is keyed, so that nobody can choose whom to meet.
 */
#ifndef HF_LBNODE_BPF_LIMIT_H
#define HF_LBNODE_BPF_LIMIT_H

#include "lbnode/bpf/maps.h"
#include "lib/packet/siphash.h"

/* 1,000 a second, 100 at once; of fragments 100 and 64, which a datagram of 64 KB has at most. */
#define HF_LIMIT_US		 1000
#define HF_LIMIT_BURST		 100
#define HF_LIMIT_FRAGMENTS_US	 10000
#define HF_LIMIT_FRAGMENTS_BURST 64

/* Of flows that are new here: as many as a rehash may bring from one carrier's gateway. */
#define HF_LIMIT_STRANGERS_US	 100
#define HF_LIMIT_STRANGERS_BURST 16384

/* Of all sources together, which may be forged, 250,000 a second and CPU. Shards spread over all
 * nodes: so an owner gets no more a CPU, and as many again on their second hop, however large the
 * flood. */
#define HF_LIMIT_NODE_US    4
#define HF_LIMIT_NODE_BURST 65536

enum hf_limited {
	HF_LIMITED_ERRORS,
	HF_LIMITED_ANSWERS,
	HF_LIMITED_FRAGMENTS,
	HF_LIMITED_STRANGERS,
};

/* A source is an IPv4 address, or an IPv6 /64, which is one host's to choose from. */
HF_INLINE __u64 *hf_limit_cell(const __u32 *source, __u8 family, enum hf_limited what)
{
	struct hf_sip s;
	__u32 key;

	hf_sip_start(&s, (struct hf_key){ flow_key.k0, flow_key.k1 });
	hf_sip_word(&s, (__u64)source[1] << 32 | source[0]);
	hf_sip_word(&s, 16ULL << 56 | what << 8 | family);
	key = hf_sip_end(&s) % HF_LIMIT_CELLS;
	return bpf_map_lookup_elem(&limits, &key);
}

/* True: no more for now. One each `interval`, in microseconds, and `burst` at once. */
HF_INLINE bool hf_limit_rate(__u64 *cell, __u64 interval, __u64 burst)
{
	__u64 now = hf_now_us(), turn;

	if (!cell)
		return true;
	burst *= interval;
	turn = *(volatile __u64 *)cell;
	/* Longer ahead than a full burst it can't be, unless the clock began anew. */
	if (turn < now || turn > now + 2 * burst)
		turn = now;
	if (turn + interval > now + burst)
		return true;
	/* Two CPUs may let a packet more pass: no harm. */
	*(volatile __u64 *)cell = turn + interval;
	return false;
}

/* True: the source has had its share of `what`. */
HF_INLINE bool hf_limit(const __u32 *source, __u8 family, enum hf_limited what)
{
	__u64 *cell = hf_limit_cell(source, family, what);

	switch (what) {
	case HF_LIMITED_FRAGMENTS:
		return hf_limit_rate(cell, HF_LIMIT_FRAGMENTS_US, HF_LIMIT_FRAGMENTS_BURST);
	case HF_LIMITED_STRANGERS:
		return hf_limit_rate(cell, HF_LIMIT_STRANGERS_US, HF_LIMIT_STRANGERS_BURST);
	default:
		return hf_limit_rate(cell, HF_LIMIT_US, HF_LIMIT_BURST);
	}
}

/* True: this CPU has sent enough to other nodes, whoever the sources are. */
HF_INLINE bool hf_limit_node(void)
{
	__u32 zero = 0;

	return hf_limit_rate(bpf_map_lookup_elem(&second_chances, &zero), HF_LIMIT_NODE_US,
			     HF_LIMIT_NODE_BURST);
}

#endif
