/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * SipHash over whole 64-bit words, for BPF and C alike (Aumasson and Bernstein, "SipHash: a fast
 * short-input PRF", 2012). SipHash-1-3, one compression round and three final ones, where it
 * hashes: the hash tables of Rust, Python and Ruby trust the same strength against chosen input.
 * SipHash-2-4 where it authenticates.
 *
 * A caller lays its message out as SipHash does: little-endian words, and a last word that
 * holds the remaining 0..7 bytes with the message's length in its top byte.
 */
#ifndef HF_PACKET_SIPHASH_H
#define HF_PACKET_SIPHASH_H

#include "lib/packet/base.h"

struct hf_key {
	__u64 k0, k1;
};

struct hf_sip {
	__u64 v0, v1, v2, v3;
};

HF_INLINE void hf_sip_round(struct hf_sip *s)
{
	s->v0 += s->v1;
	s->v1 = HF_ROTL64(s->v1, 13) ^ s->v0;
	s->v0 = HF_ROTL64(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = HF_ROTL64(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = HF_ROTL64(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = HF_ROTL64(s->v1, 17) ^ s->v2;
	s->v2 = HF_ROTL64(s->v2, 32);
}

HF_INLINE void hf_sip_start(struct hf_sip *s, struct hf_key key)
{
	s->v0 = key.k0 ^ 0x736f6d6570736575ULL;
	s->v1 = key.k1 ^ 0x646f72616e646f6dULL;
	s->v2 = key.k0 ^ 0x6c7967656e657261ULL;
	s->v3 = key.k1 ^ 0x7465646279746573ULL;
}

HF_INLINE void hf_sip_word(struct hf_sip *s, __u64 word)
{
	s->v3 ^= word;
	hf_sip_round(s);
	s->v0 ^= word;
}

HF_INLINE __u64 hf_sip_end(struct hf_sip *s)
{
	s->v2 ^= 0xff;
	hf_sip_round(s);
	hf_sip_round(s);
	hf_sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

/* SipHash-2-4. */
HF_INLINE void hf_sip24_word(struct hf_sip *s, __u64 word)
{
	s->v3 ^= word;
	hf_sip_round(s);
	hf_sip_round(s);
	s->v0 ^= word;
}

HF_INLINE __u64 hf_sip24_end(struct hf_sip *s)
{
	s->v2 ^= 0xff;
	hf_sip_round(s);
	hf_sip_round(s);
	hf_sip_round(s);
	hf_sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

#endif
