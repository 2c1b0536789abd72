// SPDX-License-Identifier: BSD-2-Clause
#include "bench/steps.h"

#include <bpf/libbpf.h>
#include <string.h>

#include "steps.skel.h"

/* Every map of its own that the harness has filled is that one's. */
static bool share_maps(struct steps_bpf *s, const struct harness *h)
{
	struct bpf_map *map, *theirs;

	bpf_object__for_each_map (map, s->obj) {
		if (bpf_map__is_internal(map))
			continue;
		theirs = bpf_object__find_map_by_name(h->bpf->obj, bpf_map__name(map));
		if (theirs && bpf_map__reuse_fd(map, bpf_map__fd(theirs)))
			return false;
	}
	return true;
}

struct steps_bpf *steps_open(const struct harness *h, uint32_t steps)
{
	struct steps_bpf *s = steps_bpf__open();

	if (!s)
		return NULL;
	s->rodata->steps = steps;
	s->rodata->flow_key.k0 = HARNESS_KEY0;
	s->rodata->flow_key.k1 = HARNESS_KEY1;
	s->rodata->bucket_bits = h->bucket_bits;
	if (share_maps(s, h) && steps_bpf__load(s) == 0)
		return s;
	steps_bpf__destroy(s);
	return NULL;
}

int steps_program(const struct steps_bpf *s)
{
	return bpf_program__fd(s->progs.walk);
}

void steps_close(struct steps_bpf *s)
{
	steps_bpf__destroy(s);
}
