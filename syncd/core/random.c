// SPDX-License-Identifier: BSD-2-Clause
#include "syncd/core/random.h"

void hf_random_seed(struct hf_random *random, uint64_t seed)
{
	/* Not both 0, whatever the seed. */
	random->state[0] = hf_mix(seed + 0x9e3779b97f4a7c15ULL);
	random->state[1] = hf_mix(seed + 2 * 0x9e3779b97f4a7c15ULL) | 1;
}

static uint64_t rotate(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

uint64_t hf_random_next(struct hf_random *random)
{
	uint64_t a = random->state[0], b = random->state[1], sum = a + b;

	b ^= a;
	random->state[0] = rotate(a, 24) ^ b ^ b << 16;
	random->state[1] = rotate(b, 37);
	return sum;
}

uint32_t hf_random_below(struct hf_random *random, uint32_t n)
{
	return (hf_random_next(random) >> 32) * n >> 32;
}
