/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef HF_LBHOST_BPF_MAPS_H
#define HF_LBHOST_BPF_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "lbhost/bpf/types.h"
#include "lib/packet/parse.h"

const volatile __u16 gue_port = HF_GUE_PORT; /* host order */
const volatile __u16 tunnel_mtu;	     /* 0: that of the interface */

/* Where tunnels may come from. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HF_HOST_PREFIXES_MAX);
	__type(key, struct hf_host_prefix);
	__type(value, __u8);
} allowed SEC(".maps");

/* The host's own addresses: tunnel packets to others only pass through. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HF_HOST_ADDRESSES_MAX);
	__type(key, struct hf_host_address);
	__type(value, __u8);
} local_addresses SEC(".maps");

/* Where else connections are looked for. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HF_HOST_NAMESPACES_MAX);
	__type(key, __u32);
	__type(value, struct hf_host_namespace);
} namespaces SEC(".maps");

/* VIPs that SYNs have come for by tunnel, with the bytes that the tunnel adds to a packet. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HF_HOST_VIPS_MAX);
	__type(key, struct hf_host_address);
	__type(value, __u32);
} vips SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, HF_HOST_COUNTER_END);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

HF_INLINE void hf_count(enum hf_host_counter counter)
{
	__u32 key = counter;
	__u64 *value = bpf_map_lookup_elem(&counters, &key);

	if (value)
		(*value)++;
}

HF_INLINE struct hf_host_address hf_host_address(const __u32 word[4], __u8 family)
{
	return (struct hf_host_address){ family, { word[0], word[1], word[2], word[3] } };
}

#endif
