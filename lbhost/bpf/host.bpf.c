// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The backend's two programs: inward at XDP, outward at tc. */
#include "lbhost/bpf/clamp.h"
#include "lbhost/bpf/receive.h"

SEC("xdp")
int holdfast_in(struct xdp_md *ctx)
{
	return hf_decapsulate(ctx);
}

SEC("tc")
int holdfast_out(struct __sk_buff *skb)
{
	hf_clamp(skb);
	return TC_ACT_UNSPEC; /* other filters have their say */
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
