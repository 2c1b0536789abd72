// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The same work with the kernel's own tables: the service in a hash map, the flow in an LRU hash
 * with the 5-tuple for a key, as Katran has it. Same parser, same floor; IPIP over IPv4 only, no
 * counters, and a new flow's backend from a hash of its ports: what is left out is to its favour.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "lib/packet/parse.h"

struct service_key {
	__u32 address[4];
	__be16 port;
	__u8 protocol, family;
};

struct flow_key {
	__u32 source[4], destination[4];
	__be16 source_port, destination_port;
	__u8 protocol, reserved[3];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct service_key);
	__type(value, __u32);
} services SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct flow_key);
	__type(value, __u32);
} flows SEC(".maps");

const volatile __u8 header[ETH_HLEN + sizeof(struct iphdr)];

HF_INLINE int encapsulate(struct xdp_md *ctx, __u32 backend)
{
	struct iphdr *ip;
	void *data;

	if (bpf_xdp_adjust_head(ctx, -(int)sizeof(struct iphdr)))
		return XDP_DROP;
	data = (void *)(long)ctx->data;
	if (data + sizeof(header) > (void *)(long)ctx->data_end)
		return XDP_DROP;
	for (unsigned int i = 0; i < sizeof(header); i++)
		((__u8 *)data)[i] = header[i];
	ip = data + ETH_HLEN;
	ip->daddr = bpf_htonl(0xc0000200 | backend);
	return XDP_TX;
}

SEC("xdp")
int balance(struct xdp_md *ctx)
{
	struct service_key service = { 0 };
	struct flow_key flow = { 0 };
	struct hf_packet p;
	__u32 *backend, chosen;

	if (hf_parse((void *)(long)ctx->data, (void *)(long)ctx->data_end, &p) != HF_PARSED_FLOW)
		return XDP_PASS;
	service.port = p.destination_port;
	service.protocol = flow.protocol = p.protocol;
	service.family = p.family;
	for (int i = 0; i < 4; i++) {
		service.address[i] = flow.destination[i] = p.destination[i];
		flow.source[i] = p.source[i];
	}
	if (!bpf_map_lookup_elem(&services, &service))
		return XDP_PASS;
	flow.source_port = p.source_port;
	flow.destination_port = p.destination_port;
	backend = bpf_map_lookup_elem(&flows, &flow);
	if (backend)
		return encapsulate(ctx, *backend);
	chosen = 1 + ((p.source[0] ^ p.source_port) & 1);
	bpf_map_update_elem(&flows, &flow, &chosen, BPF_ANY);
	return encapsulate(ctx, chosen);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
