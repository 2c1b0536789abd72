// SPDX-License-Identifier: BSD-2-Clause
#include "lbctl/overrides.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lbctl/change.h"
#include "lbctl/table.h"
#include "lib/log.h"
#include "lib/text.h"

#define TARGET_MOST 160

/* "POOL/NAME", or the name alone for the backend in all pools. */
static void target_of(const char *name, char out[TARGET_MOST])
{
	snprintf(out, TARGET_MOST, "%s%s", strchr(name, '/') ? "" : "+/", name);
}

/* Whom this node's lbnode tells of what it was told. */
static const char *told_to(const struct hf_context *c)
{
	json_t *cluster = hf_cluster_gather(c->instance, HF_PART_FACTS, NULL);
	const json_t *facts = json_object_get(hf_cluster_local(cluster), "lbnode");
	const char *where = "but whether other nodes hear of it is not known: lbctl status";

	if (hf_flag(facts, "sharing") && !hf_text(cluster, "blind")[0])
		where = "on all nodes (lbctl overrides)";
	else if (facts && !hf_flag(facts, "sharing"))
		where = "on this node alone: its lbnode is not connected to syncd; other nodes "
			"hear of it when it is";
	json_decref(cluster);
	return where;
}

int hf_override_set(const struct hf_context *c, const char *name, const char *action,
		    uint32_t weight)
{
	static struct hf_question_to q;
	Holdfast__ToNode message = HOLDFAST__TO_NODE__INIT;
	Holdfast__OverrideSet body = HOLDFAST__OVERRIDE_SET__INIT;
	char target[TARGET_MOST], what[32];
	const char *error;

	target_of(name, target);
	body.target = target;
	body.action = (char *)action;
	body.weight = weight;
	body.author = (char *)c->by;
	body.reason = (char *)c->reason;
	body.seconds = c->for_s;
	message.body_case = HOLDFAST__TO_NODE__BODY_OVERRIDE;
	message.override = &body;
	q.local = true; /* any node tells all others */
	hf_ask_lbnode(&q, &message);
	error = hf_change_ask(c, &q);
	if (error)
		hf_change_tell(c, false, target, "%s", error);
	hf_ask_free(&q, 1);
	if (error)
		return HF_EXIT_FAILED;
	if (strcmp(action, "weight") == 0)
		snprintf(what, sizeof(what), "weight %u", weight);
	else
		snprintf(what, sizeof(what), "%s",
			 strcmp(action, "none") == 0 ? "taken back" : action);
	hf_change_tell(c, true, target, "%s, %s", what, told_to(c));
	return HF_EXIT_FINE;
}

/* The backend's name is the same, and one of the two is of all pools. */
static bool is_of_the_same(const char *a, const char *b)
{
	const char *x = strchr(a, '/'), *y = strchr(b, '/');

	return x && y && strcmp(x, y) == 0 && (a[0] == '+') != (b[0] == '+');
}

/* What is in force again when this one is not any more. */
static void tell_others(const struct hf_context *c, const json_t *overrides, const char *target)
{
	json_t *o;
	size_t i;

	json_array_foreach (overrides, i, o)
		if (is_of_the_same(target, hf_text(o, "target")))
			hf_change_tell(c, true, hf_text(o, "target"),
				       "in force all the same: %s, by %s; `lbctl undrain backend "
				       "%s` takes it back, too",
				       hf_text(o, "action"), hf_text(o, "author"),
				       hf_text(o, "target"));
}

static const json_t *find_override(const json_t *overrides, const char *target)
{
	json_t *o;
	size_t i;

	json_array_foreach (overrides, i, o)
		if (hf_json_is(o, "target", target))
			return o;
	return NULL;
}

int hf_override_end(const struct hf_context *c, const char *name)
{
	json_t *cluster = hf_cluster_gather(c->instance, HF_PART_OVERRIDES, NULL);
	const json_t *local = hf_cluster_local(cluster),
		     *known = json_object_get(local, "overrides");
	char target[TARGET_MOST];
	int code = HF_EXIT_FAILED;

	target_of(name, target);
	if (find_override(known, target))
		code = hf_override_set(c, name, "none", 0);
	else if (!known)
		hf_change_tell(c, false, target, "lbnode: %s",
			       hf_text(json_object_get(local, "errors"), "lbnode"));
	else
		hf_change_tell(c, false, target,
			       "nothing was said of it that could be taken back; `lbctl overrides` "
			       "lists what was");
	if (code == HF_EXIT_FINE)
		tell_others(c, known, target);
	json_decref(cluster);
	return code;
}

int hf_command_disable(const struct hf_context *c)
{
	return hf_override_set(c, c->words[0], "disable", 0);
}

int hf_command_weight(const struct hf_context *c)
{
	char *end;
	unsigned long weight = strtoul(c->words[1], &end, 10);

	if (strcmp(c->words[1], "default") == 0)
		return hf_override_end(c, c->words[0]);
	if (*end || weight < 1 || weight > 65535) {
		hf_error("a weight is a number from 1 to 65535, or \"default\", not \"%s\"; for "
			 "none at all: lbctl drain backend %s",
			 c->words[1], c->words[0]);
		return HF_EXIT_WRONG;
	}
	return hf_override_set(c, c->words[0], "weight", (uint32_t)weight);
}

static void override_row(struct hf_table *t, const json_t *o)
{
	time_t at = hf_number(o, "set_at") / 1000;
	char when[32], left[HF_DURATION_TEXT] = "ever";
	struct tm tm;

	localtime_r(&at, &tm);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	if (hf_number(o, "seconds_left"))
		hf_duration_text((uint32_t)hf_number(o, "seconds_left"), left);
	hf_table_cell(t, HF_BOLD, "%s%s", hf_text(o, "target"),
		      hf_flag(o, "unknown") ? " (not known here)" : "");
	if (hf_number(o, "weight"))
		hf_table_cell(t, HF_DOUBTFUL, "weight %ld", (long)hf_number(o, "weight"));
	else
		hf_table_cell(t, HF_DOUBTFUL, "%s", hf_text(o, "action"));
	hf_table_cell(t, HF_PLAIN, "%s", hf_text(o, "author"));
	hf_table_cell(t, HF_PLAIN, "%s", when);
	hf_table_cell(t, HF_PLAIN, "%s", left);
	hf_table_cell(t, HF_PLAIN, "%s", hf_text(o, "reason"));
}

/* They are the same on all nodes: one tells them. */
int hf_command_overrides(const struct hf_context *c)
{
	json_t *known = hf_cluster_gather(c->instance, 0, NULL), *cluster, *node, *o, *list = NULL;
	struct hf_context here = *c;
	struct hf_table *t;
	int status;
	size_t i;

	if (!here.node)
		here.node = hf_text(known, "asked");
	cluster = hf_gather_or_say(&here, HF_PART_OVERRIDES, &status);
	node = hf_cluster_node(cluster, here.node);
	list = json_object_get(node, "overrides");
	if (!hf_print_json(c, list ? list : json_null()) && node) {
		t = hf_table_new("backend", "override", "by", "since", "for", "reason", NULL);
		json_array_foreach (list, i, o)
			override_row(t, o);
		hf_table_print(t, stdout);
	}
	json_decref(cluster);
	json_decref(known);
	return status;
}
