// SPDX-License-Identifier: BSD-2-Clause
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lbctl/show.h"
#include "lib/log.h"
#include "lib/text.h"

const char *const hf_service_keys[] = { "address", "port", "protocol", NULL };
const char *const hf_backend_keys[] = { "pool", "address", NULL };

static enum hf_colour colour_of(const char *state)
{
	static const char *const good[] = { "alive", "up", "normal", "announced", "Established" };
	static const char *const bad[] = { "dead", "down", "withdrawn", "panic", "fail-open" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (strcmp(state, good[i]) == 0)
			return HF_GOOD;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (strcmp(state, bad[i]) == 0)
			return HF_BAD;
	return HF_DOUBTFUL;
}

void hf_show_state(struct hf_table *t, const json_t *object, const char *key)
{
	const char *state = hf_text(object, key);

	hf_table_cell(t, colour_of(state), "%s", state[0] ? state : "?");
}

void hf_show_name(struct hf_table *t, const json_t *node)
{
	hf_table_cell(t, HF_BOLD, "%s%s", hf_text(node, "name"),
		      hf_flag(node, "local") ? " *" : "");
}

void hf_show_number(struct hf_table *t, int64_t number)
{
	char text[HF_NUMBER_TEXT];

	hf_table_cell(t, HF_PLAIN, "%s", hf_number_text((double)number, text));
}

void hf_show_sum_cell(struct hf_table *t, double sum, bool whole)
{
	char text[HF_NUMBER_TEXT];

	hf_table_cell(t, whole ? HF_PLAIN : HF_DOUBTFUL, "%s%s",
		      whole ? "" : ">=", hf_number_text(sum, text));
}

void hf_show_duration(struct hf_table *t, int64_t ms)
{
	char text[HF_DURATION_TEXT];

	if (ms < 0)
		hf_table_cell(t, HF_DOUBTFUL, "never");
	else
		hf_table_cell(t, HF_PLAIN, "%s", hf_duration_text((uint32_t)(ms / 1000), text));
}

/* The rest of a row of which nothing is known. */
void hf_show_unknown(struct hf_table *t, int count, const char *why)
{
	while (count-- > 1)
		hf_table_cell(t, HF_DOUBTFUL, "?");
	hf_table_cell(t, HF_BAD, "%s", why);
}

static bool is_wanted(const struct hf_context *c, const json_t *entry)
{
	const char *name = hf_text(entry, "name");

	/* Services have no names. */
	return (!c->pool || strcmp(c->pool, hf_text(entry, "pool")) == 0) &&
	       (!c->backend || strcmp(c->backend, name) == 0) &&
	       (!c->state || !name[0] || strcmp(c->state, hf_text(entry, "state")) == 0);
}

/* Leaves in the nodes' lists what is asked for; how many entries. */
static size_t filter(const struct hf_context *c, const json_t *cluster, const char *list)
{
	size_t i, k, count = 0;
	json_t *node, *entry;

	json_array_foreach (json_object_get(cluster, "nodes"), i, node) {
		json_t *all = json_object_get(node, list), *wanted = json_array();

		json_array_foreach (all, k, entry)
			if (is_wanted(c, entry))
				json_array_append(wanted, entry);
		count += json_array_size(wanted);
		if (all)
			json_object_set(node, list, wanted);
		json_decref(wanted);
	}
	return count;
}

/* Gathered, and not yet shown as JSON; NULL: it is, or failed. */
json_t *hf_show_gather(const struct hf_context *c, unsigned int parts, int *status)
{
	json_t *cluster = hf_gather_or_say(c, parts, status);
	size_t count = filter(c, cluster, "services") + filter(c, cluster, "backends");

	if (!count && (c->pool || c->backend || c->state)) {
		hf_warning("there is nothing of that pool, name and state");
		*status = HF_EXIT_FAILED;
	}

	if (!hf_print_json(c, cluster))
		return cluster;
	json_decref(cluster);
	return NULL;
}

const char *hf_show_error_of(const json_t *node, const char *program)
{
	const char *why = hf_text(json_object_get(node, "errors"), program);

	return why[0] ? why : "not asked";
}

/* The first node's list, by which rows are made, and all nodes' sums. */
const json_t *hf_show_first_list(const json_t *cluster, const char *key)
{
	json_t *node;
	size_t i;

	json_array_foreach (json_object_get(cluster, "nodes"), i, node)
		if (json_object_get(node, key))
			return json_object_get(node, key);
	return NULL;
}

const char *hf_show_key(const json_t *entry, const char *const *keys, char text[HF_SHOW_KEY])
{
	text[0] = '\0';
	for (; *keys; keys++) {
		const json_t *value = json_object_get(entry, *keys);

		if (json_is_integer(value))
			hf_show_append(text, HF_SHOW_KEY, "%lld ", json_integer_value(value));
		else
			hf_show_append(text, HF_SHOW_KEY, "%s ", hf_text(entry, *keys));
	}
	return text;
}

json_t *hf_show_sums(const json_t *cluster, const char *list, const char *const *keys,
		     const char *what)
{
	json_t *sums = json_object(), *node, *x;
	char key[HF_SHOW_KEY];
	size_t i, k;

	json_array_foreach (json_object_get(cluster, "nodes"), i, node) {
		json_array_foreach (json_object_get(node, list), k, x) {
			hf_show_key(x, keys, key);
			json_object_set_new(
				sums, key, json_integer(hf_number(sums, key) + hf_number(x, what)));
		}
	}
	return sums;
}

int64_t hf_show_sum(const json_t *sums, const json_t *entry, const char *const *keys)
{
	char key[HF_SHOW_KEY];

	return hf_number(sums, hf_show_key(entry, keys, key));
}

void hf_show_append(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + used, size - used, format, arguments);
	va_end(arguments);
}
