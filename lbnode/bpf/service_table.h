/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The service look-up, one for BPF and C: a packet's destination to its service. A service on
 * one port wins over one on all ports; both can't be configured for one address and protocol.
 */
#ifndef HF_LBNODE_BPF_SERVICE_TABLE_H
#define HF_LBNODE_BPF_SERVICE_TABLE_H

#include "lib/packet/parse.h"
#include "lib/packet/siphash.h"
#include "lbnode/bpf/types.h"

/* Multiplicative hashing (Knuth, TAOCP 6.4) with odd constants from the fractions of primes'
 * square roots: the keys are the operator's, not an attacker's, who can at worst meet a chain
 * of HF_SERVICE_PROBES cells. */
HF_INLINE __u32 hf_service_hash(__u64 seed, const __u32 address[4], __be16 port, __u8 protocol)
{
	__u64 low = (__u64)address[1] << 32 | address[0];
	__u64 high = (__u64)address[3] << 32 | address[2];
	__u64 h = seed;

	h ^= low * 0x6a09e667f3bcc909ULL;
	h ^= HF_ROTL64(high * 0xbb67ae8584caa73bULL, 29);
	h ^= ((__u64)port << 8 | protocol) * 0x3c6ef372fe94f82bULL;
	h ^= h >> 32;
	h *= 0xa54ff53a5f1d36f1ULL;
	return h >> 49; /* log2(HF_SERVICE_CELLS) = 15 bits */
}

HF_INLINE bool hf_service_is(const struct hf_service *s, const __u32 address[4], __u8 family,
			     __be16 port, __u8 protocol)
{
	return s->address[0] == address[0] && s->port == port && s->protocol == protocol &&
	       s->family == family && s->address[1] == address[1] && s->address[2] == address[2] &&
	       s->address[3] == address[3];
}

HF_INLINE const struct hf_service *hf_service_probe(const struct hf_service_table *table,
						    const __u32 address[4], __u8 family,
						    __be16 port, __u8 protocol)
{
	__u32 at = hf_service_hash(table->seed, address, port, protocol);

	for (int i = 0; i < HF_SERVICE_PROBES; i++) {
		const struct hf_service *s = &table->cell[(at + i) & (HF_SERVICE_CELLS - 1)];

		if (!s->family)
			return NULL;
		if (hf_service_is(s, address, family, port, protocol))
			return s;
	}
	return NULL;
}

HF_INLINE const struct hf_service *hf_service_find(const struct hf_service_table *table,
						   const struct hf_packet *p)
{
	const struct hf_service *s = hf_service_probe(table, p->destination, p->family,
						      p->destination_port, p->protocol);

	return s ? s : hf_service_probe(table, p->destination, p->family, 0, p->protocol);
}

HF_INLINE bool hf_is_vip(const struct hf_service_table *table, const __u32 address[4], __u8 family)
{
	return hf_service_probe(table, address, family, 0, 0) != NULL;
}

_Static_assert(HF_SERVICE_CELLS == 1 << 15, "hf_service_hash() gives 15 bits");

#endif
