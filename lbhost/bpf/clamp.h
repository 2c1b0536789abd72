/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Lowers the MSS that a VIP's SYN-ACK announces, so that what the client sends fits the way with
 * the tunnel's header in front: MTU - tunnel - IP - TCP (RFC 9293 section 3.7.1). The client may
 * not listen to "packet too big", or never be told.
 */
#ifndef HF_LBHOST_BPF_CLAMP_H
#define HF_LBHOST_BPF_CLAMP_H

#include <linux/pkt_cls.h>
#include "lbhost/bpf/maps.h"

#define HF_TCP_OPTIONS_MAX  40
#define HF_TCPOPT_END	    0
#define HF_TCPOPT_NOP	    1
#define HF_TCPOPT_MSS	    2
#define HF_TCPOPT_MSS_BYTES 4
#define HF_MSS_LEAST	    536 /* RFC 9293's default for IPv4: lower helps nobody */

/* The offset of the MSS option within `length` bytes of options; -1: there is none. */
HF_INLINE int hf_find_mss(const __u8 options[HF_TCP_OPTIONS_MAX], __u32 length)
{
	__u32 at = 0;

	for (int i = 0; i < HF_TCP_OPTIONS_MAX; i++) {
		if (at + HF_TCPOPT_MSS_BYTES > length || at > HF_TCP_OPTIONS_MAX - 4)
			return -1;
		switch (options[at]) {
		case HF_TCPOPT_END:
			return -1;
		case HF_TCPOPT_NOP:
			at++;
			break;
		case HF_TCPOPT_MSS:
			return at;
		default:
			if (options[at + 1] < 2)
				return -1;
			at += options[at + 1];
			break;
		}
	}
	return -1;
}

HF_INLINE __u32 hf_way_mtu(struct __sk_buff *skb)
{
	__u32 mtu = 0;

	if (tunnel_mtu)
		return tunnel_mtu;
	bpf_check_mtu(skb, 0, &mtu, 0, 0);
	return mtu;
}

/* Writes the lower MSS at `offset` in the packet, and mends the TCP checksum. */
HF_INLINE void hf_set_mss(struct __sk_buff *skb, __u32 offset, __u32 checksum, __be16 old,
			  __u16 mss)
{
	__be16 new = bpf_htons(mss);
	/* An option may start at an odd offset: then its bytes count in swapped places. */
	bool odd = (offset ^ checksum) & 1;

	if (bpf_skb_store_bytes(skb, offset, &new, sizeof(new), 0))
		return;
	if (odd)
		bpf_l4_csum_replace(skb, checksum, bpf_htons(old), bpf_htons(new), sizeof(new));
	else
		bpf_l4_csum_replace(skb, checksum, old, new, sizeof(new));
	hf_count(HF_HOST_MSS_CLAMPED);
}

HF_INLINE void hf_clamp_options(struct __sk_buff *skb, const struct hf_packet *p, __u32 l4,
				__u32 header, __u32 overhead)
{
	__u32 length = header - sizeof(struct tcphdr);
	__u32 ip = p->family == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	__u32 limit = hf_way_mtu(skb), taken = overhead + ip + sizeof(struct tcphdr);
	__u8 options[HF_TCP_OPTIONS_MAX] = { 0 };
	__be16 mss;
	int at;

	if (length < 4 || length > HF_TCP_OPTIONS_MAX || limit < taken + HF_MSS_LEAST)
		return;
	if (bpf_skb_load_bytes(skb, l4 + sizeof(struct tcphdr), options, length))
		return;
	at = hf_find_mss(options, length);
	if (at < 0 || at > HF_TCP_OPTIONS_MAX - HF_TCPOPT_MSS_BYTES)
		return;
	at += sizeof(struct tcphdr) + 2;
	if (bpf_skb_load_bytes(skb, l4 + at, &mss, sizeof(mss)) == 0 &&
	    bpf_ntohs(mss) > limit - taken)
		hf_set_mss(skb, l4 + at, l4 + offsetof(struct tcphdr, check), mss, limit - taken);
}

HF_INLINE void hf_clamp(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct hf_host_address vip;
	struct hf_packet p;
	__u32 *overhead, header;

	if (hf_parse(data, end, &p) != HF_PARSED_FLOW || p.protocol != IPPROTO_TCP ||
	    (p.tcp_flags & (HF_TCP_SYN | HF_TCP_ACK)) != (HF_TCP_SYN | HF_TCP_ACK))
		return;
	vip = hf_host_address(p.source, p.family);
	overhead = bpf_map_lookup_elem(&vips, &vip);
	if (!overhead || p.l4 + sizeof(struct tcphdr) > end)
		return;
	header = ((struct tcphdr *)p.l4)->doff * 4;
	hf_clamp_options(skb, &p, p.l4 - data, header, *overhead);
}

#endif
