/* SPDX-License-Identifier: BSD-2-Clause */
/* What is wrong, in words, and what to do: from what all programs said (cluster.h). */
#ifndef HF_LBCTL_PROBLEMS_H
#define HF_LBCTL_PROBLEMS_H

#include <jansson.h>

/* The parts of cluster.h that are needed. */
#define HF_PROBLEMS_PARTS \
	(HF_PART_SYNCD | HF_PART_FACTS | HF_PART_SERVICES | HF_PART_BACKENDS | HF_PART_BGP)

/*
 * A new array of {"severity": "outage" or "fault", "nodes": [NAME...] (none: of the whole), "text":
 * what is wrong, "remedy": the next command}, the worst first; what several nodes say alike is told
 * once. `later`: the same, gathered some ms after, for what only rates tell; NULL: not known.
 */
json_t *hf_problems_find(const json_t *cluster, const json_t *later);

/* Its nodes' names, with commas, in `out` of `size` bytes; returns it. */
const char *hf_problem_nodes(const json_t *problem, char *out, size_t size);

#endif
