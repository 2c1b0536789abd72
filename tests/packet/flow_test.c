// SPDX-License-Identifier: BSD-2-Clause
/* Which backend a flow's packets go to, over its life and over changes: the real XDP program. */
#include <arpa/inet.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "lbnode/sweeper.h"
#include "lib/packet/digest.h"
#include "lib/maglev.h"
#include "tests/frame.h"
#include "tests/packet/outer.h"
#include "tests/unit/unit.h"
#include "tests/xdp_harness.h"

#define VIP "203.0.113.1"

#define HEAD                                                               \
	"cluster: {insecure: true}\n"                                      \
	"node: {name: test, addresses: [198.51.100.16/28]}\n"              \
	"services:\n"                                                      \
	"  - {address: 203.0.113.1, port: 80, protocol: tcp, pool: web}\n" \
	"  - {address: 203.0.113.1, port: 53, protocol: udp, pool: web}\n" \
	"pools:\n"                                                         \
	"  - name: web\n"                                                  \
	"    backends:\n"
#define BE(n) "      - {name: be" #n ", address: 192.0.2." #n "}\n"

static struct harness h;

static int begin(void **state)
{
	(void)state;
	harness_open(&h, HEAD BE(1) BE(2) BE(3) BE(4), 16);
	return 0;
}

static int end(void **state)
{
	(void)state;
	harness_close(&h);
	return 0;
}

/* The last byte of the backend's address that the packet goes to; 0: not forwarded. */
static int send_packet(uint8_t protocol, uint16_t port, uint8_t flags)
{
	uint8_t out[512];
	size_t length = sizeof(out);
	struct frame f;
	struct outer o;

	frame_flow(&f, protocol, "192.0.2.99", port, VIP, protocol == IPPROTO_TCP ? 80 : 53, flags,
		   0);
	if (harness_run(&h, f.bytes, f.length, out, &length) != XDP_TX)
		return 0;
	assert_null(outer_decode(out, length, &o));
	return o.destination[3];
}

static int syn(uint16_t port)
{
	return send_packet(IPPROTO_TCP, port, HF_TCP_SYN);
}

static int ack(uint16_t port)
{
	return send_packet(IPPROTO_TCP, port, HF_TCP_ACK);
}

/* The slot's backend in a table that is built here once more, from names alone. */
static int model_choice(uint16_t port, const char *const *names, uint32_t count)
{
	static uint16_t slots[65537];
	struct hf_maglev_member m[8];
	struct hf_packet p = {
		.family = 4,
		.protocol = IPPROTO_TCP,
		.source_port = htons(port),
		.destination_port = htons(80),
	};

	for (uint32_t i = 0; i < count; i++)
		m[i] = (struct hf_maglev_member){ names[i], 100, names[i][2] - '0' };
	assert_int_equal(hf_maglev_fill(m, count, slots, 65537), 0);
	inet_pton(AF_INET, "192.0.2.99", p.source);
	inet_pton(AF_INET, VIP, p.destination);
	return slots[hf_slot(hf_digest(&p, (struct hf_key){ HARNESS_KEY0, HARNESS_KEY1 }), 65537)];
}

static void new_flows_go_to_their_slots_backend(void **state)
{
	const char *const names[] = { "be1", "be2", "be3", "be4" };

	(void)state;
	for (int port = 1000; port < 1050; port++) {
		assert_int_equal(syn(port), model_choice(port, names, 4));
		assert_int_equal(ack(port), model_choice(port, names, 4));
	}
}

/* With every other backend replaced, what is established stays, and what is new goes elsewhere. */
static void flows_stay_when_the_pool_changes(void **state)
{
	int before[200], moved = 0;

	(void)state;
	for (int i = 0; i < 200; i++) {
		before[i] = syn(2000 + i);
		assert_int_equal(ack(2000 + i), before[i]);
	}
	harness_apply(&h, HEAD BE(5) BE(6));
	for (int i = 0; i < 200; i++) {
		int new = syn(3000 + i);

		assert_int_equal(ack(2000 + i), before[i]);
		assert_true(new == 5 || new == 6);
		moved += new != before[i];
	}
	assert_int_equal(moved, 200);
	harness_apply(&h, HEAD BE(1) BE(2) BE(3) BE(4));
	for (int i = 0; i < 200; i++)
		assert_int_equal(ack(2000 + i), before[i]);
}

static void a_forged_syn_moves_nothing(void **state)
{
	int before[100];

	(void)state;
	for (int i = 0; i < 100; i++) {
		before[i] = syn(4000 + i);
		ack(4000 + i);
	}
	harness_apply(&h, HEAD BE(5) BE(6));
	for (int i = 0; i < 100; i++) {
		assert_int_equal(syn(4000 + i), before[i]);
		assert_int_equal(ack(4000 + i), before[i]);
	}
	harness_apply(&h, HEAD BE(1) BE(2) BE(3) BE(4));
}

static void a_reused_port_is_chosen_anew(void **state)
{
	const uint8_t ends[] = { HF_TCP_FIN | HF_TCP_ACK, HF_TCP_RST };

	(void)state;
	for (int e = 0; e < 2; e++) {
		int before = syn(5000 + e);

		ack(5000 + e);
		assert_int_equal(send_packet(IPPROTO_TCP, 5000 + e, ends[e]), before);
		harness_apply(&h, HEAD BE(5));
		if (e == 0) /* what follows a FIN are a flow's last words; a reset has none */
			assert_int_equal(ack(5000 + e), before);
		assert_int_equal(syn(5000 + e), 5);
		assert_int_equal(ack(5000 + e), 5);
		harness_apply(&h, HEAD BE(1) BE(2) BE(3) BE(4));
		assert_int_equal(ack(5000 + e), 5);
	}
}

/* A lone reset may be forged: the flow's next packet takes it back. */
static void a_forged_reset_is_taken_back(void **state)
{
	int before = syn(5500);

	(void)state;
	ack(5500);
	send_packet(IPPROTO_TCP, 5500, HF_TCP_RST);
	assert_int_equal(ack(5500), before);
	harness_apply(&h, HEAD BE(5));
	assert_int_equal(syn(5500), before);
	assert_int_equal(ack(5500), before);
	harness_apply(&h, HEAD BE(1) BE(2) BE(3) BE(4));
}

/* Nobody has answered, and who should has left: the client's next SYN tries another. */
static void a_syn_alone_does_not_hold_on_to_who_left(void **state)
{
	int before = syn(5600);

	(void)state;
	assert_int_not_equal(before, 5);
	harness_apply(&h, HEAD BE(5));
	assert_int_equal(syn(5600), 5);
	harness_apply(&h, HEAD BE(1) BE(2) BE(3) BE(4));
}

/* Its connections stay, should it still serve them; what nobody would tell a client of does not. */
static void who_is_down_keeps_only_connections(void **state)
{
	int tcp = syn(5700), beginning = 0, udp;
	uint16_t port = 5701;

	(void)state;
	ack(5700);
	while (send_packet(IPPROTO_UDP, port, 0) != tcp)
		port++;
	udp = port;
	for (port = 9100; syn(port) != tcp; port++)
		;
	beginning = port;
	harness_set_down(&h, tcp - 1, true);
	assert_int_equal(ack(5700), tcp);
	assert_int_equal(syn(5700), tcp);
	assert_int_not_equal(syn(beginning), tcp);
	assert_int_not_equal(send_packet(IPPROTO_UDP, udp, 0), tcp);
	for (port = 9300; port < 9400; port++)
		assert_int_not_equal(syn(port), tcp);
	harness_set_down(&h, tcp - 1, false);
	assert_int_equal(ack(5700), tcp);
}

static void unknown_flows_are_adopted(void **state)
{
	const char *const names[] = { "be1", "be2", "be3", "be4" };
	uint64_t adopted = harness_counter(&h, HF_COUNT_FLOWS_ADOPTED);
	int before = ack(6000);

	(void)state;
	assert_int_equal(before, model_choice(6000, names, 4));
	assert_int_equal(harness_counter(&h, HF_COUNT_FLOWS_ADOPTED), adopted + 1);
	harness_apply(&h, HEAD BE(5));
	assert_int_equal(ack(6000), before);
	harness_apply(&h, HEAD BE(1) BE(2) BE(3) BE(4));
}

static void a_reset_of_nothing_leaves_no_pin(void **state)
{
	int before = send_packet(IPPROTO_TCP, 6500, HF_TCP_RST);

	(void)state;
	assert_int_not_equal(before, 0);
	harness_apply(&h, HEAD BE(5));
	assert_int_equal(ack(6500), 5);
	harness_apply(&h, HEAD BE(1) BE(2) BE(3) BE(4));
}

static void udp_flows_are_pinned_too(void **state)
{
	int before = send_packet(IPPROTO_UDP, 7000, 0);

	(void)state;
	assert_int_not_equal(before, 0);
	harness_apply(&h, HEAD BE(5));
	assert_int_equal(send_packet(IPPROTO_UDP, 7000, 0), before);
	assert_int_equal(send_packet(IPPROTO_UDP, 7001, 0), 5);
	harness_apply(&h, HEAD BE(1) BE(2) BE(3) BE(4));
}

/* A backend's map entry is emptied when its drain ends: its flows are chosen anew. */
static void flows_of_a_backend_that_is_gone_move(void **state)
{
	const struct hf_backend none = { 0 };
	uint32_t id;
	int before = syn(8000);

	(void)state;
	ack(8000);
	harness_apply(&h, HEAD BE(5));
	for (id = 1; id < HF_MAX_BACKENDS; id++)
		if (hf_backends_record(h.backends, id)->state == HF_BACKEND_DRAINING)
			bpf_map__update_elem(h.bpf->maps.backends, &id, sizeof(id), &none,
					     sizeof(none), 0);
	assert_int_not_equal(before, 5);
	assert_int_equal(ack(8000), 5);
	assert_int_equal(ack(8000), 5);
	harness_apply(&h, HEAD BE(1) BE(2) BE(3) BE(4));
}

/*
 * Two CPUs send packets of the same flows through the real program while a sweeper ages and takes
 * away their pins, and the pool changes. A flow's packets must go to one of the backends that
 * its own slot ever had; with the pin of another flow they would go elsewhere.
 */
#define RACE_FLOWS   512
#define RACE_PACKETS 40000

static uint8_t allowed[RACE_FLOWS][2];
static struct frame race_frame[RACE_FLOWS];
static atomic_uint race_running, race_wrong;

static void *play_cpu(void *argument)
{
	uint64_t x = (uintptr_t)argument;
	cpu_set_t set;
	struct outer o;

	CPU_ZERO(&set);
	CPU_SET((uintptr_t)argument % 2, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	for (int i = 0; i < RACE_PACKETS; i++) {
		uint8_t out[512];
		size_t length = sizeof(out);
		int flow;

		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		flow = x >> 40 & (RACE_FLOWS - 1);
		if (harness_run(&h, race_frame[flow].bytes, race_frame[flow].length, out,
				&length) != XDP_TX ||
		    outer_decode(out, length, &o) ||
		    (o.destination[3] != allowed[flow][0] && o.destination[3] != allowed[flow][1]))
			race_wrong++;
	}
	race_running--;
	return NULL;
}

static bool none_is_gone(void *context, uint16_t id)
{
	(void)context;
	(void)id;
	return false;
}

static const struct hf_sweep_view view = { .is_gone = none_is_gone };

static void *play_sweeper(void *argument)
{
	static struct hf_sweeper sweeper;
	int64_t now = 0;

	(void)argument;
	hf_sweeper_init(&sweeper, h.flows, 1U << h.bucket_bits, 0);
	for (int s = 0; s < HF_PIN_STATES; s++)
		sweeper.timeout_ms[s] = 4000;
	while (race_running)
		hf_sweeper_slice(&sweeper, now += 500, &view);
	return NULL;
}

static void racing_cpus_never_mix_up_flows(void **state)
{
	const char *const four[] = { "be1", "be2", "be3", "be4" }, *const two[] = { "be5", "be6" };
	pthread_t thread[3];

	(void)state;
	for (int i = 0; i < RACE_FLOWS; i++) {
		frame_flow(&race_frame[i], IPPROTO_TCP, "192.0.2.99", 20000 + i, VIP, 80,
			   i % 3 ? HF_TCP_ACK : HF_TCP_SYN, 0);
		allowed[i][0] = model_choice(20000 + i, four, 4);
		allowed[i][1] = model_choice(20000 + i, two, 2);
	}
	race_running = 2;
	pthread_create(&thread[0], NULL, play_cpu, (void *)2);
	pthread_create(&thread[1], NULL, play_cpu, (void *)3);
	pthread_create(&thread[2], NULL, play_sweeper, NULL);
	for (int i = 0; race_running; i++)
		harness_apply(&h, i % 2 ? HEAD BE(5) BE(6) : HEAD BE(1) BE(2) BE(3) BE(4));
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(race_wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_flows_go_to_their_slots_backend),
		cmocka_unit_test(flows_stay_when_the_pool_changes),
		cmocka_unit_test(a_forged_syn_moves_nothing),
		cmocka_unit_test(a_reused_port_is_chosen_anew),
		cmocka_unit_test(a_forged_reset_is_taken_back),
		cmocka_unit_test(a_syn_alone_does_not_hold_on_to_who_left),
		cmocka_unit_test(who_is_down_keeps_only_connections),
		cmocka_unit_test(unknown_flows_are_adopted),
		cmocka_unit_test(a_reset_of_nothing_leaves_no_pin),
		cmocka_unit_test(udp_flows_are_pinned_too),
		cmocka_unit_test(flows_of_a_backend_that_is_gone_move),
		cmocka_unit_test(racing_cpus_never_mix_up_flows),
	};

	return cmocka_run_group_tests_name("flow", tests, begin, end);
}
