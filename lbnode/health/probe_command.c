// SPDX-License-Identifier: BSD-2-Clause
/* A program of the operator's: good if it ends with 0. It is told whom to check by its environment,
 * and is killed, with what it started, when its time is up. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lbnode/health/probe_kind.h"

#define ARGUMENTS_MAX 64 /* config_schema.c */

struct command {
	struct hf_probe probe;
	uv_process_t process;
	bool over; /* ended, or given up: nobody is to be told */
};

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void on_ended(uv_process_t *process, int64_t status, int signal)
{
	struct command *c = process->data;
	char cause[48];

	if (c->over) {
		uv_close((uv_handle_t *)process, on_closed);
		return;
	}
	if (signal)
		snprintf(cause, sizeof(cause), "the command was ended by signal %d", signal);
	else
		snprintf(cause, sizeof(cause), "the command ended with %d", (int)status);
	c->over = true;
	hf_probe_answer(&c->probe, !signal && status == 0, cause);
	uv_close((uv_handle_t *)process, on_closed);
}

static int spawn(struct hf_prober *prober, struct command *c, const struct hf_probe_target *t)
{
	char pool[96], backend[96], address[64 + HF_ADDRESS_TEXT], port[32];
	char *environment[] = {
		pool, backend, address, port, (char[]){ "PATH=/usr/sbin:/usr/bin:/sbin:/bin" }, NULL
	};
	char *arguments[ARGUMENTS_MAX + 1], text[HF_ADDRESS_TEXT];
	uv_process_options_t options = {
		.exit_cb = on_ended,
		.file = t->check->command[0],
		.args = arguments,
		.env = environment,
		.cwd = "/",
		/* A group of its own, to be killed as one. */
		.flags = UV_PROCESS_DETACHED,
	};

	for (uint32_t i = 0; i < t->check->command_count; i++)
		arguments[i] = t->check->command[i];
	arguments[t->check->command_count] = NULL;
	snprintf(pool, sizeof(pool), "HOLDFAST_POOL=%s", t->pool);
	snprintf(backend, sizeof(backend), "HOLDFAST_BACKEND=%s", t->backend);
	snprintf(address, sizeof(address), "HOLDFAST_ADDRESS=%s",
		 hf_address_format(&t->address, text));
	snprintf(port, sizeof(port), "HOLDFAST_PORT=%u", t->port);
	return uv_spawn(prober->loop, &c->process, &options);
}

static struct hf_probe *start(struct hf_prober *prober, const struct hf_probe_target *target)
{
	struct command *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->process.data = c;
	if (spawn(prober, c, target) == 0)
		return &c->probe;
	/* libuv wants it closed even if it never ran. */
	uv_close((uv_handle_t *)&c->process, on_closed);
	return NULL;
}

static void end(struct hf_probe *probe)
{
	struct command *c = (struct command *)probe;

	if (c->over)
		return;
	c->over = true;
	kill(-c->process.pid, SIGKILL);
}

const struct hf_probe_kind hf_probe_command = { start, end };
