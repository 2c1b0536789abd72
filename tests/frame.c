// SPDX-License-Identifier: BSD-2-Clause
#include "tests/frame.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put16(struct frame *f, size_t at, uint16_t value)
{
	value = htons(value);
	memcpy(f->bytes + at, &value, sizeof(value));
}

static void must(bool condition, const char *what)
{
	if (!condition) {
		fprintf(stderr, "frame: %s\n", what);
		abort();
	}
}

static void grow(struct frame *f, size_t bytes)
{
	must(f->length + bytes <= sizeof(f->bytes), "too long");
	f->length += bytes;
}

void frame_ethernet(struct frame *f)
{
	static const uint8_t macs[12] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };

	memset(f, 0, sizeof(*f));
	memcpy(f->bytes, macs, sizeof(macs));
	f->length = ETH_HLEN;
}

void frame_vlan(struct frame *f, uint16_t ethertype, uint16_t id)
{
	put16(f, f->length - 2, ethertype);
	grow(f, 4);
	put16(f, f->length - 4, id);
}

void frame_ipv4(struct frame *f, const char *source, const char *destination)
{
	uint8_t *ip = f->bytes + f->length;

	put16(f, f->length - 2, ETH_P_IP);
	f->l3 = f->length;
	grow(f, 20);
	ip[0] = 0x45;
	ip[8] = 64;
	put16(f, f->l3 + 4, 0x1234);
	put16(f, f->l3 + 6, 0x4000);
	must(inet_pton(AF_INET, source, ip + 12) == 1, "not an address");
	must(inet_pton(AF_INET, destination, ip + 16) == 1, "not an address");
}

void frame_ipv4_options(struct frame *f, size_t bytes)
{
	memset(f->bytes + f->length, 1, bytes);
	grow(f, bytes);
	f->bytes[f->l3] = 0x40 | (5 + bytes / 4);
}

void frame_ipv6(struct frame *f, const char *source, const char *destination)
{
	uint8_t *ip = f->bytes + f->length;

	put16(f, f->length - 2, ETH_P_IPV6);
	f->l3 = f->length;
	grow(f, 40);
	ip[0] = 0x60;
	ip[7] = 64;
	f->l4 = f->l3 + 6; /* where the next header's kind is written */
	must(inet_pton(AF_INET6, source, ip + 8) == 1, "not an address");
	must(inet_pton(AF_INET6, destination, ip + 24) == 1, "not an address");
}

void frame_ipv6_extension(struct frame *f, uint8_t kind, uint8_t more)
{
	size_t at = f->length;

	f->bytes[f->l4] = kind;
	f->l4 = at;
	grow(f, 8 * (1 + (size_t)more));
	if (kind == IPPROTO_FRAGMENT)
		return;
	f->bytes[at + 1] = more;
	if (kind == IPPROTO_HOPOPTS || kind == IPPROTO_DSTOPTS) {
		f->bytes[at + 2] = 1; /* PadN over the rest */
		f->bytes[at + 3] = 8 * (1 + more) - 4;
	}
}

static void begin_l4(struct frame *f, uint8_t protocol, size_t bytes)
{
	if (f->bytes[f->l3] >> 4 == 4)
		f->bytes[f->l3 + 9] = protocol;
	else
		f->bytes[f->l4] = protocol;
	f->protocol = protocol;
	f->l4 = f->length;
	grow(f, bytes);
}

void frame_tcp(struct frame *f, uint16_t source, uint16_t destination, uint8_t flags)
{
	begin_l4(f, IPPROTO_TCP, 20);
	put16(f, f->l4, source);
	put16(f, f->l4 + 2, destination);
	put16(f, f->l4 + 6, 1);
	f->bytes[f->l4 + 12] = 0x50;
	f->bytes[f->l4 + 13] = flags;
	put16(f, f->l4 + 14, 0xffff);
}

void frame_udp(struct frame *f, uint16_t source, uint16_t destination)
{
	begin_l4(f, IPPROTO_UDP, 8);
	put16(f, f->l4, source);
	put16(f, f->l4 + 2, destination);
}

void frame_icmp(struct frame *f, uint8_t type, uint8_t code, uint32_t rest)
{
	begin_l4(f, f->bytes[f->l3] >> 4 == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, 8);
	f->bytes[f->l4] = type;
	f->bytes[f->l4 + 1] = code;
	put16(f, f->l4 + 4, rest >> 16);
	put16(f, f->l4 + 6, rest);
}

void frame_append(struct frame *f, const void *bytes, size_t length)
{
	size_t at = f->length;

	grow(f, length);
	memcpy(f->bytes + at, bytes, length);
}

void frame_fragment4(struct frame *f, uint16_t id, uint16_t offset, bool more)
{
	put16(f, f->l3 + 4, id);
	put16(f, f->l3 + 6, offset | (more ? 0x2000 : 0));
	frame_finish_ip(f);
}

void frame_fragment6(struct frame *f, uint32_t id, uint16_t offset, bool more)
{
	frame_ipv6_extension(f, IPPROTO_FRAGMENT, 0);
	put16(f, f->l4 + 2, offset << 3 | more);
	put16(f, f->l4 + 4, id >> 16);
	put16(f, f->l4 + 6, id);
}

void frame_payload(struct frame *f, size_t bytes)
{
	size_t at = f->length;

	grow(f, bytes);
	for (size_t i = 0; i < bytes; i++)
		f->bytes[at + i] = i * 7;
}

uint16_t frame_checksum(const void *bytes, size_t length, uint32_t start)
{
	const uint8_t *b = bytes;
	uint32_t sum = start;

	for (size_t i = 0; i < length; i++)
		sum += i % 2 ? b[i] : b[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

void frame_finish_ip(struct frame *f)
{
	uint8_t *ip = f->bytes + f->l3;

	if (ip[0] >> 4 == 6) {
		put16(f, f->l3 + 4, f->length - f->l3 - 40);
		return;
	}
	put16(f, f->l3 + 2, f->length - f->l3);
	put16(f, f->l3 + 10, 0);
	put16(f, f->l3 + 10, frame_checksum(ip, (ip[0] & 15) * 4, 0));
}

static size_t checksum_field(const struct frame *f)
{
	switch (f->protocol) {
	case IPPROTO_TCP:
		return f->l4 + 16;
	case IPPROTO_UDP:
		return f->l4 + 6;
	default:
		return f->l4 + 2;
	}
}

void frame_finish(struct frame *f)
{
	uint8_t *ip = f->bytes + f->l3;
	bool ipv4 = ip[0] >> 4 == 4;
	size_t l4_length = f->length - f->l4, addresses = ipv4 ? 8 : 32;
	size_t field = checksum_field(f);
	uint32_t start;

	if (f->protocol == IPPROTO_UDP)
		put16(f, f->l4 + 4, l4_length);
	start = (uint16_t)~frame_checksum(ip + (ipv4 ? 12 : 8), addresses, 0);
	start += f->protocol + l4_length;
	if (f->protocol == IPPROTO_ICMP)
		start = 0; /* no pseudo header */
	put16(f, field, 0);
	put16(f, field, frame_checksum(f->bytes + f->l4, l4_length, start));
	frame_finish_ip(f);
}

void frame_flow(struct frame *f, uint8_t protocol, const char *source, uint16_t source_port,
		const char *destination, uint16_t destination_port, uint8_t tcp_flags,
		size_t payload)
{
	frame_ethernet(f);
	if (strchr(source, ':'))
		frame_ipv6(f, source, destination);
	else
		frame_ipv4(f, source, destination);
	if (protocol == IPPROTO_TCP)
		frame_tcp(f, source_port, destination_port, tcp_flags);
	else
		frame_udp(f, source_port, destination_port);
	frame_payload(f, payload);
	frame_finish(f);
}
