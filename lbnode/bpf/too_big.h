/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The answer to a packet that, with its outer header, exceeds the way's MTU: ICMP "fragmentation
 * needed" (RFC 1191) or ICMPv6 "packet too big" (RFC 8201), with the size that does fit. It comes
 * from the VIP, which every way back lets pass, and quotes as much of the packet as it may:
 * 576 bytes in all (RFC 1812 section 4.3.2.3), or 1,280 (RFC 4443 section 3.2).
 *
 * A packet without "don't fragment" is answered, too, though RFC 791 would have us cut it: a
 * program at XDP can make no second packet out of one, the VIP could not put the pieces together on
 * its way to the backend, and most senders heed the answer.
 */
#ifndef HF_LBNODE_BPF_TOO_BIG_H
#define HF_LBNODE_BPF_TOO_BIG_H

#include "lbnode/bpf/limit.h"
#include "lib/packet/icmp.h"
#include "lib/packet/l2.h"

#define HF_ANSWER_TTL	64
#define HF_IPV6_MTU_MIN 1280
#define HF_QUOTE4	548  /* + 20 + 8 = 576 */
#define HF_QUOTE6	1232 /* + 40 + 8 = 1280 */
#define HF_SUM_AT_ONCE	512  /* what bpf_csum_diff() takes */

struct hf_too_big4 {
	struct iphdr ip;
	struct hf_icmp icmp;
	__u8 quote[HF_QUOTE4];
};

struct hf_too_big6 {
	struct ipv6hdr ip;
	struct hf_icmp icmp;
	__u8 quote[HF_QUOTE6];
};

/* The checksum of `bytes`, a constant and a multiple of 4, on top of `sum`. */
HF_INLINE __u16 hf_sum(void *from, __u32 bytes, __u64 sum)
{
	HF_UNROLL
	for (__u32 at = 0; at < 3 * HF_SUM_AT_ONCE; at += HF_SUM_AT_ONCE) {
		__u32 left = bytes > at ? bytes - at : 0;

		if (left > HF_SUM_AT_ONCE)
			left = HF_SUM_AT_ONCE;
		if (left)
			sum += (__u32)bpf_csum_diff(NULL, 0, from + at, left, 0);
	}
	return hf_checksum_fold(sum);
}

HF_INLINE void hf_write_too_big4(struct hf_too_big4 *answer, const struct hf_packet *p, __u16 mtu)
{
	struct iphdr *ip = &answer->ip;

	__builtin_memset(ip, 0, sizeof(*ip) + sizeof(answer->icmp));
	ip->version = 4;
	ip->ihl = 5;
	ip->tot_len = bpf_htons(sizeof(*answer));
	ip->frag_off = bpf_htons(HF_IPV4_DF);
	ip->ttl = HF_ANSWER_TTL;
	ip->protocol = IPPROTO_ICMP;
	ip->saddr = p->destination[0];
	ip->daddr = p->source[0];
	ip->check = hf_sum(ip, sizeof(*ip), 0);
	answer->icmp.type = HF_ICMP4_UNREACHABLE;
	answer->icmp.code = HF_ICMP4_TOO_BIG_CODE;
	answer->icmp.mtu = bpf_htons(mtu);
	answer->icmp.checksum =
		hf_sum(&answer->icmp, sizeof(answer->icmp) + sizeof(answer->quote), 0);
}

HF_INLINE void hf_write_too_big6(struct hf_too_big6 *answer, const struct hf_packet *p, __u16 mtu)
{
	const __u32 length = sizeof(answer->icmp) + sizeof(answer->quote);
	struct ipv6hdr *ip = &answer->ip;
	__u64 sum = (__u64)bpf_htonl(length) + bpf_htonl(IPPROTO_ICMPV6);

	__builtin_memset(ip, 0, sizeof(*ip) + sizeof(answer->icmp));
	ip->version = 6;
	ip->payload_len = bpf_htons(length);
	ip->nexthdr = IPPROTO_ICMPV6;
	ip->hop_limit = HF_ANSWER_TTL;
	for (int i = 0; i < 4; i++) {
		ip->saddr.s6_addr32[i] = p->destination[i];
		ip->daddr.s6_addr32[i] = p->source[i];
		sum += (__u64)p->destination[i] + p->source[i];
	}
	answer->icmp.type = HF_ICMP6_TOO_BIG;
	answer->icmp.mtu = bpf_htons(mtu);
	answer->icmp.checksum = hf_sum(&answer->icmp, length, sum);
}

/* Cuts the frame behind its quote, and makes room for the answer's headers before it, both
 * constants: where the answer begins, or NULL. */
HF_INLINE void *hf_make_answer(struct xdp_md *ctx, const struct hf_packet *p, __u32 quote,
			       __u32 headers)
{
	__be16 protocol = p->family == 4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
	__u32 l2 = p->l2_length;
	__u64 kept = l2 + quote;
	void *answer;

	if (bpf_xdp_adjust_tail(ctx, kept - bpf_xdp_get_buff_len(ctx)) || !hf_swap_macs(ctx) ||
	    !hf_move_l2(ctx, l2, -(int)headers, protocol))
		return NULL;
	answer = (void *)(long)ctx->data + l2;
	return answer + headers + quote <= (void *)(long)ctx->data_end ? answer : NULL;
}

HF_INLINE bool hf_answer_too_big(struct xdp_md *ctx, const struct hf_packet *p, __u16 mtu)
{
	void *answer;

	if (p->family == 4) {
		answer = hf_make_answer(ctx, p, HF_QUOTE4, sizeof(struct hf_too_big4) - HF_QUOTE4);
		if (answer)
			hf_write_too_big4(answer, p, mtu);
	} else {
		answer = hf_make_answer(ctx, p, HF_QUOTE6, sizeof(struct hf_too_big6) - HF_QUOTE6);
		if (answer)
			hf_write_too_big6(answer, p, mtu);
	}
	return answer != NULL;
}

/* Not where the answer would ask an IPv6 host for less than it must send (RFC 8200 section 5).
 * (Callers see to it that none is about ICMP, nor about other than first fragments: RFC
 * 1122, 3.2.2.) */
HF_INLINE bool hf_is_worth_an_answer(const struct hf_packet *p, int mtu)
{
	return p->family == 4 ? p->length >= HF_QUOTE4 : mtu >= HF_IPV6_MTU_MIN;
}

/* Of a packet that is larger than `mtu`, the most that fits the tunnel. Not static, and with
 * nothing but the context to go by, so that the verifier looks at it once a program. */
__attribute__((noinline)) int hf_too_big(struct xdp_md *ctx, int mtu)
{
	struct hf_packet p;

	if (hf_parse((void *)(long)ctx->data, (void *)(long)ctx->data_end, &p) == HF_PARSED_NOT_IP)
		return hf_drop(HF_COUNT_DROP_INTERNAL);
	if (!hf_is_worth_an_answer(&p, mtu) || hf_limit(p.source, p.family, HF_LIMITED_ANSWERS))
		return hf_drop(HF_COUNT_DROP_TOO_BIG);
	if (!hf_answer_too_big(ctx, &p, mtu))
		return hf_drop(HF_COUNT_DROP_INTERNAL);
	hf_count(HF_COUNT_TOO_BIG_TOLD);
	return XDP_TX;
}

#endif
