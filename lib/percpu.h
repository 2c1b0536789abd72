/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums over CPUs of a per-CPU BPF map's values. */
#ifndef HF_PERCPU_H
#define HF_PERCPU_H

#include <stddef.h>
#include <stdint.h>

/*
 * Adds up entry `key` of a per-CPU map whose values are `words` 64-bit numbers, into
 * sums[0..words-1]. 0 or a negative errno, with the sums 0.
 */
int hf_percpu_read(int map, uint32_t key, uint64_t *sums, size_t words);

#endif
