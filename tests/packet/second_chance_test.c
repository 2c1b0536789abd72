// SPDX-License-Identifier: BSD-2-Clause
/*
 * Packets of unknown flows between nodes: this node has two others beside it, and is, by turns, the
 * one that the spine chose, the first that is asked, and the second. Tags are made here from their
 * description and libsodium's SipHash-2-4.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "lbnode/cluster.h"
#include "lib/packet/base.h"
#include "lib/packet/digest.h"
#include "tests/packet/verdict.h"
#include "tests/unit/unit.h"

#define CLIENT4 "192.0.2.99"
#define CLIENT6 "2001:db8:c1::1"
#define VIP4	"203.0.113.1"
#define VIP6	"2001:db8:cafe::1"
#define SELF	"198.51.100.17"
#define NODE2	"198.51.100.33"
#define NODE3	"198.51.100.49"
#define STRANGE "198.51.100.65"

#define BE(n) "      - {name: be" #n ", address: 192.0.2." #n "}\n"
#define CONFIG_OF(service, pool)                                                    \
	"cluster: {insecure: true}\n"                                               \
	"node: {name: test, addresses: [198.51.100.16/28]}\n"                       \
	"services:\n"                                                               \
	"  - {address: 203.0.113.1, port: 80, protocol: tcp, pool: p" service "}\n" \
	"  - {address: 203.0.113.1, port: 7, protocol: udp, pool: p}\n"             \
	"  - {address: '2001:db8:cafe::1', port: 80, protocol: tcp, pool: p}\n"     \
	"pools:\n"                                                                  \
	"  - name: p\n" pool "    backends:\n" BE(1) BE(2) BE(3) BE(4)
#define GUE    "    encapsulation: gue\n"
#define CONFIG CONFIG_OF("", GUE)

static struct harness h;
static struct outer o;
static const uint8_t hop_key[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
static struct hf_cluster table;

static struct hf_address address(const char *text)
{
	struct hf_address a = { .family = 4 };

	assert_int_equal(inet_pton(AF_INET, text, a.word), 1);
	return a;
}

/* All shards are the second node's, and the third's. */
static void set_cluster(const uint16_t owners[2])
{
	static uint16_t now[HF_SHARDS * 2];
	static struct hf_cluster_news news;

	for (uint32_t i = 0; i < HF_SHARDS; i++)
		memcpy(&now[2 * i], owners, 2 * sizeof(*owners));
	news = (struct hf_cluster_news){
		.self = 0x100000001,
		.epoch = 77,
		.member = { { .id = 0x100000001, .address = address(SELF), .ready = true },
			    { .id = 0x100000002, .address = address(NODE2), .ready = true },
			    { .id = 0x100000003, .address = address(NODE3), .ready = true } },
		.member_count = 3,
		.replicas = 2,
		.now = now,
	};
	assert_int_equal(hf_cluster_build(&table, &news), 0);
	table.hop_key_count = 1;
	memcpy(table.hop_key, hop_key, sizeof(hop_key));
	harness_set_cluster(&h, &table);
}

static int begin(void **state)
{
	(void)state;
	harness_open(&h, CONFIG, 16);
	set_cluster((const uint16_t[]){ 1, 2 });
	return 0;
}

static int end(void **state)
{
	(void)state;
	harness_close(&h);
	return 0;
}

static void flow(struct frame *f, uint16_t port, uint8_t flags)
{
	frame_flow(f, IPPROTO_TCP, CLIENT4, port, VIP4, 80, flags, 100);
}

static uint64_t digest_of(const struct frame *f)
{
	/* As drivers have it: the IP header behind Ethernet's 14 bytes is aligned. */
	static _Alignas(8) uint8_t room[2 + sizeof(f->bytes)];
	struct hf_packet p = { .l3 = NULL };

	memcpy(room + 2, f->bytes, f->length);
	assert_int_equal(hf_parse(room + 2, room + 2 + f->length, &p), HF_PARSED_FLOW);
	return hf_digest(&p, (struct hf_key){ HARNESS_KEY0, HARNESS_KEY1 });
}

/* version, kind, hops, flags, origin, epoch, tag: docs/formats.md. */
static void make_envelope(uint8_t bytes[20], uint8_t hops, uint8_t flags, uint32_t origin,
			  uint64_t digest)
{
	const uint32_t epoch = htonl(77), id = htonl(origin);
	uint8_t text[20] = { 1, 1, hops, flags };

	memcpy(text + 4, &id, 4);
	memcpy(text + 8, &epoch, 4);
	memcpy(text + 12, &digest, 8); /* little-endian */
	memcpy(bytes, text, 12);
	crypto_shorthash(bytes + 12, text, sizeof(text), hop_key);
}

static void wrap(struct frame *outer, const struct frame *inner, const char *from,
		 const uint8_t envelope[20])
{
	const uint8_t gue[4] = { 5, inner->bytes[inner->l3] >> 4 == 4 ? 4 : 41, 0, 0 };

	frame_ethernet(outer);
	frame_ipv4(outer, from, SELF);
	frame_udp(outer, 50000, 6080);
	frame_append(outer, gue, sizeof(gue));
	frame_append(outer, envelope, 20);
	frame_append(outer, inner->bytes + inner->l3, inner->length - inner->l3);
	frame_finish(outer);
}

/* What the second node sends: `hops` as it stands in the envelope. */
static void visitor(struct frame *outer, const struct frame *inner, uint8_t hops, uint32_t origin)
{
	uint8_t envelope[20];

	make_envelope(envelope, hops, 0, origin, digest_of(inner));
	wrap(outer, inner, NODE2, envelope);
}

static void expect_sent(const struct frame *f, const struct frame *inner, const char *to,
			uint8_t hops, uint32_t origin)
{
	struct hf_address self = address(SELF), peer = address(to);
	uint8_t envelope[20];

	assert_int_equal(verdict_run(&h, f), XDP_TX);
	assert_null(outer_decode(verdict_out, verdict_length, &o));
	assert_memory_equal(o.source, self.word, 4);
	assert_memory_equal(o.destination, peer.word, 4);
	assert_true(o.is_gue && o.destination_port == 6080 && o.option_words == 5);
	make_envelope(envelope, hops, 0, origin, digest_of(inner));
	assert_memory_equal(o.option, envelope, 20);
	assert_int_equal(o.inner_length, inner->length - inner->l3);
	assert_memory_equal(o.inner, inner->bytes + inner->l3, o.inner_length);
}

/* The visitor's inner packet comes to a backend, which is returned. */
static int to_backend(const struct frame *f, const struct frame *inner)
{
	assert_int_equal(verdict_run(&h, f), XDP_TX);
	assert_null(outer_decode(verdict_out, verdict_length, &o));
	assert_int_equal(o.inner_length, inner->length - inner->l3);
	assert_memory_equal(o.inner, inner->bytes + inner->l3, o.inner_length);
	assert_int_equal(o.destination[0], 192);
	return o.destination[3];
}

static void unknown_flows_go_to_the_owner(void **state)
{
	struct frame f;

	(void)state;
	flow(&f, 1000, HF_TCP_ACK);
	expect_sent(&f, &f, NODE2, 0, 1);
	assert_int_equal(harness_counter(&h, HF_COUNT_SECOND_CHANCES), 1);
	assert_int_equal(harness_counter(&h, HF_COUNT_FLOWS_ADOPTED), 0);
	frame_flow(&f, IPPROTO_TCP, CLIENT6, 1000, VIP6, 80, HF_TCP_ACK | HF_TCP_FIN, 100);
	expect_sent(&f, &f, NODE2, 0, 1);
}

static void new_and_known_flows_do_not(void **state)
{
	struct frame f;

	(void)state;
	flow(&f, 1000, HF_TCP_SYN);
	expect_forwarded(&h, &f, &o);
	flow(&f, 1000, HF_TCP_ACK);
	expect_forwarded(&h, &f, &o);
	frame_flow(&f, IPPROTO_UDP, CLIENT4, 1000, VIP4, 7, 0, 10);
	expect_forwarded(&h, &f, &o);
	assert_int_equal(harness_counter(&h, HF_COUNT_SECOND_CHANCES), 0);
}

static void pin(const struct frame *inner, int backend, enum hf_pin_state state)
{
	char name[8];
	uint64_t digest = digest_of(inner);
	uint32_t home = hf_home_bucket(digest, h.bucket_bits);

	snprintf(name, sizeof(name), "be%d", backend);
	h.flows[home].pin[0] = hf_pin(digest, harness_backend_id(&h, "p", name), state);
}

/* As a record of the flow does. */
static void keep(const struct frame *inner, int backend)
{
	pin(inner, backend, HF_PIN_ESTABLISHED);
}

static void visitors_of_known_flows_go_to_their_backends(void **state)
{
	struct frame f, v;

	(void)state;
	for (int backend = 1; backend <= 4; backend++) {
		flow(&f, 1000 + backend, HF_TCP_ACK);
		keep(&f, backend);
		visitor(&v, &f, 0, 2);
		assert_int_equal(to_backend(&v, &f), backend);
		visitor(&v, &f, 1, 3);
		assert_int_equal(to_backend(&v, &f), backend);
	}
	assert_int_equal(harness_counter(&h, HF_COUNT_VISITORS_KNOWN), 8);
}

static void visitors_of_unknown_flows_go_on_once(void **state)
{
	struct frame f, v;

	(void)state;
	flow(&f, 1000, HF_TCP_ACK);
	visitor(&v, &f, 0, 2);
	/* Not back to where it came from. */
	expect_sent(&v, &f, NODE3, 1, 2);
	assert_int_equal(harness_counter(&h, HF_COUNT_VISITORS_SENT_ON), 1);
	visitor(&v, &f, 1, 2);
	to_backend(&v, &f);
	assert_int_equal(harness_counter(&h, HF_COUNT_VISITORS_UNKNOWN), 1);
	/* And leave no pin. */
	flow(&f, 1000, HF_TCP_ACK);
	expect_sent(&f, &f, NODE2, 0, 1);
}

static void forged_envelopes_are_dropped(void **state)
{
	struct frame f, v;
	uint8_t envelope[20];

	(void)state;
	flow(&f, 1000, HF_TCP_ACK);
	keep(&f, 1);
	for (int byte = 0; byte < 20; byte++) {
		make_envelope(envelope, 0, 0, 2, digest_of(&f));
		envelope[byte] ^= 0x40;
		wrap(&v, &f, NODE2, envelope);
		expect_dropped(&h, &v,
			       byte < 4 ? HF_COUNT_DROP_ENVELOPE : HF_COUNT_DROP_ENVELOPE_TAG);
	}
	make_envelope(envelope, 0, 0, 2, digest_of(&f));
	wrap(&v, &f, STRANGE, envelope);
	expect_dropped(&h, &v, HF_COUNT_DROP_TUNNEL);
	/* The tag is that flow's. */
	flow(&f, 1001, HF_TCP_ACK);
	wrap(&v, &f, NODE2, envelope);
	expect_dropped(&h, &v, HF_COUNT_DROP_ENVELOPE_TAG);
	make_envelope(envelope, 2, 0, 2, digest_of(&f));
	wrap(&v, &f, NODE2, envelope);
	expect_dropped(&h, &v, HF_COUNT_DROP_ENVELOPE);
	/* Nothing inside that is a service's. */
	frame_flow(&f, IPPROTO_TCP, CLIENT4, 1, "192.0.2.1", 22, HF_TCP_ACK, 10);
	make_envelope(envelope, 0, 0, 2, digest_of(&f));
	wrap(&v, &f, NODE2, envelope);
	assert_int_equal(verdict_run(&h, &v), XDP_DROP);
}

static void nobody_to_ask(void **state)
{
	struct frame f;

	(void)state;
	/* Both others can't be reached. */
	set_cluster((const uint16_t[]){ 0, 0xffff });
	flow(&f, 1000, HF_TCP_ACK);
	expect_forwarded(&h, &f, &o);
	assert_int_equal(harness_counter(&h, HF_COUNT_FLOWS_ADOPTED), 1);
}

/* Every slot was another backend's before. */
static void change_slots(bool fresh)
{
	uint32_t key = 0, size = 65537;
	uint32_t inner_id = 0;
	int fd;

	assert_int_equal(
		bpf_map__lookup_elem(h.bpf->maps.pools, &key, 4, &inner_id, sizeof(inner_id), 0),
		0);
	fd = bpf_map_get_fd_by_id(inner_id);
	assert_true(fd >= 0);
	for (uint32_t i = 0; i < size; i++) {
		struct hf_slot slot;

		assert_int_equal(bpf_map_lookup_elem(fd, &i, &slot), 0);
		slot.previous = slot.backend % 4 + 1;
		slot.is_fresh = fresh;
		assert_int_equal(bpf_map_update_elem(fd, &i, &slot, 0), 0);
	}
	close(fd);
}

static void the_last_chance_is_named(void **state)
{
	struct frame f, v;
	int backend;

	(void)state;
	change_slots(false);
	flow(&f, 1000, HF_TCP_ACK);
	visitor(&v, &f, 1, 2);
	backend = to_backend(&v, &f);
	assert_int_equal(o.option_words, 3);
	assert_memory_equal(o.option, "\x01\x02\x17\xc0\xc6\x33\x64",
			    7); /* port 6080, 198.51.100. */
	assert_int_equal(o.option[7] & 0xf0, 16);
	assert_memory_equal(o.option + 8, "\xc0\x00\x02", 3); /* 192.0.2. */
	assert_int_not_equal(o.option[11], backend);
	assert_int_equal(harness_counter(&h, HF_COUNT_LAST_CHANCES), 1);
	/* Of a known flow there is none. */
	keep(&f, 2);
	assert_int_equal(to_backend(&v, &f), 2);
	assert_int_equal(o.option_words, 0);
	/* Nor of a packet that fits only without. */
	frame_flow(&f, IPPROTO_TCP, CLIENT4, 1003, VIP4, 80, HF_TCP_ACK, 1427);
	visitor(&v, &f, 1, 2);
	to_backend(&v, &f);
	assert_int_equal(o.option_words, 0);
	/* Nor in a pool that wants none. */
	harness_apply(&h, CONFIG_OF("", GUE "    last_chance: false\n"));
	change_slots(false);
	flow(&f, 1001, HF_TCP_ACK);
	visitor(&v, &f, 1, 2);
	to_backend(&v, &f);
	assert_int_equal(o.option_words, 0);
	assert_int_equal(harness_counter(&h, HF_COUNT_LAST_CHANCES), 1);
	/* By GUE in a pool of IPIP, whose known flows go by that. */
	harness_apply(&h, CONFIG_OF("", "    last_chance: true\n"));
	change_slots(false);
	flow(&f, 1002, HF_TCP_ACK);
	visitor(&v, &f, 1, 2);
	to_backend(&v, &f);
	assert_true(o.is_gue && o.option_words == 3 && o.destination_port == 6080);
	keep(&f, 2);
	assert_int_equal(to_backend(&v, &f), 2);
	assert_false(o.is_gue);
}

/* Nobody is asked for a flow that no client can have. */
static void forged_sources_are_dropped(void **state)
{
	struct frame f;

	(void)state;
	frame_flow(&f, IPPROTO_TCP, VIP4, 1000, VIP4, 80, HF_TCP_ACK, 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(verdict_run(&h, &f), XDP_DROP);
	frame_flow(&f, IPPROTO_TCP, "127.0.0.1", 1000, VIP4, 80, HF_TCP_ACK, 0);
	assert_int_equal(verdict_run(&h, &f), XDP_DROP);
	assert_int_equal(harness_counter(&h, HF_COUNT_DROP_SOURCE), 4);
	assert_int_equal(harness_counter(&h, HF_COUNT_SECOND_CHANCES), 0);
}

/* A slot has changed, and again: what was taken for its choice meanwhile may be wrong. */
static void guesses_name_the_other_one(void **state)
{
	struct frame f, v;
	int choice, previous;

	(void)state;
	change_slots(false);
	flow(&f, 1000, HF_TCP_ACK);
	visitor(&v, &f, 1, 2);
	choice = to_backend(&v, &f);
	previous = o.option[11];
	pin(&f, choice, HF_PIN_ADOPTED);
	assert_int_equal(to_backend(&f, &f), choice);
	assert_int_equal(o.option[11], previous);
	pin(&f, previous, HF_PIN_ADOPTED);
	assert_int_equal(to_backend(&f, &f), previous);
	assert_int_equal(o.option_words, 3);
	assert_int_equal(o.option[11], choice);
}

static void stateless_flows_leave_no_pin(void **state)
{
	struct frame f;

	(void)state;
	harness_apply(&h, CONFIG_OF(", stateless: true", GUE));
	flow(&f, 1000, HF_TCP_SYN);
	to_backend(&f, &f);
	flow(&f, 1000, HF_TCP_ACK);
	to_backend(&f, &f);
	for (uint32_t i = 0; i < 1U << h.bucket_bits; i++)
		for (int j = 0; j < HF_BUCKET_PINS; j++)
			assert_int_equal(h.flows[i].pin[j], 0);
	assert_int_equal(harness_counter(&h, HF_COUNT_FLOWS_NEW), 0);
	assert_int_equal(harness_counter(&h, HF_COUNT_SECOND_CHANCES), 0);
}

static void udp_is_unknown_where_a_slot_is_fresh(void **state)
{
	struct frame f;
	const uint8_t quic[] = { 0xc3, 0, 0, 0, 1 };

	(void)state;
	change_slots(true);
	frame_flow(&f, IPPROTO_UDP, CLIENT4, 1000, VIP4, 7, 0, 20);
	assert_int_equal(verdict_run(&h, &f), XDP_TX);
	assert_int_equal(harness_counter(&h, HF_COUNT_SECOND_CHANCES), 1);
	frame_ethernet(&f);
	frame_ipv4(&f, CLIENT4, VIP4);
	frame_udp(&f, 1001, 7);
	frame_append(&f, quic, sizeof(quic));
	frame_finish(&f);
	expect_forwarded(&h, &f, &o);
	assert_int_equal(harness_counter(&h, HF_COUNT_SECOND_CHANCES), 1);
}

static void fragments_follow_their_first_one(void **state)
{
	struct frame f, first, other, v;
	uint8_t envelope[20];

	(void)state;
	frame_flow(&f, IPPROTO_TCP, CLIENT4, 1000, VIP4, 80, HF_TCP_ACK, 400);
	first = other = f;
	frame_fragment4(&first, 4711, 0, true);
	frame_fragment4(&other, 4711, 60, false);
	assert_int_equal(verdict_run(&h, &first), XDP_TX);
	assert_null(outer_decode(verdict_out, verdict_length, &o));
	assert_true(o.option_words == 5 && o.option[3] == 2);
	make_envelope(envelope, 0, 2, 1, digest_of(&f));
	assert_memory_equal(o.option, envelope, 20);
	assert_int_equal(verdict_run(&h, &other), XDP_TX);
	assert_null(outer_decode(verdict_out, verdict_length, &o));
	assert_true(o.option_words == 5 && o.option[3] == 2);
	memcpy(envelope, o.option, 20);
	/* The same two, as visitors here. */
	keep(&f, 3);
	make_envelope(envelope, 0, 2, 2, digest_of(&f));
	wrap(&v, &first, NODE2, envelope);
	assert_int_equal(to_backend(&v, &first), 3);
}

static void errors_take_a_second_chance(void **state)
{
	struct frame f, e;

	(void)state;
	frame_flow(&f, IPPROTO_TCP, VIP4, 80, CLIENT4, 1000, HF_TCP_ACK, 20);
	frame_ethernet(&e);
	frame_ipv4(&e, "192.0.2.254", VIP4);
	frame_icmp(&e, 3, 4, 1400);
	frame_append(&e, f.bytes + f.l3, f.length - f.l3);
	frame_finish(&e);
	assert_int_equal(verdict_run(&h, &e), XDP_TX);
	assert_null(outer_decode(verdict_out, verdict_length, &o));
	assert_true(o.option_words == 5 && o.option[3] == 1);
	assert_int_equal(harness_counter(&h, HF_COUNT_SECOND_CHANCES), 1);
	assert_int_equal(harness_counter(&h, HF_COUNT_ICMP_ERRORS), 0);
	/* Nobody else is there. */
	set_cluster((const uint16_t[]){ 0, 0 });
	to_backend(&e, &e);
	assert_int_equal(harness_counter(&h, HF_COUNT_ICMP_ERRORS), 1);
	assert_int_equal(harness_counter(&h, HF_COUNT_FLOWS_ADOPTED), 0);
}

/* Owners get no more than so many, from however many sources: each packet moves the time at which
 * the CPU would have had its last turn. That of a flood is put there. */
static void floods_are_limited(void **state)
{
	const int map = bpf_map__fd(h.bpf->maps.second_chances), cpus = libbpf_num_possible_cpus();
	uint64_t *turn = calloc(cpus, sizeof(*turn)), last = 0;
	const uint32_t zero = 0;
	struct frame f;

	(void)state;
	assert_non_null(turn);
	flow(&f, 1000, HF_TCP_ACK);
	assert_int_equal(verdict_run(&h, &f), XDP_TX);
	assert_int_equal(bpf_map_lookup_elem(map, &zero, turn), 0);
	for (int i = 0; i < cpus; i++)
		last = turn[i] > last ? turn[i] : last;
	for (int i = 0; i < cpus; i++)
		turn[i] = last + 65536 * 4 * 3 / 2;
	assert_int_equal(bpf_map_update_elem(map, &zero, turn, 0), 0);
	free(turn);
	flow(&f, 1001, HF_TCP_ACK);
	to_backend(&f, &f);
	assert_int_equal(harness_counter(&h, HF_COUNT_SECOND_CHANCES_LIMITED), 1);
	assert_int_equal(harness_counter(&h, HF_COUNT_SECOND_CHANCES), 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		T(unknown_flows_go_to_the_owner),
		T(new_and_known_flows_do_not),
		T(visitors_of_known_flows_go_to_their_backends),
		T(visitors_of_unknown_flows_go_on_once),
		T(forged_envelopes_are_dropped),
		T(nobody_to_ask),
		T(the_last_chance_is_named),
		T(udp_is_unknown_where_a_slot_is_fresh),
		T(fragments_follow_their_first_one),
		T(errors_take_a_second_chance),
		T(guesses_name_the_other_one),
		T(forged_sources_are_dropped),
		T(floods_are_limited),
		T(stateless_flows_leave_no_pin),
	};

	return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
