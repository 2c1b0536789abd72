/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ICMP to a VIP. A ping is answered here. An error is about a packet that a backend sent to
 * a client in the VIP's name: it goes to that backend, whose host then learns a path's MTU or
 * that a client is gone. It may come to any node, since ECMP knows nothing of the flow inside.
 * It may also be forged: it neither makes nor touches a pin.
 */
#ifndef HF_LBNODE_BPF_ICMP_H
#define HF_LBNODE_BPF_ICMP_H

#include "lbnode/bpf/balance.h"
#include "lbnode/bpf/limit.h"
#include "lib/packet/icmp.h"
#include "lib/packet/l2.h"

#define HF_ECHO_TTL 64

/* The request, turned round in place: RFC 1122 section 3.2.2.6, RFC 4443 section 4.2. One with
 * options or extension headers, which may be a route to be reversed, is left to the kernel. */
HF_INLINE void hf_write_echo4(const struct hf_packet *p, struct iphdr *ip, struct hf_icmp *icmp)
{
	__be16 before = *(__be16 *)&ip->ttl;

	ip->ttl = HF_ECHO_TTL;
	ip->check = hf_checksum_replace(ip->check, before, *(__be16 *)&ip->ttl);
	ip->saddr = p->destination[0];
	ip->daddr = p->source[0];
	icmp->type = HF_ICMP4_ECHO_REPLY;
	icmp->checksum = hf_checksum_replace(icmp->checksum, HF_ICMP4_ECHO, HF_ICMP4_ECHO_REPLY);
}

HF_INLINE void hf_write_echo6(const struct hf_packet *p, struct ipv6hdr *ip, struct hf_icmp *icmp)
{
	ip->hop_limit = HF_ECHO_TTL;
	for (int i = 0; i < 4; i++) {
		ip->saddr.s6_addr32[i] = p->destination[i];
		ip->daddr.s6_addr32[i] = p->source[i];
	}
	icmp->type = HF_ICMP6_ECHO_REPLY;
	icmp->checksum = hf_checksum_replace(icmp->checksum, HF_ICMP6_ECHO, HF_ICMP6_ECHO_REPLY);
}

HF_INLINE int hf_answer_echo(struct xdp_md *ctx, const struct hf_packet *p,
			     const struct hf_service_table *table, struct hf_icmp *icmp)
{
	void *end = (void *)(long)ctx->data_end;

	if (!hf_is_vip(table, p->destination, p->family) ||
	    p->l4_offset != (p->family == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)))
		return hf_pass();
	if (!hf_source_is_sound(table, p->source, p->family))
		return hf_drop(HF_COUNT_DROP_SOURCE);
	if (p->family == 4 && p->l3 + sizeof(struct iphdr) <= end)
		hf_write_echo4(p, p->l3, icmp);
	else if (p->family == 6 && p->l3 + sizeof(struct ipv6hdr) <= end)
		hf_write_echo6(p, p->l3, icmp);
	if (!hf_swap_macs(ctx))
		return hf_drop(HF_COUNT_DROP_INTERNAL);
	hf_count(HF_COUNT_ECHO_ANSWERED);
	return XDP_TX;
}

HF_INLINE bool hf_is_about_its_receiver(const struct hf_packet *p, const struct hf_packet *flow)
{
	for (int i = 0; i < 4; i++)
		if (p->destination[i] != flow->destination[i])
			return false;
	return true;
}

HF_INLINE int hf_icmp_error(struct xdp_md *ctx, const struct hf_packet *p,
			    const struct hf_service_table *table)
{
	struct hf_flow f = { .packet = p, .table = table };
	const struct hf_backend *backend;
	struct hf_packet flow;
	enum hf_parsed parsed;
	int verdict;

	parsed = hf_parse_quoted(p, (void *)(long)ctx->data_end, &flow);
	if (parsed == HF_PARSED_OTHER)
		return hf_pass();
	if (parsed != HF_PARSED_FLOW)
		return hf_refuse(table, p, HF_COUNT_DROP_ICMP);
	hf_turn_round(&flow);
	f.service = hf_service_find(table, &flow);
	if (!f.service)
		return hf_pass();
	if (!hf_is_about_its_receiver(p, &flow))
		return hf_refuse(table, p, HF_COUNT_DROP_ICMP);
	if (hf_limit(p->source, p->family, HF_LIMITED_ERRORS))
		return hf_drop(HF_COUNT_DROP_ICMP_LIMIT);
	f.digest = hf_flow_digest(&flow);
	backend = hf_flow_backend_of_others(&f, !hf_cluster());
	if (f.is_stranger)
		return HF_IS_STRANGER;
	if (!backend)
		return hf_drop(HF_COUNT_DROP_NO_BACKEND);
	hf_account_to(&service_traffic, f.service->id, &f);
	hf_account_to(&backend_traffic, f.backend_id, &f);
	hf_count(HF_COUNT_ICMP_ERRORS);
	verdict = hf_forward(ctx, p, backend, f.digest);
	return verdict < 0 ? hf_drop(HF_COUNT_DROP_TOO_BIG) : verdict;
}

/* Of ICMP to anyone: what is not for a VIP is the node's own. */
HF_INLINE int hf_icmp(struct xdp_md *ctx, const struct hf_packet *p,
		      const struct hf_service_table *table)
{
	struct hf_icmp *icmp = p->l4;

	if ((void *)(icmp + 1) > (void *)(long)ctx->data_end ||
	    (void *)(icmp + 1) > p->l3 + p->length)
		return hf_refuse(table, p, HF_COUNT_DROP_MALFORMED);
	switch (hf_icmp_kind(p->family, icmp)) {
	case HF_ICMP_IS_ECHO:
		return hf_answer_echo(ctx, p, table, icmp);
	case HF_ICMP_IS_ERROR:
		return hf_icmp_error(ctx, p, table);
	default:
		return hf_pass();
	}
}

#endif
