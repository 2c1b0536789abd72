// SPDX-License-Identifier: BSD-2-Clause
/* Packets that were made to do harm: each is dropped, counted for what it is, and leaves no pin. */
#include <arpa/inet.h>
#include <string.h>

#include "lib/packet/base.h"
#include "tests/packet/verdict.h"
#include "tests/unit/unit.h"

#define CLIENT4 "192.0.2.99"
#define CLIENT6 "2001:db8:c1::1"
#define VIP4	"203.0.113.1"
#define VIP6	"2001:db8:cafe::1"

static const char configuration[] =
	"cluster: {insecure: true}\n"
	"node: {name: test, addresses: [198.51.100.16/28, '2001:db8:1b:1::/64']}\n"
	"services:\n"
	"  - {address: 203.0.113.1, port: 80, protocol: tcp, pool: p}\n"
	"  - {address: 203.0.113.1, port: 53, protocol: udp, pool: p}\n"
	"  - {address: 203.0.113.2, port: all, protocol: udp, pool: p}\n"
	"  - {address: '2001:db8:cafe::1', port: 80, protocol: tcp, pool: p}\n"
	"  - {address: '2001:db8:cafe::1', port: 53, protocol: udp, pool: p}\n"
	"pools:\n"
	"  - {name: p, backends: [{name: a, address: 192.0.2.1}, {name: b, address: 192.0.2.2}]}\n";

static struct harness h;
static struct outer o;

static int begin(void **state)
{
	(void)state;
	harness_open(&h, configuration, 16);
	return 0;
}

/* No pin may have come of anything but test packets that were forwarded, and there are none. */
static int end(void **state)
{
	uint32_t pins = 0;

	(void)state;
	for (uint32_t i = 0; i < 1U << h.bucket_bits; i++)
		for (int j = 0; j < HF_BUCKET_PINS; j++)
			pins += h.flows[i].pin[j] != 0;
	harness_close(&h);
	return pins != 0;
}

static void sources_that_no_client_has(void **state)
{
	const char *const sources4[] = { "203.0.113.1",	    "203.0.113.2", "0.0.0.0",
					 "0.1.2.3",	    "127.0.0.1",   "224.0.0.1",
					 "239.255.255.255", "240.0.0.1",   "255.255.255.255" };
	const char *const sources6[] = { "2001:db8:cafe::1",  "::",	     "::1", "ff02::1",
					 "::ffff:192.0.2.99", "::192.0.2.99" };
	struct frame f;

	(void)state;
	for (size_t i = 0; i < sizeof(sources4) / sizeof(sources4[0]); i++) {
		frame_flow(&f, IPPROTO_TCP, sources4[i], 80, VIP4, 80, HF_TCP_SYN, 0);
		expect_dropped(&h, &f, HF_COUNT_DROP_SOURCE);
		frame_flow(&f, IPPROTO_TCP, sources4[i], 1234, VIP4, 80, HF_TCP_ACK, 9);
		expect_dropped(&h, &f, HF_COUNT_DROP_SOURCE);
		frame_flow(&f, IPPROTO_UDP, sources4[i], 53, VIP4, 53, 0, 9);
		expect_dropped(&h, &f, HF_COUNT_DROP_SOURCE);
	}
	for (size_t i = 0; i < sizeof(sources6) / sizeof(sources6[0]); i++) {
		frame_flow(&f, IPPROTO_TCP, sources6[i], 80, VIP6, 80, HF_TCP_SYN, 0);
		expect_dropped(&h, &f, HF_COUNT_DROP_SOURCE);
		frame_flow(&f, IPPROTO_UDP, sources6[i], 53, VIP6, 53, 0, 9);
		expect_dropped(&h, &f, HF_COUNT_DROP_SOURCE);
	}
}

/* A frame with a tunnel's packet in it, which is for a service. */
static void tunnel(struct frame *f, const char *destination, bool gue, bool inner_is_6)
{
	bool is_6 = strchr(destination, ':') != NULL;
	const uint8_t gue_header[4] = { 0, inner_is_6 ? 41 : 4, 0, 0 };
	struct frame inner;

	if (inner_is_6)
		frame_flow(&inner, IPPROTO_TCP, CLIENT6, 1234, VIP6, 80, HF_TCP_SYN, 0);
	else
		frame_flow(&inner, IPPROTO_TCP, CLIENT4, 1234, VIP4, 80, HF_TCP_SYN, 0);
	frame_ethernet(f);
	if (is_6)
		frame_ipv6(f, CLIENT6, destination);
	else
		frame_ipv4(f, CLIENT4, destination);
	if (gue) {
		frame_udp(f, 50000, HF_GUE_PORT);
		frame_append(f, gue_header, sizeof(gue_header));
	}
	frame_append(f, inner.bytes + inner.l3, inner.length - inner.l3);
	if (gue) {
		frame_finish(f);
		return;
	}
	f->bytes[f->l3 + (is_6 ? 6 : 9)] = inner_is_6 ? 41 : 4;
	frame_finish_ip(f);
}

/* To the node's own tunnel addresses, and to VIPs: from another node that takes this one for
 * a backend, or from who wants to pass for one. To others it is none of our business. */
static void tunnels_from_outside(void **state)
{
	const char *const ours[] = {
		"198.51.100.16", "198.51.100.31", "2001:db8:1b:1::99", VIP4, VIP6, "203.0.113.2"
	};
	const char *const others[] = { "198.51.100.15", "198.51.100.32", "2001:db8:1b:2::1" };
	struct frame f;

	(void)state;
	for (int i = 0; i < 4; i++) {
		for (size_t k = 0; k < sizeof(ours) / sizeof(ours[0]); k++) {
			tunnel(&f, ours[k], i & 1, i & 2);
			expect_dropped(&h, &f, HF_COUNT_DROP_TUNNEL);
		}
		for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++) {
			tunnel(&f, others[k], i & 1, i & 2);
			expect_passed(&h, &f);
		}
	}
	/* All else to the node's own addresses is the node's: ICMP errors about its tunnels. */
	frame_flow(&f, IPPROTO_UDP, CLIENT4, 1, "198.51.100.17", 6081, 0, 4);
	expect_passed(&h, &f);
}

/* In pieces they are tunnels still. */
static void tunnels_in_fragments(void **state)
{
	const char *const ours[] = { "198.51.100.17", VIP4 };
	struct frame f;

	(void)state;
	for (int i = 0; i < 4; i++) {
		tunnel(&f, ours[i % 2], false, i / 2);
		frame_fragment4(&f, 5, 0, true);
		expect_dropped(&h, &f, HF_COUNT_DROP_TUNNEL);
		frame_fragment4(&f, 5, 3, false);
		expect_dropped(&h, &f, HF_COUNT_DROP_TUNNEL);
	}
	tunnel(&f, VIP4, true, false);
	frame_fragment4(&f, 6, 0, true);
	expect_dropped(&h, &f, HF_COUNT_DROP_TUNNEL);
}

/* A long frame around a short packet would leave with all that is behind it, past the MTU. */
static void frames_that_hide_something(void **state)
{
	struct frame f;

	(void)state;
	frame_flow(&f, IPPROTO_TCP, CLIENT4, 1234, VIP4, 80, HF_TCP_RST, 0);
	f.length += 64;
	assert_int_equal(verdict_run(&h, &f), XDP_TX);
	f.length += 1;
	expect_dropped(&h, &f, HF_COUNT_DROP_MALFORMED);
	frame_flow(&f, IPPROTO_TCP, CLIENT6, 1234, VIP6, 80, HF_TCP_RST, 0);
	f.length += 65;
	expect_dropped(&h, &f, HF_COUNT_DROP_MALFORMED);
}

static void tcp_flags_that_no_stack_sends(void **state)
{
	const uint8_t fin = HF_TCP_FIN, syn = HF_TCP_SYN, rst = HF_TCP_RST, ack = HF_TCP_ACK;
	const uint8_t psh_urg = 0x28;
	const uint8_t bad[] = { 0,	   fin,	      psh_urg,	       psh_urg | fin,
				syn | fin, syn | rst, syn | fin | ack, syn | rst | ack,
				0xff };
	struct frame f;

	(void)state;
	for (size_t i = 0; i < sizeof(bad); i++) {
		frame_flow(&f, IPPROTO_TCP, CLIENT4, 1234, VIP4, 80, bad[i], 0);
		expect_dropped(&h, &f, HF_COUNT_DROP_MALFORMED);
		frame_flow(&f, IPPROTO_TCP, CLIENT6, 1234, VIP6, 80, bad[i], 0);
		expect_dropped(&h, &f, HF_COUNT_DROP_MALFORMED);
	}
	frame_flow(&f, IPPROTO_TCP, CLIENT4, 1234, VIP4, 80, rst, 0);
	expect_forwarded(&h, &f, &o);
	frame_flow(&f, IPPROTO_TCP, CLIENT4, 1234, VIP4, 80, rst | ack, 0);
	expect_forwarded(&h, &f, &o);
}

static void udp_lengths_that_lie(void **state)
{
	const uint16_t bad[] = { 0, 7, 8 + 20 + 1, 0xffff };
	const char *const vips[] = { VIP4, VIP6 };
	struct frame f;

	(void)state;
	for (int v = 0; v < 2; v++) {
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			frame_flow(&f, IPPROTO_UDP, v ? CLIENT6 : CLIENT4, 1, vips[v], 53, 0, 20);
			f.bytes[f.l4 + 4] = bad[i] >> 8;
			f.bytes[f.l4 + 5] = bad[i];
			expect_dropped(&h, &f, HF_COUNT_DROP_MALFORMED);
		}
	}
}

/* Options are summed up, too; and none are read beyond the frame. */
static void checksums_over_options(void **state)
{
	struct frame f;

	(void)state;
	for (size_t options = 4; options <= 40; options += 4) {
		frame_ethernet(&f);
		frame_ipv4(&f, CLIENT4, VIP4);
		frame_ipv4_options(&f, options);
		frame_tcp(&f, 7000, 80, HF_TCP_RST);
		frame_finish(&f);
		expect_forwarded(&h, &f, &o);
		f.bytes[f.l3 + 20 + options - 1] ^= 1;
		expect_dropped(&h, &f, HF_COUNT_DROP_MALFORMED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sources_that_no_client_has),
		cmocka_unit_test(tunnels_from_outside),
		cmocka_unit_test(tunnels_in_fragments),
		cmocka_unit_test(frames_that_hide_something),
		cmocka_unit_test(tcp_flags_that_no_stack_sends),
		cmocka_unit_test(udp_lengths_that_lie),
		cmocka_unit_test(checksums_over_options),
	};

	return cmocka_run_group_tests_name("hostile", tests, begin, end);
}
