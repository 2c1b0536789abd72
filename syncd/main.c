// SPDX-License-Identifier: BSD-2-Clause
#include <argp.h>
#include <errno.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/keys.h"
#include "lib/log.h"
#include "syncd/daemon.h"
#include "syncd/keygen.h"
#include "syncd/status.h"

#define DEFAULT_CONFIG	 "/etc/holdfast/holdfast.yaml"
#define DEFAULT_INSTANCE "default"
#define INSTANCE_MOST	 64

/* As iproute2 and systemd have it: 1 for what failed, 2 for what was asked wrongly. Of --status: 1
 * if something is not well, 2 if it can't be told. */
enum { EXIT_WRONG = 2 };

enum verb { RUN, CHECK, STATUS, KEYGEN };

struct options {
	enum verb verb;
	struct hf_daemon_settings daemon;
	const char *key_file;
	enum hf_keygen_step step;
	bool debug, json;
	unsigned int words;
};

enum { KEY_JSON = 0x100 };

static const struct argp_option option_table[] = {
	{ "config", 'c', "FILE", 0, "Configuration (default: " DEFAULT_CONFIG ")", 1 },
	{ "instance", 'i', "NAME", 0,
	  "Names the socket, /run/holdfast/syncd/NAME.sock (default: " DEFAULT_INSTANCE ")", 1 },
	{ "user", 'u', "NAME", 0,
	  "User to become when started as root (default: " HF_SYNCD_DEFAULT_USER ")", 1 },
	{ "debug", 'd', NULL, 0, "Say more: suspicions, too", 1 },
	{ NULL, 0, NULL, 0, "Instead of running:", 2 },
	{ "check", 'C', "FILE", 0,
	  "Check FILE and the keys that it names, and exit: 0 if they are good, 2 if not", 2 },
	{ "status", 's', NULL, 0,
	  "Print what the running syncd knows: exit 0 all is well, 1 not so, 2 can't tell", 2 },
	{ "json", KEY_JSON, NULL, 0, "With --status: as one JSON object", 2 },
	{ 0 },
};

static bool is_instance(const char *name)
{
	return name[0] && strlen(name) < INSTANCE_MOST && !strpbrk(name, "/\"\\ .");
}

/* keygen FILE [add|promote|retire] */
static void take_word(struct argp_state *state, struct options *o, const char *word)
{
	static const char *const steps[] = {
		[HF_KEYGEN_ADD] = "add",
		[HF_KEYGEN_PROMOTE] = "promote",
		[HF_KEYGEN_RETIRE] = "retire",
	};

	switch (o->words++) {
	case 0:
		if (strcmp(word, "keygen") != 0)
			argp_error(state, "\"%s\" is no command; there is `keygen FILE`", word);
		o->verb = KEYGEN;
		return;
	case 1:
		o->key_file = word;
		return;
	case 2:
		for (int step = HF_KEYGEN_ADD; step <= HF_KEYGEN_RETIRE; step++) {
			if (strcmp(word, steps[step]) == 0) {
				o->step = step;
				return;
			}
		}
		argp_error(state, "\"%s\" is not add, promote or retire", word);
		return;
	default:
		argp_error(state, "what is \"%s\"?", word);
	}
}

static error_t take_option(int key, char *argument, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'c':
		o->daemon.config_path = argument;
		return 0;
	case 'i':
		if (!is_instance(argument))
			argp_error(state, "\"%s\" is no instance name: it is part of a file's name",
				   argument);
		o->daemon.instance = argument;
		return 0;
	case 'u':
		o->daemon.user = argument;
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
	case ARGP_KEY_ARG:
		take_word(state, o, argument);
		return 0;
	case ARGP_KEY_END:
		if (o->verb == KEYGEN && !o->key_file)
			argp_error(state, "keygen wants a file: `syncd keygen FILE`");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void show(const char *path, const struct hf_config *config, const struct hf_key_ring *ring)
{
	const struct hf_config_cluster *c = &config->cluster;
	char text[HF_ADDRESS_TEXT];

	printf("%s: good\n", path);
	printf("cluster %s: %s", c->name, c->insecure ? "INSECURE, no key" : c->key_file);
	if (!c->insecure)
		printf(", %u keys", ring->count);
	printf("; each record at %u nodes\n", c->owners);
	printf("node %s: gossip on port %u of %s, weight %u\n", config->node.name, c->port,
	       config->node.gossip_address.family
		       ? hf_address_format(&config->node.gossip_address, text)
		       : "the address that packets to the first seed leave from",
	       config->node.weight);
	printf("seeds:%s", c->seed_count ? "" : " none, this node is alone");
	for (uint32_t i = 0; i < c->seed_count; i++)
		printf(strchr(c->seeds[i].host, ':') ? " [%s]:%u" : " %s:%u", c->seeds[i].host,
		       c->seeds[i].port);
	printf("\n");
}

static int check(const char *path)
{
	struct hf_key_ring ring = { .count = 0 };
	struct hf_config_error error;
	struct hf_config *config;
	char why[512];
	int err = 0;

	if (hf_config_load(path, &config, &error) < 0) {
		fprintf(stderr, "%s\n", error.text);
		return EXIT_WRONG;
	}
	if (!config->cluster.insecure)
		err = hf_key_ring_read(config->cluster.key_file, &ring, why, sizeof(why));
	if (err)
		fprintf(stderr, "%s\n", why);
	else
		show(path, config, &ring);
	sodium_memzero(&ring, sizeof(ring));
	hf_config_free(config);
	return err ? EXIT_WRONG : EXIT_SUCCESS;
}

static int status(const struct options *o)
{
	int result = hf_show_status(stdout, o->daemon.instance, o->json);

	return result < 0 ? EXIT_WRONG : result;
}

static int exit_code(int err)
{
	if (!err)
		return EXIT_SUCCESS;
	return err == -EINVAL ? EXIT_WRONG : EXIT_FAILURE;
}

const char *argp_program_version = "syncd (Holdfast) " HF_VERSION;

int main(int argc, char **argv)
{
	static const struct argp parser = {
		option_table,
		take_option,
		"\nkeygen FILE [add|promote|retire]",
		"Holdfast's gossip daemon: finds out which nodes live, and keeps the records of "
		"flows at the nodes that own them. SIGHUP takes new keys and seeds; SIGTERM hands "
		"records on, says farewell to the cluster, and stops.\v"
		"`keygen FILE` makes a key file. To change the key while all runs: `keygen FILE "
		"add`, "
		"copy the file to all nodes and reload syncd on each; then the same with promote, "
		"and with retire.\n\n"
		"Exit status: 0 done, 1 failed, 2 wrong configuration or options.",
		NULL,
		NULL,
		NULL,
	};
	struct options o = { .daemon = { .config_path = DEFAULT_CONFIG,
					 .instance = DEFAULT_INSTANCE,
					 .user = HF_SYNCD_DEFAULT_USER } };

	argp_err_exit_status = EXIT_WRONG;
	argp_parse(&parser, argc, argv, 0, NULL, &o);
	hf_log_open("syncd", o.debug ? HF_LOG_DEBUG : HF_LOG_NOTICE);
	if (sodium_init() < 0) {
		hf_error("libsodium does not start");
		return EXIT_FAILURE;
	}
	switch (o.verb) {
	case CHECK:
		return check(o.daemon.config_path);
	case STATUS:
		return status(&o);
	case KEYGEN:
		return exit_code(hf_keygen(o.key_file, o.step));
	case RUN:
		break;
	}
	return exit_code(hf_daemon_run(&o.daemon));
}
