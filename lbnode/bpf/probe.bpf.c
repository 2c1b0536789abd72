// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Probes of this node through a backend's tunnel to the VIP, and their answers. The VIP may be this
 * node's own address, so no socket can be connected to it: the socket of a probe is connected to
 * another address and has a mark. On the way out the packet's destination becomes the VIP, and the
 * tunnel's header comes in front; the answer, which comes directly, is made to come from that other
 * address.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include "lib/packet/parse.h"
#include "lbnode/bpf/outer.h"
#include "lbnode/bpf/probe_types.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* These two are the data plane's. */
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

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HF_PROBE_WAYS);
	__type(key, __u32);
	__type(value, struct hf_probe_way);
} ways SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HF_PROBE_WAYS);
	__type(key, struct hf_probe_answer);
	__type(value, struct hf_probe_peer);
} answers SEC(".maps");

#define L2 sizeof(struct ethhdr)

/* Where things stand in a packet of ours: no options, no extension headers. */
struct place {
	__u32 source, destination; /* offsets */
	__u32 l4;
	__u8 family, protocol, tos;
	__be16 source_port, destination_port;
};

static __always_inline bool find_ports(void *data, void *end, struct place *p)
{
	const __be16 *ports = data + p->l4;

	if ((void *)(ports + 2) > end)
		return false;
	p->source_port = ports[0];
	p->destination_port = ports[1];
	return p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP;
}

static __always_inline bool find_place(struct __sk_buff *skb, struct place *p)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	const struct iphdr *ip = data + L2;
	const struct ipv6hdr *ip6 = data + L2;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if ((void *)(ip + 1) > end || ip->ihl != 5 || ip->frag_off & bpf_htons(0x3fff))
			return false;
		p->family = 4;
		p->protocol = ip->protocol;
		p->tos = ip->tos;
		p->source = L2 + offsetof(struct iphdr, saddr);
		p->destination = L2 + offsetof(struct iphdr, daddr);
		p->l4 = L2 + sizeof(*ip);
		return find_ports(data, end, p);
	}
	if (skb->protocol != bpf_htons(ETH_P_IPV6) || (void *)(ip6 + 1) > end)
		return false;
	p->family = 6;
	p->protocol = ip6->nexthdr;
	p->tos = 0;
	p->source = L2 + offsetof(struct ipv6hdr, saddr);
	p->destination = L2 + offsetof(struct ipv6hdr, daddr);
	p->l4 = L2 + sizeof(*ip6);
	return find_ports(data, end, p);
}

/* Puts another address at `at`, and the checksums right. */
static __always_inline int rewrite(struct __sk_buff *skb, const struct place *p, __u32 at,
				   __u32 *old, const __u32 *new)
{
	__u32 length = p->family == 4 ? 4 : 16;
	__u32 sum = p->l4 + (p->protocol == IPPROTO_TCP ? 16 : 6);
	__u64 flags = BPF_F_PSEUDO_HDR | (p->protocol == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0);
	__s64 difference;

	if (p->family == 4) {
		if (bpf_skb_load_bytes(skb, at, old, 4) ||
		    bpf_l3_csum_replace(skb, L2 + offsetof(struct iphdr, check), old[0], new[0], 4))
			return -1;
		difference = bpf_csum_diff(old, 4, (__be32 *)new, 4, 0);
	} else {
		if (bpf_skb_load_bytes(skb, at, old, 16))
			return -1;
		difference = bpf_csum_diff(old, 16, (__be32 *)new, 16, 0);
	}
	if (bpf_l4_csum_replace(skb, sum, 0, difference, flags))
		return -1;
	return length == 4 ? bpf_skb_store_bytes(skb, at, new, 4, 0)
			   : bpf_skb_store_bytes(skb, at, new, 16, 0);
}

static __always_inline __u64 room_flags(__u8 encapsulation)
{
	switch (encapsulation) {
	case HF_ENCAP_IPIP_OVER_IPV4:
		return BPF_F_ADJ_ROOM_ENCAP_L3_IPV4;
	case HF_ENCAP_IPIP_OVER_IPV6:
		return BPF_F_ADJ_ROOM_ENCAP_L3_IPV6;
	case HF_ENCAP_GUE_OVER_IPV4:
		return BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_ENCAP_L4_UDP;
	default:
		return BPF_F_ADJ_ROOM_ENCAP_L3_IPV6 | BPF_F_ADJ_ROOM_ENCAP_L4_UDP;
	}
}

static __always_inline int encapsulate(struct __sk_buff *skb, const struct place *p,
				       const struct hf_backend *backend,
				       const struct hf_nexthop *nexthop)
{
	__u8 encapsulation = backend->encapsulation;
	__u32 outer = hf_outer_length(encapsulation);
	const struct hf_inner in = {
		.entropy = bpf_ntohs(p->source_port),
		.length = skb->len - L2,
		.tos = p->tos,
		.family = p->family,
	};
	struct ethhdr *eth;
	void *data, *end;

	if (bpf_skb_adjust_room(skb, outer, BPF_ADJ_ROOM_MAC, room_flags(encapsulation)))
		return TC_ACT_SHOT;
	data = (void *)(long)skb->data;
	end = (void *)(long)skb->data_end;
	eth = data;
	if ((void *)(eth + 1) > end ||
	    !hf_write_outer(data + L2, end, backend, encapsulation, &in, outer))
		return TC_ACT_SHOT;
	__builtin_memcpy(eth, nexthop->macs, sizeof(nexthop->macs));
	eth->h_proto = hf_is_over_ipv4(encapsulation) ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
	/* The inner tag first. */
	if (nexthop->vlan_tags > 1 &&
	    bpf_skb_vlan_push(skb, nexthop->vlan[1].protocol, bpf_ntohs(nexthop->vlan[1].tci)))
		return TC_ACT_SHOT;
	if (nexthop->vlan_tags &&
	    bpf_skb_vlan_push(skb, nexthop->vlan[0].protocol, bpf_ntohs(nexthop->vlan[0].tci)))
		return TC_ACT_SHOT;
	skb->mark = 0; /* or it would come here again */
	return bpf_redirect(nexthop->ifindex, 0);
}

/* What has the mark goes by the tunnel, or not at all: without it, it would prove something else.
 */
SEC("tc")
int holdfast_probe_out(struct __sk_buff *skb)
{
	__u32 key = skb->mark & 0xffff;
	struct hf_probe_answer answer = { 0 };
	struct hf_probe_peer peer = { 0 };
	const struct hf_probe_way *way;
	const struct hf_backend *backend;
	const struct hf_nexthop *nexthop;
	struct place p;

	if (skb->mark >> 16 != HF_PROBE_MARK)
		return TC_ACT_UNSPEC;
	way = bpf_map_lookup_elem(&ways, &key);
	if (!way || !find_place(skb, &p) || p.family != way->family)
		return TC_ACT_SHOT;
	key = way->backend;
	backend = bpf_map_lookup_elem(&backends, &key);
	if (!backend || backend->encapsulation == HF_ENCAP_NONE)
		return TC_ACT_SHOT;
	key = backend->nexthop;
	nexthop = bpf_map_lookup_elem(&nexthops, &key);
	if (!nexthop || !nexthop->ifindex)
		return TC_ACT_SHOT;
	__builtin_memcpy(answer.vip, way->vip, sizeof(answer.vip));
	answer.vip_port = p.destination_port;
	answer.own_port = p.source_port;
	answer.family = p.family;
	answer.protocol = p.protocol;
	if (rewrite(skb, &p, p.destination, peer.address, answer.vip) ||
	    bpf_map_update_elem(&answers, &answer, &peer, BPF_ANY))
		return TC_ACT_SHOT;
	return encapsulate(skb, &p, backend, nexthop);
}

SEC("tc")
int holdfast_probe_in(struct __sk_buff *skb)
{
	struct hf_probe_answer answer = { 0 };
	const struct hf_probe_peer *peer;
	struct hf_probe_peer to;
	__u32 vip[4];
	struct place p;

	if (!find_place(skb, &p))
		return TC_ACT_UNSPEC;
	if (p.family == 4 ? bpf_skb_load_bytes(skb, p.source, answer.vip, 4)
			  : bpf_skb_load_bytes(skb, p.source, answer.vip, 16))
		return TC_ACT_UNSPEC;
	answer.vip_port = p.source_port;
	answer.own_port = p.destination_port;
	answer.family = p.family;
	answer.protocol = p.protocol;
	peer = bpf_map_lookup_elem(&answers, &answer);
	if (!peer)
		return TC_ACT_UNSPEC;
	to = *peer;
	return rewrite(skb, &p, p.source, vip, to.address) ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}
