/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Takes the outer header off: IPIP (RFC 2003, RFC 2473, RFC 4213) and GUE (variant 0), IPv4 and
 * IPv6 in each other. Only what is addressed to this host counts as ours; of that, only what comes
 * from an allowed source is unwrapped, since whoever may send tunnel packets may forge any client.
 */
#ifndef HF_LBHOST_BPF_DECAPSULATE_H
#define HF_LBHOST_BPF_DECAPSULATE_H

#include "lbhost/bpf/maps.h"

#define HF_GUE_VARIANT(byte)	  ((byte) >> 6)
#define HF_GUE_CONTROL(byte)	  ((byte) >> 5 & 1)
#define HF_GUE_OPTION_WORDS(byte) ((byte)&0x1f)

#define HF_ECN_MASK 3
#define HF_ECN_NONE 0
#define HF_ECN_ECT1 1
#define HF_ECN_CE   3

struct hf_tunnel {
	struct hf_packet outer;
	void *inner;   /* its IP header */
	__u8 protocol; /* IPPROTO_IPIP or IPPROTO_IPV6: what the inner packet is */
	bool is_gue;
};

/* The outer header is a tunnel's: where the inner packet starts. False: it is not, or it is cut
 * short, which *malformed tells. */
HF_INLINE bool hf_find_inner(struct hf_tunnel *t, enum hf_parsed parsed, void *end, bool *malformed)
{
	struct hf_packet *p = &t->outer;
	__u8 *gue;

	*malformed = false;
	if (parsed == HF_PARSED_OTHER &&
	    (p->protocol == IPPROTO_IPIP || p->protocol == IPPROTO_IPV6)) {
		t->protocol = p->protocol;
		t->inner = p->l4;
		return true;
	}
	if (parsed != HF_PARSED_FLOW || p->protocol != IPPROTO_UDP ||
	    p->destination_port != bpf_htons(gue_port))
		return false;
	gue = p->l4 + sizeof(struct udphdr);
	*malformed = true;
	if ((void *)(gue + 4) > end || HF_GUE_VARIANT(gue[0]) != 0 || HF_GUE_CONTROL(gue[0]))
		return false;
	t->is_gue = true;
	t->protocol = gue[1];
	t->inner = gue + 4 + HF_GUE_OPTION_WORDS(gue[0]) * 4;
	*malformed = t->protocol != IPPROTO_IPIP && t->protocol != IPPROTO_IPV6;
	return !*malformed;
}

HF_INLINE bool hf_is_local(const struct hf_packet *p)
{
	struct hf_host_address key = hf_host_address(p->destination, p->family);

	return bpf_map_lookup_elem(&local_addresses, &key) != NULL;
}

HF_INLINE bool hf_is_allowed(const struct hf_packet *p)
{
	struct hf_host_prefix key = {
		.length = HF_HOST_FAMILY_BITS + 128,
		.address = hf_host_address(p->source, p->family),
	};

	return bpf_map_lookup_elem(&allowed, &key) != NULL;
}

/* Changes the inner header's ECN field from `old` to `new`. */
HF_INLINE void hf_set_ecn(void *inner, __u8 family, __u8 old, __u8 new)
{
	struct iphdr *ip = inner;

	if (family == 6) {
		/* The traffic class starts in the middle of the first byte. */
		((__u8 *)inner)[1] = (((__u8 *)inner)[1] & ~(HF_ECN_MASK << 4)) | new << 4;
		return;
	}
	ip->tos = (ip->tos & ~HF_ECN_MASK) | new;
	/* RFC 1624, equation 3: HC' = ~(~HC + ~m + m') */
	__u32 sum = (__u16)~ip->check + (__u16)~bpf_htons(old) + bpf_htons(new);

	sum = (sum & 0xffff) + (sum >> 16);
	ip->check = ~((sum & 0xffff) + (sum >> 16));
}

/* RFC 6040 section 4.2, figure 4. False: the packet must be dropped. */
HF_INLINE bool hf_combine_ecn(const struct hf_tunnel *t, const struct hf_packet *inner)
{
	__u8 outside = t->outer.tos & HF_ECN_MASK, inside = inner->tos & HF_ECN_MASK;

	if (outside == HF_ECN_CE && inside == HF_ECN_NONE)
		return false;
	if (inside == HF_ECN_NONE || inside == HF_ECN_CE)
		return true;
	if (outside == HF_ECN_CE || (outside == HF_ECN_ECT1 && inside != HF_ECN_ECT1))
		hf_set_ecn(t->inner, inner->family, inside, outside);
	return true;
}

/* Remembers what a SYN came for, so that its SYN-ACK can be clamped (clamp.h). */
HF_INLINE void hf_note_vip(const struct hf_tunnel *t, const struct hf_packet *inner)
{
	struct hf_host_address vip = hf_host_address(inner->destination, inner->family);
	__u32 overhead = t->inner - t->outer.l3;

	if (inner->protocol == IPPROTO_TCP && (inner->tcp_flags & HF_TCP_SYN))
		bpf_map_update_elem(&vips, &vip, &overhead, BPF_ANY);
}

struct hf_l2 {
	__be16 word[(ETH_HLEN + HF_MAX_VLAN_TAGS * sizeof(struct hf_vlan_header)) / 2];
};

/* Moves the Ethernet header and its tags, `length` bytes, to before the inner packet. `length` is
 * constant where this is inlined. */
HF_INLINE bool hf_move_l2(struct xdp_md *ctx, __u32 outer_length, __be16 protocol, __u32 length)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct hf_l2 l2;

	if (data + length > end)
		return false;
	__builtin_memcpy(&l2, data, length);
	if (bpf_xdp_adjust_head(ctx, outer_length))
		return false;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + length > end)
		return false;
	l2.word[length / 2 - 1] = protocol;
	__builtin_memcpy(data, &l2, length);
	return true;
}

HF_INLINE bool hf_unwrap(struct xdp_md *ctx, const struct hf_tunnel *t)
{
	__be16 protocol = t->protocol == IPPROTO_IPIP ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
	__u32 outer_length = t->inner - t->outer.l3;
	const __u32 tag = sizeof(struct hf_vlan_header);

	switch (t->outer.l2_length) {
	case ETH_HLEN:
		return hf_move_l2(ctx, outer_length, protocol, ETH_HLEN);
	case ETH_HLEN + tag:
		return hf_move_l2(ctx, outer_length, protocol, ETH_HLEN + tag);
	default:
		return hf_move_l2(ctx, outer_length, protocol, ETH_HLEN + 2 * tag);
	}
}

HF_INLINE int hf_drop(enum hf_host_counter why)
{
	hf_count(why);
	return XDP_DROP;
}

/* The inner packet must be whole, and within what the outer header says. */
HF_INLINE bool hf_parse_inner(const struct hf_tunnel *t, struct hf_packet *inner, void *end)
{
	enum hf_parsed parsed;

	inner->l3 = t->inner;
	parsed =
		t->protocol == IPPROTO_IPIP ? hf_parse_ipv4(inner, end) : hf_parse_ipv6(inner, end);
	if (parsed == HF_PARSED_MALFORMED || parsed == HF_PARSED_NOT_IP)
		return false;
	if (parsed != HF_PARSED_FLOW)
		inner->protocol = inner->tcp_flags = 0;
	return t->inner + inner->length <= t->outer.l3 + t->outer.length;
}

HF_INLINE int hf_decapsulate(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct hf_packet inner;
	struct hf_tunnel t = { .is_gue = false };
	enum hf_parsed parsed;
	bool malformed, found;

	parsed = hf_parse(data, end, &t.outer);
	if (parsed == HF_PARSED_FRAGMENT) {
		if ((t.outer.protocol != IPPROTO_IPIP && t.outer.protocol != IPPROTO_IPV6) ||
		    !hf_is_local(&t.outer))
			return XDP_PASS;
		return hf_drop(hf_is_allowed(&t.outer) ? HF_HOST_DROP_FRAGMENT
						       : HF_HOST_DROP_SOURCE);
	}
	found = hf_find_inner(&t, parsed, end, &malformed);
	if ((!found && !malformed) || !hf_is_local(&t.outer))
		return XDP_PASS;
	if (!hf_is_allowed(&t.outer))
		return hf_drop(HF_HOST_DROP_SOURCE);
	if (malformed || !hf_parse_inner(&t, &inner, end))
		return hf_drop(HF_HOST_DROP_MALFORMED);
	if (!hf_combine_ecn(&t, &inner))
		return hf_drop(HF_HOST_DROP_ECN);
	hf_note_vip(&t, &inner);
	if (!hf_unwrap(ctx, &t))
		return hf_drop(HF_HOST_DROP_INTERNAL);
	hf_count(t.is_gue ? HF_HOST_DECAPSULATED_GUE : HF_HOST_DECAPSULATED_IPIP);
	return XDP_PASS;
}

#endif
