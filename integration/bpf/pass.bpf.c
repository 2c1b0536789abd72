// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * For the spines' side of a node's links. A veth device that sends by XDP_TX wakes its peer only if
 * that has an XDP program (veth_xdp_flush() in the kernel's drivers/net/veth.c looks for one; GRO
 * alone does not do): without it, frames wait for other traffic, and a full ring never empties.
 * Real devices need nothing like it.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
