// SPDX-License-Identifier: BSD-2-Clause
#include "tests/packet/outer.h"

#include <string.h>

static uint16_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static bool header_sum_is_good(const uint8_t *ip)
{
	uint32_t sum = 0;

	for (int i = 0; i < 20; i += 2)
		sum += get16(ip + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

static const char *decode_udp(const uint8_t *udp, size_t payload, struct outer *o)
{
	if (payload < 12)
		return "UDP and GUE headers cut short";
	o->is_gue = true;
	o->source_port = get16(udp);
	o->destination_port = get16(udp + 2);
	o->udp_checksum = get16(udp + 6);
	if (get16(udp + 4) != payload)
		return "UDP length differs from the IP payload's";
	if (udp[8] > 31)
		return "GUE: not variant 0, or a control message";
	o->option_words = udp[8];
	o->option = udp + 12;
	if (payload < 12u + udp[8] * 4u)
		return "GUE: options longer than the packet";
	if (get16(udp + 10) != 0)
		return "GUE: flags are set";
	o->gue_protocol = udp[9];
	o->inner = udp + 12 + o->option_words * 4;
	o->inner_length = payload - 12 - o->option_words * 4;
	return NULL;
}

static const char *decode_payload(const uint8_t *bytes, size_t payload, struct outer *o)
{
	if (o->protocol == 17)
		return decode_udp(bytes, payload, o);
	if (o->protocol != 4 && o->protocol != 41)
		return "the outer protocol is no tunnel's";
	o->inner = bytes;
	o->inner_length = payload;
	return NULL;
}

static const char *decode_ipv4(const uint8_t *ip, size_t length, struct outer *o)
{
	uint16_t total = get16(ip + 2);

	if (length < 20 || ip[0] != 0x45 || total < 20 || total > length)
		return "outer IPv4: version, header length or total length";
	if (!header_sum_is_good(ip))
		return "outer IPv4: checksum";
	o->family = 4;
	o->tos = ip[1];
	o->id = get16(ip + 4);
	o->dont_fragment = get16(ip + 6) == 0x4000;
	if (!o->dont_fragment && get16(ip + 6) != 0)
		return "outer IPv4: a fragment";
	o->ttl = ip[8];
	o->protocol = ip[9];
	memcpy(o->source, ip + 12, 4);
	memcpy(o->destination, ip + 16, 4);
	o->trailer = length - total;
	return decode_payload(ip + 20, total - 20, o);
}

static const char *decode_ipv6(const uint8_t *ip, size_t length, struct outer *o)
{
	uint16_t payload = get16(ip + 4);

	if (length < 40 || ip[0] >> 4 != 6 || (size_t)payload + 40 > length)
		return "outer IPv6: version or payload length";
	o->family = 6;
	o->tos = get16(ip) >> 4;
	o->protocol = ip[6];
	o->ttl = ip[7];
	memcpy(o->source, ip + 8, 16);
	memcpy(o->destination, ip + 24, 16);
	o->trailer = length - payload - 40;
	return decode_payload(ip + 40, payload, o);
}

const char *outer_decode(const uint8_t *frame, size_t length, struct outer *o)
{
	size_t at = 12;

	memset(o, 0, sizeof(*o));
	if (length < 14)
		return "no Ethernet header";
	memcpy(o->macs, frame, sizeof(o->macs));
	while ((get16(frame + at) == 0x8100 || get16(frame + at) == 0x88a8) && o->tags < 2) {
		o->tag_protocol[o->tags] = get16(frame + at);
		o->tag_id[o->tags++] = get16(frame + at + 2);
		at += 4;
	}
	at += 2;
	if (get16(frame + at - 2) == 0x0800)
		return decode_ipv4(frame + at, length - at, o);
	if (get16(frame + at - 2) == 0x86dd)
		return decode_ipv6(frame + at, length - at, o);
	return "EtherType is no IP's";
}
