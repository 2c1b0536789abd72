// SPDX-License-Identifier: BSD-2-Clause
/* Commands that show what programs say, each from one side. */
#include <string.h>
#include <time.h>

#include "lbctl/rates.h"
#include "lbctl/show.h"
#include "lbctl/status.h"
#include "lib/text.h"

int hf_command_nodes(const struct hf_context *c)
{
	int status;
	json_t *cluster = hf_show_gather(c, HF_PART_FACTS, &status), *node;
	struct hf_table *t;
	size_t i;

	if (!cluster)
		return status;
	t = hf_table_new("node", "?address", "state", "?>for", "version", "?kernel", "?>lbnode up",
			 "config", "tables", "", NULL);
	json_array_foreach (json_object_get(cluster, "nodes"), i, node) {
		const json_t *facts = json_object_get(node, "lbnode");

		hf_show_name(t, node);
		hf_table_cell(t, HF_PLAIN, "%s", hf_text(node, "address"));
		hf_show_state(t, node, "state");
		hf_show_duration(t, hf_number(node, "since_ms"));
		if (!facts) {
			hf_show_unknown(t, 6, hf_show_error_of(node, "lbnode"));
			continue;
		}
		hf_table_cell(t, HF_PLAIN, "%s", hf_text(facts, "version"));
		hf_table_cell(t, HF_PLAIN, "%s", hf_text(facts, "kernel"));
		hf_show_duration(t, hf_number(facts, "up_ms"));
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

#define SAMPLE_MS 200 /* of rates */

/* The rate of what two sums of an entry tell, of a time apart. */
static void rate_cell(struct hf_table *t, const json_t *entry, const json_t *before,
		      const json_t *after, double seconds, bool whole)
{
	int64_t more = hf_show_sum(after, entry, hf_service_keys) -
		       hf_show_sum(before, entry, hf_service_keys);

	/* Negative: an lbnode was started anew, and counts anew. */
	if (!seconds || more < 0)
		hf_table_cell(t, HF_DOUBTFUL, "?");
	else
		hf_show_sum_cell(t, (double)more / seconds, whole);
}

static void service_row(struct hf_table *t, const json_t *s)
{
	int64_t usable = hf_number(s, "usable"), total = hf_number(s, "total");
	char port[12] = "all";

	if (hf_number(s, "port"))
		snprintf(port, sizeof(port), "%ld", (long)hf_number(s, "port"));
	hf_table_cell(t, HF_BOLD, "%s", hf_text(s, "address"));
	hf_table_cell(t, HF_PLAIN, "%s", port);
	hf_table_cell(t, HF_PLAIN, "%s", hf_text(s, "protocol"));
	hf_table_cell(t, HF_PLAIN, "%s", hf_text(s, "pool"));
	hf_table_cell(t, usable < total ? HF_BAD : HF_PLAIN, "%ld/%ld", (long)usable, (long)total);
	hf_show_state(t, s, "pool_state");
}

int hf_command_services(const struct hf_context *c)
{
	const struct timespec pause = { .tv_nsec = SAMPLE_MS * 1000000L };
	int status;
	json_t *cluster = hf_show_gather(c, HF_PART_FACTS | HF_PART_SERVICES, &status), *later, *s;
	json_t *flows, *packets, *bytes, *flows_later, *packets_later;
	struct hf_table *t;
	double seconds;
	bool whole;
	size_t i;

	if (!cluster)
		return status;
	nanosleep(&pause, NULL);
	later = hf_cluster_again(c->instance, cluster, HF_PART_FACTS | HF_PART_SERVICES);
	seconds = hf_cluster_seconds(cluster, later);
	whole = hf_cluster_is_whole(later, "services");
	flows = hf_show_sums(cluster, "services", hf_service_keys, "flows");
	packets = hf_show_sums(cluster, "services", hf_service_keys, "packets");
	flows_later = hf_show_sums(later, "services", hf_service_keys, "flows");
	packets_later = hf_show_sums(later, "services", hf_service_keys, "packets");
	bytes = hf_show_sums(later, "services", hf_service_keys, "bytes");
	t = hf_table_new("service", ">port", "protocol", "pool", ">usable", "?state",
			 ">new flows/s", ">packets/s", "?>new flows", "?>packets", "?>bytes", NULL);
	json_array_foreach (hf_show_first_list(cluster, "services"), i, s) {
		service_row(t, s);
		rate_cell(t, s, flows, flows_later, seconds, whole);
		rate_cell(t, s, packets, packets_later, seconds, whole);
		hf_show_sum_cell(t, hf_show_sum(flows_later, s, hf_service_keys), whole);
		hf_show_sum_cell(t, hf_show_sum(packets_later, s, hf_service_keys), whole);
		hf_show_sum_cell(t, hf_show_sum(bytes, s, hf_service_keys), whole);
	}
	hf_table_print(t, stdout);
	json_decref(flows);
	json_decref(packets);
	json_decref(flows_later);
	json_decref(packets_later);
	json_decref(bytes);
	json_decref(later);
	json_decref(cluster);
	return status;
}

/* Which nodes' checks of which backend say otherwise than all nodes' verdict, in words. */
static json_t *find_dissents(const json_t *cluster)
{
	json_t *dissents = json_object(), *node, *x;
	char key[HF_SHOW_KEY], text[512];
	size_t i, k;

	json_array_foreach (json_object_get(cluster, "nodes"), i, node) {
		json_array_foreach (json_object_get(node, "backends"), k, x) {
			if (!hf_flag(x, "dissents"))
				continue;
			hf_show_key(x, hf_backend_keys, key);
			snprintf(text, sizeof(text), "%s", hf_text(dissents, key));
			hf_show_append(text, sizeof(text), "%s%s says otherwise%s%s",
				       text[0] ? "; " : "", hf_text(node, "name"),
				       hf_text(x, "check_cause")[0] ? ": " : "",
				       hf_text(x, "check_cause"));
			json_object_set_new(dissents, key, hf_json_clean(text));
		}
	}
	return dissents;
}

/* Why it is as it is, in one line. */
static void why_cell(struct hf_table *t, const json_t *b, const json_t *dissents)
{
	const json_t *o = json_object_get(b, "override");
	char text[512] = "", left[HF_DURATION_TEXT], key[HF_SHOW_KEY];
	const char *dissent = hf_text(dissents, hf_show_key(b, hf_backend_keys, key));

	if (o)
		hf_show_append(text, sizeof(text), "%s by %s: %s", hf_text(o, "action"),
			       hf_text(o, "author"), hf_text(o, "reason"));
	if (hf_number(o, "seconds_left"))
		hf_show_append(text, sizeof(text), " (another %s)",
			       hf_duration_text((uint32_t)hf_number(o, "seconds_left"), left));
	if (!o && strcmp(hf_text(b, "state"), "down") == 0)
		hf_show_append(text, sizeof(text), "%s", hf_text(b, "cause"));
	else if (!o && !hf_flag(b, "checked"))
		hf_show_append(text, sizeof(text), "not checked");
	hf_show_append(text, sizeof(text), "%s%s", text[0] && dissent[0] ? "; " : "", dissent);
	hf_table_cell(t, HF_PLAIN, "%s", text);
}

int hf_command_backends(const struct hf_context *c)
{
	int status;
	json_t *cluster = hf_show_gather(c, HF_PART_BACKENDS, &status), *b;
	json_t *pins, *packets, *dissents;
	struct hf_table *t;
	bool whole;
	size_t i;

	if (!cluster)
		return status;
	whole = hf_cluster_is_whole(cluster, "backends");
	pins = hf_show_sums(cluster, "backends", hf_backend_keys, "pins");
	packets = hf_show_sums(cluster, "backends", hf_backend_keys, "packets");
	dissents = find_dissents(cluster);
	t = hf_table_new("pool", "backend", "?address", "state", ">weight", "?>for", ">flows",
			 "?>packets", "why", NULL);
	json_array_foreach (hf_show_first_list(cluster, "backends"), i, b) {
		hf_table_cell(t, HF_PLAIN, "%s", hf_text(b, "pool"));
		hf_table_cell(t, HF_BOLD, "%s", hf_text(b, "name"));
		hf_table_cell(t, HF_PLAIN, "%s", hf_text(b, "address"));
		hf_show_state(t, b, "state");
		hf_table_cell(t, HF_PLAIN, "%ld/%ld", (long)hf_number(b, "weight"),
			      (long)hf_number(b, "configured_weight"));
		if (hf_flag(b, "checked") && hf_flag(b, "verdict_passed"))
			hf_show_duration(t, hf_number(b, "verdict_s") * 1000);
		else
			hf_table_cell(t, HF_PLAIN, "-");
		hf_show_sum_cell(t, hf_show_sum(pins, b, hf_backend_keys), whole);
		hf_show_sum_cell(t, hf_show_sum(packets, b, hf_backend_keys), whole);
		why_cell(t, b, dissents);
	}
	hf_table_print(t, stdout);
	json_decref(pins);
	json_decref(packets);
	json_decref(dissents);
	json_decref(cluster);
	return status;
}

static void deaf_cell(struct hf_table *t, const json_t *status)
{
	char text[256] = "";
	size_t i;
	json_t *m;

	json_array_foreach (json_object_get(status, "members"), i, m)
		if (!hf_json_is(m, "state", "alive") || !hf_cluster_is_heard(status, m))
			hf_show_append(text, sizeof(text), "%s%s %s", text[0] ? ", " : "",
				       hf_text(m, "name"),
				       hf_json_is(m, "state", "alive") ? "not heard"
								       : hf_text(m, "state"));
	hf_table_cell(t, text[0] ? HF_BAD : HF_PLAIN, "%s", text);
}

int hf_command_sync(const struct hf_context *c)
{
	int status;
	json_t *cluster = hf_show_gather(c, HF_PART_SYNCD, &status), *node;
	struct hf_table *t;
	size_t i;

	if (!cluster)
		return status;
	t = hf_table_new("node", "?readiness", ">epoch", "?owners", "handed over", ">records",
			 ">waiting", "lbnode", "thinks of others", NULL);
	json_array_foreach (json_object_get(cluster, "nodes"), i, node) {
		const json_t *s = json_object_get(node, "syncd");

		hf_show_name(t, node);
		if (!s) {
			hf_show_unknown(t, 8, hf_show_error_of(node, "syncd"));
			continue;
		}
		hf_table_cell(t, hf_flag(s, "ready") ? HF_GOOD : HF_DOUBTFUL, "%s",
			      hf_text(s, "readiness"));
		hf_show_number(t, hf_number(s, "epoch"));
		hf_table_cell(t, HF_PLAIN, "%.10s", hf_text(s, "view"));
		hf_table_cell(t, hf_flag(s, "settled") ? HF_GOOD : HF_DOUBTFUL, "%s",
			      hf_flag(s, "settled") ? "yes" : "not yet");
		hf_show_number(t, hf_number(s, "records"));
		hf_show_number(t, hf_status_waiting(s));
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
			hf_show_append(text, sizeof(text), "%s%s ", f ? ", " : "",
				       json_string_value(family));
			if (json_is_true(json_array_get(json_object_get(s, "told"), f)))
				hf_show_append(text, sizeof(text), "%lld of %lld",
					       number_at(s, "exported", f),
					       number_at(s, "announced", f));
			else
				hf_show_append(text, sizeof(text), "unknown");
		}
		hf_show_name(t, node);
		hf_table_cell(t, HF_PLAIN, "%s", hf_text(s, "name"));
		hf_table_cell(t, HF_PLAIN, "%s", hf_text(s, "neighbour"));
		hf_show_state(t, s, "state");
		hf_table_cell(t, HF_PLAIN, "%s", text);
	}
}

static void vip_rows(struct hf_table *t, const json_t *node)
{
	const json_t *bgp = json_object_get(node, "lbbgp");
	json_t *v;
	size_t i;

	json_array_foreach (json_object_get(bgp, "vips"), i, v) {
		hf_show_name(t, node);
		hf_table_cell(t, HF_PLAIN, "%s", hf_text(v, "address"));
		if (hf_bgp_is_known(bgp))
			hf_show_state(t, v, "state");
		else
			hf_table_cell(t, HF_DOUBTFUL, "to be %s", hf_text(v, "state"));
		hf_show_duration(t, hf_number(v, "since_ms"));
		hf_table_cell(t, HF_PLAIN, "%ld/%ld", (long)hf_number(v, "usable"),
			      (long)hf_number(v, "needed"));
		hf_table_cell(t, HF_PLAIN, "%s", hf_text(v, "why"));
	}
}

int hf_command_bgp(const struct hf_context *c)
{
	int status;
	json_t *cluster = hf_show_gather(c, HF_PART_BGP, &status), *node, *text;
	struct hf_table *sessions, *vips;
	size_t i, k;

	if (!cluster)
		return status;
	sessions = hf_table_new("node", "session", "?neighbour", "state", "exported VIPs", NULL);
	vips = hf_table_new("node", "VIP", "state", "?>for", "?>usable/needed", "why", NULL);
	json_array_foreach (json_object_get(cluster, "nodes"), i, node) {
		if (!json_object_get(node, "lbbgp")) {
			hf_show_name(sessions, node);
			hf_show_unknown(sessions, 4, hf_show_error_of(node, "lbbgp"));
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
