// SPDX-License-Identifier: BSD-2-Clause
#include "syncd/status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/address.h"
#include "lib/log.h"
#include "lib/seqpacket.h"
#include "proto/node.pb-c.h"
#include "lib/node_protocol.h"

#define PATIENCE_S 1

static int connect_to(const char *instance)
{
	char path[108];
	int fd =
		hf_seqpacket_connect(hf_node_socket_path(instance, path, sizeof(path)), PATIENCE_S);

	if (fd < 0)
		hf_error("can't reach syncd at %s: %s; `systemctl status syncd` tells whether it "
			 "runs",
			 path, strerror(-fd));
	return fd;
}

static int ask(int fd)
{
	Holdfast__ToSync message = HOLDFAST__TO_SYNC__INIT;
	Holdfast__StatusAsk status = HOLDFAST__STATUS_ASK__INIT;
	uint8_t packet[64];
	size_t length;

	message.body_case = HOLDFAST__TO_SYNC__BODY_STATUS;
	message.status = &status;
	length = holdfast__to_sync__pack(&message, packet);
	return send(fd, packet, length, MSG_NOSIGNAL) == (ssize_t)length ? 0 : -errno;
}

/* The answer comes after a hello. */
static Holdfast__FromSync *receive(int fd)
{
	static uint8_t packet[HF_NODE_PACKET];
	Holdfast__FromSync *message;
	ssize_t length;

	while ((length = recv(fd, packet, sizeof(packet), 0)) > 0) {
		message = holdfast__from_sync__unpack(NULL, length, packet);
		if (message && message->body_case == HOLDFAST__FROM_SYNC__BODY_STATUS)
			return message;
		holdfast__from_sync__free_unpacked(message, NULL);
	}
	return NULL;
}

static const char *endpoint_text(const Holdfast__NodeMember *m, char *text)
{
	struct hf_address address = { .family = m->address.len == 4 ? 4 : 6 };

	if (m->address.len != 4 && m->address.len != 16)
		return "-";
	memcpy(address.word, m->address.data, m->address.len);
	return hf_endpoint_format(&address, m->port, text);
}

static void show_duration(FILE *out, int64_t ms)
{
	if (ms < 0)
		fprintf(out, "%9s", "never");
	else if (ms < 10000)
		fprintf(out, "%6ld ms", (long)ms);
	else if (ms < 7200000)
		fprintf(out, "%7ld s", (long)(ms / 1000));
	else
		fprintf(out, "%7ld h", (long)(ms / 3600000));
}

static void show_members(FILE *out, const Holdfast__Status *s)
{
	char text[HF_ADDRESS_TEXT];

	fprintf(out, "%-16s %-8s %-5s %9s %9s %6s %7s  %s\n", "member", "state", "ready", "since",
		"heard", "epoch", "queued", "address");
	for (size_t i = 0; i < s->n_members; i++) {
		const Holdfast__NodeMember *m = s->members[i];

		fprintf(out, "%-16.63s %-8s %-5s ", m->name, m->state, m->ready ? "yes" : "no");
		show_duration(out, m->since_ms);
		fputc(' ', out);
		show_duration(out, m->heard_ms);
		fprintf(out, " %6u %7u  %s\n", m->epoch, m->queue, endpoint_text(m, text));
	}
}

static void show_text(FILE *out, const Holdfast__Status *s)
{
	for (size_t i = 0; i < s->n_problems; i++)
		fprintf(out, "! %s\n", s->problems[i]);
	if (!s->n_problems)
		fprintf(out, "all is well\n");
	fprintf(out, "%s, of cluster %s%s: %s\n", s->name, s->cluster,
		s->insecure ? " (INSECURE)" : "", s->readiness);
	fprintf(out, "epoch %u, %s; %lu records held; lbnode %s; keys", s->epoch,
		s->settled ? "all handed over" : "handing over", (unsigned long)s->records,
		s->lbnode ? "connected" : "not connected");
	for (size_t i = 0; i < s->key_ids.len; i++)
		fprintf(out, " %02x%s", s->key_ids.data[i], i ? "" : " (in force)");
	fprintf(out, "\n\n");
	show_members(out, s);
	fprintf(out, "\n");
	for (size_t i = 0; i < s->n_counters; i++)
		if (s->counters[i]->count)
			fprintf(out, "%-24s %lu\n", s->counters[i]->name,
				(unsigned long)s->counters[i]->count);
}

/* Names and versions have no character that JSON would have escaped (core/message.c). */
static void json_member(FILE *out, const Holdfast__NodeMember *m)
{
	char text[HF_ADDRESS_TEXT];

	fprintf(out,
		"{\"name\": \"%s\", \"state\": \"%s\", \"ready\": %s, \"address\": \"%s\", "
		"\"version\": \"%s\", \"incarnation\": %u, \"boot\": \"%016lx\", \"epoch\": %u, ",
		m->name, m->state, m->ready ? "true" : "false", endpoint_text(m, text), m->version,
		m->incarnation, (unsigned long)m->boot, m->epoch);
	fprintf(out,
		"\"view\": \"%016lx\", \"config\": \"%016lx\", \"tables\": \"%016lx\", "
		"\"weight\": %u, \"since_ms\": %ld, \"heard_ms\": %ld, \"queued\": %u, "
		"\"conflict\": %s%s%s}",
		(unsigned long)m->view, (unsigned long)m->config, (unsigned long)m->tables,
		m->weight, (long)m->since_ms, (long)m->heard_ms, m->queue,
		m->conflict[0] ? "\"" : "", m->conflict[0] ? m->conflict : "null",
		m->conflict[0] ? "\"" : "");
}

static void show_json(FILE *out, const Holdfast__Status *s)
{
	fprintf(out,
		"{\"name\": \"%s\", \"cluster\": \"%s\", \"version\": \"%s\", \"insecure\": %s, "
		"\"ready\": %s, \"readiness\": \"%s\", ",
		s->name, s->cluster, s->version, s->insecure ? "true" : "false",
		s->ready ? "true" : "false", s->readiness);
	fprintf(out,
		"\"epoch\": %u, \"view\": \"%016lx\", \"settled\": %s, \"records\": %lu, "
		"\"lbnode\": %s, \"keys\": [",
		s->epoch, (unsigned long)s->view, s->settled ? "true" : "false",
		(unsigned long)s->records, s->lbnode ? "true" : "false");
	for (size_t i = 0; i < s->key_ids.len; i++)
		fprintf(out, "%s\"%02x\"", i ? ", " : "", s->key_ids.data[i]);
	fprintf(out, "], \"problems\": [");
	for (size_t i = 0; i < s->n_problems; i++)
		fprintf(out, "%s\"%s\"", i ? ", " : "", s->problems[i]);
	fprintf(out, "], \"members\": [");
	for (size_t i = 0; i < s->n_members; i++) {
		fputs(i ? ", " : "", out);
		json_member(out, s->members[i]);
	}
	fprintf(out, "], \"counters\": {");
	for (size_t i = 0; i < s->n_counters; i++)
		fprintf(out, "%s\"%s\": %lu", i ? ", " : "", s->counters[i]->name,
			(unsigned long)s->counters[i]->count);
	fprintf(out, "}}\n");
}

int hf_show_status(FILE *out, const char *instance, bool json)
{
	int fd = connect_to(instance), err;
	Holdfast__FromSync *answer;

	if (fd < 0)
		return fd;
	err = ask(fd);
	answer = err ? NULL : receive(fd);
	close(fd);
	if (!answer) {
		hf_error("syncd has not answered within %d s; its log may say why", PATIENCE_S);
		return -ETIMEDOUT;
	}
	if (json)
		show_json(out, answer->status);
	else
		show_text(out, answer->status);
	err = answer->status->n_problems ? 1 : 0;
	holdfast__from_sync__free_unpacked(answer, NULL);
	return err;
}
