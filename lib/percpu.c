// SPDX-License-Identifier: BSD-2-Clause
#include "lib/percpu.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int hf_percpu_read(int map, uint32_t key, uint64_t *sums, size_t words)
{
	int cpus = libbpf_num_possible_cpus(), err;
	uint64_t *values = cpus > 0 ? calloc(cpus * words, sizeof(*values)) : NULL;

	memset(sums, 0, words * sizeof(*sums));
	if (!values)
		return -ENOMEM;
	err = bpf_map_lookup_elem(map, &key, values);
	for (size_t i = 0; !err && i < cpus * words; i++)
		sums[i % words] += values[i];
	free(values);
	return err;
}
