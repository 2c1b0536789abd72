/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames for tests and benchmarks, put together layer by layer:
 *
 *	frame_ethernet(&f); frame_vlan(&f, 100); frame_ipv4(&f, ...); frame_tcp(&f, ...);
 *	frame_payload(&f, 100); frame_finish(&f);
 *
 * frame_finish() sets lengths and checksums of all layers.
 */
#ifndef HF_TESTS_FRAME_H
#define HF_TESTS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frame {
	uint8_t bytes[2048];
	size_t length;
	size_t l3, l4; /* offsets */
	uint8_t protocol;
};

void frame_ethernet(struct frame *f);
void frame_vlan(struct frame *f, uint16_t ethertype, uint16_t id);
void frame_ipv4(struct frame *f, const char *source, const char *destination);
/* `bytes` of options, a multiple of 4, 40 at most: NOPs. Follows frame_ipv4(). */
void frame_ipv4_options(struct frame *f, size_t bytes);
void frame_ipv6(struct frame *f, const char *source, const char *destination);
/* An IPv6 extension header of 8 * (1 + more) bytes, PadN inside. Follows frame_ipv6(). */
void frame_ipv6_extension(struct frame *f, uint8_t kind, uint8_t more);
/* flags: HF_TCP_SYN and the like */
void frame_tcp(struct frame *f, uint16_t source, uint16_t destination, uint8_t flags);
void frame_udp(struct frame *f, uint16_t source, uint16_t destination);
/* ICMP or ICMPv6, by the family; `rest`: the second word, the MTU of a "too big" for instance. */
void frame_icmp(struct frame *f, uint8_t type, uint8_t code, uint32_t rest);
void frame_payload(struct frame *f, size_t bytes);
void frame_append(struct frame *f, const void *bytes, size_t length);
/* Makes an IPv4 frame that is finished but for this a fragment; offset in units of 8 bytes. */
void frame_fragment4(struct frame *f, uint16_t id, uint16_t offset, bool more);
/* Follows frame_ipv6(): a fragment header. The next frame_ or frame_append() is what it carries. */
void frame_fragment6(struct frame *f, uint32_t id, uint16_t offset, bool more);
/* Sets the IP header's length and checksum, and leaves alone what follows it. */
void frame_finish_ip(struct frame *f);
void frame_finish(struct frame *f);

/* One's complement sum of bytes, folded and inverted: 0 over a header with a good checksum. */
uint16_t frame_checksum(const void *bytes, size_t length, uint32_t start);

/* Whole frames by family: "192.0.2.1" or "2001:db8::1". */
void frame_flow(struct frame *f, uint8_t protocol, const char *source, uint16_t source_port,
		const char *destination, uint16_t destination_port, uint8_t tcp_flags,
		size_t payload);

#endif
