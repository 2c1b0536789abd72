// SPDX-License-Identifier: BSD-2-Clause
/* ICMP: pings of a VIP, errors about what backends sent in its name, and our own about packets that
 * are too big for a tunnel. */
#include <arpa/inet.h>
#include <string.h>

#include "lib/packet/base.h"
#include "lib/packet/icmp.h"
#include "tests/packet/verdict.h"
#include "tests/unit/unit.h"

#define CLIENT4 "192.0.2.99"
#define CLIENT6 "2001:db8:c1::1"
#define ROUTER4 "192.0.2.254"
#define ROUTER6 "2001:db8:ffff::1"
#define VIP4	"203.0.113.1"
#define VIP6	"2001:db8:cafe::1"

#define SERVICES                                                                \
	"cluster: {insecure: true}\n"                                           \
	"node: {name: test, addresses: [198.51.100.16/28]}\n"                   \
	"services:\n"                                                           \
	"  - {address: 203.0.113.1, port: 80, protocol: tcp, pool: p}\n"        \
	"  - {address: 203.0.113.1, port: 53, protocol: udp, pool: p}\n"        \
	"  - {address: 203.0.113.2, port: 80, protocol: tcp, pool: p}\n"        \
	"  - {address: '2001:db8:cafe::1', port: 80, protocol: tcp, pool: p}\n" \
	"  - {address: '2001:db8:cafe::1', port: 53, protocol: udp, pool: p}\n" \
	"pools:\n"                                                              \
	"  - name: p\n"                                                         \
	"    backends:\n"
#define BE(n) "      - {name: be" #n ", address: 192.0.2." #n "}\n"

static struct harness h;
static struct outer o;

static int begin(void **state)
{
	(void)state;
	harness_open(&h, SERVICES BE(1) BE(2) BE(3) BE(4), 16);
	return 0;
}

static int end(void **state)
{
	(void)state;
	harness_close(&h);
	return 0;
}

static int forwarded(const struct frame *f)
{
	expect_forwarded(&h, f, &o);
	return o.destination[3];
}

static void address_is(const uint8_t *bytes, const char *text)
{
	bool is_6 = strchr(text, ':') != NULL;
	uint8_t expected[16];

	assert_int_equal(inet_pton(is_6 ? AF_INET6 : AF_INET, text, expected), 1);
	assert_memory_equal(bytes, expected, is_6 ? 16 : 4);
}

/* An ICMP packet from a VIP to the client, its addresses and both checksums. */
static void is_sound_answer(const struct frame *a, bool is_6, const char *vip, const char *client)
{
	const uint8_t *ip = a->bytes + a->l3;
	size_t header = is_6 ? 40 : (ip[0] & 15) * 4, length = a->length - a->l3 - header;
	uint32_t pseudo = 0;

	if (is_6) {
		assert_int_equal(ip[6], IPPROTO_ICMPV6);
		assert_int_equal(ip[4] << 8 | ip[5], length);
		pseudo = (uint16_t)~frame_checksum(ip + 8, 32, length + IPPROTO_ICMPV6);
	} else {
		assert_int_equal(ip[9], IPPROTO_ICMP);
		assert_int_equal(ip[2] << 8 | ip[3], length + header);
		assert_int_equal(frame_checksum(ip, header, 0), 0);
	}
	address_is(ip + (is_6 ? 8 : 12), vip);
	address_is(ip + (is_6 ? 24 : 16), client);
	assert_int_equal(ip[is_6 ? 7 : 8], 64);
	assert_int_equal(frame_checksum(ip + header, length, pseudo), 0);
}

static void echo(struct frame *f, bool is_6, int tags, size_t options, size_t payload)
{
	frame_ethernet(f);
	for (int i = 0; i < tags; i++)
		frame_vlan(f, 0x8100, 100 + i);
	if (is_6) {
		frame_ipv6(f, CLIENT6, VIP6);
		f->bytes[f->l3 + 7] = 33;
	} else {
		frame_ipv4(f, CLIENT4, VIP4);
		f->bytes[f->l3 + 8] = 33;
		if (options)
			frame_ipv4_options(f, options);
	}
	frame_icmp(f, is_6 ? 128 : 8, 0, 0x12340001);
	frame_payload(f, payload);
	frame_finish(f);
}

static void pings_are_answered(void **state)
{
	const size_t payloads[] = { 0, 1, 56, 1400 };
	struct frame f, answer;

	(void)state;
	for (int is_6 = 0; is_6 < 2; is_6++) {
		for (int i = 0; i < 4 * 3; i++) {
			echo(&f, is_6, i % 3, 0, payloads[i / 3]);
			expect_answered(&h, &f, HF_COUNT_ECHO_ANSWERED, &answer);
			assert_int_equal(answer.length, f.length);
			is_sound_answer(&answer, is_6, is_6 ? VIP6 : VIP4,
					is_6 ? CLIENT6 : CLIENT4);
			assert_int_equal(answer.bytes[f.l4], is_6 ? 129 : 0);
			assert_memory_equal(answer.bytes + f.l4 + 4, f.bytes + f.l4 + 4,
					    f.length - f.l4 - 4);
		}
	}
}

static void other_icmp_is_the_kernels(void **state)
{
	struct frame f;

	(void)state;
	echo(&f, false, 0, 8, 10); /* options may be a route */
	expect_passed(&h, &f);
	echo(&f, false, 0, 0, 10);
	f.bytes[f.l3 + 19] = 99; /* 203.0.113.99 is no VIP */
	frame_finish(&f);
	expect_passed(&h, &f);
	echo(&f, false, 0, 0, 10);
	f.bytes[f.l4] = 13; /* a timestamp request */
	expect_passed(&h, &f);
	echo(&f, true, 0, 0, 10);
	f.bytes[f.l4] = 135; /* a neighbour solicitation */
	expect_passed(&h, &f);
}

static void pings_from_nowhere(void **state)
{
	struct frame f;

	(void)state;
	echo(&f, false, 0, 0, 10);
	memcpy(f.bytes + f.l3 + 12, f.bytes + f.l3 + 16, 4);
	frame_finish(&f);
	expect_dropped(&h, &f, HF_COUNT_DROP_SOURCE);
	echo(&f, true, 0, 0, 10);
	f.bytes[f.l3 + 8] = 0xff;
	frame_finish(&f);
	expect_dropped(&h, &f, HF_COUNT_DROP_SOURCE);
}

/* An error of `type` and `code` about a packet of the flow from client:port to the VIP's service,
 * seen the other way; `quoted` bytes of it from the upper layer on. */
struct error {
	bool is_6;
	uint8_t type, code, protocol;
	uint16_t port;
	size_t quoted;
	size_t options; /* of an IPv4 quote */
	int extensions; /* of an IPv6 quote */
};

static void error(struct frame *f, const struct error *e)
{
	uint16_t service = e->protocol == IPPROTO_TCP ? 80 : 53;
	struct frame q;

	frame_ethernet(&q);
	if (e->is_6) {
		frame_ipv6(&q, VIP6, CLIENT6);
		for (int i = 0; i < e->extensions; i++)
			frame_ipv6_extension(&q, IPPROTO_DSTOPTS, i);
	} else {
		frame_ipv4(&q, VIP4, CLIENT4);
		if (e->options)
			frame_ipv4_options(&q, e->options);
	}
	if (e->protocol == IPPROTO_TCP)
		frame_tcp(&q, service, e->port, HF_TCP_ACK);
	else
		frame_udp(&q, service, e->port);
	frame_payload(&q, 1000);
	frame_finish(&q);
	frame_ethernet(f);
	if (e->is_6)
		frame_ipv6(f, ROUTER6, VIP6);
	else
		frame_ipv4(f, ROUTER4, VIP4);
	frame_icmp(f, e->type, e->code, 1400);
	frame_append(f, q.bytes + q.l3, q.l4 - q.l3 + e->quoted);
	frame_finish(f);
}

static int flows_backend(bool is_6, uint8_t protocol, uint16_t port)
{
	struct frame f;

	frame_flow(&f, protocol, is_6 ? CLIENT6 : CLIENT4, port, is_6 ? VIP6 : VIP4,
		   protocol == IPPROTO_TCP ? 80 : 53, HF_TCP_ACK, 10);
	return forwarded(&f);
}

static void errors_reach_the_flows_backend(void **state)
{
	const struct {
		bool is_6;
		uint8_t type, code;
	} kinds[] = {
		{ false, 3, 0 },  { false, 3, 1 },  { false, 3, 3 },  { false, 3, 4 },
		{ false, 3, 13 }, { false, 3, 15 }, { false, 11, 0 }, { false, 11, 1 },
		{ false, 12, 0 }, { false, 12, 2 }, { true, 1, 0 },   { true, 1, 4 },
		{ true, 2, 0 },	  { true, 3, 0 },   { true, 3, 1 },   { true, 4, 0 },
		{ true, 4, 1 },	  { true, 4, 2 },
	};
	const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP };
	uint32_t seen = 0;
	struct frame f;

	(void)state;
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		for (int i = 0; i < 4; i++) {
			struct error e = {
				.is_6 = kinds[k].is_6,
				.type = kinds[k].type,
				.code = kinds[k].code,
				.protocol = protocols[i % 2],
				.port = 2000 + k * 8 + i,
				.quoted = i < 2 ? 8 : 500,
			};
			int backend = flows_backend(e.is_6, e.protocol, e.port);

			seen |= 1U << backend;
			error(&f, &e);
			assert_int_equal(forwarded(&f), backend);
		}
	}
	assert_int_equal(seen, 0x1e);
}

static void options_and_extensions_in_quotes(void **state)
{
	struct frame f;

	(void)state;
	for (int i = 1; i <= 4; i++) {
		struct error e4 = { false, 3, 4, IPPROTO_TCP, 2500 + i, 8, 10 * i / 4 * 4, 0 };
		struct error e6 = { true, 2, 0, IPPROTO_UDP, 2500 + i, 8, 0, i };
		int backend = flows_backend(false, IPPROTO_TCP, 2500 + i);

		error(&f, &e4);
		assert_int_equal(forwarded(&f), backend);
		backend = flows_backend(true, IPPROTO_UDP, 2500 + i);
		error(&f, &e6);
		assert_int_equal(forwarded(&f), backend);
	}
}

/* An error finds its flow's backend after the pool has changed; of a flow that is not known it goes
 * to the choice, and makes no pin: then the flow's first packet would be adopted. */
static void errors_follow_pins_and_make_none(void **state)
{
	struct error e = { false, 3, 4, IPPROTO_TCP, 2600, 8, 0, 0 };
	uint64_t adopted;
	struct frame f;
	int backend = flows_backend(false, IPPROTO_TCP, 2600);

	(void)state;
	harness_apply(&h, SERVICES BE(5));
	error(&f, &e);
	assert_int_equal(forwarded(&f), backend);
	harness_apply(&h, SERVICES BE(1) BE(2) BE(3) BE(4));
	e.port = 2601;
	error(&f, &e);
	backend = forwarded(&f);
	adopted = harness_counter(&h, HF_COUNT_FLOWS_ADOPTED);
	assert_int_equal(flows_backend(false, IPPROTO_TCP, 2601), backend);
	assert_int_equal(harness_counter(&h, HF_COUNT_FLOWS_ADOPTED), adopted + 1);
}

static void errors_that_are_none_of_ours(void **state)
{
	struct error e = { false, 3, 4, IPPROTO_TCP, 2700, 8, 0, 0 };
	struct frame f;
	size_t quote;

	(void)state;
	error(&f, &e);
	quote = f.l4 + 8;
	f.bytes[quote + 20 + 1] = 81; /* the VIP has no such service */
	frame_finish(&f);
	expect_passed(&h, &f);
	error(&f, &e);
	f.bytes[quote + 15] = 99; /* the quoted source is no VIP */
	frame_finish(&f);
	expect_passed(&h, &f);
	error(&f, &e);
	f.bytes[quote + 9] = IPPROTO_ICMP; /* about our own answer to a ping */
	frame_finish(&f);
	expect_passed(&h, &f);
	error(&f, &e);
	f.bytes[quote + 15] = 2; /* another VIP's packet: this one never sent it */
	frame_finish(&f);
	expect_dropped(&h, &f, HF_COUNT_DROP_ICMP);
	error(&f, &e);
	f.bytes[quote + 7] = 100; /* a fragment without ports */
	frame_finish(&f);
	expect_dropped(&h, &f, HF_COUNT_DROP_ICMP);
	error(&f, &e);
	f.bytes[quote] = 0x65;
	frame_finish(&f);
	expect_dropped(&h, &f, HF_COUNT_DROP_ICMP);
}

static void errors_cut_short(void **state)
{
	struct frame f;

	(void)state;
	for (int is_6 = 0; is_6 < 2; is_6++) {
		struct error e = { is_6, is_6 ? 2 : 3, is_6 ? 0 : 4, IPPROTO_TCP, 2800, 8, 0, 0 };
		size_t whole;

		error(&f, &e);
		whole = f.length;
		for (size_t cut = 1; cut <= 8 + (is_6 ? 40 : 20); cut++) {
			f.length = whole - cut;
			frame_finish(&f);
			expect_dropped(&h, &f, HF_COUNT_DROP_ICMP);
		}
		/* The frame's padding is no part of the packet. */
		error(&f, &e);
		f.length -= 4;
		frame_finish(&f);
		f.length += 4;
		expect_dropped(&h, &f, HF_COUNT_DROP_ICMP);
		error(&f, &e);
		f.length = f.l4 + 7;
		frame_finish_ip(&f);
		expect_dropped(&h, &f, HF_COUNT_DROP_MALFORMED);
	}
}

/* Far more than its share from one source; another still has its own. */
static void errors_are_limited_by_source(void **state)
{
	struct error e = { false, 3, 4, IPPROTO_TCP, 2900, 8, 0, 0 };
	uint64_t limited = harness_counter(&h, HF_COUNT_DROP_ICMP_LIMIT);
	struct frame f;

	(void)state;
	error(&f, &e);
	f.bytes[f.l3 + 15] = 201;
	frame_finish(&f);
	for (int i = 0; i < 3000; i++)
		verdict_run(&h, &f);
	limited = harness_counter(&h, HF_COUNT_DROP_ICMP_LIMIT) - limited;
	assert_in_range(limited, 1500, 2950);
	f.bytes[f.l3 + 15] = 202;
	frame_finish(&f);
	forwarded(&f);
}

static void big(struct frame *f, bool is_6, int tags, uint8_t client, size_t length)
{
	frame_ethernet(f);
	for (int i = 0; i < tags; i++)
		frame_vlan(f, 0x8100, 100 + i);
	if (is_6)
		frame_ipv6(f, CLIENT6, VIP6);
	else
		frame_ipv4(f, CLIENT4, VIP4);
	f->bytes[f->l3 + (is_6 ? 15 : 15)] = client;
	frame_tcp(f, 3000, 80, HF_TCP_ACK);
	frame_payload(f, length - (f->length - f->l3));
	frame_finish(f);
}

static void too_big_is_told(void **state)
{
	struct frame f, answer;

	(void)state;
	for (int is_6 = 0; is_6 < 2; is_6++) {
		for (int tags = 0; tags <= 2; tags++) {
			size_t header = is_6 ? 40 : 20, quote = is_6 ? 1232 : 548;
			const uint8_t *icmp;

			big(&f, is_6, tags, 0, 1480);
			forwarded(&f);
			big(&f, is_6, tags, 0, 1481);
			expect_answered(&h, &f, HF_COUNT_TOO_BIG_TOLD, &answer);
			assert_int_equal(answer.length - answer.l3, is_6 ? 1280 : 576);
			icmp = answer.bytes + answer.l3 + header;
			assert_int_equal(icmp[0], is_6 ? 2 : 3);
			assert_int_equal(icmp[1], is_6 ? 0 : 4);
			assert_int_equal(icmp[6] << 8 | icmp[7], 1480);
			assert_int_equal(icmp[4] << 8 | icmp[5], 0);
			assert_memory_equal(icmp + 8, f.bytes + f.l3, quote);
			/* The client's address was changed in its 8th byte, 0 already in it. */
			is_sound_answer(&answer, is_6, is_6 ? VIP6 : VIP4,
					is_6 ? "2001:db8:c1::1" : "192.0.2.0");
		}
	}
}

/* "Don't fragment" or not: there is no other way to make it fit. */
static void too_big_is_told_without_df(void **state)
{
	struct frame f, answer;

	(void)state;
	big(&f, false, 0, 3, 1500);
	f.bytes[f.l3 + 6] = 0;
	frame_finish(&f);
	expect_answered(&h, &f, HF_COUNT_TOO_BIG_TOLD, &answer);
}

static void too_big_and_not_told(void **state)
{
	struct error e = { false, 3, 4, IPPROTO_TCP, 3100, 1020, 0, 0 };
	uint64_t told = harness_counter(&h, HF_COUNT_TOO_BIG_TOLD);
	struct frame f;

	(void)state;
	error(&f, &e);
	frame_payload(&f, 1490 - (f.length - f.l3));
	frame_finish(&f);
	expect_dropped(&h, &f, HF_COUNT_DROP_TOO_BIG); /* no ICMP about ICMP */

	/* A first fragment is answered, the others are not. */
	big(&f, false, 0, 4, 1500);
	frame_fragment4(&f, 31, 0, true);
	assert_int_equal(verdict_run(&h, &f), XDP_TX);
	assert_int_equal(harness_counter(&h, HF_COUNT_TOO_BIG_TOLD), told + 1);
	frame_fragment4(&f, 31, 200, true);
	expect_dropped(&h, &f, HF_COUNT_DROP_TOO_BIG);

	/* One client's share. */
	big(&f, false, 0, 5, 1500);
	for (int i = 0; i < 3000; i++)
		verdict_run(&h, &f);
	told = harness_counter(&h, HF_COUNT_TOO_BIG_TOLD) - told;
	assert_in_range(told, 100, 1500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pings_are_answered),
		cmocka_unit_test(other_icmp_is_the_kernels),
		cmocka_unit_test(pings_from_nowhere),
		cmocka_unit_test(errors_reach_the_flows_backend),
		cmocka_unit_test(options_and_extensions_in_quotes),
		cmocka_unit_test(errors_follow_pins_and_make_none),
		cmocka_unit_test(errors_that_are_none_of_ours),
		cmocka_unit_test(errors_cut_short),
		cmocka_unit_test(errors_are_limited_by_source),
		cmocka_unit_test(too_big_is_told),
		cmocka_unit_test(too_big_is_told_without_df),
		cmocka_unit_test(too_big_and_not_told),
	};

	return cmocka_run_group_tests_name("icmp", tests, begin, end);
}
