// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The timing harness inside the kernel. BPF_PROG_TEST_RUN does not restore the packet between
 * repeats, so a program that encapsulates would see its own output. `wrap` writes the flow's
 * source, calls the program under test by a tail call from a subprogram, and undoes its work.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "lib/packet/parse.h"

const volatile __u32 outer_length;  /* what the program under test prepends */
const volatile __u32 source_offset; /* of the source address's last 4 bytes in the frame */
const volatile __u32 port_offset;   /* of the source port */
const volatile __u32 id_offset;	    /* of the IPv4 id, which keeps the header's checksum good */
const volatile __u32 flows = 1;	    /* how many to cycle through, in a scattered order */
const volatile __u8 ethernet[ETH_HLEN];

__u32 counter;

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} target SEC(".maps");

static __attribute__((noinline)) int call(struct xdp_md *ctx)
{
	volatile int verdict = XDP_ABORTED;

	bpf_tail_call(ctx, &target, 0);
	return verdict;
}

/* The counter's bits fill 16 bits of the source address and 12 of the port: 2^28 flows. */
HF_INLINE bool choose_flow(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	/* An odd multiplier visits every flow once, neighbours far apart. */
	__u32 flow = counter++ * 2654435761U & (flows - 1);
	__u32 at = source_offset, port = port_offset, id = id_offset;

	if (at > 64 || port > 64 || id > 64 || data + at + 4 > end || data + port + 2 > end ||
	    data + id + 2 > end)
		return false;
	*(__be32 *)(data + at) = bpf_htonl(0xc0000000 | (flow & 0xffff));
	*(__be16 *)(data + id) = bpf_htons(~flow);
	*(__be16 *)(data + port) = bpf_htons(1024 + (flow >> 16));
	return true;
}

SEC("xdp")
int wrap(struct xdp_md *ctx)
{
	void *data, *end;
	int verdict;

	if (flows > 1 && !choose_flow(ctx))
		return XDP_ABORTED;
	verdict = call(ctx);
	if (verdict != XDP_TX)
		return verdict;
	if (outer_length && bpf_xdp_adjust_head(ctx, outer_length))
		return XDP_ABORTED;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + ETH_HLEN > end)
		return XDP_ABORTED;
	for (int i = 0; i < ETH_HLEN; i++)
		((__u8 *)data)[i] = ethernet[i];
	return verdict;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
