/* SPDX-License-Identifier: BSD-2-Clause */
/* lbctl's commands: each is a row of the table in main.c, from which the help is made, too. */
#ifndef HF_LBCTL_COMMAND_H
#define HF_LBCTL_COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* As of systemctl and iproute2. Of what tells how things are: fine, degraded, can't tell. */
enum {
	HF_EXIT_FINE = 0,
	HF_EXIT_DEGRADED = 1,
	HF_EXIT_FAILED = 1,
	HF_EXIT_UNKNOWN = 2,
	HF_EXIT_WRONG = 2
};

struct hf_context {
	const char *instance;
	const char *config; /* the configuration's path; NULL: what the running lbnode has */
	const char *node;   /* --node; NULL: all */
	const char *pool, *backend, *state;
	const char *by, *reason;
	uint32_t for_s, timeout_s;
	uint32_t count; /* 0: the command's own default */
	bool json, follow, all, syn;
	char **words; /* after the command's name */
	int word_count;
};

/* Each returns the exit status. */
int hf_command_status(const struct hf_context *context);
int hf_command_nodes(const struct hf_context *context);
int hf_command_services(const struct hf_context *context);
int hf_command_backends(const struct hf_context *context);
int hf_command_flows(const struct hf_context *context);
int hf_command_sync(const struct hf_context *context);
int hf_command_bgp(const struct hf_context *context);
int hf_command_events(const struct hf_context *context);
int hf_command_counters(const struct hf_context *context);
int hf_command_top(const struct hf_context *context);
int hf_command_explain(const struct hf_context *context);
int hf_command_drain(const struct hf_context *context);
int hf_command_undrain(const struct hf_context *context);
int hf_command_disable(const struct hf_context *context);
int hf_command_weight(const struct hf_context *context);
int hf_command_overrides(const struct hf_context *context);
int hf_command_reload(const struct hf_context *context);
int hf_command_check(const struct hf_context *context);
int hf_command_diff(const struct hf_context *context);
int hf_command_doctor(const struct hf_context *context);
int hf_command_support_bundle(const struct hf_context *context);

/* Prints it, if JSON was asked for: then true. */
bool hf_print_json(const struct hf_context *context, const json_t *json);

/* Gathers, and says on standard error who did not answer; *status: HF_EXIT_FINE, or HF_EXIT_UNKNOWN
 * if nobody did. */
json_t *hf_gather_or_say(const struct hf_context *context, unsigned int parts, int *status);

#endif
