// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/path_mtu.h"

#include <arpa/inet.h>
#include <string.h>

#include "lib/packet/icmp.h"

#define IPV6_LEAST 1280

static uint16_t sum_up(const uint8_t *bytes, size_t length)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum += i % 2 ? bytes[i] : bytes[i] << 8;
	return hf_checksum_fold(sum);
}

/* Of ICMPv6 the kernel has checked the checksum, of ICMP not. */
static bool find_message(uint32_t family, void *start, void *end, struct hf_packet *p)
{
	p->l3 = start;
	if (family == 4)
		return hf_parse_ipv4(p, end) == HF_PARSED_OTHER && p->protocol == IPPROTO_ICMP &&
		       sum_up(p->l4, p->length - p->l4_offset) == 0;
	p->family = 6;
	p->l4 = start;
	p->length = (char *)end - (char *)start;
	return true;
}

/* 0: none that we believe. A router that says less than IPv6's least lies (RFC 8201 section 4). */
static uint32_t told_mtu(uint32_t family, const struct hf_icmp *icmp)
{
	uint32_t mtu = ntohs(icmp->mtu), least = HF_PATH_MTU_LEAST4;

	if (family == 6) {
		if (icmp->type != HF_ICMP6_TOO_BIG || icmp->rest || mtu < IPV6_LEAST)
			return 0;
		least = HF_PATH_MTU_LEAST6;
	} else if (icmp->type != HF_ICMP4_UNREACHABLE || icmp->code != HF_ICMP4_TOO_BIG_CODE) {
		return 0;
	}
	return !mtu ? 0 : mtu < least ? least : mtu & ~3U;
}

static bool is_tunnel(enum hf_parsed parsed, const struct hf_packet *quoted)
{
	if (parsed == HF_PARSED_FLOW)
		return quoted->protocol == IPPROTO_UDP;
	return parsed == HF_PARSED_OTHER &&
	       (quoted->protocol == IPPROTO_IPIP || quoted->protocol == IPPROTO_IPV6);
}

static bool same(const uint32_t a[4], const uint32_t b[4])
{
	return memcmp(a, b, 4 * sizeof(*a)) == 0;
}

bool hf_path_mtu_read(uint32_t family, const void *message, size_t length,
		      const struct hf_address *receiver, struct hf_path_news *news)
{
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
	if (!mtu || !is_tunnel(hf_parse_quoted(&p, end, &quoted), &quoted) ||
	    !same(quoted.source, family == 4 ? p.destination : receiver->word))
		return false;
	*news = (struct hf_path_news){
		.source.family = family,
		.destination.family = family,
		.gue_port = quoted.protocol == IPPROTO_UDP ? ntohs(quoted.destination_port) : 0,
		.mtu = mtu,
	};
	memcpy(news->source.word, quoted.source, sizeof(quoted.source));
	memcpy(news->destination.word, quoted.destination, sizeof(quoted.destination));
	return true;
}
