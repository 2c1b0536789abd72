/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the backend's BPF programs and their agent share. */
#ifndef HF_LBHOST_BPF_TYPES_H
#define HF_LBHOST_BPF_TYPES_H

#include <linux/types.h>

/* X(NAME, "explanation"): every tunnel packet raises exactly one of the first two groups. */
#define HF_HOST_COUNTERS(X)                                                                     \
	X(DECAPSULATED_IPIP, "IPIP packets unwrapped and given to the host")                    \
	X(DECAPSULATED_GUE, "GUE packets unwrapped and given to the host")                      \
	X(LAST_CHANCES, "packets of unknown connections sent on to the backend that they name") \
	X(DROP_SOURCE, "tunnel packets to this host from a source that --allow does not name")  \
	X(DROP_MALFORMED, "tunnel packets whose headers contradict each other or the frame")    \
	X(DROP_NESTED, "tunnel packets with another tunnel inside")                             \
	X(DROP_CLIENT, "inner packets from a local address, or from none a client can have")    \
	X(DROP_FRAGMENT, "fragments of IPIP packets, which are not put together")               \
	X(DROP_ECN, "marked congested outside, not ECN-capable inside (RFC 6040)")              \
	X(DROP_INTERNAL, "the kernel refused to move the packet's start")                       \
	X(MSS_CLAMPED, "SYN-ACKs whose MSS was lowered to what the tunnel carries")

#define HF_HOST_COUNTER_ENUM(name, text) HF_HOST_##name,

enum hf_host_counter { HF_HOST_COUNTERS(HF_HOST_COUNTER_ENUM) HF_HOST_COUNTER_END };

/* The family is part of the key: no IPv6 address may pass for an IPv4 one, mapped or not. */
struct hf_host_address {
	__u32 family;  /* 4 or 6 */
	__u32 word[4]; /* an IPv4 address in word 0, the others 0 */
};

struct hf_host_prefix {
	__u32 length; /* in bits, the family's 32 among them */
	struct hf_host_address address;
};

/* Where services of this host live beside its own network namespace. */
struct hf_host_namespace {
	__u32 is_set;
	__u32 id; /* in the host's own one */
};

#define HF_HOST_FAMILY_BITS 32

#define HF_HOST_PREFIXES_MAX   256
#define HF_HOST_ADDRESSES_MAX  4096
#define HF_HOST_VIPS_MAX       4096
#define HF_HOST_NAMESPACES_MAX 8

#endif
