/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Takes the outer header off: IPIP (RFC 2003, RFC 2473, RFC 4213) and GUE (variant 0), IPv4 and
 * IPv6 in each other. Only what is addressed to this host counts as ours; of that, only what comes
 * from an allowed source is unwrapped, since whoever may send tunnel packets may forge any client.
 */
#ifndef HF_LBHOST_BPF_DECAPSULATE_H
#define HF_LBHOST_BPF_DECAPSULATE_H

#include "lbhost/bpf/maps.h"
#include "lib/packet/l2.h"
#include "lib/packet/source.h"

#define HF_GUE_VARIANT(byte)	  ((byte) >> 6)
#define HF_GUE_CONTROL(byte)	  ((byte) >> 5 & 1)
#define HF_GUE_OPTION_WORDS(byte) ((byte)&0x1f)

/* Far beyond what any outer headers take. */
#define HF_INNER_OFFSET_MAX 0x3fff

#define HF_ECN_MASK 3
#define HF_ECN_NONE 0
#define HF_ECN_ECT1 1
#define HF_ECN_CE   3

struct hf_tunnel {
	struct hf_packet outer;
	__u32 outer_length; /* of all headers before the inner one */
	__u8 protocol;	    /* IPPROTO_IPIP or IPPROTO_IPV6: what the inner packet is */
	bool is_gue;
	__u8 option_words;
};

/* Where in the frame, from its start on, the tunnel's parts are. */
struct hf_tunnel_at {
	__u32 outer, inner;
	__u32 end; /* of what the outer header says is the packet */
	__u8 protocol;
	__u8 tos; /* the outer header's */
	__u16 reserved;
};

enum hf_found {
	HF_FOUND_TUNNEL,
	HF_FOUND_NONE,
	HF_FOUND_MALFORMED,
	HF_FOUND_FRAGMENT,
};

HF_INLINE enum hf_found hf_find_in_ipip(struct hf_tunnel *t, enum hf_parsed parsed)
{
	if (parsed == HF_PARSED_FRAGMENT)
		return HF_FOUND_FRAGMENT;
	t->protocol = t->outer.protocol;
	t->outer_length = t->outer.l4_offset;
	return parsed == HF_PARSED_OTHER ? HF_FOUND_TUNNEL : HF_FOUND_MALFORMED;
}

HF_INLINE enum hf_found hf_find_in_gue(struct hf_tunnel *t, void *end)
{
	__u8 *gue = t->outer.l4 + sizeof(struct udphdr);

	if ((void *)(gue + 4) > end || HF_GUE_VARIANT(gue[0]) != 0 || HF_GUE_CONTROL(gue[0]))
		return HF_FOUND_MALFORMED;
	t->is_gue = true;
	t->option_words = HF_GUE_OPTION_WORDS(gue[0]);
	t->protocol = gue[1];
	t->outer_length =
		t->outer.l4_offset + sizeof(struct udphdr) + 4 + HF_GUE_OPTION_WORDS(gue[0]) * 4;
	return t->protocol == IPPROTO_IPIP || t->protocol == IPPROTO_IPV6 ? HF_FOUND_TUNNEL
									  : HF_FOUND_MALFORMED;
}

/* Where the inner packet is, if the outer headers are a tunnel's. */
HF_INLINE enum hf_found hf_find_inner(struct hf_tunnel *t, enum hf_parsed parsed, void *end)
{
	const struct hf_packet *p = &t->outer;

	if (parsed == HF_PARSED_NOT_IP)
		return HF_FOUND_NONE;
	if (p->protocol == IPPROTO_IPIP || p->protocol == IPPROTO_IPV6)
		return hf_find_in_ipip(t, parsed);
	if (parsed == HF_PARSED_FLOW && p->protocol == IPPROTO_UDP &&
	    p->destination_port == bpf_htons(gue_port))
		return hf_find_in_gue(t, end);
	return HF_FOUND_NONE;
}

HF_INLINE bool hf_is_local(const struct hf_packet *p)
{
	struct hf_host_address key = hf_host_address(p->destination, p->family);

	return bpf_map_lookup_elem(&local_addresses, &key) != NULL;
}

HF_INLINE bool hf_is_allowed(const __u32 *source, __u8 family)
{
	struct hf_host_prefix key = {
		.length = HF_HOST_FAMILY_BITS + 128,
		.address = hf_host_address(source, family),
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
	ip->check = hf_checksum_replace(ip->check, bpf_htons(old), bpf_htons(new));
}

/* RFC 6040 section 4.2, figure 4. False: the packet must be dropped. */
HF_INLINE bool hf_combine_ecn(const struct hf_tunnel_at *at, const struct hf_packet *inner)
{
	__u8 outside = at->tos & HF_ECN_MASK, inside = inner->tos & HF_ECN_MASK;

	if (outside == HF_ECN_CE && inside == HF_ECN_NONE)
		return false;
	if (inside == HF_ECN_NONE || inside == HF_ECN_CE)
		return true;
	if (outside == HF_ECN_CE || (outside == HF_ECN_ECT1 && inside != HF_ECN_ECT1))
		hf_set_ecn(inner->l3, inner->family, inside, outside);
	return true;
}

/* Remembers what a SYN came for, so that its SYN-ACK can be clamped (clamp.h). */
HF_INLINE void hf_note_vip(const struct hf_tunnel_at *at, const struct hf_packet *inner)
{
	struct hf_host_address vip = hf_host_address(inner->destination, inner->family);
	__u32 overhead = at->inner - at->outer;

	if (inner->protocol == IPPROTO_TCP && (inner->tcp_flags & HF_TCP_SYN))
		bpf_map_update_elem(&vips, &vip, &overhead, BPF_ANY);
}

/* A tunnel in the tunnel: nodes take none from clients, so it was made to pass for something. */
HF_INLINE bool hf_is_nested(const struct hf_packet *inner, enum hf_parsed parsed)
{
	if (parsed == HF_PARSED_FLOW)
		return inner->protocol == IPPROTO_UDP &&
		       inner->destination_port == bpf_htons(gue_port);
	return inner->protocol == IPPROTO_IPIP || inner->protocol == IPPROTO_IPV6;
}

/* From a client: not from an address of this host's, which the VIP is, nor from no host's. */
HF_INLINE bool hf_is_from_a_client(const struct hf_packet *inner)
{
	struct hf_host_address key = hf_host_address(inner->source, inner->family);

	return hf_is_host_address(inner->source, inner->family) &&
	       !bpf_map_lookup_elem(&local_addresses, &key);
}

/* The inner packet must be whole, and within what the outer header says. */
HF_INLINE enum hf_parsed hf_parse_inner(const struct hf_tunnel_at *at, struct hf_packet *inner,
					void *data, void *end)
{
	enum hf_parsed parsed;

	hf_clear(inner);
	inner->l3 = data + at->inner;
	parsed = at->protocol == IPPROTO_IPIP ? hf_parse_ipv4(inner, end)
					      : hf_parse_ipv6(inner, end);
	if (parsed == HF_PARSED_NOT_IP || at->inner + inner->length > at->end)
		return HF_PARSED_MALFORMED;
	return parsed;
}

#define HF_HOST_GOOD HF_HOST_COUNTER_END

/*
 * Looks at the inner packet, and makes it ready to be given to the host: HF_HOST_GOOD, or the drop
 * to count. Not static, so that the verifier looks at it once, and not once for each form that
 * the outer headers can have.
 */
__attribute__((noinline)) int hf_check_inner(struct xdp_md *ctx, const struct hf_tunnel_at *at)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct hf_packet inner;
	enum hf_parsed parsed;

	if (!at || at->inner > HF_INNER_OFFSET_MAX)
		return HF_HOST_DROP_MALFORMED;
	parsed = hf_parse_inner(at, &inner, data, end);
	if (parsed == HF_PARSED_MALFORMED)
		return HF_HOST_DROP_MALFORMED;
	if (hf_is_nested(&inner, parsed))
		return HF_HOST_DROP_NESTED;
	if (!hf_is_from_a_client(&inner))
		return HF_HOST_DROP_CLIENT;
	if (!hf_combine_ecn(at, &inner))
		return HF_HOST_DROP_ECN;
	hf_note_vip(at, &inner);
	return HF_HOST_GOOD;
}

HF_INLINE bool hf_unwrap(struct xdp_md *ctx, const struct hf_tunnel *t)
{
	__be16 protocol = t->protocol == IPPROTO_IPIP ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);

	return hf_move_l2(ctx, t->outer.l2_length, t->outer_length, protocol);
}

HF_INLINE int hf_drop(enum hf_host_counter why)
{
	hf_count(why);
	return XDP_DROP;
}

#endif
