// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The live benchmark's ends: `generate` makes packets and sends them, `reflect` is the bare XDP_TX
 * that a load balancer is compared with, `sink` counts what comes back. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "lib/packet/parse.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} received SEC(".maps");

const volatile __u8 ethernet[ETH_HLEN];

/* The frame may have been sent before: then an outer header went where this one was. */
SEC("xdp")
int generate(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;

	if (data + ETH_HLEN > (void *)(long)ctx->data_end)
		return XDP_DROP;
	for (int i = 0; i < ETH_HLEN; i++)
		((__u8 *)data)[i] = ethernet[i];
	return XDP_TX;
}

SEC("xdp")
int reflect(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_TX;
}

SEC("xdp")
int sink(struct xdp_md *ctx)
{
	__u32 zero = 0;
	__u64 *count = bpf_map_lookup_elem(&received, &zero);

	(void)ctx;
	if (count)
		(*count)++;
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
