/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The last chance: a packet whose flow no node knew came here because its slot's choice is this
 * backend, and its envelope names the one that it was before (lib/packet/envelope.h). What this
 * host has no socket for goes there, as it came; the other one takes whatever comes. So a reset is
 * sent by the last one only, and the flow lives if it is the other's. (Beamer, NSDI 2018, and GLB
 * do the same at each packet.)
 */
#ifndef HF_LBHOST_BPF_LAST_CHANCE_H
#define HF_LBHOST_BPF_LAST_CHANCE_H

#include "lbhost/bpf/decapsulate.h"
#include "lib/packet/envelope.h"

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

HF_INLINE struct bpf_sock *hf_find_socket(struct xdp_md *ctx, const struct hf_packet *p)
{
	struct bpf_sock_tuple tuple = {};

	if (p->family == 4) {
		tuple.ipv4.saddr = p->source[0];
		tuple.ipv4.daddr = p->destination[0];
		tuple.ipv4.sport = p->source_port;
		tuple.ipv4.dport = p->destination_port;
		return bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	}
	__builtin_memcpy(tuple.ipv6.saddr, p->source, sizeof(tuple.ipv6.saddr));
	__builtin_memcpy(tuple.ipv6.daddr, p->destination, sizeof(tuple.ipv6.daddr));
	tuple.ipv6.sport = p->source_port;
	tuple.ipv6.dport = p->destination_port;
	return bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0);
}

/* Whether this host has to do with the inner packet: a connection, one that begins, or anything but
 * TCP. Not static: the verifier looks at it by itself. */
__attribute__((noinline)) int hf_is_expected(struct xdp_md *ctx, const struct hf_tunnel_at *at)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct hf_packet inner = { .l4 = NULL };
	struct bpf_sock *sk;
	bool expected;

	if (!at || at->inner > HF_INNER_OFFSET_MAX)
		return 1;
	if (hf_parse_inner(at, &inner, data, end) != HF_PARSED_FLOW ||
	    inner.protocol != IPPROTO_TCP || !inner.l4 || (inner.tcp_flags & HF_TCP_SYN))
		return 1;
	sk = hf_find_socket(ctx, &inner);
	if (!sk)
		return 0;
	expected = sk->state != BPF_TCP_LISTEN || hf_takes_cookie(sk, &inner, end);
	bpf_sk_release(sk);
	return expected;
}

/* The option behind the GUE header, if it names another backend of the outer header's family. */
HF_INLINE struct hf_last_chance4 *hf_last_chance(const struct hf_tunnel *t, void *end)
{
	struct hf_last_chance4 *chance = t->outer.l4 + sizeof(struct udphdr) + 4;
	__u32 words = sizeof(*chance) / 4;

	if (!t->is_gue || (void *)(chance + 1) > end || chance->version != HF_ENVELOPE_VERSION ||
	    chance->kind != HF_ENVELOPE_LAST_CHANCE)
		return NULL;
	if (t->outer.family == 6)
		words = sizeof(struct hf_last_chance6) / 4;
	return t->option_words == words ? chance : NULL;
}

/* The outer header's destination becomes the other backend, and its option says nothing any more.
 */
HF_INLINE bool hf_send_to_other(struct xdp_md *ctx, const struct hf_tunnel *t,
				struct hf_last_chance4 *chance, void *end)
{
	struct hf_last_chance6 *chance6 = (void *)chance;
	struct ipv6hdr *ip6 = t->outer.l3;
	struct udphdr *udp = t->outer.l4;
	struct iphdr *ip = t->outer.l3;

	if ((void *)(udp + 1) > end)
		return false;
	if (t->outer.family == 4) {
		if ((void *)(ip + 1) > end)
			return false;
		ip->check = hf_checksum_replace(ip->check, ip->daddr, chance->address);
		ip->check = hf_checksum_replace(ip->check, ip->daddr >> 16, chance->address >> 16);
		ip->daddr = chance->address;
	} else {
		if ((void *)(ip6 + 1) > end || (void *)(chance6 + 1) > end)
			return false;
		__builtin_memcpy(&ip6->daddr, chance6->address, sizeof(ip6->daddr));
	}
	udp->dest = chance->port;
	chance->kind = 0;
	return hf_swap_macs(ctx);
}

#endif
