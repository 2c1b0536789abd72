// SPDX-License-Identifier: BSD-2-Clause
/* What lbbgp answers to its node's lbnode, and to operators (proto/bgp.proto). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bgp/core/include.h"
#include "bgp/daemon.h"
#include "bgp/device.h"
#include "bgp/files.h"
#include "lib/log_message.h"
#include "proto/bgp.pb-c.h"

#define PAGE	     200 /* VIPs: far less than a packet */
#define SESSIONS_MAX 64	 /* told of */

static void pack(const Holdfast__FromBgp *message, struct hf_seqpacket_answer *answer)
{
	if (holdfast__from_bgp__get_packed_size(message) <= HF_SEQPACKET_MAX)
		answer->length = holdfast__from_bgp__pack(message, answer->bytes);
}

static void answer_result(const char *error, struct hf_seqpacket_answer *answer)
{
	Holdfast__FromBgp message = HOLDFAST__FROM_BGP__INIT;
	Holdfast__BgpResult body = HOLDFAST__BGP_RESULT__INIT;

	body.error = (char *)error;
	message.body_case = HOLDFAST__FROM_BGP__BODY_RESULT;
	message.result = &body;
	pack(&message, answer);
}

static bool read_address(const ProtobufCBinaryData *bytes, struct hf_address *address)
{
	if (bytes->len != 4 && bytes->len != 16)
		return false;
	*address = (struct hf_address){ .family = bytes->len == 4 ? 4 : 6 };
	memcpy(address->word, bytes->data, bytes->len);
	return true;
}

static uint32_t count_out(const struct hf_announcer *a)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < a->count; i++)
		count += hf_vip_is_out(&a->vips[i]);
	return count;
}

static bool take_vips(struct hf_bgp *b, const Holdfast__Lease *lease)
{
	struct hf_vip_facts *draft;

	if (lease->first)
		b->draft_count = 0;
	if (b->draft_count + lease->n_vips > HF_VIPS_MAX)
		return false;
	draft = realloc(b->draft, (b->draft_count + lease->n_vips + 1) * sizeof(*draft));
	if (!draft)
		return false;
	b->draft = draft;
	for (size_t i = 0; i < lease->n_vips; i++) {
		const Holdfast__LeaseVip *vip = lease->vips[i];
		struct hf_vip_facts *facts = &draft[b->draft_count];

		*facts = (struct hf_vip_facts){ .usable = vip->usable,
						.reachable = vip->reachable,
						.needed = vip->needed,
						.open = vip->open,
						.ways = vip->ways };
		snprintf(facts->service, sizeof(facts->service), "%s", vip->service);
		if (!read_address(&vip->address, &facts->address))
			return false;
		b->draft_count++;
	}
	return true;
}

static void take_lease(struct hf_bgp *b, const Holdfast__Lease *lease,
		       struct hf_seqpacket_answer *answer)
{
	Holdfast__FromBgp message = HOLDFAST__FROM_BGP__INIT;
	Holdfast__LeaseTaken body = HOLDFAST__LEASE_TAKEN__INIT;

	if (!take_vips(b, lease))
		return;
	if (lease->last) {
		int64_t now = hf_bgp_now();
		int64_t sent = lease->sent_ms < now ? lease->sent_ms : now;

		snprintf(b->lbnode, sizeof(b->lbnode), "%s", lease->program);
		snprintf(b->why_not, sizeof(b->why_not), "%s", lease->why_not);
		if (hf_announcer_lease(&b->announcer, lease->ready, lease->draining, b->draft,
				       b->draft_count, sent) < 0)
			hf_error("no room for lbnode's lease of %u VIPs", b->draft_count);
		b->draft_count = 0;
		hf_lease_note(b->settings.instance, b->announcer.lease_until);
		hf_bgp_settle(b);
	}
	body.withdrawn = !count_out(&b->announcer) && hf_driver_is_settled(&b->driver);
	message.body_case = HOLDFAST__FROM_BGP__BODY_TAKEN;
	message.taken = &body;
	pack(&message, answer);
}

static const char *drain(struct hf_bgp *b, const Holdfast__DrainVip *word)
{
	bool all = !word->address.len;
	struct hf_address address;
	char text[HF_ADDRESS_TEXT];

	if (!all && !read_address(&word->address, &address))
		return "this is no address";
	if (!all && !hf_announcer_find(&b->announcer, &address))
		return "no service of this node has this VIP";
	if (hf_announcer_drain(&b->announcer, all ? NULL : &address, word->drained, hf_bgp_now()) <
	    0)
		return "out of memory";
	hf_notice("%s %s, by %s%s%s", all ? "all VIPs" : hf_address_format(&address, text),
		  word->drained ? "drained" : "not drained any more",
		  word->author[0] ? word->author : "an operator's word",
		  word->reason[0] ? ": " : "", word->reason);
	hf_bgp_settle(b);
	if (hf_drains_save(b->settings.instance, &b->announcer) < 0)
		return "done, but it can't be kept over a restart of lbbgp; its log tells why";
	return "";
}

/* Storage of an answer, too large for a stack. */
static struct {
	Holdfast__VipState vips[PAGE], *vip_list[PAGE];
	char addresses[PAGE][HF_ADDRESS_TEXT];
	Holdfast__SessionState sessions[SESSIONS_MAX], *session_list[SESSIONS_MAX];
	char *families[SESSIONS_MAX][HF_FAMILIES], *missing[SESSIONS_MAX][HF_FAMILIES];
	uint32_t exported[SESSIONS_MAX][HF_FAMILIES], announced[SESSIONS_MAX][HF_FAMILIES];
	protobuf_c_boolean told[SESSIONS_MAX][HF_FAMILIES];
	char *problems[HF_PROBLEMS_MAX];
	struct hf_problems texts;
	Holdfast__BgpCount counts[16], *count_list[16];
} page;

static void fill_vip(const struct hf_vip *vip, uint32_t i, int64_t now)
{
	Holdfast__VipState *to = &page.vips[i];

	holdfast__vip_state__init(to);
	page.vip_list[i] = to;
	to->address = (char *)hf_address_format(&vip->facts.address, page.addresses[i]);
	to->state = (char *)hf_vip_state_name(vip->state);
	to->why = (char *)hf_vip_why_text(vip->why);
	to->since_ms = now - vip->since;
	if ((vip->state == HF_VIP_HELD || vip->state == HF_VIP_DRAINING) && vip->until > now)
		to->left_ms = vip->until - now;
	to->usable = vip->facts.usable;
	to->reachable = vip->facts.reachable;
	to->needed = vip->facts.needed;
	to->service = (char *)vip->facts.service;
	to->drained = vip->drained;
}

static void fill_session(const struct hf_bgp *b, const struct hf_session *s, uint32_t i)
{
	Holdfast__SessionState *to = &page.sessions[i];
	size_t count = 0;

	holdfast__session_state__init(to);
	page.session_list[i] = to;
	to->name = (char *)s->name;
	to->neighbour = (char *)s->neighbour;
	to->state = (char *)s->state;
	to->expected = hf_session_is_expected(&b->config->bgp, s->name);
	for (int f = HF_IPV4; f < HF_FAMILIES; f++) {
		if (!s->channel[f].there)
			continue;
		page.families[i][count] = f == HF_IPV4 ? "ipv4" : "ipv6";
		page.exported[i][count] = s->channel[f].exported;
		page.told[i][count] = s->channel[f].told;
		page.announced[i][count] =
			hf_exports_expected(&b->driver.exports, (enum hf_family_index)f);
		page.missing[i][count++] = (char *)s->channel[f].missing;
	}
	to->families = page.families[i];
	to->exported = page.exported[i];
	to->announced = page.announced[i];
	to->missing = page.missing[i];
	to->told = page.told[i];
	to->n_told = to->n_families = to->n_exported = to->n_announced = to->n_missing = count;
}

static void fill_sessions(const struct hf_bgp *b, Holdfast__BgpState *to)
{
	const struct hf_sessions *s = &b->driver.sessions;
	uint32_t count = s->count < SESSIONS_MAX ? s->count : SESSIONS_MAX;

	if (!b->driver.looked)
		return;
	for (uint32_t i = 0; i < count; i++)
		fill_session(b, &s->session[i], i);
	to->sessions = page.session_list;
	to->n_sessions = count;
}

static void fill_counters(const struct hf_bgp *b, Holdfast__BgpState *to)
{
	const struct hf_driver_counters *c = &b->driver.counters;
	const struct {
		const char *name;
		uint64_t count;
	} all[] = {
		{ "configured", c->configured },
		{ "refused", c->refused },
		{ "undone", c->undone },
		{ "restored", c->restored },
		{ "reconfigured_by_others", c->reconfigured },
		{ "timeouts", c->timeouts },
		{ "connections", c->connections },
	};

	to->n_counters = sizeof(all) / sizeof(all[0]);
	to->counters = page.count_list;
	for (size_t i = 0; i < to->n_counters; i++) {
		holdfast__bgp_count__init(&page.counts[i]);
		page.counts[i].name = (char *)all[i].name;
		page.counts[i].count = all[i].count;
		page.count_list[i] = &page.counts[i];
	}
}

static void fill_problems(const struct hf_bgp *b, Holdfast__BgpState *to, int64_t now)
{
	hf_problems_of_bird(&page.texts, &b->config->bgp, &b->driver,
			    hf_device_is_up(b->device, b->config->bgp.device));
	hf_problems_of_vips(&page.texts, &b->announcer, b->why_not, now);
	for (uint32_t i = 0; i < page.texts.count; i++)
		page.problems[i] = page.texts.text[i];
	to->problems = page.problems;
	to->n_problems = page.texts.count;
}

static void answer_state(const struct hf_bgp *b, uint32_t from, struct hf_seqpacket_answer *answer)
{
	Holdfast__FromBgp message = HOLDFAST__FROM_BGP__INIT;
	Holdfast__BgpState body = HOLDFAST__BGP_STATE__INIT;
	const struct hf_announcer *a = &b->announcer;
	int64_t now = hf_bgp_now();
	uint32_t count = 0;

	for (uint32_t i = from; i < a->count && count < PAGE; i++)
		fill_vip(&a->vips[i], count++, now);
	body.vips = page.vip_list;
	body.n_vips = count;
	body.next = from + count < a->count ? from + count : 0;
	body.vip_count = a->count;
	body.out_count = count_out(a);
	body.node = b->config->node.name;
	body.local_as = b->config->bgp.local_as;
	body.weight = b->config->bgp.ucmp == HF_CONFIG_UCMP_ON ? b->config->node.weight : 0;
	body.version = HF_VERSION;
	body.lbnode = (char *)b->lbnode;
	body.lease_ms = a->lease_until > now ? a->lease_until - now : 0;
	body.ready = a->leased && a->ready;
	body.why_not = (char *)b->why_not;
	body.draining = a->draining;
	body.drained = a->drained;
	body.bird = (char *)b->driver.version;
	body.include = (char *)b->config->bgp.include;
	body.device = (char *)b->config->bgp.device;
	body.settled = hf_driver_is_settled(&b->driver);
	fill_problems(b, &body, now);
	fill_sessions(b, &body);
	fill_counters(b, &body);
	message.body_case = HOLDFAST__FROM_BGP__BODY_STATE;
	message.state = &body;
	pack(&message, answer);
}

/* The successor has the descriptor: the lock and the socket's path are its own now, too. */
static void give_up(void *context)
{
	struct hf_bgp *b = context;

	b->handed_over = true;
	unlink(b->server.path);
	b->server.path[0] = '\0';
	close(b->lock);
	b->lock = -1;
	uv_stop(&b->loop);
}

static void hand_over(const struct hf_bgp *b, struct hf_seqpacket_answer *answer)
{
	answer_result("", answer);
	answer->fd = b->device;
	answer->sent = give_up;
}

static void answer_log(uint64_t after, struct hf_seqpacket_answer *answer)
{
	static struct hf_log_page log;
	Holdfast__FromBgp message = HOLDFAST__FROM_BGP__INIT;

	message.body_case = HOLDFAST__FROM_BGP__BODY_LOG;
	message.log = hf_log_message(&log, after);
	pack(&message, answer);
}

static void answer_reload(struct hf_bgp *b, struct hf_seqpacket_answer *answer)
{
	Holdfast__FromBgp message = HOLDFAST__FROM_BGP__INIT;
	Holdfast__Done body = HOLDFAST__DONE__INIT;
	uint64_t before = hf_log_last();

	hf_bgp_reload(b);
	hf_bgp_settle(b);
	body.error = (char *)hf_log_error_since(before);
	message.body_case = HOLDFAST__FROM_BGP__BODY_DONE;
	message.done = &body;
	pack(&message, answer);
}

void hf_bgp_answer(void *context, const uint8_t *message, size_t length,
		   struct hf_seqpacket_answer *answer)
{
	struct hf_bgp *b = context;
	Holdfast__ToBgp *to = holdfast__to_bgp__unpack(NULL, length, message);

	if (!to || b->handed_over) {
		holdfast__to_bgp__free_unpacked(to, NULL);
		return;
	}
	/* Both are this node's own affair, whatever syncd, which reads what comes by the network,
	 * says. */
	if (answer->by_syncd && (to->body_case == HOLDFAST__TO_BGP__BODY_LEASE ||
				 to->body_case == HOLDFAST__TO_BGP__BODY_HAND_OVER)) {
		holdfast__to_bgp__free_unpacked(to, NULL);
		return;
	}
	switch (to->body_case) {
	case HOLDFAST__TO_BGP__BODY_LEASE:
		take_lease(b, to->lease, answer);
		break;
	case HOLDFAST__TO_BGP__BODY_DRAIN:
		answer_result(drain(b, to->drain), answer);
		break;
	case HOLDFAST__TO_BGP__BODY_HAND_OVER:
		hand_over(b, answer);
		break;
	case HOLDFAST__TO_BGP__BODY_ASK:
		answer_state(b, to->ask->from, answer);
		break;
	case HOLDFAST__TO_BGP__BODY_LOG:
		answer_log(to->log->after, answer);
		break;
	case HOLDFAST__TO_BGP__BODY_RELOAD:
		answer_reload(b, answer);
		break;
	case HOLDFAST__TO_BGP__BODY__NOT_SET:
	default: /* of a later version */
		break;
	}
	holdfast__to_bgp__free_unpacked(to, NULL);
}
