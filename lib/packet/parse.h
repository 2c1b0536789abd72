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

#include "lib/packet/checksum.h"

#define HF_MAX_VLAN_TAGS 2
/* RFC 8200 section 4.1 names six kinds of extension header, one of which may come twice. */
#define HF_MAX_IPV6_EXTENSIONS 7
/* Far beyond that: there is no need for more, and the verifier wants a bound. */
#define HF_L4_OFFSET_MAX 0x3fff

#define HF_IPV4_FRAGMENT     0x3fff /* MF and the offset, of iphdr.frag_off in host order */
#define HF_IPV4_OFFSET	     0x1fff
#define HF_IPV4_DF	     0x4000
#define HF_IPV6_FRAGMENT     0xfff9 /* M and the offset, of the fragment header's third field */
#define HF_IPV4_OPTION_WORDS 10
/* Short frames are padded to 60 bytes, and some hardware adds a trailer: what comes behind a packet
 * is sent on with it, so let it not be more. */
#define HF_PADDING_MAX 64

enum hf_parsed {
	HF_PARSED_FLOW,	      /* TCP or UDP: every field of struct hf_packet is set */
	HF_PARSED_OTHER,      /* IP with another protocol: addresses and protocol are set */
	HF_PARSED_FRAGMENT,   /* a part of a datagram: all but ports and flags are set */
	HF_PARSED_EXTENSIONS, /* more IPv6 extension headers than we walk: addresses are set */
	HF_PARSED_MALFORMED,  /* lengths, IPv4 checksum or TCP flags are wrong: addresses are set */
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
	__u8 l2_length;	       /* Ethernet header and VLAN tags */
	__u16 l4_offset;       /* from l3 */
	__u16 fragment_offset; /* in units of 8 bytes */
	__u32 fragment_id;     /* of a fragment only */
};

/*
 * The verifier follows each number of extension headers by itself, through all that comes after
 * them. A number that went through here could be any, so that the ways become one again.
 */
#ifdef __bpf__
__attribute__((noinline)) __u32 hf_forget(__u32 number)
{
	HF_OPAQUE(number);
	return number;
}
#else
HF_INLINE __u32 hf_forget(__u32 number)
{
	return number;
}
#endif

struct hf_vlan_header {
	__be16 tci;
	__be16 protocol;
};

struct hf_ipv6_extension {
	__u8 next;
	__u8 length; /* in units of 8 bytes, the first 8 not counted; AH counts in fours */
	__be16 rest;
};

/* What need not be set has a value all the same: a compiler may carry it along, which the verifier
 * refuses to see. */
HF_INLINE void hf_clear(struct hf_packet *p)
{
	p->l4 = NULL;
	p->l4_offset = 0;
	p->source_port = p->destination_port = 0;
	p->tcp_flags = 0;
	p->fragment_offset = 0;
	p->fragment_id = 0;
}

/*
 * Which of the combinations of FIN (1), SYN (2), RST (4) and ACK (16) exist: bit n stands for
 * flags n. Every segment but a reset and the first SYN has ACK, and SYN goes with neither FIN nor
 * RST (RFC 9293 section 3.10.7).
 */
#define HF_TCP_SOUND_FLAGS                                                                      \
	(1U << HF_TCP_SYN | 1U << HF_TCP_RST | 1U << (HF_TCP_RST | HF_TCP_FIN) |                \
	 1U << HF_TCP_ACK | 1U << (HF_TCP_ACK | HF_TCP_SYN) | 1U << (HF_TCP_ACK | HF_TCP_FIN) | \
	 1U << (HF_TCP_ACK | HF_TCP_RST) | 1U << (HF_TCP_ACK | HF_TCP_RST | HF_TCP_FIN))

HF_INLINE bool hf_tcp_flags_are_sound(__u8 flags)
{
	return HF_TCP_SOUND_FLAGS >> (flags & (HF_TCP_FIN | HF_TCP_SYN | HF_TCP_RST | HF_TCP_ACK)) &
	       1;
}

HF_INLINE enum hf_parsed hf_parse_tcp(struct hf_packet *p, void *end)
{
	struct tcphdr *tcp = p->l4;

	if ((void *)(tcp + 1) > end || tcp->doff < 5)
		return HF_PARSED_MALFORMED;
	if (p->l4 + tcp->doff * 4 > p->l3 + p->length)
		return HF_PARSED_MALFORMED;
	p->source_port = tcp->source;
	p->destination_port = tcp->dest;
	p->tcp_flags = ((__u8 *)tcp)[13];
	return hf_tcp_flags_are_sound(p->tcp_flags) ? HF_PARSED_FLOW : HF_PARSED_MALFORMED;
}

/* A number from the packet. The verifier of Linux 6.1 takes a swapped one for any number at all,
 * and the compiler knows better than to mask it. */
HF_INLINE __u32 hf_ntohs(__be16 number)
{
	__u32 host = bpf_ntohs(number);

#ifdef __bpf__
	asm volatile("%0 &= 0xffff" : "+r"(host));
#endif
	return host;
}

/* `is_whole`: not a datagram's first fragment, whose length is that of all of them. */
HF_INLINE enum hf_parsed hf_parse_udp(struct hf_packet *p, void *end, bool is_whole)
{
	struct udphdr *udp = p->l4;
	__u32 length;

	if ((void *)(udp + 1) > end || p->l4 + sizeof(*udp) > p->l3 + p->length)
		return HF_PARSED_MALFORMED;
	length = hf_ntohs(udp->len);
	if (length < sizeof(*udp) || (is_whole && p->l4 + length > p->l3 + p->length))
		return HF_PARSED_MALFORMED;
	p->source_port = udp->source;
	p->destination_port = udp->dest;
	p->tcp_flags = 0;
	return HF_PARSED_FLOW;
}

HF_INLINE enum hf_parsed hf_parse_l4(struct hf_packet *p, void *end, bool is_whole)
{
	if (p->protocol == IPPROTO_TCP)
		return hf_parse_tcp(p, end);
	if (p->protocol == IPPROTO_UDP)
		return hf_parse_udp(p, end, is_whole);
	return HF_PARSED_OTHER;
}

/* Not inlined, and so one state for the verifier however many options there are. */
static __attribute__((noinline)) __u64 hf_sum_ipv4_options(const struct iphdr *ip, void *end)
{
	const __u32 *option = (const __u32 *)(ip + 1);
	__u64 sum = 0;

	for (int i = 0; i < HF_IPV4_OPTION_WORDS; i++) {
		if ((void *)(option + i + 1) > end)
			break;
		if (5 + i < ip->ihl)
			sum += option[i];
	}
	return sum;
}

/* RFC 1071: with its checksum, a good header's words add up to 0xffff. The header, which is at
 * least 20 bytes, lies within the frame. */
HF_INLINE bool hf_ipv4_checksum_is_good(const struct iphdr *ip, void *end)
{
	const __u32 *word = (const __u32 *)ip;
	__u64 sum = (__u64)word[0] + word[1] + word[2] + word[3] + word[4];

	if (ip->ihl > 5)
		sum += hf_sum_ipv4_options(ip, end);
	return hf_checksum_fold(sum) == 0;
}

HF_INLINE void hf_take_ipv4_addresses(struct hf_packet *p, const struct iphdr *ip)
{
	p->family = 4;
	p->source[0] = ip->saddr;
	p->destination[0] = ip->daddr;
	p->source[1] = p->source[2] = p->source[3] = 0;
	p->destination[1] = p->destination[2] = p->destination[3] = 0;
}

HF_INLINE enum hf_parsed hf_parse_ipv4(struct hf_packet *p, void *end)
{
	struct iphdr *ip = p->l3;
	__u32 header;

	if ((void *)(ip + 1) > end)
		return HF_PARSED_NOT_IP;
	hf_take_ipv4_addresses(p, ip);
	p->protocol = ip->protocol;
	p->tos = ip->tos;
	p->length = bpf_ntohs(ip->tot_len);
	header = ip->ihl * 4;
	if (ip->version != 4 || header < sizeof(*ip) || p->length < header)
		return HF_PARSED_MALFORMED;
	if (p->l3 + p->length > end || p->l3 + p->length + HF_PADDING_MAX < end ||
	    !hf_ipv4_checksum_is_good(ip, end))
		return HF_PARSED_MALFORMED;
	p->l4 = p->l3 + header;
	p->l4_offset = header;
	if (ip->frag_off & bpf_htons(HF_IPV4_FRAGMENT)) {
		p->fragment_id = ip->id;
		p->fragment_offset = bpf_ntohs(ip->frag_off) & HF_IPV4_OFFSET;
		return HF_PARSED_FRAGMENT;
	}
	return hf_parse_l4(p, end, true);
}

/* From p->l4 on: l4_offset and protocol become the upper layer's, and HF_PARSED_FLOW says that it
 * was found. */
HF_INLINE enum hf_parsed hf_walk_ipv6_extensions(struct hf_packet *p, void *end)
{
	void *l4 = p->l4;

	for (int i = 0; i <= HF_MAX_IPV6_EXTENSIONS; i++) {
		struct hf_ipv6_extension *x = l4;
		__u32 length;

		switch (p->protocol) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
			if ((void *)(x + 1) > end)
				return HF_PARSED_MALFORMED;
			length = ((__u32)x->length + 1) * 8;
			break;
		case IPPROTO_AH: /* RFC 4302 section 2.2 */
			if ((void *)(x + 1) > end)
				return HF_PARSED_MALFORMED;
			length = ((__u32)x->length + 2) * 4;
			break;
		case IPPROTO_FRAGMENT:
			if ((void *)(x + 2) > end)
				return HF_PARSED_MALFORMED;
			length = 8;
			/* RFC 6946: a fragment header around a whole datagram is no fragment. */
			if (x->rest & bpf_htons(HF_IPV6_FRAGMENT)) {
				p->protocol = x->next;
				p->l4_offset += 8;
				p->fragment_id = *(__u32 *)(x + 1);
				p->fragment_offset = bpf_ntohs(x->rest) >> 3;
				return HF_PARSED_FRAGMENT;
			}
			break;
		default:
			return HF_PARSED_FLOW;
		}
		l4 += length;
		p->l4_offset += length;
		p->protocol = x->next;
	}
	return HF_PARSED_EXTENSIONS;
}

/* The same, and l4 follows. */
HF_INLINE enum hf_parsed hf_skip_ipv6_extensions(struct hf_packet *p, void *end)
{
	enum hf_parsed parsed = hf_forget(hf_walk_ipv6_extensions(p, end));

	p->l4_offset = hf_forget(p->l4_offset);
	if (p->l4_offset > HF_L4_OFFSET_MAX)
		return HF_PARSED_EXTENSIONS;
	p->l4 = p->l3 + p->l4_offset;
	return parsed;
}

/* Of a datagram's first fragment: the flow. An upper layer's header that goes on in the next
 * fragment is malformed (RFC 1858, RFC 8200 section 4.5). */
HF_INLINE enum hf_parsed hf_parse_first_fragment(struct hf_packet *p, void *end)
{
	enum hf_parsed parsed = HF_PARSED_FLOW;

	if (p->family == 6)
		parsed = hf_skip_ipv6_extensions(p, end);
	if (parsed == HF_PARSED_FRAGMENT)
		return HF_PARSED_MALFORMED; /* in a fragment */
	return parsed == HF_PARSED_FLOW ? hf_parse_l4(p, end, false) : parsed;
}

HF_INLINE void hf_take_ipv6_addresses(struct hf_packet *p, const struct ipv6hdr *ip)
{
	p->family = 6;
	for (int i = 0; i < 4; i++) {
		p->source[i] = ip->saddr.s6_addr32[i];
		p->destination[i] = ip->daddr.s6_addr32[i];
	}
}

HF_INLINE enum hf_parsed hf_parse_ipv6(struct hf_packet *p, void *end)
{
	struct ipv6hdr *ip = p->l3;
	enum hf_parsed parsed;
	__u16 payload;

	if ((void *)(ip + 1) > end)
		return HF_PARSED_NOT_IP;
	hf_take_ipv6_addresses(p, ip);
	p->protocol = ip->nexthdr;
	p->tos = ip->priority << 4 | ip->flow_lbl[0] >> 4;
	payload = bpf_ntohs(ip->payload_len);
	p->length = payload + sizeof(*ip);
	/* A payload length of 0 is a jumbogram (RFC 2675): no link of ours carries one. */
	if (ip->version != 6 || payload == 0 || p->length < payload || p->l3 + p->length > end ||
	    p->l3 + p->length + HF_PADDING_MAX < end)
		return HF_PARSED_MALFORMED;
	p->l4 = p->l3 + sizeof(*ip);
	p->l4_offset = sizeof(*ip);
	if (p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP)
		return hf_parse_l4(p, end, true);
	parsed = hf_skip_ipv6_extensions(p, end);
	return parsed == HF_PARSED_FLOW ? hf_parse_l4(p, end, true) : parsed;
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
	hf_clear(p);
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
