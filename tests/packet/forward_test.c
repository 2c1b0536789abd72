// SPDX-License-Identifier: BSD-2-Clause
/* Packets through the real XDP program: what comes out, byte by byte, and what is counted. */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <stdio.h>
#include <string.h>

#include "lib/packet/base.h"
#include "tests/frame.h"
#include "tests/packet/verdict.h"
#include "tests/unit/unit.h"

#define CLIENT4 "192.0.2.99"
#define CLIENT6 "2001:db8:c1::1"

/* One VIP and family a kind of tunnel, so that the VIP says what to expect. */
static const char configuration[] =
	"cluster: {insecure: true}\n"
	"node: {name: test, addresses: [198.51.100.16/28, '2001:db8:1b:1::/64']}\n"
	"services:\n"
	"  - {address: 203.0.113.1, port: 80, protocol: tcp, pool: ipip4}\n"
	"  - {address: 203.0.113.1, port: 53, protocol: udp, pool: ipip4}\n"
	"  - {address: 203.0.113.2, port: 80, protocol: tcp, pool: ipip6}\n"
	"  - {address: 203.0.113.3, port: 80, protocol: tcp, pool: gue4}\n"
	"  - {address: 203.0.113.4, port: all, protocol: tcp, pool: gue6}\n"
	"  - {address: '2001:db8:cafe::1', port: 80, protocol: tcp, pool: ipip4}\n"
	"  - {address: '2001:db8:cafe::1', port: 53, protocol: udp, pool: ipip4}\n"
	"  - {address: '2001:db8:cafe::2', port: 80, protocol: tcp, pool: ipip6}\n"
	"  - {address: '2001:db8:cafe::3', port: 80, protocol: tcp, pool: gue4}\n"
	"  - {address: '2001:db8:cafe::4', port: all, protocol: tcp, pool: gue6}\n"
	"pools:\n"
	"  - {name: ipip4, backends: [{name: a, address: 192.0.2.1}]}\n"
	"  - {name: ipip6, backends: [{name: a, address: '2001:db8:be::1'}]}\n"
	"  - {name: gue4, encapsulation: gue, gue_port: 6081,\n"
	"     backends: [{name: a, address: 192.0.2.1}]}\n"
	"  - {name: gue6, encapsulation: gue, backends: [{name: a, address: '2001:db8:be::1'}]}\n";

static struct harness h;
static struct outer o;

static int begin(void **state)
{
	(void)state;
	harness_open(&h, configuration, 16);
	return 0;
}

static int end(void **state)
{
	(void)state;
	harness_close(&h);
	return 0;
}

static uint32_t run(const struct frame *f)
{
	return verdict_run(&h, f);
}

static void forwarded(const struct frame *f)
{
	expect_forwarded(&h, f, &o);
}

static void passed(const struct frame *f)
{
	expect_passed(&h, f);
}

static void dropped(const struct frame *f, enum hf_counter why)
{
	expect_dropped(&h, f, why);
}

static void tcp(struct frame *f, const char *vip, uint16_t port, uint8_t flags, size_t payload)
{
	frame_flow(f, IPPROTO_TCP, strchr(vip, ':') ? CLIENT6 : CLIENT4, port, vip, 80, flags,
		   payload);
}

static void source_is_within(const char *prefix_text, int fixed_bytes)
{
	uint8_t prefix[16];

	assert_int_equal(inet_pton(o.family == 4 ? AF_INET : AF_INET6, prefix_text, prefix), 1);
	assert_memory_equal(o.source, prefix, fixed_bytes);
	if (o.family == 4)
		assert_int_equal(o.source[3] & 0xf0, prefix[3] & 0xf0);
}

static void goes_to(const char *text)
{
	uint8_t address[16];

	assert_int_equal(inet_pton(o.family == 4 ? AF_INET : AF_INET6, text, address), 1);
	assert_memory_equal(o.destination, address, o.family == 4 ? 4 : 16);
}

static void every_tunnel_carries_both_families(void **state)
{
	const struct {
		const char *vip;
		int outer_family;
		uint8_t protocol, inner_protocol;
		uint16_t port;
	} rows[] = {
		{ "203.0.113.1", 4, 4, 0, 0 },		 { "203.0.113.2", 6, 4, 0, 0 },
		{ "203.0.113.3", 4, 17, 4, 6081 },	 { "203.0.113.4", 6, 17, 4, 6080 },
		{ "2001:db8:cafe::1", 4, 41, 0, 0 },	 { "2001:db8:cafe::2", 6, 41, 0, 0 },
		{ "2001:db8:cafe::3", 4, 17, 41, 6081 }, { "2001:db8:cafe::4", 6, 17, 41, 6080 },
	};
	const size_t payloads[] = { 0, 1, 10, 537, 1200 };
	struct frame f;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t p = 0; p < 5; p++) {
			tcp(&f, rows[i].vip, 5000 + p, HF_TCP_SYN, payloads[p]);
			forwarded(&f);
			assert_int_equal(o.family, rows[i].outer_family);
			assert_int_equal(o.protocol, rows[i].protocol);
			assert_int_equal(o.gue_protocol, rows[i].inner_protocol);
			assert_int_equal(o.destination_port, rows[i].port);
			assert_int_equal(o.udp_checksum, 0);
			goes_to(o.family == 4 ? "192.0.2.1" : "2001:db8:be::1");
			source_is_within(o.family == 4 ? "198.51.100.16" : "2001:db8:1b:1::",
					 o.family == 4 ? 3 : 12);
		}
	}
}

static void udp_goes_the_same_way(void **state)
{
	struct frame f;

	(void)state;
	frame_flow(&f, IPPROTO_UDP, CLIENT4, 999, "203.0.113.1", 53, 0, 30);
	forwarded(&f);
	assert_int_equal(o.protocol, 4);
	frame_flow(&f, IPPROTO_UDP, CLIENT6, 999, "2001:db8:cafe::1", 53, 0, 0);
	forwarded(&f);
	assert_int_equal(o.protocol, 41);
}

/* RFC 6040, normal mode: DSCP and ECN are copied outward, all 256 values. The outer IPv4 header
 * says "don't fragment", so it needs no id. */
static void dscp_and_ecn_are_copied(void **state)
{
	const char *const vips[] = { "203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4" };
	struct frame f;

	(void)state;
	for (int tos = 0; tos < 256; tos++) {
		for (int i = 0; i < 4; i++) {
			tcp(&f, vips[i], 6000, HF_TCP_ACK, 10);
			f.bytes[f.l3 + 1] = tos;
			frame_finish(&f);
			forwarded(&f);
			assert_int_equal(o.tos, tos);
			if (o.family == 4)
				assert_true(o.dont_fragment);
		}
		tcp(&f, "2001:db8:cafe::1", 6000, HF_TCP_ACK, 10);
		f.bytes[f.l3] |= tos >> 4;
		f.bytes[f.l3 + 1] |= tos << 4;
		forwarded(&f);
		assert_int_equal(o.tos, tos);
	}
}

/* The node stands for the VIP and does not route: the client's TTL arrives as it was. */
static void the_inner_ttl_stays(void **state)
{
	struct frame f;

	(void)state;
	for (int ttl = 0; ttl < 256; ttl += 51) {
		tcp(&f, "203.0.113.1", 6001, HF_TCP_ACK, 10);
		f.bytes[f.l3 + 8] = ttl;
		frame_finish(&f);
		forwarded(&f);
		tcp(&f, "2001:db8:cafe::2", 6001, HF_TCP_ACK, 10);
		f.bytes[f.l3 + 7] = ttl;
		forwarded(&f);
	}
}

static void flows_differ_in_their_outer_source(void **state)
{
	struct frame f;
	uint32_t seen4 = 0;
	uint16_t last_port = 0;
	int ports = 0;

	(void)state;
	for (int i = 0; i < 200; i++) {
		tcp(&f, "203.0.113.1", 10000 + i, HF_TCP_SYN, 0);
		forwarded(&f);
		seen4 |= 1U << (o.source[3] & 15);
		tcp(&f, "203.0.113.3", 10000 + i, HF_TCP_SYN, 0);
		forwarded(&f);
		assert_true(o.source_port >= 0xc000);
		ports += o.source_port != last_port;
		last_port = o.source_port;
	}
	assert_int_equal(seen4, 0xffff);
	assert_true(ports > 190);
	/* And one flow always has the same. */
	forwarded(&f);
	assert_int_equal(o.source_port, last_port);
}

static void options_and_extensions_are_walked(void **state)
{
	struct frame f;

	(void)state;
	for (size_t options = 4; options <= 40; options += 4) {
		frame_ethernet(&f);
		frame_ipv4(&f, CLIENT4, "203.0.113.1");
		frame_ipv4_options(&f, options);
		frame_tcp(&f, 7000, 80, HF_TCP_SYN);
		frame_finish(&f);
		forwarded(&f);
	}
	for (int kinds = 1; kinds <= 3; kinds++) {
		frame_ethernet(&f);
		frame_ipv6(&f, CLIENT6, "2001:db8:cafe::1");
		frame_ipv6_extension(&f, IPPROTO_HOPOPTS, 0);
		if (kinds > 1)
			frame_ipv6_extension(&f, IPPROTO_DSTOPTS, 4);
		if (kinds > 2)
			frame_ipv6_extension(&f, IPPROTO_ROUTING, 2);
		frame_tcp(&f, 7000, 80, HF_TCP_SYN);
		frame_finish(&f);
		forwarded(&f);
	}
}

/* Options, extensions and VLAN tags are not part of a flow: its pin serves all its packets. */
static void one_flow_in_any_dress(void **state)
{
	struct frame f;
	uint64_t before;

	(void)state;
	tcp(&f, "203.0.113.1", 7100, HF_TCP_SYN, 0);
	forwarded(&f);
	before = harness_counter(&h, HF_COUNT_FLOWS_NEW) +
		 harness_counter(&h, HF_COUNT_FLOWS_ADOPTED);
	frame_ethernet(&f);
	frame_vlan(&f, ETH_P_8021Q, 5);
	frame_ipv4(&f, CLIENT4, "203.0.113.1");
	frame_ipv4_options(&f, 8);
	frame_tcp(&f, 7100, 80, HF_TCP_ACK);
	frame_finish(&f);
	forwarded(&f);
	assert_int_equal(harness_counter(&h, HF_COUNT_FLOWS_NEW) +
				 harness_counter(&h, HF_COUNT_FLOWS_ADOPTED),
			 before);
}

/* Tags go with the link that they came by; the way out has its own. */
static void vlan_tags(void **state)
{
	const uint32_t ways[] = { HARNESS_NEXTHOP_BACK, HARNESS_NEXTHOP_VLAN,
				  HARNESS_NEXTHOP_VLAN_TWICE };
	struct frame f;

	(void)state;
	for (int in_tags = 0; in_tags <= 2; in_tags++) {
		for (int way = 0; way < 3; way++) {
			harness_set_nexthop(&h, "ipip4", "a", ways[way]);
			frame_ethernet(&f);
			if (in_tags > 1)
				frame_vlan(&f, ETH_P_8021AD, 7);
			if (in_tags > 0)
				frame_vlan(&f, ETH_P_8021Q, 8);
			frame_ipv4(&f, CLIENT4, "203.0.113.1");
			frame_tcp(&f, 7200, 80, HF_TCP_ACK);
			frame_finish(&f);
			forwarded(&f);
			assert_int_equal(o.tags, way);
			assert_int_equal(o.macs[5], 0xbe);
			assert_int_equal(o.macs[11], 0x1b);
		}
	}
	assert_int_equal(o.tag_protocol[0], 0x88a8);
	assert_int_equal(o.tag_id[0], 100);
	assert_int_equal(o.tag_protocol[1], 0x8100);
	assert_int_equal(o.tag_id[1], 200);
	frame_ethernet(&f);
	for (int i = 0; i < 3; i++)
		frame_vlan(&f, ETH_P_8021Q, 9);
	frame_ipv4(&f, CLIENT4, "203.0.113.1");
	frame_tcp(&f, 7200, 80, HF_TCP_ACK);
	frame_finish(&f);
	passed(&f);
	harness_set_nexthop(&h, "ipip4", "a", HARNESS_NEXTHOP_BACK);
}

static void other_ways_out(void **state)
{
	struct frame f;

	(void)state;
	harness_set_nexthop(&h, "ipip4", "a", HARNESS_NEXTHOP_OTHER);
	tcp(&f, "203.0.113.1", 7300, HF_TCP_SYN, 0);
	dropped(&f, HF_COUNT_DROP_NO_NEXTHOP); /* the device is not in the map */
	harness_set_nexthop(&h, "ipip4", "a", 0);
	dropped(&f, HF_COUNT_DROP_NO_NEXTHOP);
	harness_set_nexthop(&h, "ipip4", "a", HARNESS_NEXTHOP_BACK);
}

static void what_is_not_ours_passes_whole(void **state)
{
	struct frame f;

	(void)state;
	tcp(&f, "203.0.113.9", 80, HF_TCP_SYN, 0);
	passed(&f);
	frame_flow(&f, IPPROTO_TCP, CLIENT4, 1, "203.0.113.1", 81, HF_TCP_SYN, 0);
	passed(&f);
	frame_flow(&f, IPPROTO_UDP, CLIENT4, 1, "203.0.113.1", 80, 0, 0);
	passed(&f);
	frame_flow(&f, IPPROTO_TCP, CLIENT6, 1, "2001:db8:cafe::9", 80, HF_TCP_SYN, 0);
	passed(&f);
	/* ARP, and other protocols to a VIP, are the kernel's. */
	tcp(&f, "203.0.113.1", 80, HF_TCP_SYN, 0);
	f.bytes[12] = 0x08, f.bytes[13] = 0x06;
	passed(&f);
	tcp(&f, "203.0.113.1", 80, HF_TCP_SYN, 0);
	f.bytes[f.l3 + 9] = IPPROTO_GRE;
	frame_finish_ip(&f);
	passed(&f);
}

/* A service on all ports takes each of them, of its own protocol only. */
static void all_ports(void **state)
{
	const uint16_t ports[] = { 0, 1, 80, 8080, 65535 };
	struct frame f;

	(void)state;
	for (int i = 0; i < 5; i++) {
		frame_flow(&f, IPPROTO_TCP, CLIENT4, 1234, "203.0.113.4", ports[i], HF_TCP_SYN, 5);
		forwarded(&f);
		frame_flow(&f, IPPROTO_UDP, CLIENT4, 1234, "203.0.113.4", ports[i], 0, 5);
		passed(&f);
	}
}

/* RFC 6946: an atomic fragment is a whole datagram. */
static void atomic_fragments_are_none(void **state)
{
	struct frame f;

	(void)state;
	frame_ethernet(&f);
	frame_ipv6(&f, CLIENT6, "2001:db8:cafe::1");
	frame_fragment6(&f, 1, 0, false);
	frame_tcp(&f, 7400, 80, HF_TCP_ACK);
	frame_finish(&f);
	forwarded(&f);
}

/* Good but for these bytes, and for the header checksum if it is mended. */
static void malformed4(size_t at, uint8_t high, uint8_t low, bool mended)
{
	struct frame f;

	tcp(&f, "203.0.113.1", 7500, HF_TCP_ACK, 100);
	f.bytes[f.l3 + at] = high;
	f.bytes[f.l3 + at + 1] = low;
	if (mended) {
		f.bytes[f.l3 + 10] = f.bytes[f.l3 + 11] = 0;
		uint16_t sum = htons(frame_checksum(f.bytes + f.l3, 20, 0));

		memcpy(f.bytes + f.l3 + 10, &sum, 2);
	}
	dropped(&f, HF_COUNT_DROP_MALFORMED);
}

static void malformed_packets_are_counted(void **state)
{
	struct frame good, f;

	(void)state;
	malformed4(0, 0x44, 0, true);		      /* a header of 16 bytes */
	malformed4(0, 0x65, 0, true);		      /* version 6 */
	malformed4(2, 0xff, 0x00, true);	      /* longer than the frame */
	malformed4(2, 0, 19, true);		      /* shorter than its header */
	malformed4(2, 0, 39, true);		      /* half a TCP header */
	malformed4(10, 0xde, 0xad, false);	      /* the checksum */
	malformed4(20 + 12, 0x40, HF_TCP_ACK, false); /* a TCP header of 16 bytes */
	tcp(&f, "203.0.113.1", 7500, HF_TCP_ACK, 100);
	f.bytes[f.l3] = 0x4f; /* an IPv4 header of 60: the TCP header is not where it says */
	assert_int_not_equal(run(&f), XDP_TX);
	tcp(&good, "2001:db8:cafe::1", 7500, HF_TCP_ACK, 100);
	f = good, f.bytes[f.l3 + 4] = 0xff;
	dropped(&f, HF_COUNT_DROP_MALFORMED);
	f = good, f.bytes[f.l3 + 4] = f.bytes[f.l3 + 5] = 0;
	dropped(&f, HF_COUNT_DROP_MALFORMED);
	f = good, f.bytes[f.l3] = 0x40;
	dropped(&f, HF_COUNT_DROP_MALFORMED);
}

static void endless_extensions_are_counted(void **state)
{
	struct frame f;

	(void)state;
	frame_ethernet(&f);
	frame_ipv6(&f, CLIENT6, "2001:db8:cafe::1");
	for (int i = 0; i < 12; i++)
		frame_ipv6_extension(&f, IPPROTO_DSTOPTS, 0);
	frame_tcp(&f, 7600, 80, HF_TCP_SYN);
	frame_finish(&f);
	dropped(&f, HF_COUNT_DROP_EXTENSIONS);
}

/* Frames cut at every length: never forwarded, but for those that lost padding alone. */
static void cut_frames_do_no_harm(void **state)
{
	const char *const vips[] = { "203.0.113.1", "2001:db8:cafe::1" };
	struct frame f;

	(void)state;
	for (int i = 0; i < 2; i++) {
		tcp(&f, vips[i], 7700, HF_TCP_ACK, 20);
		/* Shorter ones the kernel does not let in. */
		for (size_t length = ETH_HLEN; length < f.length; length++) {
			struct frame cut = f;

			cut.length = length;
			assert_int_not_equal(run(&cut), XDP_TX);
		}
	}
}

/* Ethernet pads short frames to 60 bytes: that is no part of the packet. */
static void padding_is_not_counted(void **state)
{
	struct frame f;

	(void)state;
	tcp(&f, "203.0.113.1", 7800, HF_TCP_ACK, 0);
	f.length += 6;
	assert_int_equal(run(&f), XDP_TX);
	assert_null(outer_decode(verdict_out, verdict_length, &o));
	assert_int_equal(o.inner_length, 40);
	assert_int_equal(o.trailer, 6);
}

static void traffic_is_counted(void **state)
{
	uint16_t id = harness_backend_id(&h, "gue6", "a");
	struct hf_traffic before = harness_backend_traffic(&h, id), after;
	struct hf_traffic service = harness_service_traffic(&h, 4);
	struct frame f;

	(void)state;
	tcp(&f, "203.0.113.4", 8000, HF_TCP_SYN, 0);
	forwarded(&f);
	tcp(&f, "203.0.113.4", 8000, HF_TCP_ACK, 60);
	forwarded(&f);
	after = harness_backend_traffic(&h, id);
	assert_int_equal(after.packets - before.packets, 2);
	assert_int_equal(after.bytes - before.bytes, 40 + 100);
	assert_int_equal(after.flows - before.flows, 1);
	assert_int_equal(harness_service_traffic(&h, 4).packets - service.packets, 2);
	assert_int_equal(harness_service_traffic(&h, 4).flows - service.flows, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_tunnel_carries_both_families),
		cmocka_unit_test(udp_goes_the_same_way),
		cmocka_unit_test(dscp_and_ecn_are_copied),
		cmocka_unit_test(the_inner_ttl_stays),
		cmocka_unit_test(flows_differ_in_their_outer_source),
		cmocka_unit_test(options_and_extensions_are_walked),
		cmocka_unit_test(one_flow_in_any_dress),
		cmocka_unit_test(vlan_tags),
		cmocka_unit_test(other_ways_out),
		cmocka_unit_test(what_is_not_ours_passes_whole),
		cmocka_unit_test(all_ports),
		cmocka_unit_test(atomic_fragments_are_none),
		cmocka_unit_test(malformed_packets_are_counted),
		cmocka_unit_test(endless_extensions_are_counted),
		cmocka_unit_test(cut_frames_do_no_harm),
		cmocka_unit_test(padding_is_not_counted),
		cmocka_unit_test(traffic_is_counted),
	};

	return cmocka_run_group_tests_name("forward", tests, begin, end);
}
