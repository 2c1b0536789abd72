// SPDX-License-Identifier: BSD-2-Clause
/* Frames as they come from clients, and what is outermost in those that leave. */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

#include "lbnode/explain.h"

#define TTL 64

/* Of an IPv4 header. */
static uint16_t sum_up(const uint8_t *b)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < sizeof(struct iphdr); i += 2)
		sum += b[i] << 8 | b[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

static size_t put_ip(const Holdfast__ExplainAsk *ask, uint8_t *at, size_t length)
{
	struct iphdr ip = { .version = 4, .ihl = 5, .ttl = TTL, .protocol = ask->protocol };
	struct ip6_hdr ip6 = { .ip6_hlim = TTL, .ip6_nxt = ask->protocol };

	if (ask->source.len == 4) {
		ip.tot_len = htons(sizeof(ip) + length);
		ip.frag_off = htons(IP_DF);
		memcpy(&ip.saddr, ask->source.data, 4);
		memcpy(&ip.daddr, ask->destination.data, 4);
		memcpy(at, &ip, sizeof(ip));
		ip.check = sum_up(at);
		memcpy(at, &ip, sizeof(ip));
		return sizeof(ip);
	}
	ip6.ip6_flow = htonl(6U << 28);
	ip6.ip6_plen = htons(length);
	memcpy(&ip6.ip6_src, ask->source.data, 16);
	memcpy(&ip6.ip6_dst, ask->destination.data, 16);
	memcpy(at, &ip6, sizeof(ip6));
	return sizeof(ip6);
}

size_t hf_explain_frame(const Holdfast__ExplainAsk *ask, uint8_t *frame)
{
	struct ethhdr ethernet = { .h_proto = htons(ask->source.len == 4 ? ETH_P_IP : ETH_P_IPV6) };
	struct tcphdr tcp = { .source = htons(ask->source_port),
			      .dest = htons(ask->destination_port),
			      .doff = 5,
			      .syn = ask->syn,
			      .ack = !ask->syn,
			      .window = htons(1024) };
	struct udphdr udp = { .source = htons(ask->source_port),
			      .dest = htons(ask->destination_port),
			      .len = htons(sizeof(udp)) };
	bool is_tcp = ask->protocol == IPPROTO_TCP;
	size_t at = sizeof(ethernet), last = is_tcp ? sizeof(tcp) : sizeof(udp);

	if ((ask->source.len != 4 && ask->source.len != 16) ||
	    ask->destination.len != ask->source.len || (!is_tcp && ask->protocol != IPPROTO_UDP))
		return 0;
	memcpy(frame, &ethernet, sizeof(ethernet));
	at += put_ip(ask, frame + at, last);
	memcpy(frame + at, is_tcp ? (const void *)&tcp : &udp, last);
	return at + last;
}

size_t hf_explain_destination(const uint8_t *frame, size_t length, uint8_t destination[16])
{
	size_t at = offsetof(struct ethhdr, h_proto);
	uint16_t protocol;

	for (int tags = 0; tags <= 2; tags++, at += 4) {
		if (at + 2 > length)
			return 0;
		protocol = frame[at] << 8 | frame[at + 1];
		if (protocol != ETH_P_8021Q && protocol != ETH_P_8021AD)
			break;
	}
	at += 2;
	if (protocol == ETH_P_IP && at + sizeof(struct iphdr) <= length) {
		memcpy(destination, frame + at + offsetof(struct iphdr, daddr), 4);
		return 4;
	}
	if (protocol == ETH_P_IPV6 && at + sizeof(struct ip6_hdr) <= length) {
		memcpy(destination, frame + at + offsetof(struct ip6_hdr, ip6_dst), 16);
		return 16;
	}
	return 0;
}
