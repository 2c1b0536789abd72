// SPDX-License-Identifier: BSD-2-Clause
/*
 * Between structures and sealed bytes, in both directions, with all limits on what may come in.
 *
 * Decoding takes its memory from an arena of fixed size: a message that would unfold into more is
 * refused, so no count in it can cost more than that.
 */
#include <ctype.h>
#include <string.h>

#include "syncd/core/core.h"

#define WEIGHT_MAX 65535

static void *arena_alloc(void *context, size_t size)
{
	struct hf_sync *s = context;
	uint8_t *at = s->arena + s->arena_used;

	size = (size + 15) & ~(size_t)15;
	if (size > sizeof(s->arena) - s->arena_used)
		return NULL;
	s->arena_used += size;
	return at;
}

static void arena_free(void *context, void *pointer)
{
	(void)context;
	(void)pointer;
}

Holdfast__Datagram *hf_decode(struct hf_sync *s, const uint8_t *bytes, size_t length)
{
	ProtobufCAllocator allocator = { arena_alloc, arena_free, s };

	s->arena_used = 0;
	return holdfast__datagram__unpack(&allocator, length, bytes);
}

static bool read_text(const char *text, char *out, size_t size)
{
	size_t length = strlen(text);

	if (length >= size)
		return false;
	for (size_t i = 0; i < length; i++)
		/* What may stand in a JSON text as it is. */
		if (!isgraph((unsigned char)text[i]) || text[i] == '"' || text[i] == '\\')
			return false;
	memcpy(out, text, length + 1);
	return true;
}

static bool read_endpoint(const Holdfast__Member *m, struct hf_endpoint *endpoint)
{
	if ((m->address.len != 4 && m->address.len != 16) || m->port < 1 || m->port > 65535)
		return false;
	*endpoint = (struct hf_endpoint){ .port = m->port };
	endpoint->address.family = m->address.len == 4 ? 4 : 6;
	memcpy(endpoint->address.word, m->address.data, m->address.len);
	return true;
}

static bool read_facts(const Holdfast__Member *m, struct hf_member_facts *facts)
{
	if (!read_text(m->name, facts->name, sizeof(facts->name)) ||
	    !read_text(m->version, facts->version, sizeof(facts->version)) ||
	    !read_endpoint(m, &facts->endpoint) || hf_member_id(facts->name) != m->id ||
	    m->weight > WEIGHT_MAX)
		return false;
	facts->protocol_least = m->protocol_least;
	facts->protocol_most = m->protocol_most;
	facts->weight = m->weight;
	facts->ready = m->ready;
	facts->config = m->config;
	facts->tables = m->tables;
	return true;
}

bool hf_claim_read(const Holdfast__Member *m, struct hf_claim *claim)
{
	memset(claim, 0, sizeof(*claim));
	claim->party = (struct hf_party){ m->id, m->boot };
	claim->incarnation = m->incarnation;
	claim->accuser = m->accuser;
	claim->has_facts = m->name[0];
	if (!m->id || !m->boot || m->state < HOLDFAST__STATE__ALIVE ||
	    m->state > HOLDFAST__STATE__LEFT)
		return false;
	claim->state = (enum hf_member_state)m->state;
	if (!claim->has_facts)
		return claim->state != HF_MEMBER_ALIVE;
	return read_facts(m, &claim->facts);
}

void hf_claim_write(const struct hf_member *member, Holdfast__Member *m, bool facts,
		    uint8_t *address)
{
	const struct hf_member_facts *f = &member->facts;

	holdfast__member__init(m);
	m->id = member->party.id;
	m->boot = member->party.boot;
	m->incarnation = member->incarnation;
	m->state = (Holdfast__State)member->state;
	m->accuser = member->state == HF_MEMBER_ALIVE ? 0 : member->accuser;
	if (!facts)
		return;
	memcpy(address, f->endpoint.address.word, 16);
	m->name = (char *)f->name;
	m->address.data = address;
	m->address.len = hf_address_length(f->endpoint.address.family);
	m->port = f->endpoint.port;
	m->version = (char *)f->version;
	m->protocol_least = f->protocol_least;
	m->protocol_most = f->protocol_most;
	m->ready = f->ready;
	m->weight = f->weight;
	m->config = f->config;
	m->tables = f->tables;
}

static void fill_about(const struct hf_sync *s, Holdfast__About *about)
{
	holdfast__about__init(about);
	about->clock = hf_stamp_now(s);
	about->epoch = s->view.epoch;
	about->view = s->view.now.view;
	about->settled = s->view.settled;
	about->members = s->members.digest;
	about->board = hf_board_digest(s->board);
}

/* What would not fit would be our own fault: nothing of it is sent. */
static size_t pack(struct hf_sync *s, const Holdfast__Datagram *datagram)
{
	size_t size = holdfast__datagram__get_packed_size(datagram);

	if (size > sizeof(s->plain))
		return 0;
	return holdfast__datagram__pack(datagram, s->plain);
}

size_t hf_seal_message(struct hf_sync *s, const struct hf_party *recipient,
		       Holdfast__Datagram *datagram)
{
	Holdfast__About about;
	size_t length;

	fill_about(s, &about);
	datagram->about = &about;
	length = pack(s, datagram);
	datagram->about = NULL;
	return hf_seal(&s->keys, s->settings.cluster, &s->self->party, ++s->counter, recipient,
		       s->plain, length, s->sealed);
}

static void emit(struct hf_sync *s, const struct hf_endpoint *to, size_t length)
{
	s->counters.datagrams_sent++;
	s->counters.bytes_sent += length;
	s->output.datagram(s->context, to, s->sealed, length);
}

/* About has 40 bytes at most: 5 + 6 + 9 + 2 + 9 + 9, and its own tag and length. */
#define ABOUT_ROOM 42

uint32_t hf_body_room(const struct hf_sync *s)
{
	return s->settings.datagram - HF_SEAL_OVERHEAD - ABOUT_ROOM - 16;
}

static bool carries_rumours(const Holdfast__Datagram *datagram)
{
	switch (datagram->body_case) {
	case HOLDFAST__DATAGRAM__BODY__NOT_SET:
	case HOLDFAST__DATAGRAM__BODY_PING:
	case HOLDFAST__DATAGRAM__BODY_ACK:
	case HOLDFAST__DATAGRAM__BODY_RELAY:
	case HOLDFAST__DATAGRAM__BODY_NACK:
	case HOLDFAST__DATAGRAM__BODY_STATE_PULL:
		return !datagram->n_rumours;
	default:
		return false;
	}
}

void hf_send(struct hf_sync *s, struct hf_member *to, Holdfast__Datagram *datagram)
{
	struct hf_rumour_page page;
	size_t room = s->settings.datagram - HF_SEAL_OVERHEAD - ABOUT_ROOM;

	if (s->joiner.readiness == HF_GONE)
		return;
	page.count = 0;
	if (carries_rumours(datagram)) {
		hf_rumour_fill(s, to, &page, room - holdfast__datagram__get_packed_size(datagram));
		datagram->n_rumours = page.count;
		datagram->rumours = page.list;
	}
	emit(s, &to->facts.endpoint, hf_seal_message(s, &to->party, datagram));
	if (page.count) {
		datagram->n_rumours = 0;
		datagram->rumours = NULL;
	}
}

void hf_send_hello(struct hf_sync *s, const struct hf_endpoint *to,
		   const struct hf_party *recipient, Holdfast__Hello *hello)
{
	Holdfast__Datagram datagram = HOLDFAST__DATAGRAM__INIT;

	if (s->joiner.readiness == HF_GONE)
		return;
	datagram.body_case = HOLDFAST__DATAGRAM__BODY_HELLO;
	datagram.hello = hello;
	emit(s, to, hf_seal_message(s, recipient, &datagram));
}
