// SPDX-License-Identifier: BSD-2-Clause
/* What each node would do with a packet, and the way that it would take from node to node. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lbctl/cluster.h"
#include "lbctl/command.h"
#include "lbctl/message_json.h"
#include "lbctl/table.h"
#include "lib/address.h"
#include "lib/log.h"

#define PATIENCE_MS 18000 /* a node loads the program anew */
#define HOPS_MAX    3	  /* more than packets have */

struct packet {
	struct hf_address source, destination;
	uint16_t source_port, destination_port;
	uint32_t protocol;
	bool syn;
};

static bool read_endpoint(const char *text, struct hf_address *address, uint16_t *port)
{
	char copy[HF_ADDRESS_TEXT + 8];
	char *end, *colon;
	unsigned long number;

	snprintf(copy, sizeof(copy), "%s", text);
	colon = strrchr(copy, ':');
	if (!colon || colon == copy)
		return false;
	*colon = '\0';
	number = strtoul(colon + 1, &end, 10);
	if (*end || !colon[1] || number < 1 || number > 65535)
		return false;
	*port = (uint16_t)number;
	if (copy[0] == '[') {
		if (colon[-1] != ']')
			return false;
		colon[-1] = '\0';
		return hf_address_parse(copy + 1, address) == 0;
	}
	return hf_address_parse(copy, address) == 0;
}

static bool read_packet(const struct hf_context *c, struct packet *p)
{
	const char *protocol = c->word_count > 2 ? c->words[2] : "tcp";

	*p = (struct packet){ .syn = c->syn, .protocol = IPPROTO_TCP };
	if (!read_endpoint(c->words[0], &p->source, &p->source_port) ||
	    !read_endpoint(c->words[1], &p->destination, &p->destination_port)) {
		hf_error("client and VIP are ADDRESS:PORT, or [ADDRESS]:PORT for IPv6");
		return false;
	}
	if (p->source.family != p->destination.family) {
		hf_error("client and VIP must both be IPv4, or both IPv6");
		return false;
	}
	if (strcmp(protocol, "udp") == 0) {
		p->protocol = IPPROTO_UDP;
	} else if (strcmp(protocol, "tcp") != 0) {
		hf_error("the protocol is tcp or udp, not \"%s\"", protocol);
		return false;
	}
	return true;
}

/* `frame`: as another node would send it; NULL: as the client does. */
static void ask(struct hf_question_to *q, const json_t *node, struct packet *p,
		const ProtobufCBinaryData *frame)
{
	Holdfast__ToNode message = HOLDFAST__TO_NODE__INIT;
	Holdfast__ExplainAsk body = HOLDFAST__EXPLAIN_ASK__INIT;

	body.source.data = (uint8_t *)p->source.word;
	body.destination.data = (uint8_t *)p->destination.word;
	body.source.len = body.destination.len = hf_address_length(p->source.family);
	body.source_port = p->source_port;
	body.destination_port = p->destination_port;
	body.protocol = p->protocol;
	body.syn = p->syn;
	if (frame)
		body.frame = *frame;
	message.body_case = HOLDFAST__TO_NODE__BODY_EXPLAIN;
	message.explain = &body;
	hf_cluster_address(node, q);
	hf_ask_lbnode(q, &message);
}

static const Holdfast__Explanation *explanation_of(const struct hf_question_to *q)
{
	const Holdfast__FromNode *m = (Holdfast__FromNode *)q->answer;

	return m && m->body_case == HOLDFAST__FROM_NODE__BODY_EXPLANATION ? m->explanation : NULL;
}

static json_t *node_at(const json_t *cluster, const char *address)
{
	json_t *node;
	size_t i;

	json_array_foreach (json_object_get(cluster, "nodes"), i, node)
		if (address[0] && strcmp(hf_text(node, "address"), address) == 0)
			return node;
	return NULL;
}

/* Names for addresses of nodes. */
static void name_nodes(const json_t *cluster, json_t *step)
{
	json_t *may_know = json_object_get(step, "may_know"), *names = json_array(), *address,
	       *node;
	size_t i;

	json_array_foreach (may_know, i, address) {
		node = node_at(cluster, json_string_value(address));
		json_array_append(names, node ? json_object_get(node, "name") : address);
	}
	json_object_set_new(step, "may_know", names);
	node = node_at(cluster, hf_text(step, "to"));
	json_object_set_new(step, "to_node", json_string(node ? hf_text(node, "name") : ""));
	json_object_del(step, "frame");
}

static json_t *make_step(const json_t *cluster, const json_t *node, const struct hf_question_to *q)
{
	const Holdfast__Explanation *e = explanation_of(q);
	json_t *step;

	if (e && !e->error[0])
		step = hf_json_of_message((const ProtobufCMessage *)e);
	else
		step = json_pack("{s:s}", "error",
				 e ? e->error
				 : q->why[0]
					 ? q->why
					 : "it does not understand the question; is it of another "
					   "version?");
	json_object_set(step, "node", json_object_get(node, "name"));
	name_nodes(cluster, step);
	return step;
}

/* From a node on that sends it to another one: that one's step, and so on. */
static void follow(const struct hf_context *c, const json_t *cluster, struct packet *p,
		   json_t *steps, const struct hf_question_to *first)
{
	static struct hf_question_to q;
	const Holdfast__Explanation *e = explanation_of(first);
	uint8_t frame[HF_QUESTION_MAX / 2];
	ProtobufCBinaryData sent = { 0, frame };
	json_t *node;

	q.answer = NULL;
	for (int hop = 1; e && hop < HOPS_MAX; hop++) {
		node = node_at(cluster,
			       hf_text(json_array_get(steps, json_array_size(steps) - 1), "to"));
		if (!node || e->frame.len > sizeof(frame))
			break;
		sent.len = e->frame.len;
		memcpy(frame, e->frame.data, sent.len);
		hf_ask_free(&q, 1);
		ask(&q, node, p, &sent);
		hf_ask(c->instance, &q, 1, PATIENCE_MS);
		json_array_append_new(steps, make_step(cluster, node, &q));
		e = explanation_of(&q);
	}
	hf_ask_free(&q, 1);
}

static bool is_asked(const struct hf_context *c, const json_t *node)
{
	if (c->node && strcmp(c->node, hf_text(node, "name")) != 0)
		return false;
	if (!hf_cluster_can_ask(node))
		hf_warning("%s: not asked, for it is %s", hf_text(node, "name"),
			   hf_text(node, "state"));
	return hf_cluster_can_ask(node);
}

/* For each node, where the spines may send the packet, the steps of its way. */
static json_t *find_ways(const struct hf_context *c, const json_t *cluster, struct packet *p)
{
	const json_t *nodes = json_object_get(cluster, "nodes");
	size_t most = json_array_size(nodes), i;
	struct hf_question_to *questions = calloc(most + 1, sizeof(*questions));
	json_t **asked = calloc(most + 1, sizeof(json_t *)), *ways = json_array(), *node;
	uint32_t count = 0;

	json_array_foreach (nodes, i, node) {
		if (!questions || !asked || !is_asked(c, node))
			continue;
		ask(&questions[count], node, p, NULL);
		asked[count++] = node;
	}
	hf_ask(c->instance, questions, count, PATIENCE_MS);
	for (uint32_t k = 0; k < count; k++) {
		json_t *steps = json_array();

		json_array_append_new(steps, make_step(cluster, asked[k], &questions[k]));
		follow(c, cluster, p, steps, &questions[k]);
		json_array_append_new(ways, steps);
	}
	hf_ask_free(questions, count);
	free(asked);
	free(questions);
	return ways;
}

static const char *end_of(const json_t *step, char text[256])
{
	const json_t *counters = json_object_get(step, "counters");
	const char *verdict = hf_text(step, "verdict"), *why = "";
	json_t *counter;
	size_t i;

	json_array_foreach (counters, i, counter)
		if (strncmp(hf_text(counter, "name"), "drop_", 5) == 0 || !why[0])
			why = hf_text(counter, "name");
	if (hf_text(step, "error")[0])
		snprintf(text, 256, "? (%s)", hf_text(step, "error"));
	else if (strcmp(verdict, "aborted") == 0)
		snprintf(text, 256, "DROPPED (the program aborted)");
	else if (strcmp(verdict, "drop") == 0)
		snprintf(text, 256, "DROPPED (%s)", why);
	else if (strcmp(verdict, "pass") == 0)
		snprintf(text, 256, "the node's own kernel");
	else if (hf_text(step, "to_backend")[0])
		snprintf(text, 256, "%s (%s)", hf_text(step, "to_backend"), hf_text(step, "to"));
	else
		snprintf(text, 256, "%s", hf_text(step, "to"));
	return text;
}

static void show_ways(const json_t *ways)
{
	json_t *steps, *step;
	char text[256];
	size_t i, k;

	json_array_foreach (ways, i, steps) {
		printf("  client");
		json_array_foreach (steps, k, step)
			printf(" %s %s%s%s", k ? "==second chance==>" : "-->", hf_colour(HF_BOLD),
			       hf_text(step, "node"), hf_colour(HF_PLAIN));
		step = json_array_get(steps, json_array_size(steps) - 1);
		printf(" --> %s\n", end_of(step, text));
	}
}

static void show_service(const json_t *s)
{
	if (!hf_text(s, "service")[0]) {
		printf("  no service has this address, protocol and port (lbctl services)\n");
		return;
	}
	printf("  service %s, pool %s; digest %s, slot %ld of %ld, shard %ld\n",
	       hf_text(s, "service"), hf_text(s, "pool"), hf_text(s, "digest"),
	       (long)hf_number(s, "slot"), (long)hf_number(s, "slots"),
	       (long)hf_number(s, "shard"));
	printf("  the slot's choice, for new flows: %s",
	       hf_text(s, "choice")[0] ? hf_text(s, "choice") : "none, for no backend may serve");
	if (hf_text(s, "former_choice")[0])
		printf("; before that %s%s", hf_text(s, "former_choice"),
		       hf_flag(s, "fresh") ? ", until a moment ago" : "");
	printf("\n");
	if (hf_flag(s, "stateless"))
		printf("  the service is stateless: its packets go by the choice, and are not "
		       "pinned\n");
	else if (hf_text(s, "pin")[0])
		printf("  the flow is pinned here, to %s (%s)\n", hf_text(s, "pin"),
		       hf_text(s, "pin_state"));
	else
		printf("  the flow is not known here\n");
}

static void show_step(const json_t *s, bool from_node)
{
	json_t *x;
	char text[256];
	size_t i;

	printf("%s%s%s%s\n", hf_colour(HF_BOLD), hf_text(s, "node"), hf_colour(HF_PLAIN),
	       from_node ? ", as it comes from another node" : "");
	if (hf_text(s, "error")[0]) {
		printf("  can't tell: %s\n", hf_text(s, "error"));
		return;
	}
	show_service(s);
	if (json_array_size(json_object_get(s, "may_know"))) {
		printf("  nodes that may know it better, in this order:");
		json_array_foreach (json_object_get(s, "may_know"), i, x)
			printf("%s %s", i ? "," : "", json_string_value(x));
		printf("\n");
	}
	json_array_foreach (json_object_get(s, "counters"), i, x)
		if (strcmp(hf_text(x, "name"), "forwarded") != 0)
			printf("  %s%s: %s%s\n", hf_colour(HF_FAINT), hf_text(x, "name"),
			       hf_text(x, "text"), hf_colour(HF_PLAIN));
	printf("  => %s%s", hf_text(s, "verdict"), hf_text(s, "to")[0] ? ", to " : "");
	if (hf_text(s, "to_node")[0])
		printf("node %s", hf_text(s, "to_node"));
	else if (hf_text(s, "to")[0])
		printf("%s", end_of(s, text));
	if (hf_text(s, "next_hop")[0])
		printf(", by %s %s", hf_text(s, "device")[0] ? hf_text(s, "device") : "?",
		       hf_text(s, "next_hop"));
	printf("\n");
}

/* What is told of a node twice is shown once. */
static void show_steps(const json_t *ways)
{
	json_t *shown = json_object(), *steps, *step;
	size_t i, k;

	for (int from_node = 0; from_node <= 1; from_node++) {
		json_array_foreach (ways, i, steps) {
			json_array_foreach (steps, k, step) {
				char *key = json_dumps(step, JSON_COMPACT);

				if (key && (k > 0) == (bool)from_node &&
				    !json_object_get(shown, key)) {
					json_object_set_new(shown, key, json_true());
					printf("\n");
					show_step(step, from_node);
				}
				free(key);
			}
		}
	}
	json_decref(shown);
}

static int code_of(const json_t *cluster, const json_t *ways)
{
	size_t i, known = 0;
	json_t *steps;

	json_array_foreach (ways, i, steps)
		known += !hf_text(json_array_get(steps, 0), "error")[0];
	if (!known)
		return HF_EXIT_UNKNOWN;
	return known < i || hf_text(cluster, "blind")[0] ? HF_EXIT_DEGRADED : HF_EXIT_FINE;
}

int hf_command_explain(const struct hf_context *c)
{
	struct packet p;
	json_t *cluster, *ways, *answer;
	int code;

	if (!read_packet(c, &p))
		return HF_EXIT_WRONG;
	cluster = hf_cluster_gather(c->instance, 0, NULL);
	if (hf_text(cluster, "blind")[0])
		hf_warning("nothing can be told of other nodes: this node's syncd: %s",
			   hf_text(cluster, "blind"));
	if (c->node && !hf_cluster_node(cluster, c->node))
		hf_error("there is no node %s; `lbctl nodes` tells those that there are", c->node);
	ways = find_ways(c, cluster, &p);
	code = code_of(cluster, ways);
	answer = json_pack("{s:s, s:s, s:s, s:b, s:O}", "source", c->words[0], "destination",
			   c->words[1], "protocol", p.protocol == IPPROTO_TCP ? "tcp" : "udp",
			   "syn", p.syn, "ways", ways);
	if (!hf_print_json(c, answer)) {
		printf("%s -> %s, %s\n\n", c->words[0], c->words[1],
		       p.protocol == IPPROTO_UDP ? "a datagram"
		       : p.syn			 ? "a SYN"
						 : "a packet of an open TCP connection");
		show_ways(ways);
		show_steps(ways);
	}
	json_decref(answer);
	json_decref(ways);
	json_decref(cluster);
	return code;
}
