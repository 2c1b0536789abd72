// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is on the wire and on the node's socket, message by message, against vectors that an
 * independent model made (tests/models/messages.py). Each must decode to something that encodes to
 * the same, so no field is lost; and one field of each message is looked at, so that none has
 * changed its place.
 */
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/gossip.pb-c.h"
#include "proto/node.pb-c.h"
#include "tests/unit/unit.h"

#define ID    0x1122334455667788
#define TOKEN 0x0102030405060708

static uint8_t bytes[4096], back[4096];
static size_t length;

/* Reads the vector of that name into bytes[]. */
static void vector(const char *name)
{
	FILE *file = fopen(HF_SOURCE_DIR "/tests/golden/messages.txt", "re");
	static char line[9000], found[64], text[8192];

	assert_non_null(file);
	length = 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %8191s", found, text) == 2 && strcmp(found, name) == 0)
			sodium_hex2bin(bytes, sizeof(bytes), text, strlen(text), NULL, &length,
				       NULL);
	fclose(file);
	assert_true(length > 0);
}

static Holdfast__Datagram *datagram(const char *name, Holdfast__Datagram__BodyCase body)
{
	Holdfast__Datagram *d;

	vector(name);
	d = holdfast__datagram__unpack(NULL, length, bytes);
	assert_non_null(d);
	assert_int_equal(d->base.n_unknown_fields, 0);
	assert_int_equal(holdfast__datagram__pack(d, back), length);
	assert_memory_equal(back, bytes, length);
	assert_int_equal(d->body_case, body);
	assert_int_equal(d->about->clock, 1000);
	assert_int_equal(d->about->epoch, 7);
	assert_true(d->about->view == 0xabc && d->about->settled && d->about->members == 0xdef);
	return d;
}

#define CHECK_DATAGRAM(name, body, condition)                                            \
	do {                                                                             \
		Holdfast__Datagram *d = datagram(name, HOLDFAST__DATAGRAM__BODY_##body); \
		assert_true(condition);                                                  \
		holdfast__datagram__free_unpacked(d, NULL);                              \
	} while (0)

static bool is(const ProtobufCBinaryData *data, const char *text)
{
	return data->len == strlen(text) && memcmp(data->data, text, data->len) == 0;
}

static void between_nodes(void **state)
{
	(void)state;
	CHECK_DATAGRAM("rumours", _NOT_SET,
		       d->n_rumours == 2 && d->rumours[0]->state == HOLDFAST__STATE__DEAD &&
			       d->rumours[0]->accuser == TOKEN && d->rumours[1]->port == 6090 &&
			       d->rumours[1]->protocol_most == 2 && d->rumours[1]->tables == 6);
	CHECK_DATAGRAM("hello", HELLO,
		       d->hello->echo == TOKEN + 1 && d->hello->conflict &&
			       d->hello->receiver->incarnation == 300);
	CHECK_DATAGRAM("ping", PING, d->ping->sequence == 5);
	CHECK_DATAGRAM("ack", ACK, d->ack->member == ID);
	CHECK_DATAGRAM("relay", RELAY, d->relay->member == ID);
	CHECK_DATAGRAM("nack", NACK, d->nack->member == ID);
	CHECK_DATAGRAM("state_pull", STATE_PULL, d->state_pull);
	CHECK_DATAGRAM("records", RECORDS, is(&d->records->packed, "packed"));
	CHECK_DATAGRAM("records_ack", RECORDS_ACK,
		       d->records_ack->n_sequence == 2 && d->records_ack->sequence[1] == 300);
	CHECK_DATAGRAM("lookup", LOOKUP, is(&d->lookup->digests, "digests"));
	CHECK_DATAGRAM("answer", ANSWER, is(&d->answer->packed, "packed"));
	CHECK_DATAGRAM("compare", COMPARE, d->compare->page == 1 && d->compare->round == 5);
	CHECK_DATAGRAM("differ", DIFFER, d->differ->full && is(&d->differ->shards, "shards"));
	CHECK_DATAGRAM("fetch", FETCH,
		       is(&d->fetch->nonce, "nonce") && is(&d->fetch->shards, "shards"));
}

#define CHECK_NODE(name, type, prefix, body, condition)            \
	do {                                                       \
		type *m;                                           \
		vector(name);                                      \
		m = prefix##__unpack(NULL, length, bytes);         \
		assert_non_null(m);                                \
		assert_int_equal(m->base.n_unknown_fields, 0);     \
		assert_int_equal(prefix##__pack(m, back), length); \
		assert_memory_equal(back, bytes, length);          \
		assert_int_equal(m->body_case, body);              \
		assert_true(condition);                            \
		prefix##__free_unpacked(m, NULL);                  \
	} while (0)
#define CHECK_TO(name, body, condition)                                                       \
	CHECK_NODE(name, Holdfast__ToSync, holdfast__to_sync, HOLDFAST__TO_SYNC__BODY_##body, \
		   condition)
#define CHECK_FROM(name, body, condition)                         \
	CHECK_NODE(name, Holdfast__FromSync, holdfast__from_sync, \
		   HOLDFAST__FROM_SYNC__BODY_##body, condition)

static void between_programs(void **state)
{
	(void)state;
	CHECK_TO("to_hello", HELLO, m->hello->serving && m->hello->tables == 6);
	CHECK_TO("to_export", EXPORT, is(&m->export->packed, "packed"));
	CHECK_TO("to_ask", ASK, m->ask->ticket == 5);
	CHECK_TO("to_status", STATUS, m->status);
	CHECK_TO("to_state", STATE, m->state->config == 5);
	CHECK_FROM("from_hello", HELLO, m->hello->protocol == 1);
	CHECK_FROM("from_credit", CREDIT, m->credit->records == 5);
	CHECK_FROM("from_export_again", EXPORT_AGAIN, is(&m->export_again->shards, "shards"));
	CHECK_FROM("from_told", TOLD, m->told->ticket == 5);
	CHECK_FROM("from_owners", OWNERS,
		   m->owners->replicas == 2 && is(&m->owners->previous, "previous") &&
			   m->owners->members[0]->heard_ms == -1);
	CHECK_FROM("from_status", STATUS,
		   m->status->records == 1000000 && m->status->counters[0]->count == 5 &&
			   m->status->lbnode && strcmp(m->status->problems[0], "a problem") == 0);
}

/* Of a later version: fields that are not known here are passed over. */
static void unknown_fields(void **state)
{
	Holdfast__Datagram *d;

	(void)state;
	vector("ping");
	memcpy(bytes + length, "\xfa\x07\x03new", 6); /* field 127 */
	d = holdfast__datagram__unpack(NULL, length + 6, bytes);
	assert_non_null(d);
	assert_int_equal(d->ping->sequence, 5);
	holdfast__datagram__free_unpacked(d, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(between_nodes),
		cmocka_unit_test(between_programs),
		cmocka_unit_test(unknown_fields),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests_name("messages", tests, NULL, NULL);
}
