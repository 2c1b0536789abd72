/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The way of a packet on the backend: found, checked, and unwrapped, or sent to another one. */
#ifndef HF_LBHOST_BPF_RECEIVE_H
#define HF_LBHOST_BPF_RECEIVE_H

#include "lbhost/bpf/last_chance.h"

/* The outer headers are good: of what they carry. */
HF_INLINE int hf_take_inner(struct xdp_md *ctx, const struct hf_tunnel *t)
{
	struct hf_tunnel_at at = {
		.outer = t->outer.l2_length,
		.inner = t->outer.l2_length + t->outer_length,
		.end = t->outer.l2_length + t->outer.length,
		.protocol = t->protocol,
		.tos = t->outer.tos,
	};
	struct hf_onward onward = {};
	bool chance = hf_last_chance(t, (void *)(long)ctx->data_end, &onward);
	int found = hf_check_inner(ctx, &at);

	if (found != HF_HOST_GOOD)
		return hf_drop(found);
	if (chance && !hf_is_expected(ctx, &at)) {
		if (!hf_is_allowed(onward.to.source, onward.is_ipv4 ? 4 : 6))
			return hf_drop(HF_HOST_DROP_SOURCE);
		if (!hf_send_to_other(ctx, t, &onward))
			return hf_drop(HF_HOST_DROP_INTERNAL);
		hf_count(HF_HOST_LAST_CHANCES);
		return XDP_TX;
	}
	if (!hf_unwrap(ctx, t))
		return hf_drop(HF_HOST_DROP_INTERNAL);
	hf_count(t->is_gue ? HF_HOST_DECAPSULATED_GUE : HF_HOST_DECAPSULATED_IPIP);
	return XDP_PASS;
}

HF_INLINE int hf_decapsulate(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct hf_tunnel t = { .is_gue = false };
	enum hf_found found = hf_find_inner(&t, hf_parse(data, end, &t.outer), end);

	if (found == HF_FOUND_NONE || !hf_is_local(&t.outer))
		return XDP_PASS;
	if (!hf_is_allowed(t.outer.source, t.outer.family))
		return hf_drop(HF_HOST_DROP_SOURCE);
	if (found == HF_FOUND_FRAGMENT)
		return hf_drop(HF_HOST_DROP_FRAGMENT);
	return found == HF_FOUND_TUNNEL ? hf_take_inner(ctx, &t) : hf_drop(HF_HOST_DROP_MALFORMED);
}

#endif
