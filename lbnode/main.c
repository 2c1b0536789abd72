// SPDX-License-Identifier: BSD-2-Clause
#include <argp.h>
#include <errno.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lbnode/agent.h"
#include "lbnode/show_config.h"
#include "lbnode/statistics.h"
#include "lib/bpffs.h"
#include "lib/log.h"

#define DEFAULT_CONFIG	 "/etc/holdfast/holdfast.yaml"
#define DEFAULT_INSTANCE "default"

/* As iproute2 and systemd have it: 1 for what failed, 2 for what was asked wrongly. */
enum { EXIT_WRONG = 2 };

enum verb { RUN, CHECK, STATS, DETACH };

struct options {
	enum verb verb;
	const char *config;
	const char *instance;
	bool debug;
	bool json;
};

enum { KEY_JSON = 0x100 };

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
	{ "json", KEY_JSON, NULL, 0, "With --stats: as one JSON object", 2 },
	{ "detach", 'D', NULL, 0, "End the data plane that a stopped lbnode left forwarding", 2 },
	{ 0 },
};

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
		"configuration; SIGTERM stops the agent, while the data plane forwards on. "
		"lbctl(8) operates it.\v"
		"Exit status: 0 done, 1 failed, 2 wrong configuration or options.",
		NULL,
		NULL,
		NULL,
	};
	struct options o = {
		.config = DEFAULT_CONFIG,
		.instance = DEFAULT_INSTANCE,
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
	case DETACH:
		return exit_code(hf_agent_detach(o.instance));
	case RUN:
		break;
	}
	return exit_code(hf_agent_run(o.config, o.instance));
}
