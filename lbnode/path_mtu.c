// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/path_mtu.h"

#include <arpa/inet.h>
#include <string.h>

#include "lib/packet/icmp.h"

static bool find_message(uint32_t family, void *start, void *end, struct hf_packet *p)
{
	p->l3 = start;
	if (family == 4)
		return hf_parse_ipv4(p, end) == HF_PARSED_OTHER && p->protocol == IPPROTO_ICMP;
	p->family = 6;
	p->l4 = start;
	p->length = (char *)end - (char *)start;
	return true;
}

static uint32_t told_mtu(uint32_t family, const struct hf_icmp *icmp)
{
	if (family == 6)
		return icmp->type == HF_ICMP6_TOO_BIG && !icmp->rest ? ntohs(icmp->mtu) : 0;
	return icmp->type == HF_ICMP4_UNREACHABLE && icmp->code == HF_ICMP4_TOO_BIG_CODE
		       ? ntohs(icmp->mtu)
		       : 0;
}

static bool is_tunnel(enum hf_parsed parsed, const struct hf_packet *quoted)
{
	if (parsed == HF_PARSED_FLOW)
		return quoted->protocol == IPPROTO_UDP; /* GUE, to a port of its pool's */
	return parsed == HF_PARSED_OTHER &&
	       (quoted->protocol == IPPROTO_IPIP || quoted->protocol == IPPROTO_IPV6);
}

bool hf_path_mtu_read(uint32_t family, const void *message, size_t length,
		      struct hf_path_news *news)
{
	const uint32_t least = family == 4 ? HF_PATH_MTU_LEAST4 : HF_PATH_MTU_LEAST6;
	void *start = (void *)message, *end = (char *)start + length;
	struct hf_packet p = { 0 }, quoted = { 0 };
	const struct hf_icmp *icmp;
	uint32_t mtu;

	if (length > UINT16_MAX || !find_message(family, start, end, &p))
		return false;
	icmp = p.l4;
	if ((void *)(icmp + 1) > end)
		return false;
	mtu = told_mtu(family, icmp);
	if (!mtu || !is_tunnel(hf_parse_quoted(&p, end, &quoted), &quoted))
		return false;
	*news = (struct hf_path_news){
		.source.family = family,
		.destination.family = family,
		.mtu = mtu < least ? least : mtu,
	};
	memcpy(news->source.word, quoted.source, sizeof(quoted.source));
	memcpy(news->destination.word, quoted.destination, sizeof(quoted.destination));
	return true;
}
