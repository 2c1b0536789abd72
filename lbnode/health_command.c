// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/health_command.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lbnode/control_client.h"
#include "lib/log.h"
#include "lib/text.h"

static void action(const Holdfast__OverrideState *o, char text[32])
{
	if (strcmp(o->action, "weight") == 0)
		snprintf(text, 32, "weight %u", o->weight);
	else
		snprintf(text, 32, "%s", o->action);
}

static void print_override(FILE *out, const Holdfast__OverrideState *o)
{
	char what[32], left[24];

	action(o, what);
	fprintf(out, "%s", what);
	if (o->author[0])
		fprintf(out, ", by %s", o->author);
	if (o->seconds_left)
		fprintf(out, ", for another %s", hf_duration_text(o->seconds_left, left));
	if (o->reason[0])
		fprintf(out, ": %s", o->reason);
}

/* What is worth a second line at 3 a.m. */
static void print_remarks(FILE *out, const Holdfast__BackendState *b)
{
	char since[HF_DURATION_TEXT];

	if (b->checked && !b->verdict_up)
		fprintf(out, "    down for %s: %s\n", hf_duration_text(b->verdict_s, since),
			b->cause);
	if (b->dissents)
		fprintf(out, "    this node thinks otherwise: %s%s%s\n", b->check,
			b->check_cause[0] ? ", last failure: " : "", b->check_cause);
	if (b->override) {
		fprintf(out, "    override: ");
		print_override(out, b->override);
		fprintf(out, "\n");
	}
}

static void print_backend(FILE *out, const Holdfast__BackendState *b, char last_pool[64])
{
	if (strcmp(b->pool, last_pool) != 0) {
		fprintf(out, "pool %s%s\n", b->pool,
			strcmp(b->pool_state, "fail-open") == 0
				? ": ALL BACKENDS LOOK DEAD, so all of them serve"
			: strcmp(b->pool_state, "panic") == 0
				? ": PANIC, too many went down at once, so all of them serve"
				: "");
		snprintf(last_pool, 64, "%s", b->pool);
	}
	fprintf(out, "  %-20s %-39s %-8s weight %u of %u%s\n", b->name, b->address, b->state,
		b->weight, b->configured_weight,
		!b->checked   ? ", not checked"
		: b->check[0] ? ", checked here, too"
			      : "");
	print_remarks(out, b);
}

static void json_override(FILE *out, const Holdfast__OverrideState *o)
{
	fprintf(out, "{");
	hf_json_text(out, "target", o->target);
	fprintf(out, ",");
	hf_json_text(out, "action", o->action);
	if (strcmp(o->action, "weight") == 0)
		fprintf(out, ",\"weight\":%u", o->weight);
	fprintf(out, ",");
	hf_json_text(out, "author", o->author);
	fprintf(out, ",");
	hf_json_text(out, "reason", o->reason);
	fprintf(out, ",\"set_at\":%.3f,\"seconds_left\":", o->set_at / 1000.0);
	if (o->seconds_left)
		fprintf(out, "%u", o->seconds_left);
	else
		fprintf(out, "null");
	fprintf(out, ",\"unknown\":%s}", o->unknown ? "true" : "false");
}

static void json_check(FILE *out, const Holdfast__BackendState *b)
{
	if (!b->checked) {
		fprintf(out, ",\"verdict\":null,\"check\":null");
		return;
	}
	fprintf(out, ",\"verdict\":{\"up\":%s,\"seconds\":", b->verdict_up ? "true" : "false");
	if (b->verdict_passed)
		fprintf(out, "%u,", b->verdict_s);
	else
		fprintf(out, "null,");
	hf_json_text(out, "cause", b->cause);
	fprintf(out, "},\"check\":");
	if (!b->check[0]) {
		fprintf(out, "null");
		return;
	}
	fprintf(out, "{");
	hf_json_text(out, "state", b->check);
	fprintf(out, ",");
	hf_json_text(out, "last_failure", b->check_cause);
	fprintf(out, ",\"dissents\":%s}", b->dissents ? "true" : "false");
}

static void json_backend(FILE *out, const Holdfast__BackendState *b, bool first)
{
	fprintf(out, "%s\n{", first ? "" : ",");
	hf_json_text(out, "pool", b->pool);
	fprintf(out, ",");
	hf_json_text(out, "pool_state", b->pool_state);
	fprintf(out, ",");
	hf_json_text(out, "name", b->name);
	fprintf(out, ",");
	hf_json_text(out, "address", b->address);
	fprintf(out, ",");
	hf_json_text(out, "state", b->state);
	fprintf(out, ",\"weight\":%u,\"configured_weight\":%u", b->weight, b->configured_weight);
	json_check(out, b);
	fprintf(out, ",\"override\":");
	if (b->override)
		json_override(out, b->override);
	else
		fprintf(out, "null");
	fprintf(out, "}");
}

static void print_counters(FILE *out, const Holdfast__Backends *b)
{
	fprintf(out,
		"this node's agent: %lu probes, %lu failed, %lu could not be made; %lu opinions "
		"and "
		"%lu verdicts posted; %lu plans put in force\n",
		(unsigned long)b->probes, (unsigned long)b->failures, (unsigned long)b->unable,
		(unsigned long)b->opinions, (unsigned long)b->verdicts, (unsigned long)b->plans);
}

static void json_counters(FILE *out, const Holdfast__Backends *b)
{
	fprintf(out,
		"\n],\"counters\":{\"probes\":%lu,\"failures\":%lu,\"unable\":%lu,\"opinions\":%lu,"
		"\"verdicts\":%lu,\"plans\":%lu}}\n",
		(unsigned long)b->probes, (unsigned long)b->failures, (unsigned long)b->unable,
		(unsigned long)b->opinions, (unsigned long)b->verdicts, (unsigned long)b->plans);
}

static Holdfast__FromNode *ask_backends(int fd, uint32_t from)
{
	Holdfast__ToNode message = HOLDFAST__TO_NODE__INIT;
	Holdfast__BackendsAsk body = HOLDFAST__BACKENDS_ASK__INIT;

	body.from = from;
	message.body_case = HOLDFAST__TO_NODE__BODY_BACKENDS;
	message.backends = &body;
	return hf_control_ask(fd, &message, HOLDFAST__FROM_NODE__BODY_BACKENDS);
}

int hf_show_backends(FILE *out, const char *instance, bool json)
{
	int fd = hf_control_connect(instance);
	char last_pool[64] = "";
	bool first = true;
	uint32_t next = 0;

	if (fd < 0)
		return fd;
	if (json)
		fprintf(out, "{\"backends\":[");
	do {
		Holdfast__FromNode *reply = ask_backends(fd, next);

		if (!reply) {
			close(fd);
			return -EPROTO;
		}
		for (size_t i = 0; i < reply->backends->n_backends; i++, first = false) {
			if (json)
				json_backend(out, reply->backends->backends[i], first);
			else
				print_backend(out, reply->backends->backends[i], last_pool);
		}
		next = reply->backends->next;
		if (!next && json)
			json_counters(out, reply->backends);
		else if (!next)
			print_counters(out, reply->backends);
		holdfast__from_node__free_unpacked(reply, NULL);
	} while (next);
	close(fd);
	return 0;
}

static Holdfast__FromNode *ask_overrides(int fd, uint32_t from)
{
	Holdfast__ToNode message = HOLDFAST__TO_NODE__INIT;
	Holdfast__OverridesAsk body = HOLDFAST__OVERRIDES_ASK__INIT;

	body.from = from;
	message.body_case = HOLDFAST__TO_NODE__BODY_OVERRIDES;
	message.overrides = &body;
	return hf_control_ask(fd, &message, HOLDFAST__FROM_NODE__BODY_OVERRIDES);
}

static void show_override(FILE *out, const Holdfast__OverrideState *o)
{
	time_t at = (time_t)(o->set_at / 1000);
	char when[32];

	strftime(when, sizeof(when), "%F %T", localtime(&at));
	fprintf(out, "%-40s %s  ", o->target, when);
	print_override(out, o);
	fprintf(out, "%s\n", o->unknown ? " (no such backend in this node's configuration)" : "");
}

int hf_show_overrides(FILE *out, const char *instance, bool json)
{
	int fd = hf_control_connect(instance);
	uint32_t next = 0, count = 0;

	if (fd < 0)
		return fd;
	if (json)
		fprintf(out, "{\"overrides\":[");
	do {
		Holdfast__FromNode *reply = ask_overrides(fd, next);

		if (!reply) {
			close(fd);
			return -EPROTO;
		}
		for (size_t i = 0; i < reply->overrides->n_overrides; i++, count++) {
			if (json) {
				fprintf(out, "%s\n", count ? "," : "");
				json_override(out, reply->overrides->overrides[i]);
			} else {
				show_override(out, reply->overrides->overrides[i]);
			}
		}
		next = reply->overrides->next;
		holdfast__from_node__free_unpacked(reply, NULL);
	} while (next);
	if (json)
		fprintf(out, "\n]}\n");
	else if (!count)
		fprintf(out, "no overrides: backends serve as the configuration and their checks "
			     "say\n");
	close(fd);
	return 0;
}

/* Splits "POOL/BACKEND=ACTION[:WEIGHT]". */
static int parse(char *words, Holdfast__OverrideSet *set)
{
	char *action_text = strchr(words, '='), *weight, *end;

	if (!action_text)
		return -EINVAL;
	*action_text++ = '\0';
	weight = strchr(action_text, ':');
	if (weight) {
		*weight++ = '\0';
		set->weight = strtoul(weight, &end, 10);
		if (!*weight || *end || strcmp(action_text, "weight") != 0)
			return -EINVAL;
	}
	set->target = words;
	set->action = action_text;
	return 0;
}

/* Who runs this, also under sudo. */
static const char *who(void)
{
	const char *name = getenv("SUDO_USER");
	const struct passwd *user = getpwuid(getuid());

	return name ? name : user ? user->pw_name : "";
}

static int send_override(const char *instance, Holdfast__OverrideSet *set)
{
	Holdfast__ToNode message = HOLDFAST__TO_NODE__INIT;
	Holdfast__FromNode *reply;
	int fd = hf_control_connect(instance), err = 0;

	if (fd < 0)
		return fd;
	message.body_case = HOLDFAST__TO_NODE__BODY_OVERRIDE;
	message.override = set;
	reply = hf_control_ask(fd, &message, HOLDFAST__FROM_NODE__BODY_RESULT);
	close(fd);
	if (!reply)
		return -EPROTO;
	if (reply->result->error[0]) {
		hf_error("override refused: %s", reply->result->error);
		err = -EINVAL;
	}
	holdfast__from_node__free_unpacked(reply, NULL);
	return err;
}

int hf_override_backend(const char *instance, const char *words, const char *author,
			const char *reason, uint32_t seconds)
{
	Holdfast__OverrideSet set = HOLDFAST__OVERRIDE_SET__INIT;
	char *copy = strdup(words);
	int err = copy ? parse(copy, &set) : -ENOMEM;

	set.author = (char *)(author ? author : who());
	set.reason = (char *)reason;
	set.seconds = seconds;
	if (err)
		hf_error("\"%s\" is no override; use POOL/BACKEND=drain, =disable, =weight:N or "
			 "=none",
			 words);
	else
		err = send_override(instance, &set);
	free(copy);
	return err;
}
