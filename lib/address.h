/* SPDX-License-Identifier: BSD-2-Clause */
/* IPv4 and IPv6 addresses and prefixes as values. */
#ifndef HF_ADDRESS_H
#define HF_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#define HF_ADDRESS_TEXT 50 /* "[" IPv6 "]:65535" or an IPv6 prefix, and the NUL */

/* In network order; an IPv4 address in word 0, the other words 0: memcmp() compares two. */
struct hf_address {
	uint32_t word[4];
	uint32_t family; /* 4 or 6; 0: none */
};

struct hf_prefix {
	struct hf_address address; /* the bits beyond the length are 0 */
	uint32_t length;
};

/* Both return 0, or -EINVAL for what is neither an IPv4 nor an IPv6 address (or prefix).
 * A bare address is a prefix of its full length; bits beyond the length are cleared. */
int hf_address_parse(const char *text, struct hf_address *address);
int hf_prefix_parse(const char *text, struct hf_prefix *prefix);

bool hf_address_equal(const struct hf_address *a, const struct hf_address *b);

/* False for addresses that no single host owns: unspecified, loopback, multicast, broadcast, and
 * link-local ones, which mean nothing without an interface. */
bool hf_address_is_routable(const struct hf_address *address);

bool hf_prefix_contains(const struct hf_prefix *prefix, const struct hf_address *address);

/* Bytes of an address of this family, and its bits. */
uint32_t hf_address_length(uint32_t family);

/* These write to and return `text`, of HF_ADDRESS_TEXT bytes. Port in host order; 0: "*". */
const char *hf_address_format(const struct hf_address *address, char *text);
const char *hf_prefix_format(const struct hf_prefix *prefix, char *text);
const char *hf_endpoint_format(const struct hf_address *address, uint16_t port, char *text);

#endif
