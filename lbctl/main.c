// SPDX-License-Identifier: BSD-2-Clause
#include <argp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lbctl/cluster.h"
#include "lbctl/command.h"
#include "lbctl/table.h"
#include "lib/log.h"

#define DEFAULT_INSTANCE "default"
#define INSTANCE_MOST	 64
#define HELP_INDENT	 29
#define TEXT_MOST	 120 /* lbnode takes no more */

enum {
	KEY_JSON = 0x100,
	KEY_POOL,
	KEY_BACKEND,
	KEY_STATE,
	KEY_BY,
	KEY_REASON,
	KEY_FOR,
	KEY_TIMEOUT,
	KEY_SYN,
	KEY_ALL,
};

static const struct argp_option option_table[] = {
	{ "instance", 'i', "NAME", 0, "The daemons' instance (default: " DEFAULT_INSTANCE ")", 1 },
	{ "json", KEY_JSON, NULL, 0, "As JSON, of which nothing is left out", 1 },
	{ "node", 'n', "NAME", 0, "This node alone: with what shows, drain service, reload", 1 },
	{ "all", KEY_ALL, NULL, 0, "With counters, flows: those that are 0, too", 2 },
	{ "backend", KEY_BACKEND, "NAME", 0, "With backends, flows: this one alone", 2 },
	{ "pool", KEY_POOL, "NAME", 0, "With services, backends, flows: this one alone", 2 },
	{ "state", KEY_STATE, "NAME", 0, "With backends, flows: what is in this state alone", 2 },
	{ "count", 'c', "NUMBER", 0,
	  "With events: so many, the last ones (default: 30); with flows: the backends with most",
	  2 },
	{ "follow", 'f', NULL, 0, "With events: go on, with what happens", 2 },
	{ "syn", KEY_SYN, NULL, 0, "With explain: a packet that opens a connection", 2 },
	{ "by", KEY_BY, "NAME", 0, "With what changes anything: who says so (default: you)", 3 },
	{ "reason", KEY_REASON, "TEXT", 0, "With the same: why; others will read it", 3 },
	{ "for", KEY_FOR, "SECONDS", 0,
	  "With drain backend, weight: how long (default: until it is taken back)", 3 },
	{ "timeout", KEY_TIMEOUT, "SECONDS", 0,
	  "With drain node: how long to wait until it is done (default: 300; 0: not at all)", 3 },
	{ "config", 'C', "FILE", 0, "With doctor: the configuration (default: lbnode's)", 3 },
	{ 0 },
};

/* Which options a command takes, beside --instance. */
enum {
	TAKES_JSON = 1 << 0,
	TAKES_NODE = 1 << 1,
	TAKES_ALL = 1 << 2,
	TAKES_POOL = 1 << 3,
	TAKES_BACKEND = 1 << 4,
	TAKES_STATE = 1 << 5,
	TAKES_COUNT = 1 << 6,
	TAKES_FOLLOW = 1 << 7,
	TAKES_SYN = 1 << 8,
	TAKES_BY = 1 << 9, /* and --reason */
	TAKES_FOR = 1 << 10,
	TAKES_TIMEOUT = 1 << 11,
	TAKES_CONFIG = 1 << 12,
	SHOWS = TAKES_JSON | TAKES_NODE,
};

static const struct command {
	const char *name, *words, *text;
	int (*run)(const struct hf_context *context);
	int least, most; /* words */
	unsigned int takes;
} commands[] = {
	{ "status", "", "Is everything all right, and if not, what?", hf_command_status, 0, 0,
	  SHOWS },
	{ "nodes", "", "The nodes: versions, configurations, readiness", hf_command_nodes, 0, 0,
	  SHOWS },
	{ "services", "", "The services, and what they carry", hf_command_services, 0, 0,
	  SHOWS | TAKES_POOL },
	{ "backends", "", "The backends: who serves, and why not", hf_command_backends, 0, 0,
	  SHOWS | TAKES_POOL | TAKES_BACKEND | TAKES_STATE },
	{ "flows", "", "How many flows there are, by state and by backend", hf_command_flows, 0, 0,
	  SHOWS | TAKES_POOL | TAKES_BACKEND | TAKES_STATE | TAKES_COUNT | TAKES_ALL },
	{ "sync", "", "What syncd shares, and with whom", hf_command_sync, 0, 0, SHOWS },
	{ "bgp", "", "BGP's sessions, and which VIPs they carry", hf_command_bgp, 0, 0, SHOWS },
	{ "events", "", "What the daemons of all nodes have said", hf_command_events, 0, 0,
	  SHOWS | TAKES_COUNT | TAKES_FOLLOW },
	{ "counters", "", "Packets by what became of them", hf_command_counters, 0, 0,
	  SHOWS | TAKES_ALL },
	{ "top", "", "The status, live", hf_command_top, 0, 0, TAKES_NODE },
	{ "explain", "CLIENT:PORT VIP:PORT [tcp|udp]",
	  "What each node would do with a packet, and why", hf_command_explain, 2, 3,
	  SHOWS | TAKES_SYN },
	{ "drain", "node|backend|service NAME", "Take it out of service, and break nothing",
	  hf_command_drain, 2, 2, TAKES_JSON | TAKES_NODE | TAKES_BY | TAKES_FOR | TAKES_TIMEOUT },
	{ "undrain", "node|backend|service NAME", "Put it back", hf_command_undrain, 2, 2,
	  TAKES_JSON | TAKES_NODE | TAKES_BY },
	{ "disable", "[POOL/]BACKEND", "End all flows of a backend; undrain puts it back",
	  hf_command_disable, 1, 1, TAKES_JSON | TAKES_BY | TAKES_FOR },
	{ "weight", "[POOL/]BACKEND NUMBER|default", "Give a backend another weight",
	  hf_command_weight, 2, 2, TAKES_JSON | TAKES_BY | TAKES_FOR },
	{ "overrides", "", "What operators have said of backends", hf_command_overrides, 0, 0,
	  SHOWS },
	{ "reload", "", "Have all nodes take their files as they are now", hf_command_reload, 0, 0,
	  TAKES_JSON | TAKES_NODE },
	{ "check", "[FILE]", "Is it a good configuration?", hf_command_check, 0, 1, TAKES_JSON },
	{ "diff", "FILE", "What would change if it were in force?", hf_command_diff, 1, 1, SHOWS },
	{ "doctor", "", "Look at the node's kernel, network, keys and BIRD", hf_command_doctor, 0,
	  0, TAKES_JSON | TAKES_CONFIG },
	{ "support-bundle", "[FILE]", "All that tells how things are, in one file",
	  hf_command_support_bundle, 0, 1, 0 },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* What each option sets, beside --instance. */
static const struct setting {
	int key;
	unsigned int takes;
	enum { FLAG, NUMBER, TEXT, SAID } kind; /* SAID: to others */
	size_t at;				/* in struct hf_context */
	const char *name;
} settings[] = {
#define AT(field) offsetof(struct hf_context, field), #field
	{ 'n', TAKES_NODE, TEXT, AT(node) },
	{ 'c', TAKES_COUNT, NUMBER, AT(count) },
	{ 'f', TAKES_FOLLOW, FLAG, AT(follow) },
	{ 'C', TAKES_CONFIG, TEXT, AT(config) },
	{ KEY_JSON, TAKES_JSON, FLAG, AT(json) },
	{ KEY_ALL, TAKES_ALL, FLAG, AT(all) },
	{ KEY_POOL, TAKES_POOL, TEXT, AT(pool) },
	{ KEY_BACKEND, TAKES_BACKEND, TEXT, AT(backend) },
	{ KEY_STATE, TAKES_STATE, TEXT, AT(state) },
	{ KEY_SYN, TAKES_SYN, FLAG, AT(syn) },
	{ KEY_BY, TAKES_BY, SAID, AT(by) },
	{ KEY_REASON, TAKES_BY, SAID, AT(reason) },
	{ KEY_FOR, TAKES_FOR, NUMBER, offsetof(struct hf_context, for_s), "for" },
	{ KEY_TIMEOUT, TAKES_TIMEOUT, NUMBER, offsetof(struct hf_context, timeout_s), "timeout" },
#undef AT
};

#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

struct options {
	struct hf_context context;
	const struct command *command;
	char *words[8];
	unsigned int given; /* a bit for each of `settings` */
};

static uint32_t number_of(struct argp_state *state, const char *text, const char *what)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*end || end == text || number > 1000000000)
		argp_error(state, "--%s must be a number, not \"%s\"", what, text);
	return (uint32_t)number;
}

static void take_word(struct argp_state *state, struct options *o, char *word)
{
	if (o->command) {
		if (o->context.word_count >= o->command->most)
			argp_error(state, "%s: what is \"%s\"?", o->command->name, word);
		o->words[o->context.word_count++] = word;
		return;
	}
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, word) == 0)
			o->command = &commands[i];
	if (!o->command)
		argp_error(state, "there is no command \"%s\"; --help tells those that there are",
			   word);
}

static void check_all(struct argp_state *state, const struct options *o)
{
	if (!o->command) {
		argp_usage(state);
		return;
	}
	if (o->context.word_count < o->command->least)
		argp_error(state, "it is: %s %s", o->command->name, o->command->words);
	for (size_t i = 0; i < SETTINGS; i++)
		if (o->given & 1U << i && !(o->command->takes & settings[i].takes))
			argp_error(state, "%s takes no --%s; --help tells which command does",
				   o->command->name, settings[i].name);
}

static bool is_instance(const char *name)
{
	return name[0] && strlen(name) < INSTANCE_MOST &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
		       strlen(name);
}

static void set(struct argp_state *state, const struct setting *s, char *argument)
{
	void *field = (char *)state->input + offsetof(struct options, context) + s->at;

	switch (s->kind) {
	case FLAG:
		*(bool *)field = true;
		return;
	case NUMBER:
		*(uint32_t *)field = number_of(state, argument, s->name);
		return;
	case SAID:
		if (strlen(argument) > TEXT_MOST)
			argp_error(state, "--%s may have %d characters", s->name, TEXT_MOST);
		break;
	case TEXT:
		break;
	}
	*(const char **)field = argument;
}

static error_t take_option(int key, char *argument, struct argp_state *state)
{
	struct options *o = state->input;

	for (size_t i = 0; i < SETTINGS; i++)
		if (settings[i].key == key) {
			o->given |= 1U << i;
			set(state, &settings[i], argument);
			return 0;
		}
	switch (key) {
	case 'i':
		if (!is_instance(argument))
			argp_error(state, "\"%s\" is no instance's name", argument);
		o->context.instance = argument;
		return 0;
	case ARGP_KEY_ARG:
		take_word(state, o, argument);
		return 0;
	case ARGP_KEY_END:
		check_all(state, o);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The commands stand before the options, from the same table that they are found by. */
static char *fill_help(int key, const char *text, void *input)
{
	char *help = NULL;
	size_t size;
	FILE *out;

	(void)input;
	if (key != ARGP_KEY_HELP_PRE_DOC)
		return (char *)text;
	out = open_memstream(&help, &size);
	if (!out)
		return (char *)text;
	fprintf(out, "%s\n\nCommands:\n", text);
	for (size_t i = 0; i < COMMANDS; i++) {
		int width = fprintf(out, "  %s %s", commands[i].name, commands[i].words);

		if (width > HELP_INDENT - 2)
			fprintf(out, "\n%*s", HELP_INDENT, "");
		else
			fprintf(out, "%*s", HELP_INDENT - width, "");
		fprintf(out, "%s\n", commands[i].text);
	}
	fclose(out);
	return help;
}

const char *argp_program_version = "lbctl (Holdfast) " HF_VERSION;

int main(int argc, char **argv)
{
	static const struct argp parser = {
		option_table,
		take_option,
		"COMMAND [ARGUMENT...]",
		"Shows how a Holdfast cluster is, explains what becomes of packets, and operates "
		"it; from "
		"any of its nodes, for all of them.\v"
		"Exit status: 0 done, or all is well; 1 failed, or something is not well; 2 wrong "
		"options, or it can't be told.",
		NULL,
		fill_help,
		NULL,
	};
	struct options o = {
		.context = { .instance = DEFAULT_INSTANCE, .reason = "", .timeout_s = 300 },
	};

	argp_err_exit_status = HF_EXIT_WRONG;
	argp_parse(&parser, argc, argv, 0, NULL, &o);
	hf_log_open("lbctl", HF_LOG_NOTICE);
	hf_colours_open(stdout);
	o.context.words = o.words;
	if (!o.context.by)
		o.context.by = getenv("SUDO_USER") ? getenv("SUDO_USER") : getenv("USER");
	if (!o.context.by || strlen(o.context.by) > TEXT_MOST)
		o.context.by = "root";
	return o.command->run(&o.context);
}

bool hf_print_json(const struct hf_context *c, const json_t *json)
{
	if (!c->json)
		return false;
	json_dumpf(json, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY);
	putchar('\n');
	return true;
}

/* Whether all has been said of the node that was asked for. */
static bool say_of_node(const json_t *node)
{
	const json_t *errors = json_object_get(node, "errors");
	const char *program;
	json_t *why;

	json_object_foreach ((json_t *)errors, program, why)
		hf_warning("%s: %s: %s", hf_text(node, "name"), program, json_string_value(why));
	if (!hf_cluster_can_ask(node))
		hf_warning("%s: not asked, for it is %s", hf_text(node, "name"),
			   hf_text(node, "state"));
	return json_object_size(errors) == 0 && hf_cluster_can_ask(node);
}

json_t *hf_gather_or_say(const struct hf_context *c, unsigned int parts, int *status)
{
	json_t *cluster = hf_cluster_gather(c->instance, parts, c->node), *node;
	size_t i, good = 0, some = 0, all = json_array_size(json_object_get(cluster, "nodes"));

	if (hf_text(cluster, "blind")[0])
		hf_warning("nothing can be told of other nodes: this node's syncd: %s",
			   hf_text(cluster, "blind"));
	if (c->node && !all)
		hf_error("there is no node %s; `lbctl nodes` tells those that there are", c->node);
	json_array_foreach (json_object_get(cluster, "nodes"), i, node) {
		good += say_of_node(node);
		some += hf_cluster_has_any(node, parts);
	}
	*status = !some ? HF_EXIT_UNKNOWN : good < all ? HF_EXIT_DEGRADED : HF_EXIT_FINE;
	return cluster;
}
