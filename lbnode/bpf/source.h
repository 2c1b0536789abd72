/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What must not come from outside: sources that no client has, and tunnels. Looked at once a flow,
 * before it is pinned, so that the hot path pays nothing.
 */
#ifndef HF_LBNODE_BPF_SOURCE_H
#define HF_LBNODE_BPF_SOURCE_H

#include "lbnode/bpf/service_table.h"
#include "lib/packet/source.h"

/* A VIP sends to no VIP: its backends would answer each other, or themselves (the "land"
 * attack, CERT CA-1997-28). */
HF_INLINE bool hf_source_is_sound(const struct hf_service_table *table, const __u32 *source,
				  __u8 family)
{
	return hf_is_host_address(source, family) && !hf_is_vip(table, source, family);
}

HF_INLINE bool hf_is_own(const struct hf_own *own, const struct hf_packet *p)
{
	__u32 differs = 0, mask = 0;

	for (int i = 0; i < 4; i++) {
		differs |= (p->destination[i] ^ own->address[i]) & own->mask[i];
		mask |= own->mask[i];
	}
	return mask && !differs;
}

HF_INLINE bool hf_is_tunnel(const struct hf_packet *p, enum hf_parsed parsed)
{
	if (parsed == HF_PARSED_FLOW)
		return p->protocol == IPPROTO_UDP && p->destination_port == bpf_htons(HF_GUE_PORT);
	return p->protocol == IPPROTO_IPIP || p->protocol == IPPROTO_IPV6;
}

/* A tunnel's packet for a VIP, or for the addresses that this node's own tunnels come from: but for
 * other nodes' envelopes nobody sends it one, but who wants to pass for a node, and a node that
 * takes this one for a backend. */
HF_INLINE bool hf_is_tunnel_to_us(const struct hf_service_table *table, const struct hf_packet *p,
				  enum hf_parsed parsed)
{
	return hf_is_tunnel(p, parsed) &&
	       (hf_is_own(p->family == 4 ? &table->own4 : &table->own6, p) ||
		hf_is_vip(table, p->destination, p->family));
}

#endif
