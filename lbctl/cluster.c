// SPDX-License-Identifier: BSD-2-Clause
#include "lbctl/cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lbctl/message_json.h"

/* How a part is asked for, from its `from`-th entry on. */
static void ask_syncd(struct hf_question_to *q, uint32_t from)
{
	Holdfast__ToSync m = HOLDFAST__TO_SYNC__INIT;
	Holdfast__StatusAsk body = HOLDFAST__STATUS_ASK__INIT;

	(void)from;
	m.body_case = HOLDFAST__TO_SYNC__BODY_STATUS;
	m.status = &body;
	hf_ask_syncd(q, &m);
}

static void ask_facts(struct hf_question_to *q, uint32_t from)
{
	Holdfast__ToNode m = HOLDFAST__TO_NODE__INIT;
	Holdfast__FactsAsk body = HOLDFAST__FACTS_ASK__INIT;

	(void)from;
	m.body_case = HOLDFAST__TO_NODE__BODY_FACTS;
	m.facts = &body;
	hf_ask_lbnode(q, &m);
}

static void ask_services(struct hf_question_to *q, uint32_t from)
{
	Holdfast__ToNode m = HOLDFAST__TO_NODE__INIT;
	Holdfast__ServicesAsk body = HOLDFAST__SERVICES_ASK__INIT;

	body.from = from;
	m.body_case = HOLDFAST__TO_NODE__BODY_SERVICES;
	m.services = &body;
	hf_ask_lbnode(q, &m);
}

static void ask_backends(struct hf_question_to *q, uint32_t from)
{
	Holdfast__ToNode m = HOLDFAST__TO_NODE__INIT;
	Holdfast__BackendsAsk body = HOLDFAST__BACKENDS_ASK__INIT;

	body.from = from;
	m.body_case = HOLDFAST__TO_NODE__BODY_BACKENDS;
	m.backends = &body;
	hf_ask_lbnode(q, &m);
}

static void ask_overrides(struct hf_question_to *q, uint32_t from)
{
	Holdfast__ToNode m = HOLDFAST__TO_NODE__INIT;
	Holdfast__OverridesAsk body = HOLDFAST__OVERRIDES_ASK__INIT;

	body.from = from;
	m.body_case = HOLDFAST__TO_NODE__BODY_OVERRIDES;
	m.overrides = &body;
	hf_ask_lbnode(q, &m);
}

static void ask_bgp(struct hf_question_to *q, uint32_t from)
{
	Holdfast__ToBgp m = HOLDFAST__TO_BGP__INIT;
	Holdfast__BgpAsk body = HOLDFAST__BGP_ASK__INIT;

	body.from = from;
	m.body_case = HOLDFAST__TO_BGP__BODY_ASK;
	m.ask = &body;
	hf_ask_lbbgp(q, &m);
}

static const struct part {
	enum hf_part part;
	void (*ask)(struct hf_question_to *question, uint32_t from);
	const char *field; /* of the answer */
	const char *key;   /* of the node */
	const char *list;  /* of the field, which comes in pages; NULL: in one piece */
	bool only_list;	   /* is of interest */
} part_table[] = {
	{ HF_PART_SYNCD, ask_syncd, "status", "syncd", NULL, false },
	{ HF_PART_FACTS, ask_facts, "facts", "lbnode", NULL, false },
	{ HF_PART_SERVICES, ask_services, "services", "services", "services", true },
	{ HF_PART_BACKENDS, ask_backends, "backends", "backends", "backends", true },
	{ HF_PART_OVERRIDES, ask_overrides, "overrides", "overrides", "overrides", true },
	{ HF_PART_BGP, ask_bgp, "state", "lbbgp", "vips", false },
};

#define PARTS (sizeof(part_table) / sizeof(part_table[0]))

struct job {
	json_t *node;
	const struct part *part;
	uint32_t from;
	bool over;
};

void hf_cluster_address(const json_t *node, struct hf_question_to *q)
{
	q->local = hf_flag(node, "local");
	q->node = strtoull(hf_text(node, "id"), NULL, 16);
}

static void take_page(struct job *job, json_t *page)
{
	const struct part *part = job->part;
	json_t *list = part->list ? json_object_get(page, part->list) : NULL, *have;

	job->from = (uint32_t)hf_number(page, "next");
	job->over = !part->list || !job->from;
	have = json_object_get(job->node, part->key);
	if (!have)
		json_object_set(job->node, part->key, part->only_list ? list : page);
	else
		json_array_extend(part->only_list ? have : json_object_get(have, part->list), list);
}

static void take_answer(struct job *job, const struct hf_question_to *q)
{
	json_t *errors = json_object_get(job->node, "errors"), *answer, *page = NULL;

	answer = q->answer ? hf_json_of_message(q->answer) : NULL;
	if (answer)
		page = json_object_get(answer, job->part->field);
	if (page) {
		take_page(job, page);
	} else {
		job->over = true;
		json_object_del(job->node, job->part->key);
		json_object_set_new(errors, hf_program_name(q->program),
				    hf_json_clean(q->why[0] ? q->why
							    : "it gave another answer; is it of "
							      "another version?"));
	}
	json_decref(answer);
}

/* Page after page, of all jobs at once. */
static void do_jobs(const char *instance, struct job *jobs, uint32_t count)
{
	struct hf_question_to *questions = calloc(count ? count : 1, sizeof(*questions));
	struct job **asked = calloc(count ? count : 1, sizeof(struct job *));

	for (uint32_t open = 1; questions && asked && open;) {
		open = 0;
		for (uint32_t i = 0; i < count; i++) {
			if (jobs[i].over)
				continue;
			hf_cluster_address(jobs[i].node, &questions[open]);
			jobs[i].part->ask(&questions[open], jobs[i].from);
			asked[open++] = &jobs[i];
		}
		hf_ask(instance, questions, open, HF_PATIENCE_MS);
		for (uint32_t i = 0; i < open; i++)
			take_answer(asked[i], &questions[i]);
		hf_ask_free(questions, open);
	}
	free(asked);
	free(questions);
}

static json_t *new_node(const char *name, const char *id, const char *address, int64_t port,
			bool local, const char *state, int64_t since_ms)
{
	return json_pack("{s:s, s:s, s:s, s:I, s:b, s:s, s:I, s:{}}", "name", name, "id", id,
			 "address", address, "port", (json_int_t)port, "local", local, "state",
			 state, "since_ms", (json_int_t)since_ms, "errors");
}

static int by_name(const void *a, const void *b)
{
	return strcmp(hf_text(*(json_t *const *)a, "name"), hf_text(*(json_t *const *)b, "name"));
}

/* The members that this node's syncd knows, this node among them; what it said stays with it. */
static void add_members(json_t *nodes, json_t *status)
{
	const json_t *members = json_object_get(status, "members");
	size_t count = json_array_size(members);
	json_t **sorted = calloc(count ? count : 1, sizeof(json_t *)), *m, *node;
	size_t i;

	json_array_foreach (members, i, m)
		sorted[i] = m;
	qsort(sorted, count, sizeof(json_t *), by_name);
	for (i = 0; i < count; i++) {
		bool local = strcmp(hf_text(sorted[i], "id"), hf_text(status, "self")) == 0;

		m = sorted[i];
		node = new_node(hf_text(m, "name"), hf_text(m, "id"), hf_text(m, "address"),
				hf_number(m, "port"), local, hf_text(m, "state"),
				hf_number(m, "since_ms"));
		if (local)
			json_object_set(node, "syncd", status);
		json_array_append_new(nodes, node);
	}
	free(sorted);
}

/* Without syncd there is this node alone, as far as can be told. */
static void add_self(const char *instance, json_t *cluster, json_t *self)
{
	struct job job = { .node = self, .part = &part_table[1] };
	json_t *name;

	do_jobs(instance, &job, 1);
	name = json_object_get(json_object_get(self, "lbnode"), "node");
	if (name)
		json_object_set(self, "name", name);
	json_object_set(cluster, "asked", json_object_get(self, "name"));
	json_object_set(cluster, "blind",
			json_object_get(json_object_get(self, "errors"), "syncd"));
	json_array_append(json_object_get(cluster, "nodes"), self);
}

static json_t *find_nodes(const char *instance)
{
	json_t *self = new_node("?", "0", "", 0, true, "unknown", 0), *status, *cluster;
	struct job job = { .node = self, .part = &part_table[0] };

	do_jobs(instance, &job, 1);
	status = json_object_get(self, "syncd");
	cluster = json_pack("{s:s, s:s, s:n, s:[]}", "cluster", hf_text(status, "cluster"), "asked",
			    hf_text(status, "name"), "blind", "nodes");
	if (status)
		add_members(json_object_get(cluster, "nodes"), status);
	else
		add_self(instance, cluster, self);
	json_decref(self);
	return cluster;
}

bool hf_cluster_can_ask(const json_t *node)
{
	const char *state = hf_text(node, "state");

	return hf_flag(node, "local") || strcmp(state, "alive") == 0 ||
	       strcmp(state, "suspect") == 0;
}

bool hf_cluster_has_any(const json_t *node, unsigned int parts)
{
	for (size_t p = 0; p < PARTS; p++)
		if ((parts & part_table[p].part) && json_object_get(node, part_table[p].key))
			return true;
	return false;
}

bool hf_cluster_is_whole(const json_t *cluster, const char *part)
{
	json_t *node;
	size_t i;

	if (hf_text(cluster, "blind")[0] && !hf_text(cluster, "only")[0])
		return false;
	json_array_foreach (json_object_get(cluster, "nodes"), i, node)
		if (hf_cluster_can_ask(node) && !json_object_get(node, part))
			return false;
	return true;
}

/* That it has been asked already. */
static bool is_known(const json_t *node, const struct part *part)
{
	const char *program = part->part == HF_PART_SYNCD ? "syncd"
			      : part->part == HF_PART_BGP ? "lbbgp"
							  : "lbnode";

	return json_object_get(node, part->key) ||
	       json_object_get(json_object_get(node, "errors"), program);
}

static void gather(const char *instance, json_t *cluster, unsigned int parts)
{
	json_t *nodes = json_object_get(cluster, "nodes"), *node;
	struct job *jobs = calloc(json_array_size(nodes) * PARTS + 1, sizeof(*jobs));
	uint32_t count = 0;
	size_t i;

	json_array_foreach (nodes, i, node)
		for (size_t p = 0; jobs && p < PARTS; p++)
			if ((parts & part_table[p].part) && hf_cluster_can_ask(node) &&
			    !is_known(node, &part_table[p]))
				jobs[count++] = (struct job){ node, &part_table[p], 0, false };
	do_jobs(instance, jobs, count);
	free(jobs);
}

/* What is not asked about is not told of, either. */
static void keep_only(json_t *cluster, const char *only)
{
	json_t *nodes = json_array(), *node;
	size_t i;

	json_array_foreach (json_object_get(cluster, "nodes"), i, node)
		if (strcmp(hf_text(node, "name"), only) == 0)
			json_array_append(nodes, node);
	json_object_set_new(cluster, "nodes", nodes);
	json_object_set_new(cluster, "only", json_string(only));
}

json_t *hf_cluster_gather(const char *instance, unsigned int parts, const char *only)
{
	json_t *cluster = find_nodes(instance);

	if (only)
		keep_only(cluster, only);
	gather(instance, cluster, parts);
	return cluster;
}

json_t *hf_cluster_again(const char *instance, const json_t *before, unsigned int parts)
{
	json_t *cluster = json_deep_copy(before), *node;
	size_t i;

	json_array_foreach (json_object_get(cluster, "nodes"), i, node)
		for (size_t p = 0; p < PARTS; p++)
			if (parts & part_table[p].part)
				json_object_del(node, part_table[p].key);
	gather(instance, cluster, parts);
	return cluster;
}
