// SPDX-License-Identifier: BSD-2-Clause
/* Taking nodes, backends and services out of service, and putting them back. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lbctl/change.h"
#include "lbctl/overrides.h"
#include "lbnode/drain_state.h"
#include "lib/address.h"
#include "lib/log.h"

#define LOOK_MS 200

/* The node to ask, and the cluster that it is of, the caller's to free; NULL, said why. */
static json_t *find_node(const struct hf_context *c, const char *name, json_t **cluster)
{
	json_t *node;

	*cluster = hf_cluster_gather(c->instance, 0, NULL);
	node = hf_cluster_node(*cluster, name);
	if (!node)
		hf_change_tell(
			c, false, name,
			"there is no such node%s%s; `lbctl nodes` tells those that there are",
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
			hf_change_tell(c, false, name,
				       "lbnode gave another answer; is it of another version?");
			return HF_EXIT_FAILED;
		}
		if (!answer->state->draining) {
			hf_change_tell(c, false, name, "somebody has put it back into service");
			return HF_EXIT_FAILED;
		}
		left = hf_drain_left(answer->state);
		if (!left)
			break;
		if (time(NULL) >= end) {
			hf_change_tell(c, false, name,
				       "not done after %u s: %s; it stays drained, `lbctl undrain "
				       "node %s` takes it back",
				       c->timeout_s, left, name);
			return HF_EXIT_FAILED;
		}
		if (left != last && !c->json)
			printf("%s: %s\n", name, left);
		fflush(stdout);
		last = left;
		hf_ask_free(q, 1);
		ask_state(q);
		error = hf_change_ask(c, q);
		if (error) {
			hf_change_tell(c, false, name, "lbnode: %s", error);
			return HF_EXIT_FAILED;
		}
		answer = (Holdfast__FromNode *)q->answer;
	}
	if (hf_drain_risk(answer->state)) {
		hf_change_tell(c, false, name, "drained, but %s", hf_drain_risk(answer->state));
		return HF_EXIT_FAILED;
	}
	hf_change_tell(c, true, name,
		       "drained: lbnode and syncd can be stopped there, then `lbnode --detach`");
	return HF_EXIT_FINE;
}

static int see_drained(const struct hf_context *c, const char *name, bool drain,
		       struct hf_question_to *q)
{
	if (drain && c->timeout_s)
		return wait_until_drained(c, name, q);
	if (drain)
		hf_change_tell(c, true, name, "it drains; `lbctl drain node %s` waits for its end",
			       name);
	else
		hf_change_tell(c, true, name, "back in service");
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
		error = hf_change_ask(c, &q);
		if (error)
			hf_change_tell(c, false, name, "lbnode: %s", error);
		else
			code = see_drained(c, name, drain, &q);
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
	error = hf_change_ask(c, &q);
	if (error)
		hf_change_tell(c, false, hf_text(node, "name"), "lbbgp: %s", error);
	else
		hf_change_tell(
			c, true, hf_text(node, "name"), "%s",
			drain ? "drained: routers take other ways, then it is withdrawn (lbctl bgp)"
			      : "not drained any more (lbctl bgp)");
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
	if (!hf_change_sees_all(c, cluster)) {
		json_decref(cluster);
		return HF_EXIT_FAILED;
	}
	json_array_foreach (json_object_get(cluster, "nodes"), i, node) {
		any = true;
		if (!hf_change_can(c, node))
			code = HF_EXIT_FAILED;
		else if (drain_vip_at(c, node, &vip, drain))
			code = HF_EXIT_FAILED;
	}
	if (!any)
		hf_change_tell(c, false, c->node,
			       "there is no such node; `lbctl nodes` tells those that there are");
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
		return drain ? hf_override_set(c, name, "drain", 0) : hf_override_end(c, name);
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
