// SPDX-License-Identifier: BSD-2-Clause
/*
 * Ten million packets of unknown flows, SYNs and then ACKs, against a table with a quarter of its
 * places established: not one of those pins is lost or changed, and newcomers still find a place.
 */
#include <bpf/bpf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/packet/base.h"
#include "tests/unit/unit.h"
#include "tests/wrapper.h"
#include "tests/xdp_harness.h"

#define BITS	    17 /* 1 M pins */
#define ESTABLISHED (1U << 18)
#define FLOOD	    10000000U
#define OUTER	    20

static struct harness h;
static struct hf_bucket *before;
static uint32_t firm;

static void play(uint16_t port, uint8_t flags, uint32_t flows, uint32_t packets)
{
	struct wrapper_settings settings = { bpf_program__fd(h.bpf->progs.holdfast), flows, OUTER };
	struct wrap_bpf *wrap;
	struct frame f;

	frame_flow(&f, IPPROTO_TCP, "192.0.2.1", 1024, "203.0.113.1", port, flags, 0);
	wrapper_first_flow(&f);
	wrap = wrapper_open(&f, &settings);
	wrapper_run(wrap, &f, packets, XDP_TX);
	wrap_bpf__destroy(wrap);
}

static uint32_t count(enum hf_pin_state state)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < 1U << BITS; i++)
		for (int j = 0; j < HF_BUCKET_PINS; j++)
			n += hf_pin_state(h.flows[i].pin[j]) == state;
	return n;
}

static uint32_t lost_or_changed(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < 1U << BITS; i++)
		for (int j = 0; j < HF_BUCKET_PINS; j++)
			n += hf_pin_state(before[i].pin[j]) == HF_PIN_ESTABLISHED &&
			     before[i].pin[j] != h.flows[i].pin[j];
	return n;
}

static int begin(void **state)
{
	(void)state;
	harness_open(&h,
		     "cluster: {insecure: true}\n"
		     "node: {name: test, addresses: [198.51.100.16/28]}\n"
		     "services:\n"
		     "  - {address: 203.0.113.1, port: 80, protocol: tcp, pool: p}\n"
		     "  - {address: 203.0.113.1, port: 81, protocol: tcp, pool: p}\n"
		     "  - {address: 203.0.113.1, port: 82, protocol: tcp, pool: p}\n"
		     "pools:\n"
		     "  - {name: p, backends: [{name: a, address: 192.0.2.1},\n"
		     "                         {name: b, address: 192.0.2.2}]}\n",
		     BITS);
	play(80, HF_TCP_SYN, ESTABLISHED, ESTABLISHED);
	play(80, HF_TCP_ACK, ESTABLISHED, ESTABLISHED);
	before = malloc(sizeof(*before) << BITS);
	if (!before)
		return -1;
	memcpy(before, h.flows, sizeof(*before) << BITS);
	firm = count(HF_PIN_ESTABLISHED);
	return firm < ESTABLISHED * 0.999;
}

static int end(void **state)
{
	(void)state;
	free(before);
	harness_close(&h);
	return 0;
}

/* New flows find places among those of the flood; few meet each other there. */
static void newcomers_get_in(uint32_t flows)
{
	uint32_t established = count(HF_PIN_ESTABLISHED);

	play(82, HF_TCP_SYN, flows, flows);
	play(82, HF_TCP_ACK, flows, flows);
	assert_in_range(count(HF_PIN_ESTABLISHED) - established, flows * 0.95, flows);
	assert_int_equal(lost_or_changed(), 0);
}

static void syn_flood(void **state)
{
	(void)state;
	play(81, HF_TCP_SYN, 1U << 24, FLOOD);
	assert_int_equal(lost_or_changed(), 0);
	assert_int_equal(count(HF_PIN_ESTABLISHED), firm);
	/* The flood has what is free, and not more. */
	assert_true(count(HF_PIN_EMBRYONIC) <= (HF_BUCKET_PINS << BITS) - firm);
	assert_true(harness_counter(&h, HF_COUNT_PINS_DISPLACED) > FLOOD / 2);
	newcomers_get_in(1U << 14);
}

static void ack_flood(void **state)
{
	uint32_t established = count(HF_PIN_ESTABLISHED);

	(void)state;
	play(81, HF_TCP_ACK, 1U << 24, FLOOD);
	assert_int_equal(lost_or_changed(), 0);
	/* Those that answer pins of the SYN flood look like connections: it left so many. */
	assert_in_range(count(HF_PIN_ESTABLISHED), established, HF_BUCKET_PINS << BITS);
	assert_true(count(HF_PIN_ADOPTED) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syn_flood),
		cmocka_unit_test(ack_flood),
	};

	return cmocka_run_group_tests_name("flood", tests, begin, end);
}
