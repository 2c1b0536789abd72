// SPDX-License-Identifier: BSD-2-Clause
#include "lbctl/json.h"

#include <stdlib.h>
#include <string.h>

/* Within PROBE_MS for each member there is, each of them answers a probe of each other one. */
#define HEARD_MS 10000
#define PROBE_MS 100

const char *hf_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

int64_t hf_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

bool hf_flag(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

bool hf_json_is(const json_t *object, const char *key, const char *text)
{
	return strcmp(hf_text(object, key), text) == 0;
}

json_t *hf_json_clean(const char *text)
{
	char *copy = strdup(text ? text : "");
	json_t *json;

	if (!copy)
		return NULL;
	for (char *c = copy; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	json = json_string(copy);
	/* What is no UTF-8 is not taken apart further. */
	for (char *c = copy; !json && *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	if (!json)
		json = json_string(copy);
	free(copy);
	return json;
}

bool hf_bgp_is_known(const json_t *bgp)
{
	return hf_text(bgp, "bird")[0] && hf_flag(bgp, "settled") &&
	       json_array_size(json_object_get(bgp, "sessions"));
}

json_t *hf_cluster_node(const json_t *cluster, const char *name)
{
	json_t *node;
	size_t i;

	json_array_foreach (json_object_get(cluster, "nodes"), i, node)
		if (strcmp(hf_text(node, "name"), name) == 0)
			return node;
	return NULL;
}

json_t *hf_cluster_local(const json_t *cluster)
{
	json_t *node;
	size_t i;

	json_array_foreach (json_object_get(cluster, "nodes"), i, node)
		if (hf_flag(node, "local"))
			return node;
	return NULL;
}

bool hf_cluster_is_heard(const json_t *status, const json_t *member)
{
	int64_t silent = hf_number(member, "heard_ms"), since = hf_number(member, "since_ms");
	int64_t members = (int64_t)json_array_size(json_object_get(status, "members"));

	/* Who is new may not have been heard yet. */
	if (silent < 0 || silent > since)
		silent = since;
	return silent < HEARD_MS + members * PROBE_MS;
}
