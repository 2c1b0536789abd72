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
#include "lbnode/bpf/meet.h"
#include "lib/packet/envelope.h"

/* A flow is asked for no more often than every 2^17 us, 131 ms. */
#define HF_ASKED_SHIFT 17

/* To a backend, for hf_send(). */
struct hf_errand {
	struct hf_inner inner;
	__u16 backend; /* its id */
	__u8 by_gue;   /* whatever its pool's encapsulation is */
	struct hf_option option;
};

/* Not static: the verifier looks at it once a program. */
__attribute__((noinline)) int hf_send(struct xdp_md *ctx, const struct hf_errand *e)
{
	const struct hf_backend *to = e ? hf_backend(e->backend) : NULL;
	__u8 encapsulation;

	if (!to)
		return hf_drop(HF_COUNT_DROP_INTERNAL);
	encapsulation = to->encapsulation;
	if (e->by_gue)
		encapsulation = hf_is_over_ipv4(encapsulation) ? HF_ENCAP_GUE_OVER_IPV4
							       : HF_ENCAP_GUE_OVER_IPV6;
	return hf_transmit(ctx, &e->inner, to, encapsulation, &e->option);
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

/* The cell that says when the flow was asked for; NULL: that was a moment ago. */
HF_INLINE __u64 *hf_not_asked(const struct hf_stranger *s, __u64 *now)
{
	__u32 cell = s->digest >> 8 & (HF_ASKED_CELLS - 1);
	__u64 *last = bpf_map_lookup_elem(&asked, &cell);

	*now = (s->digest & ~0xffULL) | (hf_now_us() >> HF_ASKED_SHIFT & 0xff);
	return last && *(volatile __u64 *)last != *now ? last : NULL;
}

/* Asks the agent for the flow's record. */
HF_INLINE void hf_ask(const struct hf_stranger *s, const struct hf_service *service)
{
	struct hf_question *q = bpf_ringbuf_reserve(&questions, sizeof(*q), 0);

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
	struct hf_inner inner = s->inner;
	struct hf_option option = {};
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
	__builtin_memcpy(&option, &envelope, sizeof(envelope));
	inner.option_words = HF_ENVELOPE_WORDS;
	hf_count(s->hops ? HF_COUNT_VISITORS_SENT_ON : HF_COUNT_SECOND_CHANCES);
	/* Not by hf_send(), whose return costs 10 ns. */
	return hf_transmit(ctx, &inner, &c->peer[peer & (HF_MAX_PEERS - 1)],
			   c->own_family == 4 ? HF_ENCAP_GUE_OVER_IPV4 : HF_ENCAP_GUE_OVER_IPV6,
			   &option);
}

/* Names the other backend that the flow may be of: the slot's previous one, or, if the packet goes
 * to that by a guess of before the slot changed, its choice. IPIP has no room for that, but lbhost
 * understands GUE, too. */
HF_INLINE bool hf_put_last_chance(struct hf_errand *e, const struct hf_stranger *s,
				  const struct hf_service *service)
{
	const struct hf_slot *slot = hf_slot_of(service, s->digest);
	const struct hf_backend *other;
	__u32 entropy;

	if (!service->has_last_chance || !slot || s->protocol != IPPROTO_TCP ||
	    s->met != HF_MET_FLOW)
		return false;
	other = hf_backend(slot->backend == e->backend ? slot->previous : slot->backend);
	if (!other)
		return false;
	entropy = e->inner.entropy & other->entropy;
	e->by_gue = true;
	e->option.word[0] = bpf_htonl(HF_ENVELOPE_VERSION << 24 | HF_ENVELOPE_LAST_CHANCE << 16 |
				      bpf_ntohs(other->gue_port));
	if (hf_is_over_ipv4(other->encapsulation)) {
		e->inner.option_words = HF_LAST_CHANCE4_WORDS;
		e->option.word[1] = other->source[0] | entropy;
		e->option.word[2] = other->address[0];
	} else {
		e->inner.option_words = HF_LAST_CHANCE6_WORDS;
		for (int i = 0; i < 4; i++) {
			e->option.word[1 + i] = other->source[i];
			e->option.word[5 + i] = other->address[i];
		}
		e->option.word[4] |= entropy;
	}
	return true;
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
	int verdict;

	if (!backend || !service)
		return hf_drop(HF_COUNT_DROP_NO_BACKEND);
	if (s->met == HF_MET_FIRST_FRAGMENT)
		hf_note_datagram(s->datagram, id, 0);
	hf_account_stranger(s, service->id, id);
	if (s->met == HF_MET_ICMP)
		hf_count(HF_COUNT_ICMP_ERRORS);
	if (!sure && hf_put_last_chance(&e, s, service)) {
		verdict = hf_send(ctx, &e);
		if (verdict >= 0) {
			hf_count(HF_COUNT_LAST_CHANCES);
			return verdict;
		}
		/* With the name it is too big: then without, rather than not at all. */
		e.by_gue = e.inner.option_words = 0;
	}
	return hf_send(ctx, &e);
}

HF_INLINE enum hf_counter hf_objection_to(const struct hf_stranger *s,
					  const struct hf_service *service)
{
	const struct hf_service_table *table = hf_services();

	if (!table)
		return HF_COUNT_DROP_INTERNAL;
	return hf_objection(table, service, s->source, s->inner.family, s->is_tunnel);
}

/* Nobody knows it, or nobody can be asked. `pinned`: and nobody will be. */
HF_INLINE int hf_by_choice(struct xdp_md *ctx, const struct hf_stranger *s, bool pinned)
{
	const struct hf_service *service = hf_service_of(s);
	__u16 id = service ? hf_choice(service, s->digest) : HF_NO_BACKEND;
	enum hf_counter objection;

	if (!service)
		return hf_drop(HF_COUNT_DROP_INTERNAL);
	objection = hf_objection_to(s, service);
	if (objection != HF_COUNTER_END && s->met != HF_MET_ICMP)
		return hf_drop(objection);
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

/*
 * Of a packet that the spine chose this node for: HF_COUNTER_END, and it may go to another node; or
 * SECOND_CHANCES_LIMITED, or the drop to count. The first of its flow for a moment is looked at
 * closely, and the flow asked for; what follows it costs no more than the node's rate. Of ICMP
 * errors, which ask for nothing, icmp.h has limited the sources.
 */
HF_INLINE enum hf_counter hf_may_ask(const struct hf_stranger *s, const struct hf_service *service)
{
	enum hf_counter objection;
	__u64 now, *last = NULL;

	if (s->met != HF_MET_ICMP)
		last = hf_not_asked(s, &now);
	if (last) {
		objection = hf_objection_to(s, service);
		if (objection != HF_COUNTER_END)
			return objection;
		if (hf_limit(s->source, s->inner.family, HF_LIMITED_STRANGERS))
			return HF_COUNT_SECOND_CHANCES_LIMITED;
	}
	if (hf_limit_node())
		return HF_COUNT_SECOND_CHANCES_LIMITED;
	if (last && !(s->tcp_flags & HF_TCP_RST)) {
		*(volatile __u64 *)last = now;
		hf_ask(s, service);
	}
	return HF_COUNTER_END;
}

/* To a node that may know the flow, or by its choice. */
HF_INLINE int hf_ask_around(struct xdp_md *ctx, const struct hf_cluster *c,
			    const struct hf_stranger *s)
{
	const struct hf_service *service = hf_service_of(s);
	enum hf_counter verdict = HF_COUNTER_END;
	__u16 peer = 0;

	if (c && service && s->hops < HF_HOPS_MAX)
		peer = hf_candidate(c, s);
	if (!peer) {
		if (s->hops)
			hf_count(HF_COUNT_VISITORS_UNKNOWN);
		return hf_by_choice(ctx, s, !s->hops && s->met != HF_MET_ICMP);
	}
	if (!s->hops)
		verdict = hf_may_ask(s, service);
	if (verdict == HF_COUNT_SECOND_CHANCES_LIMITED) {
		hf_count(verdict);
		return hf_by_choice(ctx, s, false);
	}
	if (verdict != HF_COUNTER_END)
		return hf_drop(verdict);
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
	__u64 pin = 0, *cell = NULL;

	if (s->met == HF_MET_OTHER_FRAGMENT)
		return c ? hf_follow_first(ctx, c, s) : hf_drop(HF_COUNT_DROP_FRAGMENT);
	if (!service)
		return hf_drop(HF_COUNT_DROP_INTERNAL);
	if (s->has_pin && !service->is_stateless)
		cell = hf_flow_find(s->digest, bucket_bits, &pin);
	if (cell && hf_backend(hf_pin_backend(pin)))
		return hf_known(ctx, s, cell, pin);
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

/* A whole packet that the hot path has introduced. */
HF_INLINE int hf_stranger(struct xdp_md *ctx)
{
	const struct hf_cluster *c = hf_cluster();
	__u32 zero = 0;
	struct hf_stranger *s = bpf_map_lookup_elem(&strangers, &zero);

	if (!s)
		return hf_drop(HF_COUNT_DROP_INTERNAL);
	s->origin = c ? c->self : 0;
	return hf_receive(ctx, c, s);
}

/* Of a packet that came in the envelope `e`: HF_COUNTER_END, or the drop to count. */
HF_INLINE enum hf_counter hf_check_visit(const struct hf_cluster *c, struct hf_stranger *s,
					 const struct hf_envelope *e, int met)
{
	if (met == HF_MET_NOTHING || !c || s->flags != e->flags)
		return HF_COUNT_DROP_ENVELOPE;
	if (!hf_tag_is_good(c, e, s->digest))
		return HF_COUNT_DROP_ENVELOPE_TAG;
	s->hops = e->hops + 1;
	s->origin = bpf_ntohl(e->origin);
	return HF_COUNTER_END;
}

/* Any other: fragments, ICMP errors, and what came in an envelope, which is off now: what it said
 * is taken from `visits`. */
HF_INLINE int hf_other_stranger(struct xdp_md *ctx)
{
	const struct hf_cluster *c = hf_cluster();
	__u32 zero = 0;
	struct hf_stranger *s = bpf_map_lookup_elem(&strangers, &zero);
	struct hf_envelope *e = bpf_map_lookup_elem(&visits, &zero);
	enum hf_counter refused = HF_COUNTER_END;
	int met;

	if (!s || !e)
		return hf_drop(HF_COUNT_DROP_INTERNAL);
	__builtin_memset(s, 0, sizeof(*s));
	s->origin = c ? c->self : 0;
	met = hf_meet(ctx, s);
	if (e->version)
		refused = hf_check_visit(c, s, e, met);
	else if (met == HF_MET_NOTHING)
		refused = HF_COUNT_DROP_INTERNAL;
	e->version = 0;
	if (refused != HF_COUNTER_END)
		return hf_drop(refused);
	return hf_tell(s, hf_receive(ctx, c, s));
}

#endif
