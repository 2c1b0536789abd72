/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ICMP and ICMPv6: echo requests, and errors with the packet that they quote (RFC 792, RFC 1122
 * section 3.2.2, RFC 4443).
 */
#ifndef HF_PACKET_ICMP_H
#define HF_PACKET_ICMP_H

#include "lib/packet/parse.h"

#define HF_ICMP4_ECHO_REPLY    0
#define HF_ICMP4_UNREACHABLE   3
#define HF_ICMP4_TOO_BIG_CODE  4 /* "fragmentation needed and DF set" */
#define HF_ICMP4_ECHO	       8
#define HF_ICMP4_TIME_EXCEEDED 11
#define HF_ICMP4_BAD_PARAMETER 12
#define HF_ICMP6_UNREACHABLE   1
#define HF_ICMP6_TOO_BIG       2
#define HF_ICMP6_TIME_EXCEEDED 3
#define HF_ICMP6_BAD_PARAMETER 4
#define HF_ICMP6_ECHO	       128
#define HF_ICMP6_ECHO_REPLY    129

/* RFC 792: what an error quotes of the upper layer at least. It holds the ports. */
#define HF_ICMP_QUOTED_L4 8

struct hf_icmp {
	__u8 type, code;
	__u16 checksum;
	__be16 rest;
	__be16 mtu; /* in IPv4's "fragmentation needed"; ICMPv6 has 32 bits, with `rest` */
};

enum hf_icmp_kind {
	HF_ICMP_OTHER,
	HF_ICMP_IS_ECHO, /* a request */
	HF_ICMP_IS_ERROR,
};

HF_INLINE bool hf_is_icmp(const struct hf_packet *p)
{
	return p->protocol == (p->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

HF_INLINE enum hf_icmp_kind hf_icmp_kind(__u8 family, const struct hf_icmp *icmp)
{
	if (family == 4) {
		switch (icmp->type) {
		case HF_ICMP4_ECHO:
			return icmp->code == 0 ? HF_ICMP_IS_ECHO : HF_ICMP_OTHER;
		case HF_ICMP4_UNREACHABLE:
		case HF_ICMP4_TIME_EXCEEDED:
		case HF_ICMP4_BAD_PARAMETER:
			return HF_ICMP_IS_ERROR;
		default:
			return HF_ICMP_OTHER;
		}
	}
	if (icmp->type == HF_ICMP6_ECHO)
		return icmp->code == 0 ? HF_ICMP_IS_ECHO : HF_ICMP_OTHER;
	return icmp->type >= HF_ICMP6_UNREACHABLE && icmp->type <= HF_ICMP6_BAD_PARAMETER
		       ? HF_ICMP_IS_ERROR
		       : HF_ICMP_OTHER;
}

HF_INLINE enum hf_parsed hf_parse_quoted_ipv4(struct hf_packet *quoted, void *end)
{
	struct iphdr *ip = quoted->l3;

	if ((void *)(ip + 1) > end || ip->version != 4 || ip->ihl < 5)
		return HF_PARSED_MALFORMED;
	hf_take_ipv4_addresses(quoted, ip);
	quoted->protocol = ip->protocol;
	quoted->l4 = quoted->l3 + ip->ihl * 4;
	quoted->l4_offset = ip->ihl * 4;
	if (ip->frag_off & bpf_htons(HF_IPV4_OFFSET))
		return HF_PARSED_FRAGMENT;
	return HF_PARSED_FLOW;
}

HF_INLINE enum hf_parsed hf_parse_quoted_ipv6(struct hf_packet *quoted, void *end)
{
	struct ipv6hdr *ip = quoted->l3;
	enum hf_parsed parsed;

	if ((void *)(ip + 1) > end || ip->version != 6)
		return HF_PARSED_MALFORMED;
	hf_take_ipv6_addresses(quoted, ip);
	quoted->protocol = ip->nexthdr;
	quoted->l4 = quoted->l3 + sizeof(*ip);
	quoted->l4_offset = sizeof(*ip);
	parsed = hf_skip_ipv6_extensions(quoted, end);
	if (parsed == HF_PARSED_FRAGMENT && quoted->fragment_offset == 0)
		parsed = hf_skip_ipv6_extensions(quoted, end);
	return parsed;
}

/*
 * The packet that the ICMP error `p` quotes, its addresses, protocol and ports. Lengths and
 * checksum are those of a packet that is not all there, and are not looked at. HF_PARSED_OTHER:
 * neither TCP nor UDP, and no ports; HF_PARSED_MALFORMED: cut short before the ports.
 */
HF_INLINE enum hf_parsed hf_parse_quoted(const struct hf_packet *p, void *end,
					 struct hf_packet *quoted)
{
	enum hf_parsed parsed;
	__be16 *ports;

	hf_clear(quoted);
	quoted->l3 = p->l4 + sizeof(struct hf_icmp);
	parsed = p->family == 4 ? hf_parse_quoted_ipv4(quoted, end)
				: hf_parse_quoted_ipv6(quoted, end);
	if (parsed != HF_PARSED_FLOW)
		return parsed;
	if (quoted->protocol != IPPROTO_TCP && quoted->protocol != IPPROTO_UDP)
		return HF_PARSED_OTHER;
	ports = quoted->l4;
	if ((void *)ports + HF_ICMP_QUOTED_L4 > end ||
	    (void *)ports + HF_ICMP_QUOTED_L4 > p->l3 + p->length)
		return HF_PARSED_MALFORMED;
	quoted->source_port = ports[0];
	quoted->destination_port = ports[1];
	return HF_PARSED_FLOW;
}

/* The flow that a packet going the other way belongs to. */
HF_INLINE void hf_turn_round(struct hf_packet *p)
{
	__be16 port = p->source_port;

	for (int i = 0; i < 4; i++) {
		__u32 word = p->source[i];

		p->source[i] = p->destination[i];
		p->destination[i] = word;
	}
	p->source_port = p->destination_port;
	p->destination_port = port;
}

#endif
