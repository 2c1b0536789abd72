/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes encapsulated frames apart, from RFC 791, 8200, 2003, 2473 and 768 and the GUE draft, byte
 * by byte: shares no line with the code under test.
 */
#ifndef HF_TESTS_OUTER_H
#define HF_TESTS_OUTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outer {
	uint8_t macs[12];
	int tags;
	uint16_t tag_protocol[2], tag_id[2];
	int family;
	uint8_t tos, ttl, protocol;
	uint8_t source[16], destination[16];
	bool dont_fragment;
	uint16_t id;
	bool is_gue;
	uint16_t source_port, destination_port;
	uint16_t udp_checksum;
	uint8_t gue_protocol;
	uint8_t option_words;
	const uint8_t *option;
	const uint8_t *inner;
	size_t inner_length; /* as the outer headers say */
	size_t trailer;	     /* bytes of the frame beyond the outer packet */
};

/* NULL, or what is wrong with the frame. */
const char *outer_decode(const uint8_t *frame, size_t length, struct outer *o);

#endif
