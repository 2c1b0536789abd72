// SPDX-License-Identifier: BSD-2-Clause
#include "bgp/status.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/bgp_protocol.h"
#include "lib/log.h"
#include "lib/seqpacket.h"
#include "lib/seqpacket_server.h"
#include "lib/text.h"
#include "proto/bgp.pb-c.h"

#define PATIENCE_S 1

static int connect_to(const char *instance)
{
	char path[108];
	int fd = hf_seqpacket_connect(hf_bgp_socket_path(instance, path, sizeof(path)), PATIENCE_S);

	if (fd < 0)
		hf_error("can't reach lbbgp at %s: %s; does it run (`systemctl status lbbgp`), and "
			 "are you root?",
			 path, strerror(-fd));
	return fd;
}

/* NULL, logged: there was no answer of this kind. */
static Holdfast__FromBgp *ask(int fd, const Holdfast__ToBgp *message,
			      Holdfast__FromBgp__BodyCase expected)
{
	static uint8_t packet[HF_SEQPACKET_MAX];
	Holdfast__FromBgp *reply = NULL;
	ssize_t length = (ssize_t)holdfast__to_bgp__pack(message, packet);

	if (send(fd, packet, length, MSG_NOSIGNAL) == length) {
		length = recv(fd, packet, sizeof(packet), 0);
		if (length > 0)
			reply = holdfast__from_bgp__unpack(NULL, length, packet);
	}
	if (reply && reply->body_case == expected)
		return reply;
	holdfast__from_bgp__free_unpacked(reply, NULL);
	hf_error("lbbgp has not answered within %d s; its log may tell why, or it is of another "
		 "version",
		 PATIENCE_S);
	return NULL;
}

static Holdfast__FromBgp *ask_state(int fd, uint32_t from)
{
	Holdfast__ToBgp message = HOLDFAST__TO_BGP__INIT;
	Holdfast__BgpAsk body = HOLDFAST__BGP_ASK__INIT;

	body.from = from;
	message.body_case = HOLDFAST__TO_BGP__BODY_ASK;
	message.ask = &body;
	return ask(fd, &message, HOLDFAST__FROM_BGP__BODY_STATE);
}

/* What BIRD announces; else only what it should. */
static bool is_known(const Holdfast__BgpState *s)
{
	return s->bird[0] && s->settled;
}

static void show_head(FILE *out, const Holdfast__BgpState *s)
{
	for (size_t i = 0; i < s->n_problems; i++)
		fprintf(out, "! %s\n", s->problems[i]);
	if (!s->n_problems)
		fprintf(out, "all is well\n");
	fprintf(out, "node %s, AS %u: %u of %u VIPs %s", s->node, s->local_as, s->out_count,
		s->vip_count, is_known(s) ? "announced" : "to be announced");
	if (s->weight)
		fprintf(out, ", with weight %u", s->weight);
	if (s->drained || s->draining)
		fprintf(out, "; the node is drained, by %s",
			s->drained ? "`lbbgp --drain`" : "`lbctl drain node`");
	fprintf(out, "\nlease: %s%s%.1f s left; BIRD: %s%s\n\n", s->lbnode[0] ? s->lbnode : "none",
		s->lbnode[0] ? ", " : " yet, ", (double)s->lease_ms / 1000,
		s->bird[0] ? s->bird : "not connected",
		s->bird[0] && !s->settled ? ", has not taken what is wanted" : "");
}

static void show_exported(FILE *out, const Holdfast__SessionState *s, size_t f)
{
	fprintf(out, "%s %s ", f ? "," : "", s->families[f]);
	if (s->told[f])
		fprintf(out, "%u of %u", s->exported[f], s->announced[f]);
	else
		fprintf(out, "unknown");
}

static void show_sessions(FILE *out, const Holdfast__BgpState *s)
{
	if (!s->n_sessions)
		return;
	fprintf(out, "%-20s %-28s %-12s exported VIPs\n", "session", "neighbour", "state");
	for (size_t i = 0; i < s->n_sessions; i++) {
		const Holdfast__SessionState *x = s->sessions[i];

		fprintf(out, "%-20s %-28s %-12s", x->name, x->neighbour, x->state);
		for (size_t f = 0; f < x->n_families; f++)
			show_exported(out, x, f);
		fprintf(out, "%s\n", x->expected ? "" : " (not in bgp.peers)");
	}
	fprintf(out, "\n");
}

static void show_vip(FILE *out, const Holdfast__VipState *v)
{
	char since[HF_DURATION_TEXT], left[HF_DURATION_TEXT];

	fprintf(out, "%-39s %-10s %8s  %u usable, %u needed", v->address, v->state,
		hf_duration_text((uint32_t)(v->since_ms / 1000), since), v->usable, v->needed);
	if (v->reachable < v->usable)
		fprintf(out, ", only %u reachable", v->reachable);
	if (v->why[0])
		fprintf(out, "; %s", v->why);
	if (v->left_ms)
		fprintf(out, ", for another %s",
			hf_duration_text((uint32_t)((v->left_ms + 999) / 1000), left));
	fprintf(out, "\n");
}

static void json_head(FILE *out, const Holdfast__BgpState *s)
{
	hf_json_text(out, "node", s->node);
	fprintf(out, ",\"local_as\":%u,\"weight\":%u,", s->local_as, s->weight);
	hf_json_text(out, "version", s->version);
	fprintf(out, ",\"vip_count\":%u,\"wanted\":%u,\"announced\":", s->vip_count, s->out_count);
	if (is_known(s))
		fprintf(out, "%u", s->out_count);
	else
		fprintf(out, "null");
	fprintf(out, ",\"lease\":{\"ms_left\":%ld,", (long)s->lease_ms);
	hf_json_text(out, "by", s->lbnode);
	fprintf(out, ",\"ready\":%s,", s->ready ? "true" : "false");
	hf_json_text(out, "why_not", s->why_not);
	fprintf(out, ",\"draining\":%s},\"drained\":%s,", s->draining ? "true" : "false",
		s->drained ? "true" : "false");
	hf_json_text(out, "bird", s->bird);
	fprintf(out, ",\"settled\":%s,", s->settled ? "true" : "false");
	hf_json_text(out, "include", s->include);
	fputc(',', out);
	hf_json_text(out, "device", s->device);
	fprintf(out, ",\"problems\":[");
	for (size_t i = 0; i < s->n_problems; i++) {
		fputs(i ? "," : "", out);
		hf_json_text(out, NULL, s->problems[i]);
	}
	fprintf(out, "],\"counters\":{");
	for (size_t i = 0; i < s->n_counters; i++)
		fprintf(out, "%s\"%s\":%lu", i ? "," : "", s->counters[i]->name,
			(unsigned long)s->counters[i]->count);
	fprintf(out, "},\"sessions\":[");
}

static void json_session(FILE *out, const Holdfast__SessionState *s)
{
	fputc('{', out);
	hf_json_text(out, "name", s->name);
	fputc(',', out);
	hf_json_text(out, "neighbour", s->neighbour);
	fputc(',', out);
	hf_json_text(out, "state", s->state);
	fprintf(out, ",\"expected\":%s,\"exported\":{", s->expected ? "true" : "false");
	for (size_t f = 0; f < s->n_families; f++)
		if (s->told[f])
			fprintf(out, "%s\"%s\":{\"vips\":%u,\"of\":%u}", f ? "," : "",
				s->families[f], s->exported[f], s->announced[f]);
		else
			fprintf(out, "%s\"%s\":null", f ? "," : "", s->families[f]);
	fprintf(out, "}}");
}

static void json_vip(FILE *out, const Holdfast__VipState *v)
{
	fputc('{', out);
	hf_json_text(out, "address", v->address);
	fputc(',', out);
	hf_json_text(out, "state", v->state);
	fputc(',', out);
	hf_json_text(out, "why", v->why);
	fprintf(out,
		",\"since_ms\":%ld,\"ms_left\":%ld,\"usable\":%u,\"reachable\":%u,\"needed\":%u,"
		"\"drained\":%s,",
		(long)v->since_ms, (long)v->left_ms, v->usable, v->reachable, v->needed,
		v->drained ? "true" : "false");
	hf_json_text(out, "service", v->service);
	fputc('}', out);
}

static void show_first(FILE *out, const Holdfast__BgpState *s, bool json)
{
	if (!json) {
		show_head(out, s);
		show_sessions(out, s);
		if (s->n_vips)
			fprintf(out, "%-39s %-10s %8s  backends\n", "VIP",
				is_known(s) ? "state" : "to be", "for");
		return;
	}
	fputc('{', out);
	json_head(out, s);
	for (size_t i = 0; i < s->n_sessions; i++) {
		fputs(i ? "," : "", out);
		json_session(out, s->sessions[i]);
	}
	fprintf(out, "],\"vips\":[");
}

/* A page of the answer after the other. */
static int show(FILE *out, int fd, bool json)
{
	uint32_t from = 0;
	int problems = 0;

	do {
		Holdfast__FromBgp *reply = ask_state(fd, from);
		const Holdfast__BgpState *s;

		if (!reply)
			return -EPROTO;
		s = reply->state;
		if (!from) {
			show_first(out, s, json);
			problems = s->n_problems > 0;
		}
		for (size_t i = 0; i < s->n_vips; i++) {
			if (json && (from || i))
				fputc(',', out);
			if (json)
				json_vip(out, s->vips[i]);
			else
				show_vip(out, s->vips[i]);
		}
		from = s->next;
		holdfast__from_bgp__free_unpacked(reply, NULL);
	} while (from);
	if (json)
		fprintf(out, "]}\n");
	return problems;
}

int hf_show_bgp(FILE *out, const char *instance, bool json)
{
	int fd = connect_to(instance), result;

	if (fd < 0)
		return fd;
	result = show(out, fd, json);
	close(fd);
	return result;
}

int hf_drain_vip(const char *instance, const struct hf_address *vip, bool drained)
{
	Holdfast__ToBgp message = HOLDFAST__TO_BGP__INIT;
	Holdfast__DrainVip body = HOLDFAST__DRAIN_VIP__INIT;
	Holdfast__FromBgp *reply;
	int fd = connect_to(instance), err = 0;

	if (fd < 0)
		return fd;
	if (vip) {
		body.address.data = (uint8_t *)vip->word;
		body.address.len = hf_address_length(vip->family);
	}
	body.drained = drained;
	message.body_case = HOLDFAST__TO_BGP__BODY_DRAIN;
	message.drain = &body;
	reply = ask(fd, &message, HOLDFAST__FROM_BGP__BODY_RESULT);
	if (reply && reply->result->error[0])
		hf_error("%s", reply->result->error);
	if (!reply || reply->result->error[0])
		err = -EPROTO;
	holdfast__from_bgp__free_unpacked(reply, NULL);
	close(fd);
	return err;
}
