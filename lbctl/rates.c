// SPDX-License-Identifier: BSD-2-Clause
#include "lbctl/rates.h"

#include <stdio.h>
#include <string.h>

#include "lbctl/json.h"

#define DROP "drop_"

int64_t hf_counter(const json_t *counters, const char *name)
{
	json_t *counter;
	size_t i;

	json_array_foreach (counters, i, counter)
		if (strcmp(hf_text(counter, "name"), name) == 0)
			return hf_number(counter, "count");
	return 0;
}

/* By the agent's own clock; 0: it was started anew. */
static double seconds_between(const json_t *node, const json_t *later)
{
	int64_t ms = hf_number(json_object_get(later, "lbnode"), "up_ms") -
		     hf_number(json_object_get(node, "lbnode"), "up_ms");

	return ms > 0 ? (double)ms / 1000 : 0;
}

static const json_t *counters_of(const json_t *node)
{
	return json_object_get(json_object_get(node, "lbnode"), "counters");
}

double hf_counter_rate(const json_t *node, const json_t *later, const char *name)
{
	double seconds = seconds_between(node, later);

	return seconds ? (double)(hf_counter(counters_of(later), name) -
				  hf_counter(counters_of(node), name)) /
				 seconds
		       : 0;
}

const char *hf_counter_text(const json_t *node, const char *name)
{
	json_t *counter;
	size_t i;

	json_array_foreach (counters_of(node), i, counter)
		if (strcmp(hf_text(counter, "name"), name) == 0)
			return hf_text(counter, "text");
	return "";
}

bool hf_node_rates(const json_t *node, const json_t *later, struct hf_node_rates *rates)
{
	const json_t *before = counters_of(node), *after = counters_of(later);
	double seconds = seconds_between(node, later), most = 0;
	json_t *counter;
	size_t i;

	*rates = (struct hf_node_rates){ .forwarded = 0 };
	if (!before || !after || !seconds)
		return false;
	json_array_foreach (after, i, counter) {
		const char *name = hf_text(counter, "name");
		double rate =
			(double)(hf_number(counter, "count") - hf_counter(before, name)) / seconds;

		if (strcmp(name, "forwarded") == 0)
			rates->forwarded = rate;
		if (strncmp(name, DROP, strlen(DROP)) != 0)
			continue;
		rates->dropped += rate;
		if (rate <= most)
			continue;
		most = rate;
		snprintf(rates->worst, sizeof(rates->worst), "%s", name);
		snprintf(rates->worst_text, sizeof(rates->worst_text), "%s",
			 hf_text(counter, "text"));
	}
	return true;
}

static int64_t sum(const json_t *node, const char *list, const char *select, const char *value,
		   const char *key)
{
	int64_t total = 0;
	json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(node, list), i, entry)
		if (!value || strcmp(hf_text(entry, select), value) == 0)
			total += hf_number(entry, key);
	return total;
}

double hf_cluster_seconds(const json_t *cluster, const json_t *later)
{
	double seconds = 0;
	json_t *node;
	size_t i;

	json_array_foreach (json_object_get(cluster, "nodes"), i, node)
		if (!seconds)
			seconds = seconds_between(node,
						  hf_cluster_node(later, hf_text(node, "name")));
	return seconds;
}

double hf_cluster_rate(const json_t *cluster, const json_t *later, const char *list,
		       const char *select, const char *value, const char *key)
{
	double total = 0;
	bool known = false;
	json_t *node;
	size_t i;

	json_array_foreach (json_object_get(cluster, "nodes"), i, node) {
		const json_t *then = hf_cluster_node(later, hf_text(node, "name"));
		double seconds = seconds_between(node, then);

		if (!seconds || !json_object_get(then, list))
			continue;
		total += (double)(sum(then, list, select, value, key) -
				  sum(node, list, select, value, key)) /
			 seconds;
		known = true;
	}
	/* Negative: an lbnode was started anew, and counts anew. */
	return known && total >= 0 ? total : -1;
}
