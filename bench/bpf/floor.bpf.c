// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The baselines: `empty` passes and does nothing else; `push` is the floor under every
 * encapsulating load balancer: it parses, pushes a constant outer IPv4 header and transmits.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "lib/packet/parse.h"

const volatile __u8 header[ETH_HLEN + sizeof(struct iphdr)];
__u64 sink;

SEC("xdp")
int empty(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

SEC("xdp")
int push(struct xdp_md *ctx)
{
	enum hf_parsed parsed;
	struct hf_packet p;
	void *data;

	parsed = hf_parse((void *)(long)ctx->data, (void *)(long)ctx->data_end, &p);
	/* What was parsed must be used, or it is not parsed. */
	if (parsed == HF_PARSED_FLOW)
		sink = p.source_port + p.destination_port + p.tcp_flags;
	else if (parsed != HF_PARSED_OTHER)
		return XDP_PASS;
	sink += p.source[0] + p.source[3] + p.destination[0] + p.destination[3] + p.length + p.tos;
	if (bpf_xdp_adjust_head(ctx, -(int)sizeof(struct iphdr)))
		return XDP_DROP;
	data = (void *)(long)ctx->data;
	if (data + sizeof(header) > (void *)(long)ctx->data_end)
		return XDP_DROP;
	for (unsigned int i = 0; i < sizeof(header); i++)
		((__u8 *)data)[i] = header[i];
	return XDP_TX;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
