// SPDX-License-Identifier: BSD-2-Clause
/* What is counted: packets, by what became of them, and flows. */

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lbctl/show.h"
#include "lib/log.h"
#include "lib/text.h"

/* By names: in a mixed cluster nodes have different ones. */
static void counter_rows(const struct hf_context *c, struct hf_table *t, const json_t *cluster,
			 const char *list)
{
	json_t *sums = json_object(), *node, *counter, *sum;
	const char *name;
	bool whole;
	size_t i, k;

	json_array_foreach (json_object_get(cluster, "nodes"), i, node) {
		json_array_foreach (json_object_get(json_object_get(node, "lbnode"), list), k,
				    counter) {
			name = hf_text(counter, "name");
			sum = json_object_get(sums, name);
			if (sum)
				json_object_set_new(sum, "count",
						    json_integer(hf_number(sum, "count") +
								 hf_number(counter, "count")));
			else
				json_object_set_new(sums, name, json_deep_copy(counter));
		}
	}
	whole = hf_cluster_is_whole(cluster, "lbnode");
	json_object_foreach (sums, name, sum) {
		if (!hf_number(sum, "count") && !c->all)
			continue;
		hf_table_cell(t, strncmp(name, "drop_", 5) == 0 ? HF_DOUBTFUL : HF_PLAIN, "%s",
			      name);
		hf_table_cell(t, whole ? HF_PLAIN : HF_DOUBTFUL, "%s%ld",
			      whole ? "" : ">=", (long)hf_number(sum, "count"));
		hf_table_cell(t, HF_PLAIN, "%s", hf_text(sum, "text"));
	}
	json_decref(sums);
}

int hf_command_counters(const struct hf_context *c)
{
	int status;
	json_t *cluster = hf_show_gather(c, HF_PART_FACTS, &status);
	struct hf_table *t;

	if (!cluster)
		return status;
	t = hf_table_new("counter", c->node ? ">" : ">all nodes", "what it counts", NULL);
	counter_rows(c, t, cluster, "counters");
	counter_rows(c, t, cluster, "sharing_counters");
	hf_table_print(t, stdout);
	json_decref(cluster);
	return status;
}

static void state_rows(const struct hf_context *c, struct hf_table *t, const json_t *node)
{
	json_t *x;
	size_t i;

	json_array_foreach (json_object_get(json_object_get(node, "lbnode"), "pin_states"), i, x) {
		if ((!hf_number(x, "count") && !c->all) ||
		    (c->state && strcmp(c->state, hf_text(x, "name")) != 0))
			continue;
		hf_show_name(t, node);
		hf_table_cell(t, HF_PLAIN, "%s", hf_text(x, "name"));
		hf_table_cell(t, HF_PLAIN, "%ld", (long)hf_number(x, "count"));
	}
}

static int by_pins(const void *a, const void *b)
{
	int64_t x = hf_number(*(json_t *const *)a, "sum"),
		y = hf_number(*(json_t *const *)b, "sum");

	return x < y ? 1 : -(x > y);
}

/* All nodes' flows of each backend, most first. */
static void flow_rows(const struct hf_context *c, struct hf_table *t, const json_t *cluster)
{
	const json_t *list = hf_show_first_list(cluster, "backends");
	json_t *pins = hf_show_sums(cluster, "backends", hf_backend_keys, "pins");
	size_t count = json_array_size(list), i;
	json_t **sorted = calloc(count ? count : 1, sizeof(json_t *)), *b;
	bool whole = hf_cluster_is_whole(cluster, "backends");

	json_array_foreach (list, i, b) {
		json_object_set_new(b, "sum", json_integer(hf_show_sum(pins, b, hf_backend_keys)));
		sorted[i] = b;
	}
	qsort(sorted, count, sizeof(json_t *), by_pins);
	for (i = 0; i < count && (!c->count || i < c->count); i++) {
		hf_table_cell(t, HF_PLAIN, "%s", hf_text(sorted[i], "pool"));
		hf_table_cell(t, HF_BOLD, "%s", hf_text(sorted[i], "name"));
		hf_table_cell(t, whole ? HF_PLAIN : HF_DOUBTFUL, "%s%ld",
			      whole ? "" : ">=", (long)hf_number(sorted[i], "sum"));
	}
	free(sorted);
	json_decref(pins);
}

/* By state and by backend: which backend a flow has, and in which state it is, is not counted
 * together. */
int hf_command_flows(const struct hf_context *c)
{
	struct hf_context by_backend = *c;
	int status;
	json_t *cluster, *node;
	struct hf_table *t;
	size_t i;

	if (c->state && (c->pool || c->backend)) {
		hf_error("flows are counted by state or by backend, not by both");
		return HF_EXIT_WRONG;
	}
	by_backend.state = NULL; /* a flow's, not a backend's */
	cluster = hf_show_gather(&by_backend, HF_PART_FACTS | HF_PART_BACKENDS, &status);
	if (!cluster)
		return status;
	if (!c->pool && !c->backend) {
		t = hf_table_new("node", "state", ">flows", NULL);
		json_array_foreach (json_object_get(cluster, "nodes"), i, node)
			state_rows(c, t, node);
		hf_table_print(t, stdout);
	}
	if (!c->state) {
		t = hf_table_new("pool", "backend", c->node ? ">flows" : ">flows on all nodes",
				 NULL);
		flow_rows(c, t, cluster);
		if (!c->pool && !c->backend)
			printf("\n");
		hf_table_print(t, stdout);
	}
	json_decref(cluster);
	return status;
}
