/* SPDX-License-Identifier: BSD-2-Clause */
/* Rates, from two times that the same was gathered (cluster.h). */
#ifndef HF_LBCTL_RATES_H
#define HF_LBCTL_RATES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct hf_node_rates {
	double forwarded, dropped; /* packets a second */
	char worst[64];		   /* the reason of most drops; "": there were none */
	char worst_text[160];
};

/* False: they are not known, as when lbnode was started anew in between. */
bool hf_node_rates(const json_t *node, const json_t *later, struct hf_node_rates *rates);

/* A list of counters' value by its name. */
int64_t hf_counter(const json_t *counters, const char *name);

/* How much a counter of the node grows a second; and its explanation. */
double hf_counter_rate(const json_t *node, const json_t *later, const char *name);
const char *hf_counter_text(const json_t *node, const char *name);

/* How much later the second was gathered, by the nodes' own clocks; 0: not known. */
double hf_cluster_seconds(const json_t *cluster, const json_t *later);

/* How much more a second `key` of lists of the same order sums up to, over those entries whose
 * `select` is `value` (NULL: all); over all nodes. Negative: not known. */
double hf_cluster_rate(const json_t *cluster, const json_t *later, const char *list,
		       const char *select, const char *value, const char *key);

#endif
