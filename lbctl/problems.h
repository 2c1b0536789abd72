/* SPDX-License-Identifier: BSD-2-Clause */
/* What is wrong, in words, and what to do: from what all programs said (cluster.h). */
#ifndef HF_LBCTL_PROBLEMS_H
#define HF_LBCTL_PROBLEMS_H

#include <jansson.h>

/* What HF_PROBLEMS_PARTS of cluster.h's parts are needed for. */
#define HF_PROBLEMS_PARTS (HF_PART_SYNCD | HF_PART_FACTS | HF_PART_BACKENDS | HF_PART_BGP)

/*
 * A new array of {"node": NAME or "", "text": what is wrong, "remedy": the next command}, the worst
 * first. `later`: the same, gathered some ms after, for what only rates tell; NULL: not known.
 */
json_t *hf_problems_find(const json_t *cluster, const json_t *later);

#endif
