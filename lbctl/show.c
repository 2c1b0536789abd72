// SPDX-License-Identifier: BSD-2-Clause
/* Commands that show what programs say, each from one side. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lbctl/cluster.h"
#include "lbctl/command.h"
#include "lbctl/table.h"
#include "lib/log.h"
#include "lib/text.h"

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

static void state_cell(struct hf_table *t, const json_t *object, const char *key)
{
	const char *state = hf_text(object, key);

	hf_table_cell(t, colour_of(state), "%s", state[0] ? state : "?");
}

static void name_cell(struct hf_table *t, const json_t *node)
{
	hf_table_cell(t, HF_BOLD, "%s%s", hf_text(node, "name"),
		      hf_flag(node, "local") ? " *" : "");
}

static void number_cell(struct hf_table *t, int64_t number)
{
	char text[HF_NUMBER_TEXT];

	hf_table_cell(t, HF_PLAIN, "%s", hf_number_text((double)number, text));
}

static void duration_cell(struct hf_table *t, int64_t ms)
{
	char text[HF_DURATION_TEXT];

	if (ms < 0)
		hf_table_cell(t, HF_DOUBTFUL, "never");
	else
		hf_table_cell(t, HF_PLAIN, "%s", hf_duration_text((uint32_t)(ms / 1000), text));
}

/* The rest of a row of which nothing is known. */
static void unknown_cells(struct hf_table *t, int count, const char *why)
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
static json_t *gather(const struct hf_context *c, unsigned int parts, int *status)
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

static const char *error_of(const json_t *node, const char *program)
{
	const char *why = hf_text(json_object_get(node, "errors"), program);

	return why[0] ? why : "not asked";
}

int hf_command_nodes(const struct hf_context *c)
{
	int status;
	json_t *cluster = gather(c, HF_PART_FACTS, &status), *node;
	struct hf_table *t;
	size_t i;

	if (!cluster)
		return status;
	t = hf_table_new("node", "?address", "state", "?>for", "version", "?kernel", "?>lbnode up",
			 "config", "tables", "", NULL);
	json_array_foreach (json_object_get(cluster, "nodes"), i, node) {
		const json_t *facts = json_object_get(node, "lbnode");

		name_cell(t, node);
		hf_table_cell(t, HF_PLAIN, "%s", hf_text(node, "address"));
		state_cell(t, node, "state");
		duration_cell(t, hf_number(node, "since_ms"));
		if (!facts) {
			unknown_cells(t, 6, error_of(node, "lbnode"));
			continue;
		}
		hf_table_cell(t, HF_PLAIN, "%s", hf_text(facts, "version"));
		hf_table_cell(t, HF_PLAIN, "%s", hf_text(facts, "kernel"));
		duration_cell(t, hf_number(facts, "up_ms"));
		hf_table_cell(t, HF_PLAIN, "%.10s", hf_text(facts, "config"));
		hf_table_cell(t, HF_PLAIN, "%.10s", hf_text(facts, "tables"));
		hf_table_cell(t, hf_flag(facts, "ready") ? HF_GOOD : HF_BAD, "%s%s",
			      hf_flag(facts, "draining") ? "drained; " : "",
			      hf_flag(facts, "ready") ? "ready" : hf_text(facts, "why_not"));
	}
	hf_table_print(t, stdout);
	json_decref(cluster);
	return status;
}

/* The first node's list, by which rows are made, and all nodes' sums. */
static const json_t *first_list(const json_t *cluster, const char *key)
{
	json_t *node;
	size_t i;

	json_array_foreach (json_object_get(cluster, "nodes"), i, node)
		if (json_object_get(node, key))
			return json_object_get(node, key);
	return NULL;
}

/* Whether two entries are of the same thing. */
static bool is_same(const json_t *a, const json_t *b, const char *const *keys)
{
	for (; *keys; keys++)
		if (!json_equal(json_object_get(a, *keys), json_object_get(b, *keys)))
			return false;
	return true;
}

static int64_t sum_of(const json_t *cluster, const char *list, const json_t *entry,
		      const char *const *keys, const char *what)
{
	int64_t sum = 0;
	json_t *node, *x;
	size_t i, k;

	json_array_foreach (json_object_get(cluster, "nodes"), i, node)
		json_array_foreach (json_object_get(node, list), k, x)
			if (is_same(x, entry, keys))
				sum += hf_number(x, what);
	return sum;
}

static const char *const service_keys[] = { "address", "port", "protocol", NULL };
static const char *const backend_keys[] = { "pool", "address", NULL };

int hf_command_services(const struct hf_context *c)
{
	int status;
	json_t *cluster = gather(c, HF_PART_SERVICES, &status), *s;
	struct hf_table *t;
	char port[12];
	size_t i;

	if (!cluster)
		return status;
	t = hf_table_new("service", ">port", "protocol", "pool", ">usable", "?state", ">new flows",
			 ">packets", "?>bytes", NULL);
	json_array_foreach (first_list(cluster, "services"), i, s) {
		int64_t usable = hf_number(s, "usable"), total = hf_number(s, "total");

		snprintf(port, sizeof(port), "%ld", (long)hf_number(s, "port"));
		hf_table_cell(t, HF_BOLD, "%s", hf_text(s, "address"));
		hf_table_cell(t, HF_PLAIN, "%s", hf_number(s, "port") ? port : "all");
		hf_table_cell(t, HF_PLAIN, "%s", hf_text(s, "protocol"));
		hf_table_cell(t, HF_PLAIN, "%s", hf_text(s, "pool"));
		hf_table_cell(t, usable < total ? HF_BAD : HF_PLAIN, "%ld/%ld", (long)usable,
			      (long)total);
		state_cell(t, s, "pool_state");
		number_cell(t, sum_of(cluster, "services", s, service_keys, "flows"));
		number_cell(t, sum_of(cluster, "services", s, service_keys, "packets"));
		number_cell(t, sum_of(cluster, "services", s, service_keys, "bytes"));
	}
	hf_table_print(t, stdout);
	json_decref(cluster);
	return status;
}

/* Goes on in a text, as far as there is room. */
__attribute__((format(printf, 3, 4))) static void append(char *text, size_t size,
							 const char *format, ...)
{
	size_t used = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + used, size - used, format, arguments);
	va_end(arguments);
}

/* Why it is as it is, in one line. */
static void why_cell(struct hf_table *t, const json_t *cluster, const json_t *b)
{
	const json_t *o = json_object_get(b, "override");
	char text[512] = "", left[HF_DURATION_TEXT];
	json_t *node, *x;
	size_t i, k;

	if (o)
		append(text, sizeof(text), "%s by %s: %s", hf_text(o, "action"),
		       hf_text(o, "author"), hf_text(o, "reason"));
	if (hf_number(o, "seconds_left"))
		append(text, sizeof(text), " (another %s)",
		       hf_duration_text((uint32_t)hf_number(o, "seconds_left"), left));
	if (!o && strcmp(hf_text(b, "state"), "down") == 0)
		append(text, sizeof(text), "%s", hf_text(b, "cause"));
	else if (!o && !hf_flag(b, "checked"))
		append(text, sizeof(text), "not checked");
	json_array_foreach (json_object_get(cluster, "nodes"), i, node)
		json_array_foreach (json_object_get(node, "backends"), k, x)
			if (is_same(x, b, backend_keys) && hf_flag(x, "dissents"))
				append(text, sizeof(text), "%s%s says otherwise%s%s",
				       text[0] ? "; " : "", hf_text(node, "name"),
				       hf_text(x, "check_cause")[0] ? ": " : "",
				       hf_text(x, "check_cause"));
	hf_table_cell(t, HF_PLAIN, "%s", text);
}

int hf_command_backends(const struct hf_context *c)
{
	int status;
	json_t *cluster = gather(c, HF_PART_BACKENDS, &status), *b;
	struct hf_table *t;
	size_t i;

	if (!cluster)
		return status;
	t = hf_table_new("pool", "backend", "?address", "state", ">weight", "?>for", ">flows",
			 "?>packets", "why", NULL);
	json_array_foreach (first_list(cluster, "backends"), i, b) {
		hf_table_cell(t, HF_PLAIN, "%s", hf_text(b, "pool"));
		hf_table_cell(t, HF_BOLD, "%s", hf_text(b, "name"));
		hf_table_cell(t, HF_PLAIN, "%s", hf_text(b, "address"));
		state_cell(t, b, "state");
		hf_table_cell(t, HF_PLAIN, "%ld/%ld", (long)hf_number(b, "weight"),
			      (long)hf_number(b, "configured_weight"));
		if (hf_flag(b, "checked") && hf_flag(b, "verdict_passed"))
			duration_cell(t, hf_number(b, "verdict_s") * 1000);
		else
			hf_table_cell(t, HF_PLAIN, "-");
		number_cell(t, sum_of(cluster, "backends", b, backend_keys, "pins"));
		number_cell(t, sum_of(cluster, "backends", b, backend_keys, "packets"));
		why_cell(t, cluster, b);
	}
	hf_table_print(t, stdout);
	json_decref(cluster);
	return status;
}

static int64_t queue_of(const json_t *status)
{
	int64_t sum = 0;
	json_t *m;
	size_t i;

	json_array_foreach (json_object_get(status, "members"), i, m)
		sum += hf_number(m, "queue");
	return sum;
}

static void deaf_cell(struct hf_table *t, const json_t *status)
{
	char text[256] = "";
	size_t i;
	json_t *m;

	json_array_foreach (json_object_get(status, "members"), i, m)
		if (strcmp(hf_text(m, "state"), "alive") != 0)
			append(text, sizeof(text), "%s%s %s", text[0] ? ", " : "",
			       hf_text(m, "name"), hf_text(m, "state"));
	hf_table_cell(t, text[0] ? HF_BAD : HF_PLAIN, "%s", text);
}

int hf_command_sync(const struct hf_context *c)
{
	int status;
	json_t *cluster = gather(c, HF_PART_SYNCD, &status), *node;
	struct hf_table *t;
	size_t i;

	if (!cluster)
		return status;
	t = hf_table_new("node", "?readiness", ">epoch", "?owners", "handed over", ">records",
			 ">waiting", "lbnode", "thinks of others", NULL);
	json_array_foreach (json_object_get(cluster, "nodes"), i, node) {
		const json_t *s = json_object_get(node, "syncd");

		name_cell(t, node);
		if (!s) {
			unknown_cells(t, 8, error_of(node, "syncd"));
			continue;
		}
		hf_table_cell(t, hf_flag(s, "ready") ? HF_GOOD : HF_DOUBTFUL, "%s",
			      hf_text(s, "readiness"));
		number_cell(t, hf_number(s, "epoch"));
		hf_table_cell(t, HF_PLAIN, "%.10s", hf_text(s, "view"));
		hf_table_cell(t, hf_flag(s, "settled") ? HF_GOOD : HF_DOUBTFUL, "%s",
			      hf_flag(s, "settled") ? "yes" : "not yet");
		number_cell(t, hf_number(s, "records"));
		number_cell(t, queue_of(s));
		hf_table_cell(t, hf_flag(s, "lbnode") ? HF_GOOD : HF_BAD, "%s",
			      hf_flag(s, "lbnode") ? "connected" : "missing");
		deaf_cell(t, s);
	}
	hf_table_print(t, stdout);
	json_decref(cluster);
	return status;
}

static long long number_at(const json_t *object, const char *list, size_t i)
{
	return json_integer_value(json_array_get(json_object_get(object, list), i));
}

static void session_rows(struct hf_table *t, const json_t *node)
{
	json_t *s, *family;
	size_t i, f;

	json_array_foreach (json_object_get(json_object_get(node, "lbbgp"), "sessions"), i, s) {
		char text[160] = "";

		json_array_foreach (json_object_get(s, "families"), f, family) {
			append(text, sizeof(text), "%s%s ", f ? ", " : "",
			       json_string_value(family));
			if (json_is_true(json_array_get(json_object_get(s, "told"), f)))
				append(text, sizeof(text), "%lld of %lld",
				       number_at(s, "exported", f), number_at(s, "announced", f));
			else
				append(text, sizeof(text), "unknown");
		}
		name_cell(t, node);
		hf_table_cell(t, HF_PLAIN, "%s", hf_text(s, "name"));
		hf_table_cell(t, HF_PLAIN, "%s", hf_text(s, "neighbour"));
		state_cell(t, s, "state");
		hf_table_cell(t, HF_PLAIN, "%s", text);
	}
}

static void vip_rows(struct hf_table *t, const json_t *node)
{
	json_t *v;
	size_t i;

	json_array_foreach (json_object_get(json_object_get(node, "lbbgp"), "vips"), i, v) {
		name_cell(t, node);
		hf_table_cell(t, HF_PLAIN, "%s", hf_text(v, "address"));
		state_cell(t, v, "state");
		duration_cell(t, hf_number(v, "since_ms"));
		hf_table_cell(t, HF_PLAIN, "%ld/%ld", (long)hf_number(v, "usable"),
			      (long)hf_number(v, "needed"));
		hf_table_cell(t, HF_PLAIN, "%s", hf_text(v, "why"));
	}
}

int hf_command_bgp(const struct hf_context *c)
{
	int status;
	json_t *cluster = gather(c, HF_PART_BGP, &status), *node, *text;
	struct hf_table *sessions, *vips;
	size_t i, k;

	if (!cluster)
		return status;
	sessions = hf_table_new("node", "session", "?neighbour", "state", "exported VIPs", NULL);
	vips = hf_table_new("node", "VIP", "state", "?>for", "?>usable/needed", "why", NULL);
	json_array_foreach (json_object_get(cluster, "nodes"), i, node) {
		if (!json_object_get(node, "lbbgp")) {
			name_cell(sessions, node);
			unknown_cells(sessions, 4, error_of(node, "lbbgp"));
		}
		json_array_foreach (json_object_get(json_object_get(node, "lbbgp"), "problems"), k,
				    text) {
			status = status == HF_EXIT_FINE ? HF_EXIT_DEGRADED : status;
			printf("%s!%s %s: %s\n", hf_colour(HF_BAD), hf_colour(HF_PLAIN),
			       hf_text(node, "name"), json_string_value(text));
		}
		session_rows(sessions, node);
		vip_rows(vips, node);
	}
	hf_table_print(sessions, stdout);
	printf("\n");
	hf_table_print(vips, stdout);
	json_decref(cluster);
	return status;
}

/* By names: in a mixed cluster nodes have different ones. */
static void counter_rows(const struct hf_context *c, struct hf_table *t, const json_t *cluster,
			 const char *list)
{
	json_t *sums = json_object(), *node, *counter, *sum;
	const char *name;
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
	json_object_foreach (sums, name, sum) {
		if (!hf_number(sum, "count") && !c->all)
			continue;
		hf_table_cell(t, strncmp(name, "drop_", 5) == 0 ? HF_DOUBTFUL : HF_PLAIN, "%s",
			      name);
		hf_table_cell(t, HF_PLAIN, "%ld", (long)hf_number(sum, "count"));
		hf_table_cell(t, HF_PLAIN, "%s", hf_text(sum, "text"));
	}
	json_decref(sums);
}

int hf_command_counters(const struct hf_context *c)
{
	int status;
	json_t *cluster = gather(c, HF_PART_FACTS, &status);
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
		name_cell(t, node);
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
	const json_t *list = first_list(cluster, "backends");
	size_t count = json_array_size(list), i;
	json_t **sorted = calloc(count ? count : 1, sizeof(json_t *)), *b;

	json_array_foreach (list, i, b) {
		json_object_set_new(
			b, "sum",
			json_integer(sum_of(cluster, "backends", b, backend_keys, "pins")));
		sorted[i] = b;
	}
	qsort(sorted, count, sizeof(json_t *), by_pins);
	for (i = 0; i < count && (!c->count || i < c->count); i++) {
		hf_table_cell(t, HF_PLAIN, "%s", hf_text(sorted[i], "pool"));
		hf_table_cell(t, HF_BOLD, "%s", hf_text(sorted[i], "name"));
		hf_table_cell(t, HF_PLAIN, "%ld", (long)hf_number(sorted[i], "sum"));
	}
	free(sorted);
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
	cluster = gather(&by_backend, HF_PART_FACTS | HF_PART_BACKENDS, &status);
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
