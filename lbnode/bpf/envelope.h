/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What comes from other nodes: envelopes, which are taken off here. stranger.h goes on with what
 * was in them. */
#ifndef HF_LBNODE_BPF_ENVELOPE_H
#define HF_LBNODE_BPF_ENVELOPE_H

#include "lbnode/bpf/balance.h"
#include "lbnode/bpf/cluster.h"
#include "lib/packet/envelope.h"
#include "lib/packet/l2.h"

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

/* UDP to the tunnels' port that is no service's. HF_IS_STRANGER: an envelope, off now. */
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
	return found == HF_COUNTER_END ? HF_IS_STRANGER : hf_drop(found);
}

#endif
