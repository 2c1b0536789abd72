// SPDX-License-Identifier: BSD-2-Clause
#include "lib/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint32_t hf_address_length(uint32_t family)
{
	return family == 4 ? 4 : 16;
}

static int to_af(uint32_t family)
{
	return family == 4 ? AF_INET : AF_INET6;
}

int hf_address_parse(const char *text, struct hf_address *address)
{
	struct hf_address a = { .family = strchr(text, ':') ? 6 : 4 };

	if (inet_pton(to_af(a.family), text, a.word) != 1)
		return -EINVAL;
	*address = a;
	return 0;
}

static void clear_host_bits(struct hf_prefix *prefix)
{
	for (uint32_t i = 0; i < hf_address_length(prefix->address.family) / 4; i++) {
		uint32_t kept = prefix->length > i * 32 ? prefix->length - i * 32 : 0;

		if (kept < 32)
			prefix->address.word[i] &= kept ? htonl(~0U << (32 - kept)) : 0;
	}
}

int hf_prefix_parse(const char *text, struct hf_prefix *prefix)
{
	char address[HF_ADDRESS_TEXT], *end;
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	struct hf_prefix p;
	unsigned long bits;

	if (length >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, length);
	address[length] = '\0';
	if (hf_address_parse(address, &p.address) < 0)
		return -EINVAL;
	p.length = hf_address_length(p.address.family) * 8;
	if (slash) {
		bits = strtoul(slash + 1, &end, 10);
		if (slash[1] < '0' || slash[1] > '9' || *end || bits > p.length)
			return -EINVAL;
		p.length = bits;
	}
	clear_host_bits(&p);
	*prefix = p;
	return 0;
}

bool hf_address_equal(const struct hf_address *a, const struct hf_address *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool hf_address_is_routable(const struct hf_address *address)
{
	const struct in6_addr *v6 = (const struct in6_addr *)address->word;
	uint32_t v4 = ntohl(address->word[0]);

	if (address->family == 4)
		return v4 >> 24 != 0 && v4 >> 24 != 127 && v4 >> 28 < 14 && v4 >> 16 != 0xa9fe;
	if (address->family == 6)
		return !IN6_IS_ADDR_UNSPECIFIED(v6) && !IN6_IS_ADDR_LOOPBACK(v6) &&
		       !IN6_IS_ADDR_MULTICAST(v6) && !IN6_IS_ADDR_LINKLOCAL(v6) &&
		       !IN6_IS_ADDR_V4MAPPED(v6);
	return false;
}

bool hf_prefix_contains(const struct hf_prefix *prefix, const struct hf_address *address)
{
	if (prefix->address.family != address->family)
		return false;
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t bits = prefix->length > i * 32 ? prefix->length - i * 32 : 0;
		uint32_t mask = bits >= 32 ? UINT32_MAX : htonl(~(UINT32_MAX >> bits));

		if ((prefix->address.word[i] ^ address->word[i]) & mask)
			return false;
	}
	return true;
}

const char *hf_address_format(const struct hf_address *address, char *text)
{
	if (!address->family ||
	    !inet_ntop(to_af(address->family), address->word, text, HF_ADDRESS_TEXT))
		snprintf(text, HF_ADDRESS_TEXT, "-");
	return text;
}

const char *hf_prefix_format(const struct hf_prefix *prefix, char *text)
{
	char address[HF_ADDRESS_TEXT];

	snprintf(text, HF_ADDRESS_TEXT, "%.45s/%u", hf_address_format(&prefix->address, address),
		 prefix->length);
	return text;
}

const char *hf_endpoint_format(const struct hf_address *address, uint16_t port, char *text)
{
	char host[HF_ADDRESS_TEXT], number[8] = "*";

	hf_address_format(address, host);
	if (port)
		snprintf(number, sizeof(number), "%u", port);
	snprintf(text, HF_ADDRESS_TEXT, address->family == 6 ? "[%.39s]:%s" : "%.39s:%s", host,
		 number);
	return text;
}
