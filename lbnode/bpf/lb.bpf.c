// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The way of a packet through a node (docs/architecture.md draws it):
 *
 *	parse -> service -> digest -> pin or choice -> outer header -> next hop
 *
 * What is not a service's packet is left to the kernel, whole.
 */
#include "lbnode/bpf/balance.h"
#include "lbnode/bpf/envelope.h"
#include "lbnode/bpf/fragment.h"
#include "lbnode/bpf/icmp.h"
#include "lbnode/bpf/stranger.h"
#include "lbnode/bpf/too_big.h"

/* What is rare, by tail call: the stack would not hold it beside the hot path, and the verifier
 * would look at it in every state that the hot path leaves. Called with constants, which the kernel
 * makes direct jumps of. */
enum hf_uncommon {
	HF_UNCOMMON_OTHER,
	HF_UNCOMMON_FRAGMENT,
	HF_UNCOMMON_STRANGER,
	HF_UNCOMMON_OTHER_STRANGER,
	HF_UNCOMMON_ENVELOPE,
	HF_UNCOMMON_END,
};

int holdfast_other(struct xdp_md *ctx);
int holdfast_fragment(struct xdp_md *ctx);
int holdfast_stranger(struct xdp_md *ctx);
int holdfast_other_stranger(struct xdp_md *ctx);
int holdfast_envelope(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, HF_UNCOMMON_END);
	__uint(key_size, sizeof(__u32));
	__array(values, int(void *));
} uncommon SEC(".maps") = {
	.values = {
		[HF_UNCOMMON_OTHER] = (void *)&holdfast_other,
		[HF_UNCOMMON_FRAGMENT] = (void *)&holdfast_fragment,
		[HF_UNCOMMON_STRANGER] = (void *)&holdfast_stranger,
		[HF_UNCOMMON_OTHER_STRANGER] = (void *)&holdfast_other_stranger,
		[HF_UNCOMMON_ENVELOPE] = (void *)&holdfast_envelope,
	},
};

/* Of what the packet's way came to: the verdict. */
HF_INLINE int hf_end(struct xdp_md *ctx, int verdict)
{
	if (verdict < 0)
		return hf_too_big(ctx, -verdict);
	if (verdict == HF_IS_STRANGER) {
		bpf_tail_call(ctx, &uncommon, HF_UNCOMMON_OTHER_STRANGER);
		return hf_drop(HF_COUNT_DROP_INTERNAL);
	}
	return verdict;
}

/* IP, but no TCP or UDP flow could be read from it: ours only if it is for a VIP, which is looked
 * up when nothing else has told. */
SEC("xdp")
int holdfast_other(struct xdp_md *ctx)
{
	const struct hf_service_table *table = hf_services();
	enum hf_parsed parsed;
	struct hf_packet p;

	parsed = hf_parse((void *)(long)ctx->data, (void *)(long)ctx->data_end, &p);
	if (!table || parsed == HF_PARSED_NOT_IP)
		return hf_drop(HF_COUNT_DROP_INTERNAL);
	if ((parsed == HF_PARSED_OTHER || parsed == HF_PARSED_FRAGMENT) &&
	    hf_is_tunnel_to_us(table, &p, parsed))
		return hf_drop(HF_COUNT_DROP_TUNNEL);
	if (parsed == HF_PARSED_FRAGMENT) {
		bpf_tail_call(ctx, &uncommon, HF_UNCOMMON_FRAGMENT);
		return hf_pass();
	}
	if (parsed == HF_PARSED_OTHER && hf_is_icmp(&p))
		return hf_end(ctx, hf_icmp(ctx, &p, table));
	if (parsed == HF_PARSED_OTHER)
		return hf_pass();
	return hf_refuse(table, &p,
			 parsed == HF_PARSED_EXTENSIONS ? HF_COUNT_DROP_EXTENSIONS
							: HF_COUNT_DROP_MALFORMED);
}

SEC("xdp")
int holdfast_fragment(struct xdp_md *ctx)
{
	return hf_end(ctx, hf_fragment(ctx, false));
}

/* For fragments that the agent has held, which are no first ones: now or never. */
SEC("xdp")
int holdfast_held(struct xdp_md *ctx)
{
	return hf_end(ctx, hf_fragment(ctx, true));
}

SEC("xdp")
int holdfast_stranger(struct xdp_md *ctx)
{
	return hf_end(ctx, hf_stranger(ctx));
}

/* Of the answers none is about an ICMP error or a later fragment, which are no TCP or UDP. */
SEC("xdp")
int holdfast_other_stranger(struct xdp_md *ctx)
{
	return hf_end(ctx, hf_other_stranger(ctx));
}

SEC("xdp")
int holdfast_envelope(struct xdp_md *ctx)
{
	return hf_end(ctx, hf_envelope(ctx));
}

/* The hot path: whole TCP and UDP packets. */
SEC("xdp")
int holdfast(struct xdp_md *ctx)
{
	const struct hf_backend *backend;
	struct hf_packet p;
	struct hf_flow f = { .packet = &p };
	enum hf_parsed parsed;

	parsed = hf_parse((void *)(long)ctx->data, (void *)(long)ctx->data_end, &p);
	if (parsed == HF_PARSED_NOT_IP)
		return hf_pass();
	if (parsed != HF_PARSED_FLOW) {
		bpf_tail_call(ctx, &uncommon, HF_UNCOMMON_OTHER);
		return hf_pass(); /* the map has lost its programs: an operator's own doing */
	}
	f.table = hf_services();
	if (!f.table)
		return hf_drop(HF_COUNT_DROP_INTERNAL);
	f.service = hf_service_find(f.table, &p);
	if (!f.service) {
		if (hf_is_tunnel(&p, parsed))
			bpf_tail_call(ctx, &uncommon, HF_UNCOMMON_ENVELOPE);
		return hf_pass();
	}
	f.digest = hf_flow_digest(&p);
	backend = hf_balance(&f);
	if (f.is_stranger) {
		if (p.protocol == IPPROTO_TCP && hf_introduce(&f, f.backend_id != HF_NO_BACKEND))
			bpf_tail_call(ctx, &uncommon, HF_UNCOMMON_STRANGER);
		return hf_end(ctx, HF_IS_STRANGER);
	}
	if (!backend)
		return hf_drop(f.refused);
	return hf_end(ctx, hf_forward(ctx, &p, backend, f.digest));
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
