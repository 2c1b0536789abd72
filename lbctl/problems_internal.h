/* SPDX-License-Identifier: BSD-2-Clause */
/* What those who look for problems share. */
#ifndef HF_LBCTL_PROBLEMS_INTERNAL_H
#define HF_LBCTL_PROBLEMS_INTERNAL_H

#include "lbctl/problems.h"

enum hf_severity { HF_OUTAGE, HF_FAULT };

/* Adds one, or the node to one of the same words. NODE: NULL if it is the whole's. */
void hf_problem_add(json_t *problems, enum hf_severity severity, const json_t *node,
		    const char *remedy, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* The command, and where to give it if not here. Returns `out`. */
const char *hf_problem_on_node(const json_t *node, const char *command, char out[160]);

/* problems_bgp.c. */
void hf_problems_of_bgp(json_t *problems, const json_t *node);
void hf_problems_of_lost_vips(json_t *problems, const json_t *cluster);

#endif
