// SPDX-License-Identifier: BSD-2-Clause
/* Commands that change something. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lbctl/cluster.h"
#include "lbctl/command.h"
#include "lbctl/table.h"
#include "lbnode/drain_state.h"
#include "lib/address.h"
#include "lib/log.h"
#include "lib/text.h"

#define LOOK_MS	    200
#define TARGET_MOST 160
#define PATIENCE_MS 5000 /* a change may take a while */

/* Asks one, and says what failed: the error that the answer told, NULL for none, or why there is no
 * answer. */
static const char *ask_one(const struct hf_context *c, struct hf_question_to *q)
{
	hf_ask(c->instance, q, 1, PATIENCE_MS);
	if (!q->answer)
		return q->why;
	if (q->program == HOLDFAST__PROGRAM__PROGRAM_LBNODE) {
		const Holdfast__FromNode *m = (Holdfast__FromNode *)q->answer;

		if (m->body_case == HOLDFAST__FROM_NODE__BODY_RESULT && m->result->error[0])
			return m->result->error;
		if (m->body_case == HOLDFAST__FROM_NODE__BODY_DONE && m->done->error[0])
			return m->done->error;
	} else if (q->program == HOLDFAST__PROGRAM__PROGRAM_LBBGP) {
		const Holdfast__FromBgp *m = (Holdfast__FromBgp *)q->answer;

		if (m->body_case == HOLDFAST__FROM_BGP__BODY_RESULT && m->result->error[0])
			return m->result->error;
		if (m->body_case == HOLDFAST__FROM_BGP__BODY_DONE && m->done->error[0])
			return m->done->error;
	} else {
		const Holdfast__FromSync *m = (Holdfast__FromSync *)q->answer;

		if (m->body_case == HOLDFAST__FROM_SYNC__BODY_DONE && m->done->error[0])
			return m->done->error;
	}
	return NULL;
}

/* "POOL/NAME", or the name alone for the backend in all pools. */
static void target_of(const char *name, char out[TARGET_MOST])
{
	snprintf(out, TARGET_MOST, "%s%s", strchr(name, '/') ? "" : "+/", name);
}

static int set_override(const struct hf_context *c, const char *name, const char *action,
			uint32_t weight)
{
	static struct hf_question_to q;
	Holdfast__ToNode message = HOLDFAST__TO_NODE__INIT;
	Holdfast__OverrideSet body = HOLDFAST__OVERRIDE_SET__INIT;
	char target[TARGET_MOST];
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
	error = ask_one(c, &q);
	if (error)
		hf_error("%s: %s", name, error);
	hf_ask_free(&q, 1);
	if (!error && strcmp(action, "weight") == 0)
		printf("%s: weight %u, on all nodes (lbctl overrides)\n", target, weight);
	else if (!error && strcmp(action, "none") == 0)
		printf("%s: as the configuration says, on all nodes\n", target);
	else if (!error)
		printf("%s: %s, on all nodes (lbctl overrides)\n", target, action);
	return error ? HF_EXIT_FAILED : HF_EXIT_FINE;
}

/* Takes one back: there must be one, or a slip of the pen would look like success. */
static int end_override(const struct hf_context *c, const char *name)
{
	json_t *cluster = hf_cluster_gather(c->instance, HF_PART_OVERRIDES, NULL), *node, *o;
	char target[TARGET_MOST];
	bool there = false;
	size_t i, k;

	target_of(name, target);
	json_array_foreach (json_object_get(cluster, "nodes"), i, node)
		json_array_foreach (json_object_get(node, "overrides"), k, o)
			there |= strcmp(hf_text(o, "target"), target) == 0;
	json_decref(cluster);
	if (!there) {
		hf_error("nothing was said of %s that could be taken back; `lbctl overrides` lists "
			 "what was",
			 target);
		return HF_EXIT_FAILED;
	}
	return set_override(c, name, "none", 0);
}

int hf_command_disable(const struct hf_context *c)
{
	return set_override(c, c->words[0], "disable", 0);
}

int hf_command_weight(const struct hf_context *c)
{
	char *end;
	unsigned long weight = strtoul(c->words[1], &end, 10);

	if (strcmp(c->words[1], "default") == 0)
		return end_override(c, c->words[0]);
	if (*end || weight < 1 || weight > 65535) {
		hf_error("a weight is a number from 1 to 65535, or \"default\", not \"%s\"; for "
			 "none at all: lbctl drain backend %s",
			 c->words[1], c->words[0]);
		return HF_EXIT_WRONG;
	}
	return set_override(c, c->words[0], "weight", (uint32_t)weight);
}

/* The node to ask, and the cluster that it is of, the caller's to free; NULL, said why. */
static json_t *find_node(const struct hf_context *c, const char *name, json_t **cluster)
{
	json_t *node;

	*cluster = hf_cluster_gather(c->instance, 0, NULL);
	node = hf_cluster_node(*cluster, name);
	if (!node)
		hf_error("there is no node %s%s%s; `lbctl nodes` tells those that there are", name,
			 hf_text(*cluster, "blind")[0] ? ", as far as can be told: syncd: " : "",
			 hf_text(*cluster, "blind"));
	return node;
}

static void ask_drain(const struct hf_context *c, struct hf_question_to *q, bool drain)
{
	Holdfast__ToNode message = HOLDFAST__TO_NODE__INIT;
	Holdfast__Drain drained = HOLDFAST__DRAIN__INIT;
	Holdfast__Undrain undrained = HOLDFAST__UNDRAIN__INIT;

	drained.author = undrained.author = (char *)c->by;
	drained.reason = undrained.reason = (char *)c->reason;
	message.body_case = drain ? HOLDFAST__TO_NODE__BODY_DRAIN : HOLDFAST__TO_NODE__BODY_UNDRAIN;
	if (drain)
		message.drain = &drained;
	else
		message.undrain = &undrained;
	hf_ask_lbnode(q, &message);
}

static void ask_state(struct hf_question_to *q)
{
	Holdfast__ToNode message = HOLDFAST__TO_NODE__INIT;
	Holdfast__StateAsk body = HOLDFAST__STATE_ASK__INIT;

	message.body_case = HOLDFAST__TO_NODE__BODY_STATE;
	message.state = &body;
	hf_ask_lbnode(q, &message);
}

static int wait_until_drained(const struct hf_context *c, const char *name,
			      struct hf_question_to *q)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	const time_t end = time(NULL) + c->timeout_s;
	const Holdfast__FromNode *answer = (Holdfast__FromNode *)q->answer;
	const char *left, *last = NULL;

	for (;; nanosleep(&pause, NULL)) {
		const char *error;

		if (answer->body_case != HOLDFAST__FROM_NODE__BODY_STATE) {
			hf_error("%s: lbnode gave another answer; is it of another version?", name);
			return HF_EXIT_FAILED;
		}
		if (!answer->state->draining) {
			hf_error("somebody has put %s back into service", name);
			return HF_EXIT_FAILED;
		}
		left = hf_drain_left(answer->state);
		if (!left)
			break;
		if (time(NULL) >= end) {
			hf_error("%s: not done after %u s: %s; it stays drained, `lbctl undrain "
				 "node %s` takes it back",
				 name, c->timeout_s, left, name);
			return HF_EXIT_FAILED;
		}
		if (left != last)
			printf("%s: %s\n", name, left);
		fflush(stdout);
		last = left;
		hf_ask_free(q, 1);
		ask_state(q);
		error = ask_one(c, q);
		if (error) {
			hf_error("%s: lbnode: %s", name, error);
			return HF_EXIT_FAILED;
		}
		answer = (Holdfast__FromNode *)q->answer;
	}
	if (hf_drain_risk(answer->state)) {
		hf_error("%s is drained, but %s", name, hf_drain_risk(answer->state));
		return HF_EXIT_FAILED;
	}
	printf("%s is drained: lbnode and syncd can be stopped there, then `lbnode --detach`\n",
	       name);
	return HF_EXIT_FINE;
}

static int drain_node(const struct hf_context *c, const char *name, bool drain)
{
	static struct hf_question_to q;
	json_t *cluster, *node = find_node(c, name, &cluster);
	int code = HF_EXIT_FAILED;
	const char *error;

	if (node) {
		hf_cluster_address(node, &q);
		ask_drain(c, &q, drain);
		error = ask_one(c, &q);
		if (error)
			hf_error("%s: lbnode: %s", name, error);
		else if (drain && c->timeout_s)
			code = wait_until_drained(c, name, &q);
		else
			code = HF_EXIT_FINE;
		hf_ask_free(&q, 1);
	}
	json_decref(cluster);
	return code;
}

static int drain_vip_at(const struct hf_context *c, const json_t *node,
			const struct hf_address *vip, bool drain)
{
	static struct hf_question_to q;
	Holdfast__ToBgp message = HOLDFAST__TO_BGP__INIT;
	Holdfast__DrainVip body = HOLDFAST__DRAIN_VIP__INIT;
	const char *error;

	body.address.data = (uint8_t *)vip->word;
	body.address.len = hf_address_length(vip->family);
	body.drained = drain;
	body.author = (char *)c->by;
	body.reason = (char *)c->reason;
	message.body_case = HOLDFAST__TO_BGP__BODY_DRAIN;
	message.drain = &body;
	hf_cluster_address(node, &q);
	hf_ask_lbbgp(&q, &message);
	error = ask_one(c, &q);
	if (error)
		hf_error("%s: lbbgp: %s", hf_text(node, "name"), error);
	else
		printf("%s: %s\n", hf_text(node, "name"),
		       drain ? "drained: routers take other ways, then it is withdrawn (lbctl bgp)"
			     : "announced again");
	hf_ask_free(&q, 1);
	return error ? HF_EXIT_FAILED : HF_EXIT_FINE;
}

/* "203.0.113.10", "203.0.113.10:80", "[2001:db8::1]:80": the port is of no matter, for routers know
 * addresses alone. */
static bool read_vip(const char *text, struct hf_address *vip)
{
	char copy[HF_ADDRESS_TEXT];
	const char *colon = strchr(text, ':');

	snprintf(copy, sizeof(copy), "%s", text[0] == '[' ? text + 1 : text);
	if (text[0] == '[')
		copy[strcspn(copy, "]")] = '\0';
	else if (colon && !strchr(colon + 1, ':'))
		copy[strcspn(copy, ":")] = '\0';
	return hf_address_parse(copy, vip) == 0;
}

static bool can_change(const json_t *node)
{
	if (hf_cluster_can_ask(node))
		return true;
	hf_error("%s: can't be asked, for it is %s", hf_text(node, "name"), hf_text(node, "state"));
	return false;
}

/* False, said so: this would be about all nodes, of which nothing is known. */
static bool sees_all(const struct hf_context *c, const json_t *cluster)
{
	if (c->node || !hf_text(cluster, "blind")[0])
		return true;
	hf_error("this is for all nodes, but other ones can't be asked: syncd: %s; for one: --node",
		 hf_text(cluster, "blind"));
	return false;
}

static int drain_vip(const struct hf_context *c, const char *name, bool drain)
{
	json_t *cluster = hf_cluster_gather(c->instance, 0, c->node), *node;
	int code = HF_EXIT_FINE;
	struct hf_address vip;
	bool any = false;
	size_t i;

	if (!read_vip(name, &vip)) {
		hf_error("a service is named by its address, not by \"%s\"; `lbctl services` tells "
			 "those that there are",
			 name);
		json_decref(cluster);
		return HF_EXIT_WRONG;
	}
	if (!sees_all(c, cluster)) {
		json_decref(cluster);
		return HF_EXIT_FAILED;
	}
	json_array_foreach (json_object_get(cluster, "nodes"), i, node) {
		any = true;
		if (!can_change(node))
			code = HF_EXIT_FAILED;
		else if (drain_vip_at(c, node, &vip, drain))
			code = HF_EXIT_FAILED;
	}
	if (!any)
		hf_error("there is no node %s; `lbctl nodes` tells those that there are", c->node);
	json_decref(cluster);
	return any ? code : HF_EXIT_FAILED;
}

static int set_drained(const struct hf_context *c, bool drain)
{
	const char *kind = c->words[0], *name = c->words[1];

	if (c->node && strcmp(kind, "service") != 0) {
		hf_error("--node is for services; backends are drained on all nodes");
		return HF_EXIT_WRONG;
	}
	if (c->for_s && strcmp(kind, "backend") != 0) {
		hf_error("--for is for backends; what else is drained stays so until it is "
			 "undrained");
		return HF_EXIT_WRONG;
	}
	if (strcmp(kind, "node") == 0)
		return drain_node(c, name, drain);
	if (strcmp(kind, "backend") == 0)
		return drain ? set_override(c, name, "drain", 0) : end_override(c, name);
	if (strcmp(kind, "service") == 0)
		return drain_vip(c, name, drain);
	hf_error("it is a node, a backend or a service that can be drained, not \"%s\"", kind);
	return HF_EXIT_WRONG;
}

int hf_command_drain(const struct hf_context *c)
{
	return set_drained(c, true);
}

int hf_command_undrain(const struct hf_context *c)
{
	return set_drained(c, false);
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

static bool reload_at(const struct hf_context *c, const json_t *node, Holdfast__Program program)
{
	static struct hf_question_to q;
	Holdfast__ToNode to_node = HOLDFAST__TO_NODE__INIT;
	Holdfast__ToSync to_sync = HOLDFAST__TO_SYNC__INIT;
	Holdfast__ToBgp to_bgp = HOLDFAST__TO_BGP__INIT;
	Holdfast__Reload body = HOLDFAST__RELOAD__INIT;
	const char *error;

	to_node.body_case = HOLDFAST__TO_NODE__BODY_RELOAD;
	to_sync.body_case = HOLDFAST__TO_SYNC__BODY_RELOAD;
	to_bgp.body_case = HOLDFAST__TO_BGP__BODY_RELOAD;
	to_node.reload = to_sync.reload = to_bgp.reload = &body;
	hf_cluster_address(node, &q);
	if (program == HOLDFAST__PROGRAM__PROGRAM_LBNODE)
		hf_ask_lbnode(&q, &to_node);
	else if (program == HOLDFAST__PROGRAM__PROGRAM_SYNCD)
		hf_ask_syncd(&q, &to_sync);
	else
		hf_ask_lbbgp(&q, &to_bgp);
	error = ask_one(c, &q);
	printf("%s: %s: %s\n", hf_text(node, "name"), hf_program_name(program),
	       error ? error : "reloaded");
	hf_ask_free(&q, 1);
	return !error;
}

int hf_command_reload(const struct hf_context *c)
{
	json_t *cluster = hf_cluster_gather(c->instance, HF_PART_FACTS, c->node), *node;
	bool all = true, any = false;
	size_t i;

	if (!sees_all(c, cluster)) {
		json_decref(cluster);
		return HF_EXIT_FAILED;
	}
	json_array_foreach (json_object_get(cluster, "nodes"), i, node) {
		const json_t *facts = json_object_get(node, "lbnode");

		any = true;
		if (!can_change(node)) {
			all = false;
			continue;
		}
		/* What lbnode refuses the others need not try. */
		if (!reload_at(c, node, HOLDFAST__PROGRAM__PROGRAM_LBNODE)) {
			all = false;
			continue;
		}
		if (!hf_text(cluster, "blind")[0])
			all &= reload_at(c, node, HOLDFAST__PROGRAM__PROGRAM_SYNCD);
		if (hf_flag(facts, "bgp"))
			all &= reload_at(c, node, HOLDFAST__PROGRAM__PROGRAM_LBBGP);
	}
	if (!any)
		hf_error("there is no node %s; `lbctl nodes` tells those that there are", c->node);
	json_decref(cluster);
	return all && any ? HF_EXIT_FINE : HF_EXIT_FAILED;
}
