// SPDX-License-Identifier: BSD-2-Clause
#include <argp.h>
#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lbhost/agent.h"
#include "lib/bpffs.h"
#include "lib/log.h"
#include "lib/packet/base.h"

#define DEFAULT_INSTANCE "lbhost"

/* As iproute2 and systemd have it: 1 for what failed, 2 for what was asked wrongly. */
enum { EXIT_WRONG = 2 };

enum verb { RUN, STATS, DETACH };

struct options {
	enum verb verb;
	struct hf_host_settings settings;
	bool debug;
	bool json;
};

enum { KEY_JSON = 0x100, KEY_GENERIC, KEY_MTU };

static const struct argp_option option_table[] = {
	{ "interface", 'I', "NAME", 0,
	  "Interface that tunnels arrive by, or answers leave by; may be repeated", 1 },
	{ "allow", 'a', "PREFIX", 0,
	  "Where tunnels may come from: the nodes' node.addresses; may be repeated", 1 },
	{ "gue-port", 'p', "PORT", 0, "UDP port of GUE (default: 6080)", 1 },
	{ "mtu", KEY_MTU, "BYTES", 0,
	  "MTU of the way from the nodes (default: the interface's), for the MSS of SYN-ACKs", 1 },
	{ "netns", 'n', "NAME", 0,
	  "Network namespace that services live in, beside this one: a name of ip-netns(8), or a "
	  "path; may be repeated",
	  1 },
	{ "generic", KEY_GENERIC, NULL, 0, "Generic XDP, for drivers without the native one", 1 },
	{ "instance", 'i', "NAME", 0,
	  "Name under /sys/fs/bpf/holdfast (default: " DEFAULT_INSTANCE ")", 1 },
	{ "debug", 'd', NULL, 0, "Say more, the kernel's reasons among it", 1 },
	{ NULL, 0, NULL, 0, "Instead of running:", 2 },
	{ "stats", 's', NULL, 0, "Print the instance's counters", 2 },
	{ "json", KEY_JSON, NULL, 0, "With --stats: as one JSON object", 2 },
	{ "detach", 'D', NULL, 0, "Take away what an lbhost that was killed left attached", 2 },
	{ 0 },
};

static uint16_t take_number(struct argp_state *state, const char *what, const char *text, long low)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (!*text || *end || value < low || value > 65535)
		argp_error(state, "\"%s\" is no %s; use %ld to 65535", text, what, low);
	return value;
}

static void take_interface(struct argp_state *state, struct hf_host_settings *s, const char *name)
{
	if (s->interface_count == HF_HOST_INTERFACES_MAX || !*name || strlen(name) >= IF_NAMESIZE)
		argp_error(state, "\"%s\" is no interface, or one too many (%d at most)", name,
			   HF_HOST_INTERFACES_MAX);
	s->interface[s->interface_count++] = name;
}

static void take_allowed(struct argp_state *state, struct hf_host_settings *s, const char *text)
{
	if (s->allowed_count == HF_HOST_ALLOWED_MAX)
		argp_error(state, "more than %d --allow; use larger prefixes", HF_HOST_ALLOWED_MAX);
	if (hf_prefix_parse(text, &s->allowed[s->allowed_count]) < 0)
		argp_error(state, "\"%s\" is no address or prefix", text);
	s->allowed_count++;
}

static void take_namespace(struct argp_state *state, struct hf_host_settings *s, const char *name)
{
	if (s->namespace_count == HF_HOST_NAMESPACES_MAX || !*name)
		argp_error(state, "\"%s\" is no network namespace, or one too many (%d at most)",
			   name, HF_HOST_NAMESPACES_MAX);
	s->namespace[s->namespace_count++] = name;
}

static error_t take_option(int key, char *argument, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'I':
		take_interface(state, &o->settings, argument);
		return 0;
	case 'a':
		take_allowed(state, &o->settings, argument);
		return 0;
	case 'n':
		take_namespace(state, &o->settings, argument);
		return 0;
	case 'p':
		o->settings.gue_port = take_number(state, "port", argument, 1);
		return 0;
	case KEY_MTU:
		o->settings.mtu = take_number(state, "MTU", argument, 1280);
		return 0;
	case KEY_GENERIC:
		o->settings.generic = true;
		return 0;
	case 'i':
		if (!hf_bpffs_instance_is_good(argument))
			argp_error(state, "\"%s\" is no instance name: it names a directory",
				   argument);
		o->settings.instance = argument;
		return 0;
	case 'd':
		o->debug = true;
		return 0;
	case 's':
		o->verb = STATS;
		return 0;
	case KEY_JSON:
		o->json = true;
		return 0;
	case 'D':
		o->verb = DETACH;
		return 0;
	case ARGP_KEY_END:
		if (o->verb == RUN && (!o->settings.interface_count || !o->settings.allowed_count))
			argp_error(state, "at least one --interface and one --allow are needed");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const char *argp_program_version = "lbhost (Holdfast) " HF_VERSION;

int main(int argc, char **argv)
{
	static const struct argp parser = {
		option_table,
		take_option,
		NULL,
		"Holdfast's agent on a backend: unwraps what the LB nodes send, IPIP and GUE, and "
		"lowers the MSS of SYN-ACKs to what the tunnel carries. SIGTERM detaches it.\v"
		"The VIPs must be addresses of this host, on its loopback interface. Exit status: "
		"0 done, 1 failed, 2 wrong options.",
		NULL,
		NULL,
		NULL,
	};
	struct options o = {
		.settings = { .instance = DEFAULT_INSTANCE, .gue_port = HF_GUE_PORT },
	};
	int err = 0;

	argp_err_exit_status = EXIT_WRONG;
	argp_parse(&parser, argc, argv, 0, NULL, &o);
	hf_log_open("lbhost", o.debug ? HF_LOG_DEBUG : HF_LOG_NOTICE);
	switch (o.verb) {
	case STATS:
		err = hf_host_show_statistics(stdout, o.settings.instance, o.json);
		break;
	case DETACH:
		err = hf_host_clean(o.settings.instance);
		break;
	case RUN:
		err = hf_host_run(&o.settings);
		break;
	}
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
