// SPDX-License-Identifier: BSD-2-Clause
#include "lbctl/json.h"

#include <stdlib.h>
#include <string.h>

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
