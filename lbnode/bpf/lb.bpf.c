// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The way of a packet through a node (docs/architecture.md draws it):
 *
 *	parse -> service -> digest -> pin or choice -> outer header -> next hop
 *
 * What is not a service's packet is left to the kernel, whole.
 */
#include "lbnode/bpf/balance.h"
#include "lbnode/bpf/fragment.h"
#include "lbnode/bpf/icmp.h"
#include "lbnode/bpf/too_big.h"

/* IP, but no TCP or UDP flow could be read from it: ours only if it is for a VIP. Returns what
 * hf_forward() does. */
HF_INLINE int hf_process_uncommon(struct xdp_md *ctx)
{
	const struct hf_service_table *table = hf_services();
	enum hf_parsed parsed;
	struct hf_packet p;

	parsed = hf_parse((void *)(long)ctx->data, (void *)(long)ctx->data_end, &p);
	if (!table || parsed == HF_PARSED_NOT_IP)
		return hf_drop(HF_COUNT_DROP_INTERNAL);
	if (parsed == HF_PARSED_OTHER && hf_is_tunnel_to_us(table, &p, parsed))
		return hf_drop(HF_COUNT_DROP_TUNNEL);
	if (!hf_is_vip(table, p.destination, p.family))
		return hf_pass();
	switch (parsed) {
	case HF_PARSED_FRAGMENT:
		return hf_fragment(ctx, true);
	case HF_PARSED_EXTENSIONS:
		return hf_drop(HF_COUNT_DROP_EXTENSIONS);
	case HF_PARSED_MALFORMED:
		return hf_drop(HF_COUNT_DROP_MALFORMED);
	default:
		return hf_is_icmp(&p) ? hf_icmp(ctx) : hf_pass();
	}
}

HF_INLINE int hf_end(struct xdp_md *ctx, int verdict)
{
	return verdict < 0 ? hf_too_big(ctx, -verdict) : verdict;
}

SEC("xdp")
int holdfast_uncommon(struct xdp_md *ctx)
{
	return hf_end(ctx, hf_process_uncommon(ctx));
}

/* A program of its own by tail call, for the stack's sake: this one takes half of what there is. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__array(values, int(void *));
} uncommon SEC(".maps") = { .values = { [0] = (void *)&holdfast_uncommon } };

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
		bpf_tail_call(ctx, &uncommon, 0);
		return hf_pass(); /* the map has lost its program: an operator's own doing */
	}
	f.table = hf_services();
	if (!f.table)
		return hf_drop(HF_COUNT_DROP_INTERNAL);
	f.service = hf_service_find(f.table, &p);
	if (!f.service)
		return hf_is_tunnel_to_us(f.table, &p, parsed) ? hf_drop(HF_COUNT_DROP_TUNNEL)
							       : hf_pass();
	f.digest = hf_flow_digest(&p);
	backend = hf_balance(&f);
	if (!backend)
		return hf_drop(f.refused);
	return hf_end(ctx, hf_forward(ctx, &p, backend, f.digest));
}

/* For fragments that the agent has held, none of them a first one: now or never. */
SEC("xdp")
int holdfast_held(struct xdp_md *ctx)
{
	int verdict = hf_fragment(ctx, false);

	return verdict < 0 ? hf_drop(HF_COUNT_DROP_TOO_BIG) : verdict;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
