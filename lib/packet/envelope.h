/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What stands behind a GUE header (variant 0, flags 0: all of its optional field is private data,
 * draft-ietf-intarea-gue-09 section 3.2), for BPF and C alike.
 *
 * From node to node, the second chance: who sent the packet, on which hop, and a tag that only a
 * holder of the cluster's key can make, of these bytes and the flow's digest. The packet is as the
 * client sent it.
 *
 *	 0        1        2        3        4                 8                 12
 *	| version| kind   | hops   | flags  | origin          | epoch           | tag (8 bytes)
 *
 * From node to backend, the last chance: where to send the packet if the backend knows nothing of
 * its flow (lbhost/bpf/last_chance.h): the ends of the tunnel to another backend, of either family.
 *
 *	 0        1        2                 4                 8 (20)
 *	| version| kind   | port            | source          | address
 */
#ifndef HF_PACKET_ENVELOPE_H
#define HF_PACKET_ENVELOPE_H

#include "lib/packet/siphash.h"

#define HF_ENVELOPE_VERSION 1

enum hf_envelope_kind { HF_ENVELOPE_SECOND_CHANCE = 1, HF_ENVELOPE_LAST_CHANCE = 2 };

/* The inner packet is an ICMP error, about the flow; or a part of a datagram. */
#define HF_ENVELOPE_ICMP     1
#define HF_ENVELOPE_FRAGMENT 2

/* Nodes beyond the one that the spine chose. */
#define HF_HOPS_MAX 2

/* The GUE header, variant 0 (draft-ietf-intarea-gue-09 section 3.2): its second word counts. */
struct hf_gue_header {
	__be16 version_length_protocol;
	__be16 flags;
};

struct hf_envelope {
	__u8 version;
	__u8 kind;
	__u8 hops; /* 0: from the node that the spine chose */
	__u8 flags;
	__be32 origin; /* that node's id */
	__be32 epoch;  /* of the sender's owners */
	__u32 tag[2];  /* SipHash's own order: little-endian */
};

#define HF_ENVELOPE_WORDS (sizeof(struct hf_envelope) / 4)

/* Of what stands before the tag, and the digest: 20 bytes. */
HF_INLINE __u64 hf_envelope_tag(const struct hf_envelope *e, __u64 digest, struct hf_key key)
{
	__u64 first = (__u64)e->flags << 24 | (__u64)e->hops << 16 | (__u64)e->kind << 8 |
		      e->version | (__u64)e->origin << 32;
	struct hf_sip s;

	hf_sip_start(&s, key);
	hf_sip24_word(&s, first);
	hf_sip24_word(&s, digest << 32 | e->epoch);
	hf_sip24_word(&s, 20ULL << 56 | digest >> 32);
	return hf_sip24_end(&s);
}

struct hf_last_chance4 {
	__u8 version;
	__u8 kind;
	__be16 port; /* of the other backend's GUE */
	__be32 source;
	__be32 address;
};

struct hf_last_chance6 {
	__u8 version;
	__u8 kind;
	__be16 port;
	__be32 source[4];
	__be32 address[4];
};

#define HF_LAST_CHANCE4_WORDS (sizeof(struct hf_last_chance4) / 4)
#define HF_LAST_CHANCE6_WORDS (sizeof(struct hf_last_chance6) / 4)

_Static_assert(sizeof(struct hf_envelope) == 20, "five words");
_Static_assert(sizeof(struct hf_last_chance4) == 12, "three words");
_Static_assert(sizeof(struct hf_last_chance6) == 36, "nine words");

#endif
