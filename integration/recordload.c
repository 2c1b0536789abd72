// SPDX-License-Identifier: BSD-2-Clause
/*
 * Stands in for lbnode at syncd's socket: exports records, refreshes them, exports them again when
 * asked to, and asks for others' records and checks the answers.
 *
 * A seed names a set of records, the same for all who use it: so another node can ask for them.
 */
#include <argp.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "proto/node.pb-c.h"
#include "syncd/core/random.h"
#include "lib/record.h"
#include "syncd/core/sync.h"
#include "lib/node_protocol.h"

#define PACKET_RECORDS	2000
#define REFRESH_MS	60000
#define RECONNECT_MS	50
#define ASK_AT_ONCE	100
#define ASKS_OPEN	16
#define BACKENDS	1000
#define EXCEPTION_EVERY 20

struct options {
	const char *instance;
	uint32_t records;
	uint64_t seed;
	double seconds;
	uint32_t ask;
	uint64_t ask_seed;
};

struct report {
	uint64_t exported, again, asked, found, wrong, connects;
	double ask_seconds;
};

struct state {
	struct options o;
	struct report r;
	int fd;
	uint32_t credit;
	struct hf_shard_set due; /* shards to be exported */
	uint32_t position;	 /* in the records, for those */
	int64_t refresh;
	uint32_t ask_position, asks_open;
	int64_t ask_began;
	uint8_t packet[HF_NODE_PACKET];
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static struct hf_record record_of(uint64_t seed, uint32_t i)
{
	uint64_t digest = hf_mix(seed << 32 | (i + 1));

	return (struct hf_record){
		.key = (digest & HF_DIGEST_MASK) | 1 |
		       (i % EXCEPTION_EVERY == 0 ? HF_RECORD_EXCEPTION : 0),
		.backend = 1 + hf_mix(digest) % BACKENDS,
		.stamp = HF_RECORD_LIFE,
	};
}

static bool send_message(struct state *s, const Holdfast__ToSync *message)
{
	size_t length = holdfast__to_sync__pack(message, s->packet);

	return send(s->fd, s->packet, length, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)length;
}

static void send_hello(struct state *s)
{
	Holdfast__ToSync message = HOLDFAST__TO_SYNC__INIT;
	Holdfast__NodeHello hello = HOLDFAST__NODE_HELLO__INIT;

	hello.protocol = HF_NODE_PROTOCOL;
	hello.program = "recordload";
	hello.serving = true;
	message.body_case = HOLDFAST__TO_SYNC__BODY_HELLO;
	message.hello = &hello;
	send_message(s, &message);
}

static void connect_again(struct state *s)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	hf_node_socket_path(s->o.instance, address.sun_path, sizeof(address.sun_path));
	s->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (connect(s->fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(s->fd);
		s->fd = -1;
		return;
	}
	s->r.connects++;
	s->credit = s->asks_open = 0;
	s->ask_position = 0;
	s->r.asked = s->r.found = s->r.wrong = 0;
	/* Who only asks does not stand in for lbnode. */
	if (s->o.records)
		send_hello(s);
}

/* What is due, as far as credit goes. */
static void export_some(struct state *s)
{
	struct hf_record records[PACKET_RECORDS];
	uint8_t packed[HF_PACKED_SIZE(PACKET_RECORDS)];
	Holdfast__ToSync message = HOLDFAST__TO_SYNC__INIT;
	Holdfast__Export export = HOLDFAST__EXPORT__INIT;
	uint32_t count = 0, from = s->position;

	while (s->position < s->o.records && count < PACKET_RECORDS && count < s->credit) {
		struct hf_record r = record_of(s->o.seed, s->position++);

		if (hf_shard_in(&s->due, hf_shard(r.key)))
			records[count++] = r;
	}
	if (count) {
		export.packed.data = packed;
		export.packed.len = hf_records_pack(records, count, HF_RECORD_LIFE, packed);
		message.body_case = HOLDFAST__TO_SYNC__BODY_EXPORT;
		message.export = &export;
		if (!send_message(s, &message)) {
			s->position = from;
			return;
		}
		s->credit -= count;
		s->r.exported += count;
	}
	if (s->position == s->o.records)
		memset(&s->due, 0, sizeof(s->due));
}

static void ask_some(struct state *s)
{
	Holdfast__ToSync message = HOLDFAST__TO_SYNC__INIT;
	Holdfast__Ask ask = HOLDFAST__ASK__INIT;
	uint8_t packed[ASK_AT_ONCE * HF_PACKED_DIGEST];
	uint64_t digests[ASK_AT_ONCE];
	uint32_t count = 0;

	while (count < ASK_AT_ONCE && s->ask_position + count < s->o.ask) {
		struct hf_record r = record_of(s->o.ask_seed, s->ask_position + count);

		digests[count++] = hf_record_digest(&r);
	}
	ask.ticket = s->ask_position / ASK_AT_ONCE;
	ask.digests.data = packed;
	ask.digests.len = hf_digests_pack(digests, count, packed);
	message.body_case = HOLDFAST__TO_SYNC__BODY_ASK;
	message.ask = &ask;
	if (!send_message(s, &message))
		return;
	s->ask_position += count;
	s->r.asked += count;
	s->asks_open++;
}

static void take_told(struct state *s, const Holdfast__Told *told)
{
	struct hf_record records[HF_SYNC_LOOKUP_MAX];
	int count =
		hf_records_unpack(told->packed.data, told->packed.len, records, HF_SYNC_LOOKUP_MAX);

	s->asks_open--;
	for (int i = 0; i < count; i++) {
		bool known = false;

		for (uint32_t j = 0; j < ASK_AT_ONCE && !known; j++) {
			struct hf_record r =
				record_of(s->o.ask_seed, told->ticket * ASK_AT_ONCE + j);

			known = hf_record_digest(&r) == hf_record_digest(&records[i]) &&
				r.backend == records[i].backend;
		}
		s->r.found += known;
		s->r.wrong += !known;
	}
	if (s->r.asked == s->o.ask && !s->asks_open)
		s->r.ask_seconds = (double)(now_ms() - s->ask_began) / 1e3;
}

static void take_message(struct state *s, const Holdfast__FromSync *m)
{
	switch (m->body_case) {
	case HOLDFAST__FROM_SYNC__BODY_CREDIT:
		s->credit += m->credit->records;
		return;
	case HOLDFAST__FROM_SYNC__BODY_EXPORT_AGAIN:
		if (m->export_again->shards.len == sizeof(s->due))
			for (size_t i = 0; i < HF_SHARDS / 64; i++)
				s->due.word[i] |=
					((const uint64_t *)m->export_again->shards.data)[i];
		s->position = 0;
		s->r.again++;
		return;
	case HOLDFAST__FROM_SYNC__BODY_TOLD:
		take_told(s, m->told);
		return;
	default:
		return;
	}
}

static void receive(struct state *s)
{
	ssize_t length = recv(s->fd, s->packet, sizeof(s->packet), MSG_DONTWAIT);
	Holdfast__FromSync *message;

	if (length < 0 && errno == EAGAIN)
		return;
	if (length <= 0) {
		close(s->fd);
		s->fd = -1;
		return;
	}
	message = holdfast__from_sync__unpack(NULL, length, s->packet);
	if (message)
		take_message(s, message);
	holdfast__from_sync__free_unpacked(message, NULL);
}

static void step(struct state *s)
{
	struct pollfd wait = { .fd = s->fd, .events = POLLIN };

	if (s->fd < 0) {
		connect_again(s);
		if (s->fd < 0)
			poll(NULL, 0, RECONNECT_MS);
		return;
	}
	if (now_ms() >= s->refresh) {
		s->refresh = now_ms() + REFRESH_MS;
		s->due = hf_all_shards;
		s->position = 0;
	}
	export_some(s);
	while (s->ask_position < s->o.ask && s->asks_open < ASKS_OPEN) {
		uint32_t before = s->asks_open;

		ask_some(s);
		if (s->asks_open == before)
			break;
	}
	if (poll(&wait, 1, s->credit && s->position < s->o.records ? 0 : 20) > 0)
		receive(s);
}

static bool is_over(const struct state *s, int64_t until)
{
	bool asked = s->o.ask && s->r.asked == s->o.ask && !s->asks_open;

	return now_ms() >= until || (asked && !s->o.records);
}

static error_t take_option(int key, char *argument, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'i':
		o->instance = argument;
		return 0;
	case 'n':
		o->records = strtoul(argument, NULL, 10);
		return 0;
	case 'S':
		o->seed = strtoull(argument, NULL, 10);
		return 0;
	case 's':
		o->seconds = strtod(argument, NULL);
		return 0;
	case 'a':
		o->ask = strtoul(argument, NULL, 10);
		return 0;
	case 'A':
		o->ask_seed = strtoull(argument, NULL, 10);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "instance", 'i', "NAME", 0, "syncd's instance", 0 },
		{ "records", 'n', "N", 0, "Records to export, and to refresh", 0 },
		{ "seed", 'S', "SEED", 0, "Which ones", 0 },
		{ "seconds", 's', "S", 0, "How long (default: 10); ends once all is asked", 0 },
		{ "ask", 'a', "N", 0, "Look up so many records", 0 },
		{ "ask-seed", 'A', "SEED", 0, "Of this seed", 0 },
		{ 0 },
	};
	static const struct argp parser = {
		options,
		take_option,
		NULL,
		"Stands in for lbnode at syncd's socket. Prints one JSON object.\v"
		"Exit status: 0, or 1 when a record was wrong or it could not connect.",
		NULL,
		NULL,
		NULL
	};
	static struct state s = { .o = { .instance = "default", .seconds = 10 }, .fd = -1 };
	int64_t until;

	argp_err_exit_status = 2;
	argp_parse(&parser, argc, argv, 0, NULL, &s.o);
	s.position = s.o.records;
	s.refresh = now_ms() + REFRESH_MS;
	s.ask_began = now_ms();
	until = now_ms() + (int64_t)(s.o.seconds * 1000);
	while (!is_over(&s, until))
		step(&s);
	printf("{\"connects\": %lu, \"exported\": %lu, \"again\": %lu, \"asked\": %lu, "
	       "\"found\": %lu, \"wrong\": %lu, \"ask_seconds\": %.3f}\n",
	       (unsigned long)s.r.connects, (unsigned long)s.r.exported, (unsigned long)s.r.again,
	       (unsigned long)s.r.asked, (unsigned long)s.r.found, (unsigned long)s.r.wrong,
	       s.r.ask_seconds);
	return s.r.wrong || !s.r.connects;
}
