/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Packets of flows that this node does not know, in the middle of them: the second chance. And
 * first fragments, which nobody can tell from those.
 *
 * On the node that the spine chose, such a packet goes in an envelope to a node that may know
 * its flow: an owner of its shard. There it is a visitor. If the flow is known it goes to its
 * backend, else, once, to one more node. When nobody knows it, or there is nobody to ask, it goes
 * to its slot's choice, with the slot's previous backend named as the last chance. It is never
 * dropped for being unknown. docs/second-chance.md draws each case.
 *
 * A visitor leaves no pin: the node that the spine chose asks for the record (hf_ask) and pins what
 * it hears, and later packets go straight.
 */
#ifndef HF_LBNODE_BPF_STRANGER_H
#define HF_LBNODE_BPF_STRANGER_H

#include "lbnode/bpf/balance.h"
#include "lbnode/bpf/cluster.h"
#include "lbnode/bpf/fragment.h"
#include "lib/packet/envelope.h"
#include "lib/packet/icmp.h"

/* A flow is asked for no more often than every 2^17 us, 131 ms. */
#define HF_ASKED_SHIFT 17

enum hf_met {
	HF_MET_NOTHING, /* that has a flow */
	HF_MET_FLOW,
	HF_MET_ICMP,
	HF_MET_FIRST_FRAGMENT,
	HF_MET_OTHER_FRAGMENT,
};

/* All that is known of a packet whose flow is not known: no pointers, so that it can be filled by a
 * function that the verifier looks at by itself. */
struct hf_stranger {
	__u64 digest;	/* of its flow; of another fragment: as datagram */
	__u64 datagram; /* of fragments: their key in `fragments` */
	struct hf_inner inner;
	__u32 service; /* its cell in the service table */
	__u32 origin;  /* id of the node that the spine chose */
	__u8 hops;     /* nodes that it has been sent to */
	__u8 met;      /* enum hf_met */
	__u8 flags;    /* of its envelope */
	__u8 protocol;
	__u8 tcp_flags;
	__u8 refused;	 /* enum hf_counter: why it may have no flow; or HF_COUNTER_END */
	bool has_room;	 /* for its source, below the rate */
	bool begins_one; /* a flow, although it looks like a stranger's */
};

#define HF_NO_SERVICE 0xffffffff

HF_INLINE const struct hf_cluster *hf_cluster(void)
{
	__u32 zero = 0;
	void *table = bpf_map_lookup_elem(&cluster, &zero);

	return table ? bpf_map_lookup_elem(table, &zero) : NULL;
}

/* Where a packet goes once it is known, for hf_send(). */
struct hf_errand {
	struct hf_inner inner;
	__u16 backend; /* its id; or: */
	__u16 peer;    /* 0: to the backend */
	struct hf_option option;
};

/* Out of the node, with a private option. Not static: the verifier looks at it once a program. */
__attribute__((noinline)) int hf_send(struct xdp_md *ctx, const struct hf_errand *e)
{
	const struct hf_cluster *c;
	const struct hf_backend *to;

	if (!e)
		return hf_drop(HF_COUNT_DROP_INTERNAL);
	if (!e->peer)
		to = hf_backend(e->backend);
	else
		to = (c = hf_cluster()) ? &c->peer[e->peer & (HF_MAX_PEERS - 1)] : NULL;
	if (!to)
		return hf_drop(HF_COUNT_DROP_INTERNAL);
	return hf_transmit(ctx, &e->inner, to, &e->option);
}

/* QUIC's long headers are those of a handshake (RFC 9000 section 17.2): they begin a flow. */
HF_INLINE bool hf_begins_quic(const struct hf_packet *p, void *end)
{
	const __u8 *first = p->l4;

	if (p->protocol != IPPROTO_UDP || !first)
		return false;
	first += sizeof(struct udphdr);
	return (void *)(first + 1) <= end && (*first & 0xc0) == 0xc0;
}

HF_INLINE void hf_look_at_flow(struct hf_stranger *s, const struct hf_service_table *table,
			       const struct hf_packet *p, const struct hf_packet *flow)
{
	const struct hf_service *service = hf_service_find(table, flow);
	struct hf_flow f = { .packet = p, .table = table, .service = service };

	if (!service)
		return;
	s->service = service - table->cell;
	s->digest = hf_flow_digest(flow);
	s->inner.entropy = s->digest >> 8;
	s->protocol = flow->protocol;
	s->tcp_flags = flow->tcp_flags;
	s->has_room = true;
	if (s->met == HF_MET_ICMP) /* which icmp.h has limited */
		return;
	if (!hf_may_have_a_flow(&f))
		s->refused = f.refused;
	s->has_room = !hf_limit(p, HF_LIMITED_STRANGERS);
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
	s->refused = HF_COUNTER_END;
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

HF_INLINE const struct hf_service *hf_service_of(const struct hf_stranger *s)
{
	const struct hf_service_table *table = hf_services();

	return table && s->service < HF_SERVICE_CELLS ? &table->cell[s->service] : NULL;
}

/* The next node that may know the flow; 0: nobody is left. Not back to where it came from first,
 * and not to one that can't be reached. */
HF_INLINE __u16 hf_candidate(const struct hf_cluster *c, const struct hf_stranger *s)
{
	const struct hf_shard *shard = &c->shard[hf_shard(s->digest)];

	for (int i = 0; i < HF_CANDIDATES_MAX; i++) {
		__u32 index = shard->candidate[i] & (HF_MAX_PEERS - 1), key;
		const struct hf_backend *peer = &c->peer[index];
		const struct hf_nexthop *nexthop;

		if (!index)
			return 0;
		if (peer->encapsulation == HF_ENCAP_NONE || (__u32)peer->identity == s->origin)
			continue;
		key = peer->nexthop;
		nexthop = bpf_map_lookup_elem(&nexthops, &key);
		if (nexthop && nexthop->ifindex)
			return index;
	}
	return 0;
}

/* Asks the agent for the flow's record, unless it was asked a moment ago. */
HF_INLINE void hf_ask(const struct hf_stranger *s, const struct hf_service *service)
{
	__u32 cell = s->digest >> 8 & (HF_ASKED_CELLS - 1);
	__u64 now = (s->digest & ~0xffULL) | (hf_now_us() >> HF_ASKED_SHIFT & 0xff), *last;
	struct hf_question *q;

	last = bpf_map_lookup_elem(&asked, &cell);
	if (!last || *(volatile __u64 *)last == now)
		return;
	*(volatile __u64 *)last = now;
	q = bpf_ringbuf_reserve(&questions, sizeof(*q), 0);
	if (!q)
		return;
	__builtin_memset(q, 0, sizeof(*q));
	q->digest = s->digest;
	q->pool = service->pool;
	q->state = s->protocol == IPPROTO_UDP ? HF_PIN_UDP_NEW : HF_PIN_ADOPTED;
	bpf_ringbuf_submit(q, 0);
}

HF_INLINE int hf_to_peer(struct xdp_md *ctx, const struct hf_cluster *c,
			 const struct hf_stranger *s, __u16 peer)
{
	struct hf_errand e = { .inner = s->inner, .peer = peer };
	struct hf_envelope envelope = {
		.version = HF_ENVELOPE_VERSION,
		.kind = HF_ENVELOPE_SECOND_CHANCE,
		.hops = s->hops,
		.flags = s->flags,
		.origin = bpf_htonl(s->origin),
		.epoch = bpf_htonl(c->epoch),
	};
	struct hf_key key = { c->hop_key[0].k0, c->hop_key[0].k1 };
	__u64 tag = hf_envelope_tag(&envelope, s->digest, key);

	envelope.tag[0] = tag;
	envelope.tag[1] = tag >> 32;
	__builtin_memcpy(&e.option, &envelope, sizeof(envelope));
	e.inner.option_words = HF_ENVELOPE_WORDS;
	hf_count(s->hops ? HF_COUNT_VISITORS_SENT_ON : HF_COUNT_SECOND_CHANCES);
	return hf_send(ctx, &e);
}

/* Names the slot's previous backend, if the packet goes to the slot's choice by GUE, and the other
 * is reached by GUE, too, over the same family. */
HF_INLINE void hf_put_last_chance(struct hf_errand *e, const struct hf_stranger *s,
				  const struct hf_service *service,
				  const struct hf_backend *backend)
{
	const struct hf_slot *slot = hf_slot_of(service, s->digest);
	const struct hf_backend *other;

	if (!slot || slot->backend != e->backend || slot->previous == HF_NO_BACKEND ||
	    s->protocol != IPPROTO_TCP || s->met != HF_MET_FLOW)
		return;
	other = hf_backend(slot->previous);
	if (!other || other->encapsulation != backend->encapsulation)
		return;
	e->option.word[0] = bpf_htonl(HF_ENVELOPE_VERSION << 24 | HF_ENVELOPE_LAST_CHANCE << 16 |
				      bpf_ntohs(other->gue_port));
	for (int i = 0; i < 4; i++)
		e->option.word[1 + i] = other->address[i];
	if (backend->encapsulation == HF_ENCAP_GUE_OVER_IPV4)
		e->inner.option_words = 2;
	else if (backend->encapsulation == HF_ENCAP_GUE_OVER_IPV6)
		e->inner.option_words = 5;
	else
		return;
	hf_count(HF_COUNT_LAST_CHANCES);
}

HF_INLINE void hf_account_stranger(const struct hf_stranger *s, __u16 service, __u16 backend)
{
	struct hf_packet p = { .length = s->inner.length };
	const struct hf_flow f = { .packet = &p };

	hf_account_to(&service_traffic, service, &f);
	hf_account_to(&backend_traffic, backend, &f);
}

/* To the backend. It is `sure` that the flow is its. */
HF_INLINE int hf_to_backend(struct xdp_md *ctx, const struct hf_stranger *s, __u16 id, bool sure)
{
	struct hf_errand e = { .inner = s->inner, .backend = id };
	const struct hf_service *service = hf_service_of(s);
	const struct hf_backend *backend = hf_backend(id);

	if (!backend || !service)
		return hf_drop(HF_COUNT_DROP_NO_BACKEND);
	if (s->met == HF_MET_FIRST_FRAGMENT)
		hf_note_datagram(s->datagram, id, 0);
	hf_account_stranger(s, service->id, id);
	if (!sure)
		hf_put_last_chance(&e, s, service, backend);
	return hf_send(ctx, &e);
}

/* Nobody knows it, or nobody can be asked. `pinned`: and nobody will be. */
HF_INLINE int hf_by_choice(struct xdp_md *ctx, const struct hf_stranger *s, bool pinned)
{
	const struct hf_service *service = hf_service_of(s);
	__u16 id = service ? hf_choice(service, s->digest) : HF_NO_BACKEND;

	if (pinned && id != HF_NO_BACKEND && !service->is_stateless &&
	    !(s->tcp_flags & HF_TCP_RST)) {
		struct hf_packet p = { .protocol = s->protocol, .tcp_flags = s->tcp_flags };
		struct hf_flow f = { .packet = &p, .digest = s->digest, .backend_id = id };

		hf_pin_flow(&f);
	}
	return hf_to_backend(ctx, s, id, false);
}

/* A part of a datagram goes where its first one went. */
HF_INLINE int hf_follow_first(struct xdp_md *ctx, const struct hf_cluster *c,
			      const struct hf_stranger *s)
{
	struct hf_fragment *note = bpf_map_lookup_elem(&fragments, &s->datagram);
	struct hf_errand e = { .inner = s->inner };

	if (!note || hf_now_us() - note->seen_us > HF_DATAGRAM_US)
		return hf_drop(HF_COUNT_DROP_FRAGMENT);
	if (note->peer && s->hops < HF_HOPS_MAX)
		return hf_to_peer(ctx, c, s, note->peer);
	e.backend = note->backend;
	hf_count(HF_COUNT_FRAGMENTS_PLACED);
	return hf_send(ctx, &e);
}

/* To a node that may know the flow, or by its choice. */
HF_INLINE int hf_ask_around(struct xdp_md *ctx, const struct hf_cluster *c,
			    const struct hf_stranger *s)
{
	bool is_own_flow = !s->hops && s->met != HF_MET_ICMP;
	const struct hf_service *service = hf_service_of(s);
	__u16 peer = 0;

	if (c && service && s->hops < HF_HOPS_MAX)
		peer = hf_candidate(c, s);
	if (!peer) {
		if (s->hops)
			hf_count(HF_COUNT_VISITORS_UNKNOWN);
		return hf_by_choice(ctx, s, is_own_flow);
	}
	if (!s->hops && !s->has_room) {
		hf_count(HF_COUNT_SECOND_CHANCES_LIMITED);
		return hf_by_choice(ctx, s, false);
	}
	if (is_own_flow && !(s->tcp_flags & HF_TCP_RST))
		hf_ask(s, service);
	if (s->met == HF_MET_FIRST_FRAGMENT)
		hf_note_datagram(s->datagram, HF_NO_BACKEND, peer);
	return hf_to_peer(ctx, c, s, peer);
}

/* To the backend of the flow's pin: of a visitor, or of one that was adopted. */
HF_INLINE int hf_known(struct xdp_md *ctx, const struct hf_stranger *s, __u64 *cell, __u64 pin)
{
	__u64 next = hf_pin_after(pin, s->tcp_flags);

	if (s->met != HF_MET_ICMP && next != pin)
		hf_pin_swap(cell, pin, next);
	if (s->hops)
		hf_count(HF_COUNT_VISITORS_KNOWN);
	return hf_to_backend(ctx, s, hf_pin_backend(pin), hf_pin_state(pin) != HF_PIN_ADOPTED);
}

/* Of a first fragment: its flow begins with it. Others have been asked that before they came here.
 */
HF_INLINE bool hf_is_first(const struct hf_stranger *s, const struct hf_service *service)
{
	struct hf_packet p = { .protocol = s->protocol, .tcp_flags = s->tcp_flags };
	struct hf_flow f = { .packet = &p, .service = service, .digest = s->digest };

	return s->met == HF_MET_FIRST_FRAGMENT && !hf_is_stranger(&f);
}

/* All is known of the packet that it says itself. Returns what hf_transmit() does. */
HF_INLINE int hf_receive(struct xdp_md *ctx, const struct hf_cluster *c,
			 const struct hf_stranger *s)
{
	const struct hf_service *service = hf_service_of(s);
	__u64 pin = 0, *cell;

	if (s->met == HF_MET_OTHER_FRAGMENT)
		return c ? hf_follow_first(ctx, c, s) : hf_drop(HF_COUNT_DROP_FRAGMENT);
	if (!service)
		return hf_drop(HF_COUNT_DROP_INTERNAL);
	cell = service->is_stateless ? NULL : hf_flow_find(s->digest, bucket_bits, &pin);
	if (cell && hf_backend(hf_pin_backend(pin)))
		return hf_known(ctx, s, cell, pin);
	if (!s->hops && s->refused != HF_COUNTER_END)
		return hf_drop(s->refused);
	if (service->is_stateless)
		return hf_by_choice(ctx, s, false);
	if (!s->hops && (s->begins_one || hf_is_first(s, service)))
		return hf_by_choice(ctx, s, true);
	return hf_ask_around(ctx, c, s);
}

/* Nobody is told that an ICMP error, or other than a first fragment, is too big (RFC 1122, 3.2.2).
 */
HF_INLINE int hf_tell(const struct hf_stranger *s, int verdict)
{
	if (verdict < 0 && (s->met == HF_MET_ICMP || s->met == HF_MET_OTHER_FRAGMENT))
		return hf_drop(HF_COUNT_DROP_TOO_BIG);
	return verdict;
}

HF_INLINE int hf_stranger(struct xdp_md *ctx)
{
	const struct hf_cluster *c = hf_cluster();
	struct hf_stranger s = { .origin = c ? c->self : 0 };

	if (hf_meet(ctx, &s) == HF_MET_NOTHING)
		return hf_drop(HF_COUNT_DROP_INTERNAL);
	return hf_tell(&s, hf_receive(ctx, c, &s));
}

HF_INLINE bool hf_tag_is_good(const struct hf_cluster *c, const struct hf_envelope *e, __u64 digest)
{
	__u64 tag = (__u64)e->tag[1] << 32 | e->tag[0];

	for (__u32 i = 0; i < HF_HOP_KEYS_MAX && i < c->hop_key_count; i++) {
		struct hf_key key = { c->hop_key[i].k0, c->hop_key[i].k1 };

		if (hf_envelope_tag(e, digest, key) == tag)
			return true;
	}
	return false;
}

/* The envelope is off and what it said in `visits`: is it true? */
HF_INLINE int hf_visitor(struct xdp_md *ctx)
{
	const struct hf_cluster *c = hf_cluster();
	struct hf_stranger s = { .hops = 0 };
	const struct hf_envelope *e;
	__u32 zero = 0;

	e = bpf_map_lookup_elem(&visits, &zero);
	if (!c || !e)
		return hf_drop(HF_COUNT_DROP_INTERNAL);
	if (hf_meet(ctx, &s) == HF_MET_NOTHING || s.flags != e->flags)
		return hf_drop(HF_COUNT_DROP_ENVELOPE);
	if (!hf_tag_is_good(c, e, s.digest))
		return hf_drop(HF_COUNT_DROP_ENVELOPE_TAG);
	s.hops = e->hops + 1;
	s.origin = bpf_ntohl(e->origin);
	return hf_tell(&s, hf_receive(ctx, c, &s));
}

/* Whether it is an envelope, and of which protocol what it holds: the EtherType, or 0. */
HF_INLINE __be16 hf_envelope_holds(const struct hf_gue_header *gue, const struct hf_envelope *e)
{
	__u16 words_protocol = bpf_ntohs(gue->version_length_protocol);

	if (gue->flags || e->version != HF_ENVELOPE_VERSION ||
	    e->kind != HF_ENVELOPE_SECOND_CHANCE || e->hops >= HF_HOPS_MAX)
		return 0;
	if (words_protocol == (HF_ENVELOPE_WORDS << 8 | IPPROTO_IPIP))
		return bpf_htons(ETH_P_IP);
	if (words_protocol == (HF_ENVELOPE_WORDS << 8 | IPPROTO_IPV6))
		return bpf_htons(ETH_P_IPV6);
	return 0;
}

/* Takes an envelope off, and keeps what it said: HF_COUNTER_END, or the drop to count. */
HF_INLINE enum hf_counter hf_open_envelope(struct xdp_md *ctx, const struct hf_packet *p)
{
	void *end = (void *)(long)ctx->data_end;
	const struct hf_gue_header *gue = p->l4 + sizeof(struct udphdr);
	const struct hf_envelope *e = (const void *)(gue + 1);
	const __u32 headers = sizeof(struct udphdr) + sizeof(*gue) + sizeof(*e);
	struct hf_envelope *visit;
	__u32 zero = 0;
	__be16 holds;

	if ((void *)(e + 1) > end || !(holds = hf_envelope_holds(gue, e)))
		return HF_COUNT_DROP_ENVELOPE;
	visit = bpf_map_lookup_elem(&visits, &zero);
	if (!visit)
		return HF_COUNT_DROP_INTERNAL;
	*visit = *e;
	return hf_move_l2(ctx, p->l2_length, p->l4_offset + headers, holds)
		       ? HF_COUNTER_END
		       : HF_COUNT_DROP_INTERNAL;
}

/* UDP to the tunnels' port that is no service's. HF_IS_VISITOR: an envelope, off now. */
#define HF_IS_VISITOR 0x101
HF_INLINE int hf_envelope(struct xdp_md *ctx)
{
	const struct hf_service_table *table = hf_services();
	const struct hf_cluster *c = hf_cluster();
	enum hf_counter found;
	struct hf_packet p;

	if (!table ||
	    hf_parse((void *)(long)ctx->data, (void *)(long)ctx->data_end, &p) != HF_PARSED_FLOW)
		return hf_drop(HF_COUNT_DROP_INTERNAL);
	if (!c || c->own_family != p.family || !hf_is_address(c->own_address, p.destination))
		return hf_is_tunnel_to_us(table, &p, HF_PARSED_FLOW) ? hf_drop(HF_COUNT_DROP_TUNNEL)
								     : hf_pass();
	if (!hf_is_peer(c, p.source))
		return hf_drop(HF_COUNT_DROP_TUNNEL);
	found = hf_open_envelope(ctx, &p);
	return found == HF_COUNTER_END ? HF_IS_VISITOR : hf_drop(found);
}

#endif
