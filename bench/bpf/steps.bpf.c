// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The hot path of lbnode/bpf/lb.bpf.c, as far as `steps` says: what each of its steps costs. */
#include "lbnode/bpf/balance.h"

const volatile __u32 steps; /* a constant to the verifier, which takes the rest away */
__u64 sink;		    /* or the compiler would, too */

SEC("xdp")
int walk(struct xdp_md *ctx)
{
	const struct hf_backend *backend;
	struct hf_packet p;
	struct hf_flow f = { .packet = &p };

	if (hf_parse((void *)(long)ctx->data, (void *)(long)ctx->data_end, &p) != HF_PARSED_FLOW)
		return XDP_DROP;
	sink = p.source[0] + p.source[3] + p.destination[0] + p.destination[3] + p.source_port +
	       p.destination_port + p.length + p.tcp_flags + p.tos;
	if (steps == 1)
		return XDP_PASS;
	f.table = hf_services();
	if (!f.table)
		return XDP_DROP;
	f.service = hf_service_find(f.table, &p);
	if (!f.service)
		return XDP_DROP;
	sink = f.service->pool;
	if (steps == 2)
		return XDP_PASS;
	f.digest = hf_flow_digest(&p);
	sink = f.digest;
	if (steps == 3)
		return XDP_PASS;
	backend = hf_flow_backend(&f);
	if (!backend)
		return XDP_DROP;
	sink = backend->nexthop;
	if (steps == 4)
		return XDP_PASS;
	hf_account_to(&service_traffic, f.service->id, &f);
	hf_account_to(&backend_traffic, f.backend_id, &f);
	if (steps == 5)
		return XDP_PASS;
	return hf_forward(ctx, &p, backend, f.digest);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
