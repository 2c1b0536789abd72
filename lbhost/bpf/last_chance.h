/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The last chance: a packet whose flow no node knew came here because its slot's choice is this
 * backend, and its envelope names the one that it was before (lib/packet/envelope.h). What this
 * host has no socket for goes there, by a tunnel of its own; the other one takes whatever comes. So
 * a reset is sent by the last one only, and the flow lives if it is the other's. (Beamer, NSDI
 * 2018, and GLB do the same at each packet.)
 */
#ifndef HF_LBHOST_BPF_LAST_CHANCE_H
#define HF_LBHOST_BPF_LAST_CHANCE_H

#include "lbhost/bpf/decapsulate.h"
#include "lib/packet/envelope.h"

#define HF_ONWARD_TTL 64

/* A request of a connection that is not known here may be answered by a SYN cookie. */
HF_INLINE bool hf_takes_cookie(struct bpf_sock *listener, const struct hf_packet *p, void *end)
{
	struct tcphdr *tcp = p->l4;

	if ((void *)(tcp + 1) > end)
		return false;
	if (p->family == 4)
		return p->l3 + sizeof(struct iphdr) <= end &&
		       bpf_tcp_check_syncookie(listener, p->l3, sizeof(struct iphdr), tcp,
					       sizeof(*tcp)) == 0;
	return p->l3 + sizeof(struct ipv6hdr) <= end &&
	       bpf_tcp_check_syncookie(listener, p->l3, sizeof(struct ipv6hdr), tcp,
				       sizeof(*tcp)) == 0;
}

/* `netns`: BPF_F_CURRENT_NETNS, or a namespace's id in this one. */
HF_INLINE struct bpf_sock *hf_find_socket(struct xdp_md *ctx, const struct hf_packet *p,
					  __u64 netns)
{
	struct bpf_sock_tuple tuple = {};

	if (p->family == 4) {
		tuple.ipv4.saddr = p->source[0];
		tuple.ipv4.daddr = p->destination[0];
		tuple.ipv4.sport = p->source_port;
		tuple.ipv4.dport = p->destination_port;
		return bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), netns, 0);
	}
	__builtin_memcpy(tuple.ipv6.saddr, p->source, sizeof(tuple.ipv6.saddr));
	__builtin_memcpy(tuple.ipv6.daddr, p->destination, sizeof(tuple.ipv6.daddr));
	tuple.ipv6.sport = p->source_port;
	tuple.ipv6.dport = p->destination_port;
	return bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv6), netns, 0);
}

HF_INLINE bool hf_has_connection(struct xdp_md *ctx, const struct hf_packet *p, void *end,
				 __u64 netns)
{
	struct bpf_sock *sk = hf_find_socket(ctx, p, netns);
	bool has;

	if (!sk)
		return false;
	has = sk->state != BPF_TCP_LISTEN || hf_takes_cookie(sk, p, end);
	bpf_sk_release(sk);
	return has;
}

/* Whether this host has to do with the inner packet: a connection, one that begins, or anything but
 * TCP. Not static: the verifier looks at it by itself. */
__attribute__((noinline)) int hf_is_expected(struct xdp_md *ctx, const struct hf_tunnel_at *at)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct hf_packet inner = { .l4 = NULL };

	if (!at || at->inner > HF_INNER_OFFSET_MAX)
		return 1;
	if (hf_parse_inner(at, &inner, data, end) != HF_PARSED_FLOW ||
	    inner.protocol != IPPROTO_TCP || !inner.l4 || (inner.tcp_flags & HF_TCP_SYN))
		return 1;
	if (hf_has_connection(ctx, &inner, end, BPF_F_CURRENT_NETNS))
		return 1;
	for (__u32 i = 0; i < HF_HOST_NAMESPACES_MAX; i++) {
		__u32 key = i;
		struct hf_host_namespace *ns = bpf_map_lookup_elem(&namespaces, &key);

		if (ns && ns->is_set && hf_has_connection(ctx, &inner, end, ns->id))
			return 1;
	}
	return 0;
}

/* What a packet is sent on with: a new tunnel, from the node's source in the other backend's
 * family.
 */
struct hf_onward {
	struct hf_last_chance6 to; /* of IPv4: the first words only */
	bool is_ipv4;
	__be16 source_port;
	__u16 length; /* of the inner packet */
	__u8 tos;
	__u8 protocol;
};

/* The option behind the GUE header, if it names another backend. */
HF_INLINE bool hf_last_chance(const struct hf_tunnel *t, void *end, struct hf_onward *onward)
{
	void *option = t->outer.l4 + sizeof(struct udphdr) + 4;
	struct hf_last_chance4 *to4 = option;
	struct hf_last_chance6 *to6 = option;
	struct udphdr *udp = t->outer.l4;

	if (!t->is_gue || (void *)(to4 + 1) > end || to4->version != HF_ENVELOPE_VERSION ||
	    to4->kind != HF_ENVELOPE_LAST_CHANCE || t->outer.length < t->outer_length)
		return false;
	onward->source_port = udp->source;
	onward->length = t->outer.length - t->outer_length;
	onward->tos = t->outer.tos;
	onward->protocol = t->protocol;
	onward->to.port = to4->port;
	onward->is_ipv4 = t->option_words == HF_LAST_CHANCE4_WORDS;
	if (onward->is_ipv4) {
		onward->to.source[0] = to4->source;
		onward->to.address[0] = to4->address;
		return true;
	}
	if (t->option_words != HF_LAST_CHANCE6_WORDS || (void *)(to6 + 1) > end)
		return false;
	onward->to = *to6;
	return true;
}

HF_INLINE void hf_write_ipv4(struct iphdr *ip, const struct hf_onward *o, __u16 length)
{
	__u16 *half = (__u16 *)ip;
	__u32 sum = 0;

	__builtin_memset(ip, 0, sizeof(*ip));
	ip->version = 4;
	ip->ihl = sizeof(*ip) / 4;
	ip->tos = o->tos;
	ip->tot_len = bpf_htons(length);
	ip->frag_off = bpf_htons(HF_IPV4_DF);
	ip->ttl = HF_ONWARD_TTL;
	ip->protocol = IPPROTO_UDP;
	ip->saddr = o->to.source[0];
	ip->daddr = o->to.address[0];
	for (__u32 i = 0; i < sizeof(*ip) / 2; i++)
		sum += half[i];
	ip->check = hf_checksum_fold(sum);
}

HF_INLINE void hf_write_ipv6(struct ipv6hdr *ip, const struct hf_onward *o, __u16 payload)
{
	/* The flow label is the source port's entropy (RFC 6438). */
	*(__be32 *)ip = bpf_htonl(6U << 28 | (__u32)o->tos << 20 | bpf_ntohs(o->source_port));
	ip->payload_len = bpf_htons(payload);
	ip->nexthdr = IPPROTO_UDP;
	ip->hop_limit = HF_ONWARD_TTL;
	__builtin_memcpy(&ip->saddr, o->to.source, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, o->to.address, sizeof(ip->daddr));
}

HF_INLINE void hf_write_gue(struct udphdr *udp, const struct hf_onward *o)
{
	struct hf_gue_header *gue = (void *)(udp + 1);

	udp->source = o->source_port;
	udp->dest = o->to.port;
	udp->len = bpf_htons(o->length + sizeof(*udp) + sizeof(*gue));
	udp->check = 0;
	gue->version_length_protocol = bpf_htons(o->protocol);
	gue->flags = 0;
}

/* Puts the new tunnel in the place of the old one, whose headers were longer, and turns round. */
HF_INLINE bool hf_send_to_other(struct xdp_md *ctx, const struct hf_tunnel *t,
				const struct hf_onward *o)
{
	const __u32 udp = sizeof(struct udphdr) + sizeof(struct hf_gue_header);
	const __u32 outer = (o->is_ipv4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)) + udp;
	void *ip, *end;

	if (!hf_move_l2(ctx, t->outer.l2_length, (int)t->outer_length - (int)outer,
			o->is_ipv4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6)))
		return false;
	ip = (void *)(long)ctx->data + t->outer.l2_length;
	end = (void *)(long)ctx->data_end;
	if (o->is_ipv4) {
		if (ip + sizeof(struct iphdr) + udp > end)
			return false;
		hf_write_ipv4(ip, o, o->length + outer);
		hf_write_gue(ip + sizeof(struct iphdr), o);
	} else {
		if (ip + sizeof(struct ipv6hdr) + udp > end)
			return false;
		hf_write_ipv6(ip, o, o->length + udp);
		hf_write_gue(ip + sizeof(struct ipv6hdr), o);
	}
	return hf_swap_macs(ctx);
}

#endif
