/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From a frame to a flow: Ethernet with up to two VLAN tags, IPv4 with options, IPv6 with
 * extension headers, TCP and UDP. The one parser of Holdfast, built into the XDP programs and,
 * for tests and tools, into C.
 *
 * Every read is preceded by its own bounds check against `end`; nothing is copied but
 * the fields of struct hf_packet.
 */
#ifndef HF_PACKET_PARSE_H
#define HF_PACKET_PARSE_H

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#ifdef __bpf__
#include <linux/in.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#else /* the same names; the C library's headers and the kernel's don't go together */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#endif

#include "lib/packet/base.h"

#define HF_MAX_VLAN_TAGS 2
/* RFC 8200 section 4.1 names six kinds of extension header, one of which may come twice. */
#define HF_MAX_IPV6_EXTENSIONS 7

#define HF_IPV4_FRAGMENT 0x3fff /* MF and the offset, of iphdr.frag_off in host order */
#define HF_IPV6_FRAGMENT 0xfff9 /* M and the offset, of the fragment header's third field */

enum hf_parsed {
	HF_PARSED_FLOW,	      /* TCP or UDP: every field of struct hf_packet is set */
	HF_PARSED_OTHER,      /* IP with another protocol: addresses and protocol are set */
	HF_PARSED_FRAGMENT,   /* a part of a datagram: addresses and protocol are set */
	HF_PARSED_EXTENSIONS, /* more IPv6 extension headers than we walk: addresses are set */
	HF_PARSED_MALFORMED,  /* a length contradicts the frame: addresses are set */
	HF_PARSED_NOT_IP,     /* nothing is set */
};

/* Addresses are in network order; an IPv4 address stands in word 0, the other words are 0. */
struct hf_packet {
	void *l3;
	void *l4;
	__u32 source[4];
	__u32 destination[4];
	__be16 source_port;
	__be16 destination_port;
	__u16 length; /* of the IP packet, its header included; a frame may be padded beyond it */
	__u8 family;  /* 4 or 6 */
	__u8 protocol;
	__u8 tos; /* or traffic class: DSCP and ECN */
	__u8 tcp_flags;
	__u8 l2_length; /* Ethernet header and VLAN tags */
};

struct hf_vlan_header {
	__be16 tci;
	__be16 protocol;
};

struct hf_ipv6_extension {
	__u8 next;
	__u8 length; /* in units of 8 bytes, the first 8 not counted; AH counts in fours */
	__be16 rest;
};

HF_INLINE enum hf_parsed hf_parse_l4(struct hf_packet *p, void *end)
{
	if (p->protocol == IPPROTO_TCP) {
		struct tcphdr *tcp = p->l4;

		if ((void *)(tcp + 1) > end)
			return HF_PARSED_MALFORMED;
		if (p->l4 + sizeof(*tcp) > p->l3 + p->length || tcp->doff < 5)
			return HF_PARSED_MALFORMED;
		p->source_port = tcp->source;
		p->destination_port = tcp->dest;
		p->tcp_flags = ((__u8 *)tcp)[13];
		return HF_PARSED_FLOW;
	}
	if (p->protocol == IPPROTO_UDP) {
		struct udphdr *udp = p->l4;

		if ((void *)(udp + 1) > end)
			return HF_PARSED_MALFORMED;
		if (p->l4 + sizeof(*udp) > p->l3 + p->length)
			return HF_PARSED_MALFORMED;
		p->source_port = udp->source;
		p->destination_port = udp->dest;
		p->tcp_flags = 0;
		return HF_PARSED_FLOW;
	}
	return HF_PARSED_OTHER;
}

HF_INLINE enum hf_parsed hf_parse_ipv4(struct hf_packet *p, void *end)
{
	struct iphdr *ip = p->l3;
	__u32 header;

	if ((void *)(ip + 1) > end)
		return HF_PARSED_NOT_IP;
	p->family = 4;
	p->source[0] = ip->saddr;
	p->destination[0] = ip->daddr;
	p->source[1] = p->source[2] = p->source[3] = 0;
	p->destination[1] = p->destination[2] = p->destination[3] = 0;
	p->protocol = ip->protocol;
	p->tos = ip->tos;
	p->length = bpf_ntohs(ip->tot_len);
	header = ip->ihl * 4;
	if (ip->version != 4 || header < sizeof(*ip) || p->length < header)
		return HF_PARSED_MALFORMED;
	if (p->l3 + p->length > end)
		return HF_PARSED_MALFORMED;
	if (ip->frag_off & bpf_htons(HF_IPV4_FRAGMENT))
		return HF_PARSED_FRAGMENT;
	p->l4 = p->l3 + header;
	return hf_parse_l4(p, end);
}

HF_INLINE enum hf_parsed hf_parse_ipv6_extensions(struct hf_packet *p, void *end)
{
	for (int i = 0; i < HF_MAX_IPV6_EXTENSIONS; i++) {
		struct hf_ipv6_extension *x = p->l4;

		switch (p->protocol) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
			if ((void *)(x + 1) > end)
				return HF_PARSED_MALFORMED;
			p->l4 += ((__u32)x->length + 1) * 8;
			break;
		case IPPROTO_AH: /* RFC 4302 section 2.2 */
			if ((void *)(x + 1) > end)
				return HF_PARSED_MALFORMED;
			p->l4 += ((__u32)x->length + 2) * 4;
			break;
		case IPPROTO_FRAGMENT:
			if ((void *)(x + 2) > end)
				return HF_PARSED_MALFORMED;
			/* RFC 6946: a fragment header around a whole datagram is no fragment. */
			if (x->rest & bpf_htons(HF_IPV6_FRAGMENT)) {
				p->protocol = x->next;
				return HF_PARSED_FRAGMENT;
			}
			p->l4 += 8;
			break;
		default:
			return hf_parse_l4(p, end);
		}
		p->protocol = x->next;
	}
	return HF_PARSED_EXTENSIONS;
}

HF_INLINE enum hf_parsed hf_parse_ipv6(struct hf_packet *p, void *end)
{
	struct ipv6hdr *ip = p->l3;
	__u16 payload;

	if ((void *)(ip + 1) > end)
		return HF_PARSED_NOT_IP;
	p->family = 6;
	for (int i = 0; i < 4; i++) {
		p->source[i] = ip->saddr.s6_addr32[i];
		p->destination[i] = ip->daddr.s6_addr32[i];
	}
	p->protocol = ip->nexthdr;
	p->tos = ip->priority << 4 | ip->flow_lbl[0] >> 4;
	payload = bpf_ntohs(ip->payload_len);
	p->length = payload + sizeof(*ip);
	/* A payload length of 0 is a jumbogram (RFC 2675): no link of ours carries one. */
	if (ip->version != 6 || payload == 0 || p->length < payload || p->l3 + p->length > end)
		return HF_PARSED_MALFORMED;
	p->l4 = p->l3 + sizeof(*ip);
	if (p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP)
		return hf_parse_l4(p, end);
	return hf_parse_ipv6_extensions(p, end);
}

/* Sets l3 and l2_length; the IP header's EtherType in *protocol. */
HF_INLINE bool hf_parse_ethernet(struct hf_packet *p, void *data, void *end, __be16 *protocol)
{
	struct ethhdr *eth = data;
	void *next = eth + 1;

	if (next > end)
		return false;
	*protocol = eth->h_proto;
	p->l2_length = sizeof(*eth);
	for (int i = 0; i < HF_MAX_VLAN_TAGS; i++) {
		struct hf_vlan_header *vlan = next;

		if (*protocol != bpf_htons(ETH_P_8021Q) && *protocol != bpf_htons(ETH_P_8021AD))
			break;
		if ((void *)(vlan + 1) > end)
			return false;
		*protocol = vlan->protocol;
		next = vlan + 1;
		p->l2_length += sizeof(*vlan);
	}
	p->l3 = next;
	return true;
}

HF_INLINE enum hf_parsed hf_parse(void *data, void *end, struct hf_packet *p)
{
	__be16 protocol = 0;

	if (!hf_parse_ethernet(p, data, end, &protocol))
		return HF_PARSED_NOT_IP;
	if (protocol == bpf_htons(ETH_P_IP))
		return hf_parse_ipv4(p, end);
	if (protocol == bpf_htons(ETH_P_IPV6))
		return hf_parse_ipv6(p, end);
	return HF_PARSED_NOT_IP;
}

#endif
