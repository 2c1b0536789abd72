/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which backend a packet goes to: its flow's pin, or its slot's choice, which is then pinned.
 *
 * A SYN never moves a flow that has a living pin, since anyone can forge one; the backend answers
 * it with a challenge ACK (RFC 5961 section 4). Only when the flow is over, or its backend gone, is
 * it chosen anew; and when no more than SYNs were seen of it and the backend has left the pool.
 * A UDP flow leaves a backend that is down, since nothing would tell its client.
 */
#ifndef HF_LBNODE_BPF_FLOW_H
#define HF_LBNODE_BPF_FLOW_H

#include "lib/packet/digest.h"
#include "lbnode/bpf/maps.h"
#include "lbnode/bpf/source.h"

/* What is known of the packet in hand while its backend is looked for. */
struct hf_flow {
	const struct hf_packet *packet;
	const struct hf_service_table *table;
	const struct hf_service *service;
	__u64 digest;
	__u16 backend_id;
	bool is_new;
	bool is_stranger; /* others may know more of its flow (stranger.h) */
	__u8 refused;	  /* enum hf_counter: why there is no backend */
};

HF_INLINE bool hf_starts_flow(const struct hf_packet *p)
{
	return (p->tcp_flags & (HF_TCP_SYN | HF_TCP_ACK | HF_TCP_RST | HF_TCP_FIN)) == HF_TCP_SYN;
}

HF_INLINE struct hf_backend *hf_backend(__u16 id)
{
	__u32 key = id;
	struct hf_backend *backend = bpf_map_lookup_elem(&backends, &key);

	return backend && backend->encapsulation != HF_ENCAP_NONE ? backend : NULL;
}

HF_INLINE const struct hf_slot *hf_slot_of(const struct hf_service *service, __u64 digest)
{
	__u32 pool = service->pool;
	void *table = bpf_map_lookup_elem(&pools, &pool);
	__u32 place;

	if (!table)
		return NULL;
	place = hf_slot(digest, service->table_size);
	return bpf_map_lookup_elem(table, &place);
}

HF_INLINE __u16 hf_choice(const struct hf_service *service, __u64 digest)
{
	const struct hf_slot *slot = hf_slot_of(service, digest);

	return slot ? slot->backend : HF_NO_BACKEND;
}

HF_INLINE enum hf_pin_state hf_first_state(const struct hf_packet *p)
{
	if (p->protocol == IPPROTO_UDP)
		return HF_PIN_UDP_NEW;
	if (hf_starts_flow(p))
		return HF_PIN_EMBRYONIC;
	return HF_PIN_ADOPTED;
}

HF_INLINE void hf_pin_flow(struct hf_flow *f)
{
	enum hf_pin_state state = hf_first_state(f->packet);
	__u64 pin = hf_pin(f->digest, f->backend_id, state);

	f->is_new = state == HF_PIN_EMBRYONIC || state == HF_PIN_UDP_NEW;
	hf_count(f->is_new ? HF_COUNT_FLOWS_NEW : HF_COUNT_FLOWS_ADOPTED);
	switch (hf_flow_insert(f->digest, bucket_bits, pin)) {
	case HF_INSERTED:
		return;
	case HF_INSERTED_DISPLACING:
		hf_count(HF_COUNT_PINS_DISPLACED);
		return;
	case HF_INSERTED_NOT:
		hf_count(HF_COUNT_FLOWS_UNPINNED);
		return;
	}
}

/* Why the packet may have no flow; HF_COUNTER_END: it may. A service on all ports does not have the
 * tunnels'. */
HF_INLINE enum hf_counter hf_objection(const struct hf_service_table *table,
				       const struct hf_service *service, const __u32 *source,
				       __u8 family, bool is_tunnel)
{
	if (!hf_source_is_sound(table, source, family))
		return HF_COUNT_DROP_SOURCE;
	return !service->port && is_tunnel ? HF_COUNT_DROP_TUNNEL : HF_COUNTER_END;
}

/* Not the first packet of its flow, of which nothing is known here. UDP does not tell: then it is
 * one if its slot's choice is new. */
HF_INLINE bool hf_is_stranger(const struct hf_flow *f)
{
	const struct hf_slot *slot;

	if (f->packet->protocol == IPPROTO_TCP)
		return !hf_starts_flow(f->packet);
	slot = hf_slot_of(f->service, f->digest);
	return slot && slot->is_fresh;
}

/* Of a flow that is not known, or whose pin (in `cell`) no longer holds. */
HF_INLINE int hf_choose(struct hf_flow *f, __u64 *cell, __u64 old)
{
	const struct hf_packet *p = f->packet;
	enum hf_counter objection = hf_objection(f->table, f->service, p->source, p->family,
						 hf_is_tunnel(p, HF_PARSED_FLOW));
	__u64 pin;

	f->backend_id = HF_NO_BACKEND;
	if (objection != HF_COUNTER_END) {
		f->refused = objection;
		return 0;
	}
	f->backend_id = hf_choice(f->service, f->digest);
	/* Nothing to pin; or, after a reset, no more to come. */
	if (f->backend_id == HF_NO_BACKEND || f->service->is_stateless || p->tcp_flags & HF_TCP_RST)
		return 0;
	if (!cell) {
		hf_pin_flow(f);
		return 0;
	}
	pin = hf_pin(f->digest, f->backend_id, hf_first_state(p)) | (old & HF_PIN_AWAY);
	f->is_new = true;
	hf_count(HF_COUNT_FLOWS_NEW);
	hf_pin_swap(cell, old, pin);
	return 0;
}

HF_INLINE bool hf_may_begin_anew(const struct hf_packet *p, __u64 pin,
				 const struct hf_backend *backend)
{
	if (p->protocol == IPPROTO_UDP)
		return backend->is_down;
	return hf_starts_flow(p) &&
	       (hf_pin_is_over(pin) ||
		(hf_pin_state(pin) == HF_PIN_EMBRYONIC && backend->is_draining));
}

/* The packet's backend, its id in f->backend_id; NULL: there is none, and f->refused says why, or
 * it is a stranger's. The pin of a flow that was adopted is a guess, which takes stranger's ways,
 * too. */
HF_INLINE struct hf_backend *hf_flow_backend(struct hf_flow *f)
{
	const struct hf_packet *p = f->packet;
	struct hf_backend *backend;
	__u64 pin = 0, next, *cell = NULL;

	f->is_new = f->is_stranger = false;
	f->backend_id = HF_NO_BACKEND;
	f->refused = HF_COUNT_DROP_NO_BACKEND;
	if (!f->service->is_stateless)
		cell = hf_flow_find(f->digest, bucket_bits, &pin);
	if (cell) {
		f->backend_id = hf_pin_backend(pin);
		backend = hf_backend(f->backend_id);
		if (backend && hf_pin_state(pin) == HF_PIN_ADOPTED && !hf_starts_flow(p)) {
			f->is_stranger = true;
			return NULL;
		}
		if (backend && !hf_may_begin_anew(p, pin, backend)) {
			next = hf_pin_after(pin, p->tcp_flags);
			/* Lost to another CPU: then the pin is as fresh as we would make it. */
			if (next != pin)
				hf_pin_swap(cell, pin, next);
			return backend;
		}
	}
	if (!cell && !f->service->is_stateless && hf_is_stranger(f)) {
		f->is_stranger = true;
		return NULL;
	}
	hf_choose(f, cell, pin);
	return hf_backend(f->backend_id);
}

/* The same of a packet that is not the flow's own: it leaves no trace. `alone`: there is no other
 * node that may know more. */
HF_INLINE struct hf_backend *hf_flow_backend_of_others(struct hf_flow *f, bool alone)
{
	struct hf_backend *backend;
	__u64 pin = 0;

	if (!f->service->is_stateless && hf_flow_find(f->digest, bucket_bits, &pin)) {
		f->backend_id = hf_pin_backend(pin);
		backend = hf_backend(f->backend_id);
		if (backend)
			return backend;
	}
	if (!f->service->is_stateless && !alone) {
		f->is_stranger = true;
		return NULL;
	}
	f->backend_id = hf_choice(f->service, f->digest);
	return hf_backend(f->backend_id);
}

#endif
