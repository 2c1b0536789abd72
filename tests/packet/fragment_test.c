// SPDX-License-Identifier: BSD-2-Clause
/* Fragments: all of a datagram's go where its first one goes, in whatever order they come. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "lib/packet/base.h"
#include "tests/packet/verdict.h"
#include "tests/unit/unit.h"

#define CLIENT4 "192.0.2.99"
#define CLIENT6 "2001:db8:c1::1"
#define VIP4	"203.0.113.1"
#define VIP6	"2001:db8:cafe::1"

#define SERVICES                                                                          \
	"cluster: {insecure: true}\n"                                                     \
	"node: {name: test, addresses: [198.51.100.16/28]}\n"                             \
	"services:\n"                                                                     \
	"  - {address: 203.0.113.1, port: 53, protocol: udp, pool: p}\n"                  \
	"  - {address: 203.0.113.1, port: 54, protocol: udp, pool: p, stateless: true}\n" \
	"  - {address: 203.0.113.1, port: 80, protocol: tcp, pool: p}\n"                  \
	"  - {address: '2001:db8:cafe::1', port: 53, protocol: udp, pool: p}\n"           \
	"pools:\n"                                                                        \
	"  - name: p\n"                                                                   \
	"    backends:\n"
#define BE(n) "      - {name: be" #n ", address: 192.0.2." #n "}\n"

static struct harness h;
static struct outer o;
static struct hf_held held;
static int held_count;
static struct ring_buffer *ring;

static int take_held(void *context, void *data, size_t size)
{
	(void)context;
	assert_int_equal(size, sizeof(held));
	memcpy(&held, data, sizeof(held));
	held_count++;
	return 0;
}

static int begin(void **state)
{
	(void)state;
	harness_open(&h, SERVICES BE(1) BE(2) BE(3) BE(4), 16);
	ring = ring_buffer__new(bpf_map__fd(h.bpf->maps.held), take_held, NULL, NULL);
	return ring ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	ring_buffer__free(ring);
	harness_close(&h);
	return 0;
}

static void first(struct frame *f, bool is_6, uint16_t source_port, uint32_t id)
{
	frame_ethernet(f);
	if (is_6) {
		frame_ipv6(f, CLIENT6, VIP6);
		frame_fragment6(f, id, 0, true);
	} else {
		frame_ipv4(f, CLIENT4, VIP4);
	}
	frame_udp(f, source_port, 53);
	frame_payload(f, 1000);
	frame_finish(f);
	f->bytes[f->l4 + 4] = 0x0b; /* of the whole datagram: 3,000 bytes */
	f->bytes[f->l4 + 5] = 0xb8;
	if (!is_6)
		frame_fragment4(f, id, 0, true);
}

static void other(struct frame *f, bool is_6, uint32_t id, uint16_t offset, bool more)
{
	frame_ethernet(f);
	if (is_6) {
		frame_ipv6(f, CLIENT6, VIP6);
		frame_fragment6(f, id, offset, more);
		f->bytes[f->l4] = IPPROTO_UDP;
		frame_payload(f, 1008);
		frame_finish_ip(f);
		return;
	}
	frame_ipv4(f, CLIENT4, VIP4);
	f->bytes[f->l3 + 9] = IPPROTO_UDP;
	frame_payload(f, 1008);
	frame_fragment4(f, id, offset, more);
}

static int forwarded(const struct frame *f)
{
	expect_forwarded(&h, f, &o);
	return o.destination[3];
}

static void follow_the_first(void **state)
{
	uint32_t seen = 0;
	struct frame f;

	(void)state;
	for (int is_6 = 0; is_6 < 2; is_6++) {
		for (uint32_t id = 1; id <= 40; id++) {
			int backend;

			first(&f, is_6, 2000 + id, id);
			backend = forwarded(&f);
			seen |= 1U << backend;
			other(&f, is_6, id, 126 * 2, false);
			assert_int_equal(forwarded(&f), backend);
			other(&f, is_6, id, 126, true);
			assert_int_equal(forwarded(&f), backend);
		}
	}
	assert_int_equal(seen, 0x1e);
}

/* The datagram's fragments go where the flow's pin says, whatever the pool has become. */
static void follow_the_flow(void **state)
{
	struct frame whole, f;
	int backend;

	(void)state;
	frame_flow(&whole, IPPROTO_UDP, CLIENT4, 3000, VIP4, 53, 0, 10);
	backend = forwarded(&whole);
	harness_apply(&h, SERVICES BE(5));
	first(&f, false, 3000, 300);
	assert_int_equal(forwarded(&f), backend);
	other(&f, false, 300, 126, false);
	assert_int_equal(forwarded(&f), backend);
	harness_apply(&h, SERVICES BE(1) BE(2) BE(3) BE(4));
}

static uint32_t run_held(void)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = held.frame, .data_size_in = held.length,
		    .data_out = verdict_out, .data_size_out = sizeof(verdict_out), .repeat = 1);

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(h.bpf->progs.holdfast_held), &run),
			 0);
	verdict_length = run.data_size_out;
	return run.retval;
}

static void wait_for_the_first(void **state)
{
	struct frame f, late;
	uint64_t dropped;

	(void)state;
	for (int is_6 = 0; is_6 < 2; is_6++) {
		int before = held_count, backend;

		other(&late, is_6, 400, 126, false);
		expect_dropped(&h, &late, HF_COUNT_FRAGMENTS_HELD);
		assert_int_equal(ring_buffer__consume(ring), 1);
		assert_int_equal(held_count, before + 1);
		assert_int_equal(held.length, late.length);
		assert_memory_equal(held.frame, late.bytes, late.length);
		assert_int_equal(held.ifindex, HARNESS_IFINDEX);

		dropped = harness_counter(&h, HF_COUNT_DROP_FRAGMENT);
		assert_int_equal(run_held(), XDP_DROP);
		assert_int_equal(harness_counter(&h, HF_COUNT_DROP_FRAGMENT), dropped + 1);
		assert_int_equal(ring_buffer__consume(ring), 0); /* it is not held twice */

		first(&f, is_6, 4000, 400);
		backend = forwarded(&f);
		assert_int_equal(run_held(), XDP_TX);
		assert_null(outer_decode(verdict_out, verdict_length, &o));
		assert_int_equal(o.destination[3], backend);
		assert_memory_equal(o.inner, late.bytes + late.l3, late.length - late.l3);
	}
}

static void datagrams_are_told_apart(void **state)
{
	struct frame f;

	(void)state;
	first(&f, false, 5000, 500);
	forwarded(&f);
	other(&f, false, 501, 126, false); /* another id */
	expect_dropped(&h, &f, HF_COUNT_FRAGMENTS_HELD);
	other(&f, false, 500, 126, false); /* another protocol */
	f.bytes[f.l3 + 9] = IPPROTO_TCP;
	frame_finish_ip(&f);
	expect_dropped(&h, &f, HF_COUNT_FRAGMENTS_HELD);
	first(&f, true, 5000, 0x10000 + 500);
	forwarded(&f);
	other(&f, true, 500, 126, false); /* IPv6 ids have 32 bits */
	expect_dropped(&h, &f, HF_COUNT_FRAGMENTS_HELD);
	ring_buffer__consume(ring);
}

/* Of a datagram that is the kernel's, all fragments are. */
static void fragments_for_others_pass(void **state)
{
	struct frame f;

	(void)state;
	first(&f, false, 6000, 600);
	f.bytes[f.l4 + 2] = 0x12; /* a port without a service */
	expect_passed(&h, &f);
	other(&f, false, 600, 126, false);
	expect_passed(&h, &f);
	other(&f, false, 601, 126, false); /* a large ping's */
	f.bytes[f.l3 + 9] = IPPROTO_ICMP;
	frame_finish_ip(&f);
	expect_passed(&h, &f);
	first(&f, false, 6000, 602);
	f.bytes[f.l3 + 19] = 99; /* 203.0.113.99 is no VIP */
	frame_finish_ip(&f);
	expect_passed(&h, &f);
}

/* RFC 1858: ports in the second fragment are a way round filters, and around us. */
static void tiny_first_fragments(void **state)
{
	struct frame f;

	(void)state;
	frame_ethernet(&f);
	frame_ipv4(&f, CLIENT4, VIP4);
	f.bytes[f.l3 + 9] = IPPROTO_TCP;
	frame_payload(&f, 16);
	frame_fragment4(&f, 700, 0, true);
	expect_dropped(&h, &f, HF_COUNT_DROP_MALFORMED);
	frame_ethernet(&f);
	frame_ipv6(&f, CLIENT6, VIP6);
	frame_fragment6(&f, 700, 0, true);
	f.bytes[f.l4] = IPPROTO_UDP;
	frame_payload(&f, 7);
	frame_finish_ip(&f);
	expect_dropped(&h, &f, HF_COUNT_DROP_MALFORMED);
}

/* The "ping of death": a fragment that ends beyond what a datagram can be. */
static void fragments_beyond_the_end(void **state)
{
	struct frame f;

	(void)state;
	for (int is_6 = 0; is_6 < 2; is_6++) {
		other(&f, is_6, 800, 8100, false);
		expect_dropped(&h, &f, HF_COUNT_DROP_MALFORMED);
		other(&f, is_6, 800, 8000, false);
		expect_dropped(&h, &f, HF_COUNT_FRAGMENTS_HELD);
		ring_buffer__consume(ring);
	}
}

/* Whatever comes: the table has its size, and a source its share of the room for those that wait.
 */
static void floods_are_bounded(void **state)
{
	uint64_t held_before = harness_counter(&h, HF_COUNT_FRAGMENTS_HELD);
	struct frame f;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		other(&f, false, 10000 + i, 126, true);
		f.bytes[f.l3 + 15] = 77; /* a source of its own */
		frame_finish_ip(&f);
		verdict_run(&h, &f);
		ring_buffer__consume(ring);
	}
	/* 64 at once, and then a hundred a second: for 3,000 it would take half a minute. */
	assert_in_range(harness_counter(&h, HF_COUNT_FRAGMENTS_HELD) - held_before, 64, 2000);
	for (int i = 0; i < 40000; i++) {
		first(&f, true, 7000, 20000 + i);
		verdict_run(&h, &f);
	}
	first(&f, true, 7001, 7);
	forwarded(&f);
	other(&f, true, 7, 126, false);
	forwarded(&f);
}

static void stateless_services_too(void **state)
{
	struct frame f;
	int backend;

	(void)state;
	first(&f, false, 8000, 900);
	f.bytes[f.l4 + 3] = 54;
	backend = forwarded(&f);
	other(&f, false, 900, 126, false);
	assert_int_equal(forwarded(&f), backend);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follow_the_first),
		cmocka_unit_test(follow_the_flow),
		cmocka_unit_test(wait_for_the_first),
		cmocka_unit_test(datagrams_are_told_apart),
		cmocka_unit_test(fragments_for_others_pass),
		cmocka_unit_test(tiny_first_fragments),
		cmocka_unit_test(fragments_beyond_the_end),
		cmocka_unit_test(floods_are_bounded),
		cmocka_unit_test(stateless_services_too),
	};

	return cmocka_run_group_tests_name("fragment", tests, begin, end);
}
