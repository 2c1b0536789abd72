// SPDX-License-Identifier: BSD-2-Clause
#include <argp.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "integration/load/workers.h"

#define CONNECTIONS_MAX 1000000

struct options {
	struct load_settings load;
	bool json;
};

static const struct argp_option option_table[] = {
	{ "json", 'j', NULL, 0, "Report as one JSON object", 0 },
	{ "connections", 'c', "N", 0, "Connections in all, shared among the targets (default: 100)",
	  0 },
	{ "rate", 'r', "R", 0, "Requests a second on each connection (default: 1)", 0 },
	{ "seconds", 's', "S", 0, "How long, once all connections are open (default: 10)", 0 },
	{ 0 },
};

static double take_number(struct argp_state *state, const char *what, const char *text, double low,
			  double high)
{
	char *end;
	double value = strtod(text, &end);

	if (!*text || *end || !(value >= low && value <= high))
		argp_error(state, "\"%s\" is no %s; use %g to %g", text, what, low, high);
	return value;
}

/* ADDR:PORT, IPv6 addresses in brackets. */
static void take_target(struct argp_state *state, struct load_settings *load, const char *text)
{
	struct sockaddr_storage *target = &load->target[load->target_count];
	struct sockaddr_in *v4 = (struct sockaddr_in *)target;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)target;
	char host[64] = "";
	unsigned int port = 0;
	int used = 0;

	if (load->target_count == LOAD_TARGETS_MAX)
		argp_error(state, "more than %d targets", LOAD_TARGETS_MAX);
	if (sscanf(text, "[%63[^]]]:%5u%n", host, &port, &used) == 2 && !text[used] && port &&
	    port < 65536 && inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
	} else if (sscanf(text, "%63[^:]:%5u%n", host, &port, &used) == 2 && !text[used] && port &&
		   port < 65536 && inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
	} else {
		argp_error(state, "\"%s\" is no target; use ADDR:PORT or [ADDR]:PORT", text);
	}
	load->target_count++;
}

static error_t take_option(int key, char *argument, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'j':
		o->json = true;
		return 0;
	case 'c':
		o->load.connections =
			take_number(state, "number of connections", argument, 1, CONNECTIONS_MAX);
		return 0;
	case 'r':
		o->load.rate = take_number(state, "rate", argument, 0.001, 100);
		return 0;
	case 's':
		o->load.seconds = take_number(state, "number of seconds", argument, 1, 864000);
		return 0;
	case ARGP_KEY_ARG:
		take_target(state, &o->load, argument);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which ADDR:PORT?");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void show_json(const struct load_report *r)
{
	printf("{\"connections\": %u, \"opened\": %u, \"broken\": %u, \"stalled\": %u, "
	       "\"longest_gap_ms\": %lu, \"longest_gap_at\": %.3f, \"retransmits\": %lu, "
	       "\"requests\": %lu, \"answers\": %lu",
	       r->connections, r->opened, r->broken, r->stalled, (unsigned long)r->longest_gap_ms,
	       r->longest_gap_at / 1e3, (unsigned long)r->retransmits, (unsigned long)r->requests,
	       (unsigned long)r->answers);
	printf(", \"faults\": {");
	for (int i = LOAD_FINE + 1; i < LOAD_FAULTS; i++)
		printf("%s\"%s\": %u", i > 1 ? ", " : "", load_fault_names[i], r->fault[i]);
	printf("}, \"backends\": {");
	for (uint32_t i = 0; i < r->backend_count; i++)
		printf("%s\"%s\": %u", i ? ", " : "", r->backend[i].name,
		       r->backend[i].connections);
	printf("}, \"lost\": {");
	for (uint32_t i = 0, shown = 0; i < r->backend_count; i++)
		if (r->backend[i].lost)
			printf("%s\"%s\": %u", shown++ ? ", " : "", r->backend[i].name,
			       r->backend[i].lost);
	printf("}}\n");
}

static void show_text(const struct load_report *r)
{
	printf("%u connections, %u opened; %lu requests, %lu answers\n", r->connections, r->opened,
	       (unsigned long)r->requests, (unsigned long)r->answers);
	printf("%u broken", r->broken);
	for (int i = LOAD_FINE + 1; i < LOAD_FAULTS; i++)
		if (r->fault[i])
			printf(", %s: %u", load_fault_names[i], r->fault[i]);
	printf("; %u stalled; longest gap %lu ms; %lu retransmissions\n", r->stalled,
	       (unsigned long)r->longest_gap_ms, (unsigned long)r->retransmits);
	printf("answered by");
	for (uint32_t i = 0; i < r->backend_count; i++)
		printf(" %s (%u)", r->backend[i].name, r->backend[i].connections);
	printf(r->backend_count ? "\n" : " nobody\n");
}

int main(int argc, char **argv)
{
	static const struct argp parser = {
		option_table,
		take_option,
		"ADDR:PORT...",
		"Opens long-lived TCP connections from all addresses of the loopback device in "
		"turn, "
		"sends a numbered request on each now and then, and checks that every answer comes "
		"in order and from the same backend.\v"
		"The servers speak HTTP, or echo. Exit status: 0 all is well, 1 connections broke "
		"or "
		"stalled, 2 wrong options.",
		NULL,
		NULL,
		NULL,
	};
	struct options o = { .load = { .connections = 100, .rate = 1, .seconds = 10 } };
	static struct load_report report;

	argp_err_exit_status = 2;
	argp_parse(&parser, argc, argv, 0, NULL, &o);
	o.load.progress = !o.json && isatty(STDERR_FILENO);
	if (workers_run(&o.load, &report) < 0)
		return 1;
	if (o.json)
		show_json(&report);
	else
		show_text(&report);
	return report.broken || report.stalled ? 1 : 0;
}
