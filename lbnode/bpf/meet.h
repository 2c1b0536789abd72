/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a packet says itself of the flow that it belongs to, for the rare ways: a packet of the
 * flow, a fragment of one, or an ICMP error about one.
 */
#ifndef HF_LBNODE_BPF_MEET_H
#define HF_LBNODE_BPF_MEET_H

#include "lbnode/bpf/balance.h"
#include "lib/packet/envelope.h"
#include "lib/packet/icmp.h"

#define HF_NO_SERVICE 0xffffffff

/* QUIC's long headers are those of a handshake (RFC 9000 section 17.2): they begin a flow. */
HF_INLINE bool hf_begins_quic(const struct hf_packet *p, void *end)
{
	const __u8 *first = p->l4;

	if (p->protocol != IPPROTO_UDP || !first)
		return false;
	first += sizeof(struct udphdr);
	return (void *)(first + 1) <= end && (*first & 0xc0) == 0xc0;
}

/* What is known of the flow `f`, by the packet in hand. */
HF_INLINE void hf_note_flow(struct hf_stranger *s, const struct hf_flow *f,
			    const struct hf_packet *flow)
{
	s->service = f->service - f->table->cell;
	s->digest = f->digest;
	s->inner.entropy = s->digest >> 8;
	s->protocol = flow->protocol;
	s->tcp_flags = flow->tcp_flags;
	s->is_tunnel = hf_is_tunnel(flow, HF_PARSED_FLOW);
	__builtin_memcpy(s->source, f->packet->source, sizeof(s->source));
}

HF_INLINE void hf_look_at_flow(struct hf_stranger *s, const struct hf_service_table *table,
			       const struct hf_packet *p, const struct hf_packet *flow)
{
	const struct hf_service *service = hf_service_find(table, flow);
	struct hf_flow f = { .packet = p, .table = table, .service = service };

	if (!service)
		return;
	f.digest = hf_flow_digest(flow);
	s->has_pin = true;
	hf_note_flow(s, &f, flow);
}

/* From the hot path, which has looked for the flow's pin, to the strangers' program. Of TCP alone:
 * to look for QUIC here doubles the verifier's work. */
HF_INLINE bool hf_introduce(const struct hf_flow *f, bool has_pin)
{
	__u32 zero = 0;
	struct hf_stranger *s = bpf_map_lookup_elem(&strangers, &zero);

	if (!s)
		return false;
	s->inner = hf_inner(f->packet, 0);
	s->met = HF_MET_FLOW;
	s->hops = s->flags = 0;
	s->has_pin = has_pin;
	s->begins_one = false;
	hf_note_flow(s, f, f->packet);
	return true;
}

/* A whole packet of a flow; else what it may be. Not static, as those that follow: the verifier
 * looks at each by itself. */
__attribute__((noinline)) int hf_meet_flow(struct xdp_md *ctx, struct hf_stranger *s)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	const struct hf_service_table *table = hf_services();
	struct hf_packet p = { .l4 = NULL }; /* or clang spills what was never set */
	enum hf_parsed parsed;

	if (!s || !table)
		return HF_MET_NOTHING;
	parsed = hf_parse(data, end, &p);
	s->service = HF_NO_SERVICE;
	if (parsed == HF_PARSED_FRAGMENT)
		return p.fragment_offset ? HF_MET_OTHER_FRAGMENT : HF_MET_FIRST_FRAGMENT;
	if (parsed == HF_PARSED_OTHER && hf_is_icmp(&p))
		return HF_MET_ICMP;
	if (parsed != HF_PARSED_FLOW)
		return HF_MET_NOTHING;
	s->met = HF_MET_FLOW;
	s->inner = hf_inner(&p, 0);
	hf_look_at_flow(s, table, &p, &p);
	s->begins_one = hf_begins_quic(&p, end);
	return HF_MET_FLOW;
}

/* An ICMP error, about a packet of a flow. */
__attribute__((noinline)) int hf_meet_error(struct xdp_md *ctx, struct hf_stranger *s)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	const struct hf_service_table *table = hf_services();
	struct hf_packet p = { .l4 = NULL }, flow = { .l4 = NULL };

	if (!s || !table || hf_parse(data, end, &p) != HF_PARSED_OTHER ||
	    hf_parse_quoted(&p, end, &flow) != HF_PARSED_FLOW)
		return HF_MET_NOTHING;
	hf_turn_round(&flow);
	s->met = HF_MET_ICMP;
	s->flags = HF_ENVELOPE_ICMP;
	s->inner = hf_inner(&p, 0);
	hf_look_at_flow(s, table, &p, &flow);
	return HF_MET_ICMP;
}

__attribute__((noinline)) int hf_meet_fragment(struct xdp_md *ctx, struct hf_stranger *s)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	const struct hf_service_table *table = hf_services();
	struct hf_packet p = { .l4 = NULL };

	if (!s || !table || hf_parse(data, end, &p) != HF_PARSED_FRAGMENT)
		return HF_MET_NOTHING;
	s->flags = HF_ENVELOPE_FRAGMENT;
	s->inner = hf_inner(&p, 0);
	s->datagram = s->digest = hf_datagram(&p);
	s->met = p.fragment_offset ? HF_MET_OTHER_FRAGMENT : HF_MET_FIRST_FRAGMENT;
	if (p.fragment_offset)
		return s->met;
	if (hf_parse_first_fragment(&p, end) != HF_PARSED_FLOW)
		return HF_MET_NOTHING;
	hf_look_at_flow(s, table, &p, &p);
	return s->met;
}

/* Reads the packet. */
HF_INLINE int hf_meet(struct xdp_md *ctx, struct hf_stranger *s)
{
	int met = hf_meet_flow(ctx, s);

	if (met == HF_MET_ICMP)
		return hf_meet_error(ctx, s);
	if (met == HF_MET_FIRST_FRAGMENT || met == HF_MET_OTHER_FRAGMENT)
		return hf_meet_fragment(ctx, s);
	return met;
}

#endif
