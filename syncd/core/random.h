/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random choices that need not be secret: whom to probe next, how long to wait. Seeded by the
 * caller, so a simulated run repeats. xoroshiro128+ (Blackman and Vigna, 2018), and a mixer of 64
 * bits.
 */
#ifndef HF_SYNC_RANDOM_H
#define HF_SYNC_RANDOM_H

#include <stdint.h>

struct hf_random {
	uint64_t state[2];
};

void hf_random_seed(struct hf_random *random, uint64_t seed);

uint64_t hf_random_next(struct hf_random *random);

/* 0 to n - 1; n > 0. */
uint32_t hf_random_below(struct hf_random *random, uint32_t n);

/* The finaliser of MurmurHash3 as improved by Stafford (mix 13): each bit of the result depends on
 * all of x. Not keyed. Part of what nodes must agree on: never change it. */
static inline uint64_t hf_mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

#endif
