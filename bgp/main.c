// SPDX-License-Identifier: BSD-2-Clause
#include <argp.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/bird_conf.h"
#include "bgp/daemon.h"
#include "bgp/status.h"
#include "lib/log.h"

#define DEFAULT_CONFIG	 "/etc/holdfast/holdfast.yaml"
#define DEFAULT_INSTANCE "default"
#define INSTANCE_MOST	 64

/* As iproute2 and systemd have it: 1 for what failed, 2 for what was asked wrongly. Of --status: 1
 * if something is not well, 2 if it can't be told. */
enum { EXIT_WRONG = 2 };

enum verb { RUN, CHECK, STATUS, DRAIN, UNDRAIN, PRINT };

struct options {
	enum verb verb;
	struct hf_bgp_settings daemon;
	struct hf_address vip; /* family 0: all */
	struct hf_neighbour_word neighbours[HF_CONFIG_PEERS_MAX];
	uint32_t neighbour_count;
	bool debug, json;
};

enum { KEY_JSON = 0x100, KEY_DRAIN, KEY_UNDRAIN, KEY_PRINT, KEY_REPLACE };

static const struct argp_option option_table[] = {
	{ "config", 'c', "FILE", 0, "Configuration (default: " DEFAULT_CONFIG ")", 1 },
	{ "instance", 'i', "NAME", 0,
	  "Names the socket, /run/holdfast/bgp/NAME.control (default: " DEFAULT_INSTANCE ")", 1 },
	{ "user", 'u', "NAME", 0,
	  "User to become when started as root (default: " HF_BGP_DEFAULT_USER ")", 1 },
	{ "group", 'g', "NAME", 0,
	  "Its group, that of BIRD's socket (default: " HF_BGP_DEFAULT_GROUP ")", 1 },
	{ "replace", KEY_REPLACE, NULL, 0,
	  "Take the place of the lbbgp that runs, if one does, without withdrawing anything", 1 },
	{ "debug", 'd', NULL, 0, "Say more: what BIRD is told", 1 },
	{ NULL, 0, NULL, 0, "Instead of running:", 2 },
	{ "check", 'C', "FILE", 0, "Check FILE and exit: 0 if it is good, 2 if not", 2 },
	{ "status", 's', NULL, 0,
	  "Print what the running lbbgp announces, and to whom: exit 0 all is well, 1 not so, 2 "
	  "can't tell",
	  2 },
	{ "json", KEY_JSON, NULL, 0, "With --status: as one JSON object", 2 },
	{ "drain", KEY_DRAIN, "VIP", OPTION_ARG_OPTIONAL,
	  "Have routers send this node's packets for VIP elsewhere, and withdraw it after "
	  "bgp.drain_time; all VIPs if none is named. Lasts until --undrain",
	  2 },
	{ "undrain", KEY_UNDRAIN, "VIP", OPTION_ARG_OPTIONAL, "Take that back", 2 },
	{ "print-bird-conf", KEY_PRINT, NULL, 0,
	  "Print a configuration for BIRD to begin with; a session for each NAME=ADDRESS@AS", 2 },
	{ 0 },
};

static void take_vip(struct argp_state *state, struct options *o, const char *text)
{
	if (text && hf_address_parse(text, &o->vip) < 0)
		argp_error(state, "\"%s\" is no address of a VIP", text);
}

static void take_neighbour(struct argp_state *state, struct options *o, const char *text)
{
	if (o->verb != PRINT)
		argp_error(state, "what is \"%s\"? A VIP is named as in --drain=%s", text, text);
	if (o->neighbour_count == HF_CONFIG_PEERS_MAX)
		argp_error(state, "more than %d neighbours", HF_CONFIG_PEERS_MAX);
	if (!hf_neighbour_read(text, o->neighbour_count + 1, &o->neighbours[o->neighbour_count]))
		argp_error(state,
			   "\"%s\" is no neighbour; use NAME=ADDRESS@AS, with a name of three or "
			   "more letters, digits and _",
			   text);
	o->neighbour_count++;
}

static error_t take_option(int key, char *argument, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'c':
		o->daemon.config_path = argument;
		return 0;
	case 'i':
		if (!argument[0] || strlen(argument) >= INSTANCE_MOST ||
		    strpbrk(argument, "/\"\\ ."))
			argp_error(state, "\"%s\" is no instance name: it is part of a file's name",
				   argument);
		o->daemon.instance = argument;
		return 0;
	case 'u':
		o->daemon.user = argument;
		return 0;
	case 'g':
		o->daemon.group = argument;
		return 0;
	case KEY_REPLACE:
		o->daemon.replace = true;
		return 0;
	case 'd':
		o->debug = true;
		return 0;
	case 'C':
		o->verb = CHECK;
		o->daemon.config_path = argument;
		return 0;
	case 's':
		o->verb = STATUS;
		return 0;
	case KEY_JSON:
		o->json = true;
		return 0;
	case KEY_DRAIN:
	case KEY_UNDRAIN:
		o->verb = key == KEY_DRAIN ? DRAIN : UNDRAIN;
		take_vip(state, o, argument);
		return 0;
	case KEY_PRINT:
		o->verb = PRINT;
		return 0;
	case ARGP_KEY_ARG:
		take_neighbour(state, o, argument);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void show(const char *path, const struct hf_config *config)
{
	const struct hf_config_bgp *c = &config->bgp;

	printf("%s: good\n", path);
	printf("node %s, AS %u: BIRD at %s includes %s\n", config->node.name, c->local_as,
	       c->bird_socket, c->include);
	printf("lease %g s, wait for records %g s, hold-down %g s, drain %g s\n",
	       c->lease_time / 1000.0, c->sync_timeout / 1000.0, c->hold_down / 1000.0,
	       c->drain_time / 1000.0);
	if (c->ucmp == HF_CONFIG_UCMP_ON)
		printf("weight %u, told to routers\n", config->node.weight);
	printf("VIPs must be exported to");
	for (uint32_t i = 0; i < c->peer_count; i++)
		printf(" %s", c->peers[i]);
	printf("%s; when all backends look dead they are %s\n",
	       c->peer_count ? "" : " every BGP session",
	       c->on_all_down == HF_CONFIG_ON_ALL_DOWN_ANNOUNCE ? "announced all the same"
								: "withdrawn");
}

/* Of --check, and of --print-bird-conf. */
static int read_config(const struct options *o)
{
	const char *path = o->daemon.config_path;
	struct hf_config *config;
	struct hf_config_error error;
	int code = EXIT_SUCCESS;

	if (hf_config_load(path, &config, &error) < 0) {
		fprintf(stderr, "%s\n", error.text);
		return EXIT_WRONG;
	}
	if (!config->bgp.local_as) {
		fprintf(stderr,
			"%s: has no `bgp`: nothing is announced by lbbgp; add it, with local_as at "
			"least\n",
			path);
		code = EXIT_WRONG;
	} else if (o->verb == CHECK) {
		show(path, config);
	} else {
		hf_print_bird_conf(stdout, config, o->neighbours, o->neighbour_count);
	}
	hf_config_free(config);
	return code;
}

static int exit_code(int err)
{
	if (!err)
		return EXIT_SUCCESS;
	return err == -EINVAL ? EXIT_WRONG : EXIT_FAILURE;
}

const char *argp_program_version = "lbbgp (Holdfast) " HF_VERSION;

int main(int argc, char **argv)
{
	static const struct argp parser = {
		option_table,
		take_option,
		"\n--print-bird-conf [NAME=ADDRESS@AS...]",
		"Holdfast's driver of BIRD: keeps a VIP announced exactly while lbnode says that "
		"this node can serve it. SIGHUP reloads the configuration. When it ends, and "
		"nobody takes its place, the kernel withdraws the VIPs.\v"
		"Exit status: 0 done, 1 failed, 2 wrong configuration or options.",
		NULL,
		NULL,
		NULL,
	};
	static struct options o = { .daemon = { .config_path = DEFAULT_CONFIG,
						.instance = DEFAULT_INSTANCE,
						.user = HF_BGP_DEFAULT_USER,
						.group = HF_BGP_DEFAULT_GROUP } };
	const struct hf_address *vip = NULL;
	int result;

	argp_err_exit_status = EXIT_WRONG;
	argp_parse(&parser, argc, argv, 0, NULL, &o);
	hf_log_open("lbbgp", o.debug ? HF_LOG_DEBUG : HF_LOG_NOTICE);
	if (sodium_init() < 0) {
		hf_error("libsodium does not start");
		return EXIT_FAILURE;
	}
	if (o.vip.family)
		vip = &o.vip;
	switch (o.verb) {
	case CHECK:
	case PRINT:
		return read_config(&o);
	case STATUS:
		result = hf_show_bgp(stdout, o.daemon.instance, o.json);
		return result < 0 ? EXIT_WRONG : result;
	case DRAIN:
	case UNDRAIN:
		return exit_code(hf_drain_vip(o.daemon.instance, vip, o.verb == DRAIN));
	case RUN:
		break;
	}
	return exit_code(hf_bgp_run(&o.daemon));
}
