/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A flow's digest: SipHash-1-3, under the cluster's flow key, of the byte string
 *
 *     source address | destination address | source port | destination port | protocol
 *
 * in network order: 13 bytes for IPv4, 37 for IPv6. Every node computes the same number, so
 * slot, shard and flow table bucket are all read off it. Of its 64 bits a pin can keep 56
 * (lbnode/bpf/pin.h); what must be computed again from a pin uses only those.
 */
#ifndef HF_PACKET_DIGEST_H
#define HF_PACKET_DIGEST_H

#include "lib/packet/parse.h"
#include "lib/packet/siphash.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "digests are read from memory as little-endian words: a big-endian node would disagree"
#endif

#define HF_DIGEST_LENGTH_IPV4 13ULL
#define HF_DIGEST_LENGTH_IPV6 37ULL

HF_INLINE __u64 hf_digest(const struct hf_packet *p, struct hf_key key)
{
	__u64 tail = (__u64)p->protocol << 32 | (__u64)p->destination_port << 16 | p->source_port;
	struct hf_sip s;

	hf_sip_start(&s, key);
	if (p->family == 4) {
		hf_sip_word(&s, (__u64)p->destination[0] << 32 | p->source[0]);
		hf_sip_word(&s, HF_DIGEST_LENGTH_IPV4 << 56 | tail);
	} else {
		hf_sip_word(&s, (__u64)p->source[1] << 32 | p->source[0]);
		hf_sip_word(&s, (__u64)p->source[3] << 32 | p->source[2]);
		hf_sip_word(&s, (__u64)p->destination[1] << 32 | p->destination[0]);
		hf_sip_word(&s, (__u64)p->destination[3] << 32 | p->destination[2]);
		hf_sip_word(&s, HF_DIGEST_LENGTH_IPV6 << 56 | tail);
	}
	return hf_sip_end(&s);
}

/* The digest's place in a Maglev table of `size` slots: a multiplication, not a division. */
HF_INLINE __u32 hf_slot(__u64 digest, __u32 size)
{
	return (digest >> 32) * size >> 32;
}

#endif
