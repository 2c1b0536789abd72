/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Out again: the outer header (outer.h) in front of the client's packet, which is not touched, and
 * a new Ethernet header in front of that. */
#ifndef HF_LBNODE_BPF_TRANSMIT_H
#define HF_LBNODE_BPF_TRANSMIT_H

#include "lbnode/bpf/maps.h"
#include "lbnode/bpf/outer.h"

HF_INLINE struct hf_inner hf_inner(const struct hf_packet *p, __u64 digest)
{
	return (struct hf_inner){
		.entropy = digest >> 8,
		.length = p->length,
		.tos = p->tos,
		.family = p->family,
		.l2_length = p->l2_length,
	};
}

HF_INLINE int hf_leave(struct xdp_md *ctx, const struct hf_nexthop *nexthop)
{
	int verdict = XDP_TX;

	if (nexthop->ifindex != ctx->ingress_ifindex)
		verdict = bpf_redirect_map(&devices, nexthop->ifindex, XDP_DROP);
	if (verdict == XDP_DROP)
		return hf_drop(HF_COUNT_DROP_NO_NEXTHOP);
	hf_count(HF_COUNT_FORWARDED);
	return verdict;
}

/* A verdict; or, negative, the size that a packet must have to fit the tunnel: this one has not
 * been touched. `encapsulation`: the backend's, or GUE over the same family. `option` is read if
 * in->option_words says that there is one. */
HF_INLINE int hf_transmit(struct xdp_md *ctx, const struct hf_inner *in,
			  const struct hf_backend *backend, __u8 encapsulation,
			  const struct hf_option *option)
{
	__u32 key = backend->nexthop, header = hf_outer_length(encapsulation);
	__u32 outer = header + in->option_words * 4;
	const struct hf_nexthop *nexthop = bpf_map_lookup_elem(&nexthops, &key);
	void *data, *end, *out;
	bool over_ipv4 = hf_is_over_ipv4(encapsulation);
	int l2;

	if (!nexthop || !nexthop->ifindex)
		return hf_drop(HF_COUNT_DROP_NO_NEXTHOP);
	if (in->length + outer > nexthop->mtu)
		return nexthop->mtu > outer ? (int)outer - (int)nexthop->mtu : -1;
	l2 = sizeof(struct ethhdr) + nexthop->vlan_tags * sizeof(struct hf_vlan_header);
	if (bpf_xdp_adjust_head(ctx, (int)in->l2_length - l2 - (int)outer))
		return hf_drop(HF_COUNT_DROP_INTERNAL);
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + sizeof(struct ethhdr) + HF_MAX_VLAN_TAGS * sizeof(struct hf_vlan_header) > end)
		return hf_drop(HF_COUNT_DROP_INTERNAL);
	out = hf_write_ethernet(data, nexthop,
				over_ipv4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6));
	if (!hf_write_outer(out, end, backend, encapsulation, in, outer) ||
	    !hf_write_option(out + header, end, option, in->option_words))
		return hf_drop(HF_COUNT_DROP_INTERNAL);
	return hf_leave(ctx, nexthop);
}

HF_INLINE int hf_forward(struct xdp_md *ctx, const struct hf_packet *p,
			 const struct hf_backend *backend, __u64 digest)
{
	const struct hf_inner in = hf_inner(p, digest);

	return hf_transmit(ctx, &in, backend, backend->encapsulation, NULL);
}

#endif
