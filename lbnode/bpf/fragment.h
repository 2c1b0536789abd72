/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Fragments to a VIP. Only a datagram's first one has ports and so a flow: it goes its flow's way
 * and leaves a note of its backend, by which the others follow. One that comes before it is
 * given to the agent, which runs it through `holdfast_held` once the note is there, or has not come
 * in time (lbnode/held.h). The Maglev paper (NSDI 2016, section 4.3) and nfqlb do the same.
 *
 * Whatever an attacker sends, the notes are as many as the map has room for, and a note is
 * believed for no longer than hosts would wait for the datagram's rest.
 */
#ifndef HF_LBNODE_BPF_FRAGMENT_H
#define HF_LBNODE_BPF_FRAGMENT_H

#include "lbnode/bpf/balance.h"
#include "lbnode/bpf/limit.h"
#include "lib/packet/icmp.h"

/* RFC 791's upper bound of 15 s: an id may be used again after it. */
#define HF_DATAGRAM_US	15000000
#define HF_DATAGRAM_MAX 65535

/* What tells datagrams apart: RFC 791 section 3.2, RFC 8200 section 4.5. */
HF_INLINE __u64 hf_datagram(const struct hf_packet *p)
{
	__u8 protocol = p->family == 4 ? p->protocol : 0;
	struct hf_sip s;

	hf_sip_start(&s, (struct hf_key){ flow_key.k0, flow_key.k1 });
	for (int i = 0; i < (p->family == 4 ? 1 : 4); i++)
		hf_sip_word(&s, (__u64)p->source[i] << 32 | p->destination[i]);
	hf_sip_word(&s, (__u64)p->family << 56 | (__u64)protocol << 32 | p->fragment_id);
	return hf_sip_end(&s);
}

HF_INLINE int hf_hold(struct xdp_md *ctx, const struct hf_packet *p, __u64 datagram)
{
	__u64 length = bpf_xdp_get_buff_len(ctx);
	struct hf_held *h;

	if (length < ETH_HLEN || length > HF_HELD_BYTES_MAX ||
	    hf_limit(p->source, p->family, HF_LIMITED_FRAGMENTS))
		return hf_drop(HF_COUNT_DROP_FRAGMENT);
	h = bpf_ringbuf_reserve(&held, sizeof(*h), 0);
	if (!h)
		return hf_drop(HF_COUNT_DROP_FRAGMENT);
	h->datagram = datagram;
	h->ifindex = ctx->ingress_ifindex;
	h->length = length;
	if (bpf_xdp_load_bytes(ctx, 0, h->frame, length)) {
		bpf_ringbuf_discard(h, 0);
		return hf_drop(HF_COUNT_DROP_INTERNAL);
	}
	bpf_ringbuf_submit(h, 0);
	hf_count(HF_COUNT_FRAGMENTS_HELD);
	return XDP_DROP;
}

HF_INLINE void hf_note_datagram(__u64 datagram, __u16 backend, __u16 peer)
{
	struct hf_fragment note = { .seen_us = hf_now_us(), .backend = backend, .peer = peer };

	bpf_map_update_elem(&fragments, &datagram, &note, BPF_ANY);
}

HF_INLINE int hf_first_fragment(struct xdp_md *ctx, struct hf_packet *p,
				const struct hf_service_table *table, __u64 datagram)
{
	enum hf_parsed parsed = hf_parse_first_fragment(p, (void *)(long)ctx->data_end);

	if (parsed == HF_PARSED_FLOW && hf_service_find(table, p))
		return HF_IS_STRANGER;
	if (parsed != HF_PARSED_FLOW && parsed != HF_PARSED_OTHER)
		return hf_drop(parsed == HF_PARSED_EXTENSIONS ? HF_COUNT_DROP_EXTENSIONS
							      : HF_COUNT_DROP_MALFORMED);
	if (hf_is_tunnel(p, parsed))
		return hf_drop(HF_COUNT_DROP_TUNNEL);
	hf_note_datagram(datagram, HF_NO_BACKEND, 0); /* the rest is the kernel's, too */
	return hf_pass();
}

HF_INLINE int hf_other_fragment(struct xdp_md *ctx, const struct hf_packet *p, __u64 datagram,
				bool is_held)
{
	struct hf_fragment *note = bpf_map_lookup_elem(&fragments, &datagram);
	struct hf_flow f = { .packet = p };
	const struct hf_backend *backend;
	int verdict;

	/* A stale note goes, or the agent would take it for a fresh one. */
	if (note && hf_now_us() - note->seen_us > HF_DATAGRAM_US) {
		bpf_map_delete_elem(&fragments, &datagram);
		note = NULL;
	}
	if (!note)
		return is_held ? hf_drop(HF_COUNT_DROP_FRAGMENT) : hf_hold(ctx, p, datagram);
	if (note->peer)
		return HF_IS_STRANGER;
	f.backend_id = note->backend;
	if (f.backend_id == HF_NO_BACKEND)
		return hf_pass();
	backend = hf_backend(f.backend_id);
	if (!backend)
		return hf_drop(HF_COUNT_DROP_NO_BACKEND);
	hf_account_to(&backend_traffic, f.backend_id, &f);
	hf_count(HF_COUNT_FRAGMENTS_PLACED);
	verdict = hf_forward(ctx, p, backend, datagram);
	return verdict < 0 ? hf_drop(HF_COUNT_DROP_TOO_BIG) : verdict;
}

/* Of fragments; those that are for no VIP, and ICMP's, which are large pings, are the node's own.
 * Returns what hf_forward() does. */
HF_INLINE int hf_fragment(struct xdp_md *ctx, bool is_held)
{
	const struct hf_service_table *table = hf_services();
	struct hf_packet p;
	__u64 datagram;

	if (!table || hf_parse((void *)(long)ctx->data, (void *)(long)ctx->data_end, &p) !=
			      HF_PARSED_FRAGMENT)
		return hf_drop(HF_COUNT_DROP_INTERNAL);
	if (!hf_is_vip(table, p.destination, p.family) || hf_is_icmp(&p))
		return hf_pass();
	/* The headers may exceed the packet, but not by so much as to make this any wrong. */
	if (p.fragment_offset * 8 + p.length - p.l4_offset > HF_DATAGRAM_MAX)
		return hf_drop(HF_COUNT_DROP_MALFORMED);
	datagram = hf_datagram(&p);
	if (p.fragment_offset)
		return hf_other_fragment(ctx, &p, datagram, is_held);
	return is_held ? hf_drop(HF_COUNT_DROP_INTERNAL)
		       : hf_first_fragment(ctx, &p, table, datagram);
}

#endif
