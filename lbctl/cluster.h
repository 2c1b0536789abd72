/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the programs of all nodes say, gathered into one JSON object, from which everything that
 * lbctl shows is made:
 *
 *	{"cluster": NAME, "asked": this node's NAME, "blind": null, or why others can't be asked,
 *	 "nodes": [{"name", "id", "address", "port", "local", "state", "since_ms",
 *	            "syncd": Status, "lbnode": NodeFacts, "lbbgp": BgpState,
 *	            "services": [ServiceState], "backends": [BackendState],
 *	            "overrides": [OverrideState],
 *	            "errors": {PROGRAM: why it said nothing}}]}
 *
 * with those parts that were asked for; the capitals are messages of proto/. A part of a program
 * that said nothing is left out.
 */
#ifndef HF_LBCTL_CLUSTER_H
#define HF_LBCTL_CLUSTER_H

#include <jansson.h>

#include "lbctl/ask.h"
#include "lbctl/json.h"

enum hf_part {
	HF_PART_SYNCD = 1 << 0,
	HF_PART_FACTS = 1 << 1,
	HF_PART_SERVICES = 1 << 2,
	HF_PART_BACKENDS = 1 << 3,
	HF_PART_OVERRIDES = 1 << 4,
	HF_PART_BGP = 1 << 5,
};

/* Whether it is of use to ask the node: it is this one, or lives. */
bool hf_cluster_can_ask(const json_t *node);
/* Whether it has told any of these parts. */
bool hf_cluster_has_any(const json_t *node, unsigned int parts);
/* Whether all nodes that live have told this part, so that sums are the whole. */
bool hf_cluster_is_whole(const json_t *cluster, const char *part);

#define HF_PATIENCE_MS 700 /* with who does not answer; all are asked at once */

/* Asks, and gathers: a new object. `only`: the name of the only node that it is about; NULL: all.
 */
json_t *hf_cluster_gather(const char *instance, unsigned int parts, const char *only);

/* The same nodes once more, but for programs that did not answer before: a new object. */
json_t *hf_cluster_again(const char *instance, const json_t *before, unsigned int parts);

/* Makes a question one to this node. */
void hf_cluster_address(const json_t *node, struct hf_question_to *question);

#endif
