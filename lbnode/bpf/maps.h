/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The maps. Of these only `flows` and `marks` outlive their program: a new agent fills all others
 * afresh and switches to them together with the program, in one step (lbnode/dataplane.h). The
 * sizes written as 1 are set by the agent from the configuration.
 */
#ifndef HF_LBNODE_BPF_MAPS_H
#define HF_LBNODE_BPF_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "lbnode/bpf/counters.h"
#include "lbnode/bpf/flow_table.h"
#include "lbnode/bpf/types.h"
#include "lbnode/bpf/unknown.h"
#include "lib/packet/envelope.h"

/* Constants of this load: the verifier sees their values. */
const volatile struct hf_key flow_key;
const volatile __u32 bucket_bits = HF_BUCKETS_MIN_BITS;
const volatile __u32 tick_us = 1000; /* of a jiffy, which BPF can't tell */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hf_bucket);
} flows SEC(".maps");

/* Beside `flows`, as many; for the agent alone, and outlives it, too. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hf_marks);
} marks SEC(".maps");

/* The agent's counters, which are not per CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, HF_SHARING_COUNTER_END);
	__type(key, __u32);
	__type(value, __u64);
} sharing SEC(".maps");

/* One element; for the agent alone. It is pinned beside `flows` and says what they mean. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hf_layout);
} layout SEC(".maps");

struct service_table {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct hf_service_table));
};

/* One element: the service table in force. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct service_table);
} services SEC(".maps");

struct pool_table {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE); /* tables differ in size */
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct hf_slot));
};

/* By pool id: its Maglev table. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, HF_MAX_POOLS);
	__type(key, __u32);
	__array(values, struct pool_table);
} pools SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HF_MAX_BACKENDS);
	__type(key, __u32);
	__type(value, struct hf_backend);
} backends SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HF_MAX_BACKENDS);
	__type(key, __u32);
	__type(value, struct hf_nexthop);
} nexthops SEC(".maps");

struct cluster_table {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct hf_cluster));
};

/* One element, or none: the cluster as the agent was told last. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct cluster_table);
} cluster SEC(".maps");

/* What an envelope said, from the program that took it off to the next one, on the same CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hf_envelope);
} visits SEC(".maps");

/* The same of a packet that the hot path knows nothing of. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hf_stranger);
} strangers SEC(".maps");

/* To the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} questions SEC(".maps");

/* By a part of the digest: the flow that was asked for last, and when (stranger.h). */
#define HF_ASKED_CELLS 16384
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HF_ASKED_CELLS);
	__type(key, __u32);
	__type(value, __u64);
} asked SEC(".maps");

/* By ifindex: the devices that next hops leave by. */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u32);
} devices SEC(".maps");

/* By a hash of source and purpose: when it may be heard again (limit.h). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HF_LIMIT_CELLS);
	__type(key, __u32);
	__type(value, __u64);
} limits SEC(".maps");

/* The same of all second chances of a CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} second_chances SEC(".maps");

/* By datagram: where its fragments go. The kernel gives the longest unused to newcomers. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct hf_fragment);
} fragments SEC(".maps");

/* To the agent, which holds them. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} held SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, HF_COUNTER_END);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, HF_MAX_SERVICES);
	__type(key, __u32);
	__type(value, struct hf_traffic);
} service_traffic SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, HF_MAX_BACKENDS);
	__type(key, __u32);
	__type(value, struct hf_traffic);
} backend_traffic SEC(".maps");

/* A coarse clock, for what is rare. */
HF_INLINE __u64 hf_now_us(void)
{
	return bpf_jiffies64() * tick_us;
}

static struct hf_bucket *hf_flow_bucket(__u32 index)
{
	return bpf_map_lookup_elem(&flows, &index);
}

HF_INLINE void hf_count(enum hf_counter counter)
{
	__u32 key = counter;
	__u64 *value = bpf_map_lookup_elem(&counters, &key);

	if (value)
		(*value)++;
}

HF_INLINE int hf_drop(enum hf_counter why)
{
	hf_count(why);
	return XDP_DROP;
}

#endif
