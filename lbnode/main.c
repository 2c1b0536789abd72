// SPDX-License-Identifier: BSD-2-Clause
#include <argp.h>
#include <errno.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lbnode/agent.h"
#include "lbnode/drain.h"
#include "lbnode/health_command.h"
#include "lbnode/show_config.h"
#include "lbnode/statistics.h"
#include "lib/bpffs.h"
#include "lib/log.h"

#define DEFAULT_CONFIG	 "/etc/holdfast/holdfast.yaml"
#define DEFAULT_INSTANCE "default"

/* As iproute2 and systemd have it: 1 for what failed, 2 for what was asked wrongly. */
enum { EXIT_WRONG = 2 };

enum verb { RUN, CHECK, STATS, DRAIN, UNDRAIN, BACKENDS, OVERRIDE, OVERRIDES, DETACH };

struct options {
	enum verb verb;
	const char *config;
	const char *instance;
	bool debug;
	bool json;
	uint32_t timeout_s;
	const char *override, *author, *reason;
	uint32_t override_s;
};

enum {
	KEY_JSON = 0x100,
	KEY_DRAIN,
	KEY_UNDRAIN,
	KEY_TIMEOUT,
	KEY_BACKENDS,
	KEY_OVERRIDE,
	KEY_OVERRIDES,
	KEY_AUTHOR,
	KEY_REASON,
	KEY_FOR,
};

#define DRAIN_TIMEOUT_S 300
#define TIMEOUT_MAX_S	86400
#define OVERRIDE_MAX_S	(365 * 86400)

static const struct argp_option option_table[] = {
	{ "config", 'c', "FILE", 0, "Configuration (default: " DEFAULT_CONFIG ")", 1 },
	{ "instance", 'i', "NAME", 0,
	  "Name under /sys/fs/bpf/holdfast (default: " DEFAULT_INSTANCE ")", 1 },
	{ "debug", 'd', NULL, 0, "Say more, the kernel's reasons among it", 1 },
	{ NULL, 0, NULL, 0, "Instead of running:", 2 },
	{ "check", 'C', "FILE", 0,
	  "Check FILE, print what it was understood to say, and exit: 0 if "
	  "it is good, 2 if not",
	  2 },
	{ "stats", 's', NULL, 0, "Print the instance's counters", 2 },
	{ "json", KEY_JSON, NULL, 0, "With --stats, --backends, --overrides: as one JSON object",
	  2 },
	{ "drain", KEY_DRAIN, NULL, 0,
	  "Take the running node out of service: wait until its records are handed over, and no "
	  "packets come any more",
	  2 },
	{ "timeout", KEY_TIMEOUT, "SECONDS", 0, "With --drain: how long to wait (default: 300)",
	  2 },
	{ "undrain", KEY_UNDRAIN, NULL, 0, "Put a drained node back into service", 2 },
	{ "backends", KEY_BACKENDS, NULL, 0,
	  "Print which backends serve, with which weights, and why not", 2 },
	{ "override", KEY_OVERRIDE, "POOL/BACKEND=WORD", 0,
	  "For the whole cluster: drain a backend (no new flows), disable it (no flows), give it "
	  "weight:N, or take that back (none). +/BACKEND is the backend in all pools",
	  2 },
	{ "reason", KEY_REASON, "TEXT", 0, "With --override: why", 2 },
	{ "by", KEY_AUTHOR, "NAME", 0, "With --override: who says so (default: you)", 2 },
	{ "for", KEY_FOR, "SECONDS", 0, "With --override: how long (default: until taken back)",
	  2 },
	{ "overrides", KEY_OVERRIDES, NULL, 0, "Print all overrides", 2 },
	{ "detach", 'D', NULL, 0, "End the data plane that a stopped lbnode left forwarding", 2 },
	{ 0 },
};

static uint32_t take_seconds(struct argp_state *state, const char *text, unsigned long most)
{
	char *end;
	unsigned long seconds = strtoul(text, &end, 10);

	if (!*text || *end || !seconds || seconds > most)
		argp_error(state, "\"%s\" is no time; use 1 to %lu seconds", text, most);
	return seconds;
}

static error_t take_option(int key, char *argument, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'c':
		o->config = argument;
		return 0;
	case 'i':
		if (!hf_bpffs_instance_is_good(argument))
			argp_error(state, "\"%s\" is no instance name: it names a directory",
				   argument);
		o->instance = argument;
		return 0;
	case 'd':
		o->debug = true;
		return 0;
	case 'C':
		o->verb = CHECK;
		o->config = argument;
		return 0;
	case 's':
		o->verb = STATS;
		return 0;
	case KEY_JSON:
		o->json = true;
		return 0;
	case KEY_DRAIN:
		o->verb = DRAIN;
		return 0;
	case KEY_UNDRAIN:
		o->verb = UNDRAIN;
		return 0;
	case KEY_TIMEOUT:
		o->timeout_s = take_seconds(state, argument, TIMEOUT_MAX_S);
		return 0;
	case KEY_BACKENDS:
		o->verb = BACKENDS;
		return 0;
	case KEY_OVERRIDES:
		o->verb = OVERRIDES;
		return 0;
	case KEY_OVERRIDE:
		o->verb = OVERRIDE;
		o->override = argument;
		return 0;
	case KEY_AUTHOR:
		o->author = argument;
		return 0;
	case KEY_REASON:
		o->reason = argument;
		return 0;
	case KEY_FOR:
		o->override_s = take_seconds(state, argument, OVERRIDE_MAX_S);
		return 0;
	case 'D':
		o->verb = DETACH;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int check(const char *path)
{
	struct hf_config *config;
	struct hf_config_error error;

	if (hf_config_load(path, &config, &error) < 0) {
		fprintf(stderr, "%s\n", error.text);
		return EXIT_WRONG;
	}
	hf_show_config(stdout, path, config);
	hf_config_free(config);
	return EXIT_SUCCESS;
}

static int exit_code(int err)
{
	if (!err)
		return EXIT_SUCCESS;
	return err == -EINVAL ? EXIT_WRONG : EXIT_FAILURE;
}

const char *argp_program_version = "lbnode (Holdfast) " HF_VERSION;

int main(int argc, char **argv)
{
	static const struct argp parser = {
		option_table,
		take_option,
		NULL,
		"Holdfast's data plane agent: loads the XDP program, fills its tables from the "
		"configuration and the network, and keeps them true. SIGHUP reloads the "
		"configuration; SIGTERM stops the agent, while the data plane forwards on.\v"
		"Exit status: 0 done, 1 failed, 2 wrong configuration or options.",
		NULL,
		NULL,
		NULL,
	};
	struct options o = {
		.config = DEFAULT_CONFIG,
		.instance = DEFAULT_INSTANCE,
		.timeout_s = DRAIN_TIMEOUT_S,
		.reason = "",
	};

	argp_err_exit_status = EXIT_WRONG;
	argp_parse(&parser, argc, argv, 0, NULL, &o);
	hf_log_open("lbnode", o.debug ? HF_LOG_DEBUG : HF_LOG_NOTICE);
	if (sodium_init() < 0) {
		hf_error("libsodium does not start");
		return EXIT_FAILURE;
	}
	switch (o.verb) {
	case CHECK:
		return check(o.config);
	case STATS:
		return exit_code(hf_show_statistics(stdout, o.instance, o.json));
	case DRAIN:
		return exit_code(hf_drain(stdout, o.instance, o.timeout_s));
	case UNDRAIN:
		return exit_code(hf_undrain(o.instance));
	case BACKENDS:
		return exit_code(hf_show_backends(stdout, o.instance, o.json));
	case OVERRIDE:
		return exit_code(hf_override_backend(o.instance, o.override, o.author, o.reason,
						     o.override_s));
	case OVERRIDES:
		return exit_code(hf_show_overrides(stdout, o.instance, o.json));
	case DETACH:
		return exit_code(hf_agent_detach(o.instance));
	case RUN:
		break;
	}
	return exit_code(hf_agent_run(o.config, o.instance));
}
