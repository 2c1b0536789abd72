/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What is put in front of an inner packet: the tunnel's header, and a next hop's Ethernet header.
 * Written by XDP for clients' packets, and by tc for this node's own probes.
 *
 * The node stands for the VIP and is no router between client and backend, so the inner TTL is
 * not decremented (RFC 2003 section 3.1, RFC 2473 section 3.1); the outer one is set anew by every
 * node and a packet can't loop. DSCP and ECN are copied outward (RFC 6040 section 4.1, normal
 * mode). Outer IPv4 headers always forbid fragmentation: the backend's agent takes no fragments,
 * and RFC 2003 section 3.1 allows it.
 */
#ifndef HF_LBNODE_BPF_OUTER_H
#define HF_LBNODE_BPF_OUTER_H

#include "lbnode/bpf/types.h"
#include "lbnode/bpf/unknown.h"
#include "lib/packet/checksum.h"
#include "lib/packet/envelope.h"

#define HF_OUTER_TTL 64
#define HF_IPV6_FLOW 0x000fffff
/* RFC 6335: source ports are taken from the dynamic range, 49152 to 65535. */
#define HF_GUE_PORT_MIN 0xc000

struct hf_vlan_ethernet {
	__u8 macs[12];
	__be16 protocol;
} __attribute__((packed));

/* That data: an envelope, or the name of a last chance. */
#define HF_OPTION_WORDS_MAX HF_LAST_CHANCE6_WORDS
struct hf_option {
	__u32 word[HF_OPTION_WORDS_MAX];
};

HF_INLINE bool hf_is_over_ipv4(__u8 encapsulation)
{
	return encapsulation == HF_ENCAP_IPIP_OVER_IPV4 || encapsulation == HF_ENCAP_GUE_OVER_IPV4;
}

HF_INLINE __u32 hf_outer_length(__u8 encapsulation)
{
	switch (encapsulation) {
	case HF_ENCAP_IPIP_OVER_IPV4:
		return sizeof(struct iphdr);
	case HF_ENCAP_IPIP_OVER_IPV6:
		return sizeof(struct ipv6hdr);
	case HF_ENCAP_GUE_OVER_IPV4:
		return sizeof(struct iphdr) + sizeof(struct udphdr) + sizeof(struct hf_gue_header);
	default:
		return sizeof(struct ipv6hdr) + sizeof(struct udphdr) +
		       sizeof(struct hf_gue_header);
	}
}

/* backend->checksum sums up what all of a backend's outer headers have in common. */
HF_INLINE void hf_write_ipv4(struct iphdr *ip, const struct hf_backend *backend,
			     const struct hf_inner *in, __u8 protocol, __u16 length)
{
	__u32 source = backend->source[0] | (in->entropy & backend->entropy);
	__u32 sum = backend->checksum + bpf_htons(length) + ((__u32)in->tos << 8);

	sum += (source & 0xffff) + (source >> 16) + ((__u32)protocol << 8);
	*(__be16 *)ip = bpf_htons(0x4500 | in->tos);
	ip->tot_len = bpf_htons(length);
	ip->id = 0; /* RFC 6864 section 4.1: an unfragmentable datagram needs none */
	ip->frag_off = bpf_htons(HF_IPV4_DF);
	ip->ttl = HF_OUTER_TTL;
	ip->protocol = protocol;
	ip->check = hf_checksum_fold(sum);
	ip->saddr = source;
	ip->daddr = backend->address[0];
}

/* The flow label carries the flow's entropy as well (RFC 6438). */
HF_INLINE void hf_write_ipv6(struct ipv6hdr *ip, const struct hf_backend *backend,
			     const struct hf_inner *in, __u8 protocol, __u16 payload)
{
	*(__be32 *)ip = bpf_htonl(6U << 28 | (__u32)in->tos << 20 | (in->entropy & HF_IPV6_FLOW));
	ip->payload_len = bpf_htons(payload);
	ip->nexthdr = protocol;
	ip->hop_limit = HF_OUTER_TTL;
	for (int i = 0; i < 3; i++)
		ip->saddr.s6_addr32[i] = backend->source[i];
	ip->saddr.s6_addr32[3] = backend->source[3] | (in->entropy & backend->entropy);
	for (int i = 0; i < 4; i++)
		ip->daddr.s6_addr32[i] = backend->address[i];
}

/* No UDP checksum: RFC 768 allows it over IPv4, RFC 6935 for tunnels over IPv6, and the inner
 * packet has its own. */
HF_INLINE void hf_write_gue(struct udphdr *udp, const struct hf_backend *backend,
			    const struct hf_inner *in)
{
	struct hf_gue_header *gue = (void *)(udp + 1);

	udp->source = bpf_htons(HF_GUE_PORT_MIN | (in->entropy & 0x3fff));
	udp->dest = backend->gue_port;
	udp->len = bpf_htons(in->length + sizeof(*udp) + sizeof(*gue) + in->option_words * 4);
	udp->check = 0;
	/* Variant 0, no control message, so many words more. */
	gue->version_length_protocol =
		bpf_htons(in->option_words << 8 | (in->family == 4 ? IPPROTO_IPIP : IPPROTO_IPV6));
	gue->flags = 0;
}

/* The outer header at `out`, in front of the inner packet. False: there is no room for it, which
 * only the verifier believes possible. */
HF_INLINE bool hf_write_outer(void *out, void *end, const struct hf_backend *backend,
			      __u8 encapsulation, const struct hf_inner *in, __u32 outer)
{
	__u8 ip_in_ip = in->family == 4 ? IPPROTO_IPIP : IPPROTO_IPV6;
	const __u32 gue = sizeof(struct udphdr) + sizeof(struct hf_gue_header);

	switch (encapsulation) {
	case HF_ENCAP_IPIP_OVER_IPV4:
		if (out + sizeof(struct iphdr) > end)
			return false;
		hf_write_ipv4(out, backend, in, ip_in_ip, in->length + outer);
		return true;
	case HF_ENCAP_IPIP_OVER_IPV6:
		if (out + sizeof(struct ipv6hdr) > end)
			return false;
		hf_write_ipv6(out, backend, in, ip_in_ip, in->length);
		return true;
	case HF_ENCAP_GUE_OVER_IPV4:
		if (out + sizeof(struct iphdr) + gue > end)
			return false;
		hf_write_ipv4(out, backend, in, IPPROTO_UDP, in->length + outer);
		hf_write_gue(out + sizeof(struct iphdr), backend, in);
		return true;
	default:
		if (out + sizeof(struct ipv6hdr) + gue > end)
			return false;
		hf_write_ipv6(out, backend, in, IPPROTO_UDP,
			      in->length + gue + in->option_words * 4);
		hf_write_gue(out + sizeof(struct ipv6hdr), backend, in);
		return true;
	}
}

/* Ethernet header and the next hop's VLAN tags at `data`; returns what follows them. */
HF_INLINE void *hf_write_ethernet(void *data, const struct hf_nexthop *nexthop, __be16 protocol)
{
	struct hf_vlan_ethernet *eth = data;
	struct hf_vlan_header *vlan = data + sizeof(*eth);

	__builtin_memcpy(eth->macs, nexthop->macs, sizeof(eth->macs));
	eth->protocol = protocol;
	if (!nexthop->vlan_tags)
		return vlan;
	eth->protocol = nexthop->vlan[0].protocol;
	vlan->tci = nexthop->vlan[0].tci;
	vlan->protocol = protocol;
	if (nexthop->vlan_tags == 1)
		return vlan + 1;
	vlan->protocol = nexthop->vlan[1].protocol;
	vlan[1].tci = nexthop->vlan[1].tci;
	vlan[1].protocol = protocol;
	return vlan + 2;
}

/* Behind the GUE header; the packet's own header follows. */
HF_INLINE bool hf_write_option(void *at, void *end, const struct hf_option *option, __u32 words)
{
	__u32 *word = at;

	for (__u32 i = 0; i < HF_OPTION_WORDS_MAX && i < words; i++) {
		if ((void *)(word + i + 1) > end)
			return false;
		word[i] = option->word[i];
	}
	return true;
}

#endif
