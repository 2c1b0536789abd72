// SPDX-License-Identifier: BSD-2-Clause
#include "syncd/node_message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/notice.h"

/* Members of one message: what a node's own screen, or its data plane, can make use of. */
#define MEMBERS_MOST  256
#define OWNERS_MOST   255 /* of which a data plane has room for */
#define NO_OWNER      0xffff
#define PROBLEM_TEXT  256
#define PROBLEMS_MOST 32
/* What has not been seen for so long is over. */
#define RECENT	  HF_SECONDS(120)
#define REFRESHED HF_SECONDS(60) /* all records are, in this time */

size_t hf_node_pack(const Holdfast__FromSync *message, uint8_t *out, size_t size)
{
	if (holdfast__from_sync__get_packed_size(message) > size)
		return 0;
	return holdfast__from_sync__pack(message, out);
}

/* Storage for a message's members; too large for a stack. */
struct page {
	Holdfast__NodeMember member[MEMBERS_MOST];
	Holdfast__NodeMember *list[MEMBERS_MOST];
	char rival[MEMBERS_MOST][HF_ADDRESS_TEXT];
	uint32_t count;
	char problem[PROBLEMS_MOST][PROBLEM_TEXT];
	char *problems[PROBLEMS_MOST];
	uint32_t problem_count, own_problems;
};

/* What a data plane needs: so short that as many as can be owners fit a packet. */
static void fill_owner(struct page *page, const struct hf_member *m)
{
	Holdfast__NodeMember *n = &page->member[page->count];
	const struct hf_endpoint *endpoint = &m->facts.endpoint;

	holdfast__node_member__init(n);
	n->id = m->party.id;
	n->address.data = (uint8_t *)endpoint->address.word;
	n->address.len = hf_address_length(endpoint->address.family);
	n->port = endpoint->port;
	n->ready = m->state == HF_MEMBER_ALIVE;
	n->gone = !hf_member_lives(m);
	n->serves = hf_member_lives(m) && m->facts.ready;
	page->list[page->count++] = n;
}

static bool has_rival(const struct hf_member *m, hf_time now)
{
	return m->rival.address.family && now - m->rival_seen < RECENT;
}

static void fill_member(struct page *page, const struct hf_member *m, const struct hf_sync *sync,
			hf_time now)
{
	Holdfast__NodeMember *n = &page->member[page->count];
	const struct hf_member_facts *f = &m->facts;
	bool self = m == hf_sync_self(sync);

	holdfast__node_member__init(n);
	n->name = (char *)f->name;
	n->id = m->party.id;
	n->address.data = (uint8_t *)f->endpoint.address.word;
	n->address.len = hf_address_length(f->endpoint.address.family);
	n->port = f->endpoint.port;
	n->state = (char *)hf_member_state_name(m->state);
	n->ready = f->ready;
	n->version = (char *)f->version;
	n->incarnation = m->incarnation;
	n->boot = m->party.boot;
	n->epoch = self ? hf_sync_epoch(sync) : m->epoch;
	n->view = self ? hf_sync_owners(sync)->view : m->view;
	n->config = f->config;
	n->tables = f->tables;
	n->weight = f->weight;
	n->since_ms = (now - m->since) / 1000;
	n->heard_ms = self ? 0 : m->heard == HF_NEVER ? -1 : (now - m->heard) / 1000;
	n->queue = hf_sync_queue(m);
	if (has_rival(m, now))
		n->conflict = (char *)hf_endpoint_format(&m->rival.address, m->rival.port,
							 page->rival[page->count]);
	page->list[page->count++] = n;
}

/* Owners, and those whose packets may come: the data plane of a node whose syncd is gone forwards
 * on. The living first, should there not be room for all. */
static void fill_owners(struct page *page, const struct hf_sync *sync)
{
	const struct hf_members *members = hf_sync_members(sync);

	for (int gone = 0; gone <= 1; gone++)
		for (uint32_t i = 0; i < members->count && page->count < OWNERS_MOST; i++)
			if (hf_member_lives(members->all[i]) == !gone)
				fill_owner(page, members->all[i]);
}

static void fill_members(struct page *page, const struct hf_sync *sync, hf_time now)
{
	const struct hf_members *members = hf_sync_members(sync);

	for (uint32_t i = 0; i < members->count && page->count < MEMBERS_MOST; i++)
		fill_member(page, members->all[i], sync, now);
}

static uint16_t index_of(const struct page *page, uint64_t id)
{
	for (uint32_t i = 0; id && i < page->count; i++)
		if (page->member[i].id == id)
			return i;
	return NO_OWNER;
}

static size_t fill_table(const struct page *page, const struct hf_owners *owners, uint8_t *out)
{
	size_t used = 0;

	for (uint32_t shard = 0; shard < HF_SHARDS; shard++) {
		for (uint32_t rank = 0; rank < owners->replicas; rank++, used += 2) {
			uint16_t index = index_of(page, owners->owner[shard][rank]);

			memcpy(out + used, &index, sizeof(index));
		}
	}
	return used;
}

#define TABLE_BYTES (HF_SHARDS * HF_REPLICAS_MAX * 2)

static bool is_ready(const struct hf_sync *sync)
{
	enum hf_readiness readiness = hf_sync_readiness(sync);

	return readiness == HF_READY_FIRST || readiness == HF_READY_SNAPSHOT ||
	       readiness == HF_READY_TIMEOUT;
}

size_t hf_node_pack_owners(const struct hf_sync *sync, hf_time now, uint8_t *out, size_t size)
{
	const struct hf_owners *owners = hf_sync_owners(sync);
	const struct hf_owners *previous = hf_sync_previous_owners(sync);
	Holdfast__FromSync message = HOLDFAST__FROM_SYNC__INIT;
	Holdfast__Owners body = HOLDFAST__OWNERS__INIT;
	struct page *page = calloc(1, sizeof(*page));
	uint8_t *tables = malloc(2 * TABLE_BYTES);
	size_t length = 0;

	if (!page || !tables)
		goto out;
	fill_owners(page, sync);
	body.epoch = hf_sync_epoch(sync);
	body.view = owners->view;
	body.members = page->list;
	body.n_members = page->count;
	body.replicas = owners->replicas;
	body.self = hf_sync_self(sync)->party.id;
	body.now.data = tables;
	body.now.len = fill_table(page, owners, tables);
	body.gave_up = hf_sync_gave_up(sync);
	body.clock = hf_sync_stamp(sync, now);
	body.ready = is_ready(sync);
	if (previous) {
		body.previous.data = tables + TABLE_BYTES;
		body.previous.len = fill_table(page, previous, tables + TABLE_BYTES);
	}
	message.body_case = HOLDFAST__FROM_SYNC__BODY_OWNERS;
	message.owners = &body;
	length = hf_node_pack(&message, out, size);
out:
	free(tables);
	free(page);
	return length;
}

__attribute__((format(printf, 2, 3))) static void problem(struct page *page, const char *format,
							  ...)
{
	va_list arguments;

	if (page->problem_count == PROBLEMS_MOST)
		return;
	va_start(arguments, format);
	vsnprintf(page->problem[page->problem_count], PROBLEM_TEXT, format, arguments);
	va_end(arguments);
	page->problems[page->problem_count] = page->problem[page->problem_count];
	page->problem_count++;
}

static void find_member_problems(struct page *page, const struct hf_sync *sync,
				 const struct hf_member *m, hf_time now)
{
	const struct hf_member *self = hf_sync_self(sync);
	char text[HF_ADDRESS_TEXT];

	if (has_rival(m, now))
		problem(page,
			"%s's name is also claimed from %s: give one of the two another node.name",
			m->facts.name, hf_endpoint_format(&m->rival.address, m->rival.port, text));
	if (m->state == HF_MEMBER_DEAD)
		problem(page,
			"%s is dead, as far as %s can tell: look at it, and at the network "
			"in between",
			m->facts.name, self->facts.name);
	else if (m->state == HF_MEMBER_SUSPECT)
		problem(page, "%s has not answered for a moment", m->facts.name);
	else if (m->state == HF_MEMBER_ALIVE && m->facts.config && self->facts.config &&
		 m->facts.config != self->facts.config)
		problem(page, "%s has another configuration: compare the files, and reload",
			m->facts.name);
}

static void find_problems(struct page *page, const struct hf_sync *sync,
			  const struct hf_node_facts *facts, hf_time now)
{
	const struct hf_members *members = hf_sync_members(sync);
	const struct hf_sync_counters *c = hf_sync_counters(sync);
	enum hf_readiness readiness = hf_sync_readiness(sync);

	if (facts->insecure)
		problem(page, "INSECURE: anyone can read and forge what nodes say; name a "
			      "cluster.key_file");
	if (!facts->served)
		problem(page, "lbnode is not connected: this node can't become an owner; is it "
			      "running?");
	if (readiness == HF_JOINING)
		problem(page, "no seed has answered yet: check cluster.seeds, the keys, and that "
			      "UDP and TCP cluster.port are open");
	if (readiness == HF_READY_TIMEOUT && now - hf_sync_readiness_since(sync) < REFRESHED)
		problem(page, "the snapshot took too long: records may be missing until they are "
			      "refreshed, within a minute");
	if (c->drop_key && now - hf_sync_key_refused_at(sync) < RECENT)
		problem(page,
			"%lu datagrams under a key that is not in this node's file: did a "
			"key change miss a node?",
			(unsigned long)c->drop_key);
	page->own_problems = page->problem_count;
	for (uint32_t i = 0; i < members->count; i++)
		find_member_problems(page, sync, members->all[i], now);
}

#define COUNTERS (sizeof(struct hf_sync_counters) / sizeof(uint64_t))

static void fill_counters(const struct hf_sync *sync, Holdfast__NamedCount *counts,
			  Holdfast__NamedCount **list)
{
	static const char *const names[] = {
#define HF_SYNC_COUNTER(name) #name,
		HF_SYNC_COUNTERS(HF_SYNC_COUNTER)
#undef HF_SYNC_COUNTER
	};
	const uint64_t *values = (const uint64_t *)hf_sync_counters(sync);

	for (size_t i = 0; i < COUNTERS; i++) {
		holdfast__named_count__init(&counts[i]);
		counts[i].name = (char *)names[i];
		counts[i].count = values[i];
		list[i] = &counts[i];
	}
}

size_t hf_node_pack_status(const struct hf_sync *sync, const struct hf_node_facts *facts,
			   hf_time now, uint8_t *out, size_t size)
{
	Holdfast__FromSync message = HOLDFAST__FROM_SYNC__INIT;
	Holdfast__Status body = HOLDFAST__STATUS__INIT;
	Holdfast__NamedCount counts[COUNTERS], *list[COUNTERS];
	struct page *page = calloc(1, sizeof(*page));
	size_t length;

	if (!page)
		return 0;
	fill_members(page, sync, now);
	find_problems(page, sync, facts, now);
	fill_counters(sync, counts, list);
	body.name = (char *)hf_sync_self(sync)->facts.name;
	body.cluster = (char *)facts->cluster;
	body.version = (char *)hf_sync_self(sync)->facts.version;
	body.insecure = facts->insecure;
	body.ready = hf_sync_self(sync)->facts.ready;
	body.readiness = (char *)hf_readiness_name(hf_sync_readiness(sync));
	body.epoch = hf_sync_epoch(sync);
	body.view = hf_sync_owners(sync)->view;
	body.settled = !hf_sync_previous_owners(sync);
	body.records = hf_sync_record_count(sync);
	body.members = page->list;
	body.n_members = page->count;
	body.counters = list;
	body.n_counters = COUNTERS;
	body.problems = page->problems;
	body.n_problems = page->problem_count;
	body.own_problems = page->own_problems;
	body.lbnode = facts->served;
	body.self = hf_sync_self(sync)->party.id;
	body.up_ms = facts->up_ms;
	body.key_ids.data = (uint8_t *)facts->key_ids;
	body.key_ids.len = facts->key_count;
	message.body_case = HOLDFAST__FROM_SYNC__BODY_STATUS;
	message.status = &body;
	length = hf_node_pack(&message, out, size);
	free(page);
	return length;
}

size_t hf_node_pack_told(const struct hf_sync *sync, uint32_t ticket,
			 const struct hf_record *records, uint32_t count, bool all, hf_time now,
			 uint8_t *out, size_t size)
{
	Holdfast__FromSync message = HOLDFAST__FROM_SYNC__INIT;
	Holdfast__Told body = HOLDFAST__TOLD__INIT;
	uint8_t packed[HF_PACKED_SIZE(HF_SYNC_LOOKUP_MAX)];

	body.ticket = ticket;
	body.all = all;
	body.packed.data = packed;
	body.packed.len = hf_records_pack(records, count, hf_sync_stamp(sync, now), packed);
	message.body_case = HOLDFAST__FROM_SYNC__BODY_TOLD;
	message.told = &body;
	return hf_node_pack(&message, out, size);
}

size_t hf_node_pack_board(const struct hf_sync *sync, const struct hf_notice *const *notices,
			  uint32_t count, hf_time now, uint8_t *out, size_t size)
{
	Holdfast__FromSync message = HOLDFAST__FROM_SYNC__INIT;
	Holdfast__Board body = HOLDFAST__BOARD__INIT;
	Holdfast__Notice notice[HF_NODE_BOARD_MOST], *list[HF_NODE_BOARD_MOST];

	for (uint32_t i = 0; i < count; i++) {
		hf_notice_write(&notice[i], notices[i]);
		list[i] = &notice[i];
	}
	body.clock = hf_sync_stamp(sync, now);
	body.n_notices = count;
	body.notices = list;
	message.body_case = HOLDFAST__FROM_SYNC__BODY_BOARD;
	message.board = &body;
	return hf_node_pack(&message, out, size);
}

size_t hf_node_pack_keep(const struct hf_sync *sync, const struct hf_record *records,
			 uint32_t count, hf_time now, uint8_t *out, size_t size)
{
	Holdfast__FromSync message = HOLDFAST__FROM_SYNC__INIT;
	Holdfast__Keep body = HOLDFAST__KEEP__INIT;
	uint8_t packed[HF_PACKED_SIZE(HF_NODE_KEEP_MOST)];

	body.packed.data = packed;
	body.packed.len = hf_records_pack(records, count, hf_sync_stamp(sync, now), packed);
	message.body_case = HOLDFAST__FROM_SYNC__BODY_KEEP;
	message.keep = &body;
	return hf_node_pack(&message, out, size);
}
