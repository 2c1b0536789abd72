// SPDX-License-Identifier: BSD-2-Clause
/* The backend's programs: tunnel packets in, SYN-ACKs out. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "lib/packet/base.h"
#include "tests/packet/host.h"
#include "tests/unit/unit.h"

static void all_combinations(void **state)
{
	struct frame inner, f;

	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		host_client_packet(&inner, family, HF_TCP_ACK);
		host_ipip(&f, &inner, NODE4, BACKEND4);
		host_unwraps(&f, &inner, HF_HOST_DECAPSULATED_IPIP);
		host_ipip(&f, &inner, NODE6, BACKEND6);
		host_unwraps(&f, &inner, HF_HOST_DECAPSULATED_IPIP);
		for (size_t options = 0; options <= 31; options += 7) {
			host_gue(&f, &inner, NODE4, BACKEND4, options);
			host_unwraps(&f, &inner, HF_HOST_DECAPSULATED_GUE);
			host_gue(&f, &inner, NODE6, BACKEND6, options);
			host_unwraps(&f, &inner, HF_HOST_DECAPSULATED_GUE);
		}
	}
}

static void other_inner_packets(void **state)
{
	struct frame inner, f;

	(void)state;
	frame_flow(&inner, IPPROTO_UDP, CLIENT4, 5, VIP4, 53, 0, 9);
	host_ipip(&f, &inner, NODE4, BACKEND4);
	host_unwraps(&f, &inner, HF_HOST_DECAPSULATED_IPIP);
	/* A fragment of the client's. */
	host_client_packet(&inner, 4, HF_TCP_ACK);
	frame_fragment4(&inner, 7, 0, true);
	host_ipip(&f, &inner, NODE4, BACKEND4);
	host_unwraps(&f, &inner, HF_HOST_DECAPSULATED_IPIP);
}

static void tags_stay(void **state)
{
	struct frame inner, f;

	(void)state;
	host_client_packet(&inner, 4, HF_TCP_ACK);
	for (int tags = 1; tags <= 2; tags++) {
		frame_ethernet(&f);
		for (int i = 0; i < tags; i++)
			frame_vlan(&f, ETH_P_8021Q, 10 + i);
		frame_ipv4(&f, NODE4, BACKEND4);
		host_wrap_ip(&f, &inner, IPPROTO_IPIP);
		host_unwraps(&f, &inner, HF_HOST_DECAPSULATED_IPIP);
		assert_memory_equal(host_out + 12, f.bytes + 12, 4 * tags);
	}
}

static void only_allowed_sources(void **state)
{
	struct frame inner, f;

	(void)state;
	host_client_packet(&inner, 4, HF_TCP_ACK);
	host_ipip(&f, &inner, "198.51.100.15", BACKEND4);
	host_refuses(&f, HF_HOST_DROP_SOURCE);
	host_ipip(&f, &inner, "198.51.100.32", BACKEND4);
	host_refuses(&f, HF_HOST_DROP_SOURCE);
	host_gue(&f, &inner, CLIENT4, BACKEND4, 0);
	host_refuses(&f, HF_HOST_DROP_SOURCE);
	host_ipip(&f, &inner, "2001:db8:1b:2::1", BACKEND6);
	host_refuses(&f, HF_HOST_DROP_SOURCE);
	/* An IPv4 prefix allows no IPv6 address, however it is written. */
	host_ipip(&f, &inner, "::ffff:198.51.100.17", BACKEND6);
	host_refuses(&f, HF_HOST_DROP_SOURCE);
	host_ipip(&f, &inner, "c633:6411::", BACKEND6);
	host_refuses(&f, HF_HOST_DROP_SOURCE);
}

/* What is not addressed to the host, and what is no tunnel's, is none of our business. */
static void the_hosts_own_traffic(void **state)
{
	struct frame inner, f;

	(void)state;
	host_client_packet(&inner, 4, HF_TCP_ACK);
	host_leaves_alone(&inner);
	host_ipip(&f, &inner, NODE4, "192.0.2.102");
	host_leaves_alone(&f);
	host_gue(&f, &inner, CLIENT4, "192.0.2.102", 0);
	host_leaves_alone(&f);
	frame_flow(&f, IPPROTO_UDP, CLIENT4, 6080, BACKEND4, 6081, 0, 100);
	host_leaves_alone(&f);
	frame_flow(&f, IPPROTO_TCP, CLIENT4, 4000, BACKEND4, 22, HF_TCP_SYN, 0);
	host_leaves_alone(&f);
}

static void outer_checksums(void **state)
{
	struct frame inner, f;

	(void)state;
	host_client_packet(&inner, 4, HF_TCP_ACK);
	host_ipip(&f, &inner, NODE4, BACKEND4);
	f.bytes[f.l3 + 10] ^= 1;
	host_refuses(&f, HF_HOST_DROP_MALFORMED);
	host_ipip(&f, &inner, CLIENT4, BACKEND4);
	f.bytes[f.l3 + 10] ^= 1;
	host_refuses(&f, HF_HOST_DROP_SOURCE);
	inner.bytes[inner.l3 + 10] ^= 1;
	host_ipip(&f, &inner, NODE4, BACKEND4);
	host_refuses(&f, HF_HOST_DROP_MALFORMED);
}

/* An inner tunnel, which this host, or the next one, might take as sent by a node. */
static void nested_tunnels(void **state)
{
	struct frame inner, tunnel, f;

	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		host_client_packet(&inner, family, HF_TCP_ACK);
		host_ipip(&tunnel, &inner, CLIENT4, VIP4);
		host_ipip(&f, &tunnel, NODE4, BACKEND4);
		host_refuses(&f, HF_HOST_DROP_NESTED);
		host_gue(&f, &tunnel, NODE6, BACKEND6, 0);
		host_refuses(&f, HF_HOST_DROP_NESTED);
		host_gue(&tunnel, &inner, CLIENT6, VIP6, 0);
		host_gue(&f, &tunnel, NODE4, BACKEND4, 0);
		host_refuses(&f, HF_HOST_DROP_NESTED);
	}
}

/* Whom no client is: this host itself, by its own address or the VIP ("land"), and nobody. */
static void inner_sources(void **state)
{
	const char *const sources[] = { VIP4,	   BACKEND4,	"127.0.0.1",
					"0.0.0.0", "224.0.0.1", "255.255.255.255",
					VIP6,	   BACKEND6,	"::1",
					"::",	   "ff02::1",	"::ffff:192.0.2.1" };
	struct frame inner, f;

	(void)state;
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		frame_flow(&inner, IPPROTO_TCP, sources[i], 80,
			   strchr(sources[i], ':') ? VIP6 : VIP4, 80, HF_TCP_SYN, 0);
		host_ipip(&f, &inner, NODE4, BACKEND4);
		host_refuses(&f, HF_HOST_DROP_CLIENT);
	}
}

static void malformed(void **state)
{
	struct frame inner, f;

	(void)state;
	host_client_packet(&inner, 4, HF_TCP_ACK);
	host_ipip(&f, &inner, NODE4, BACKEND4);
	f.bytes[f.l3 + 20] = 0x65; /* IPv6 where IPv4 was announced */
	host_refuses(&f, HF_HOST_DROP_MALFORMED);
	host_ipip(&f, &inner, NODE4, BACKEND4);
	f.bytes[f.l3 + 20 + 3] += 1; /* longer than its envelope */
	host_refuses(&f, HF_HOST_DROP_MALFORMED);
	host_gue(&f, &inner, NODE4, BACKEND4, 0);
	f.bytes[f.l3 + 20 + 8] = 0x40; /* variant 1 */
	host_refuses(&f, HF_HOST_DROP_MALFORMED);
	host_gue(&f, &inner, NODE4, BACKEND4, 0);
	f.bytes[f.l3 + 20 + 8] = 0x20; /* a control message */
	host_refuses(&f, HF_HOST_DROP_MALFORMED);
	host_gue(&f, &inner, NODE4, BACKEND4, 0);
	f.bytes[f.l3 + 20 + 9] = IPPROTO_TCP;
	host_refuses(&f, HF_HOST_DROP_MALFORMED);
	host_gue(&f, &inner, NODE4, BACKEND4, 0);
	f.bytes[f.l3 + 20 + 8] = 31; /* options beyond the end */
	host_refuses(&f, HF_HOST_DROP_MALFORMED);
	host_ipip(&f, &inner, NODE4, BACKEND4);
	frame_fragment4(&f, 1, 0, true);
	host_refuses(&f, HF_HOST_DROP_FRAGMENT);
	host_ipip(&f, &inner, CLIENT4, BACKEND4);
	frame_fragment4(&f, 1, 0, true);
	host_refuses(&f, HF_HOST_DROP_SOURCE);
	frame_ethernet(&f);
	frame_ipv6(&f, NODE6, BACKEND6);
	frame_ipv6_extension(&f, IPPROTO_FRAGMENT, 0);
	f.bytes[f.l3 + 40] = IPPROTO_IPIP;
	f.bytes[f.l3 + 43] = 1;
	host_wrap_ip(&f, &inner, IPPROTO_FRAGMENT);
	host_refuses(&f, HF_HOST_DROP_FRAGMENT);
}

/* RFC 6040, figure 4: rows inside, columns outside; -1 is a drop. ECN: 0 none, 1, 2 ECT, 3 CE. */
static void congestion_marks(void **state)
{
	const int result[4][4] = {
		{ 0, 0, 0, -1 }, { 1, 1, 1, 3 }, { 2, 1, 2, 3 }, { 3, 3, 3, 3 }
	};
	struct frame inner, expected, f;

	(void)state;
	for (int i = 0; i < 64; i++) {
		const int inside = i & 3, outside = i >> 2 & 3, family = i & 16 ? 6 : 4;
		const bool outer6 = i & 32;
		const int want = result[inside][outside];

		host_client_packet(&inner, family, HF_TCP_ACK);
		expected = inner;
		if (family == 4) {
			inner.bytes[inner.l3 + 1] = 0xb8 | inside;
			expected.bytes[inner.l3 + 1] = 0xb8 | (want & 3);
		} else {
			inner.bytes[inner.l3 + 1] = inside << 4 | 5;
			expected.bytes[inner.l3 + 1] = (want & 3) << 4 | 5;
		}
		frame_finish(&inner);
		frame_finish(&expected); /* with the checksum that the change needs */
		host_ipip(&f, &inner, outer6 ? NODE6 : NODE4, outer6 ? BACKEND6 : BACKEND4);
		f.bytes[f.l3 + 1] |= outer6 ? outside << 4 : outside;
		frame_finish_ip(&f);
		if (want < 0)
			host_refuses(&f, HF_HOST_DROP_ECN);
		else
			host_unwraps(&f, &expected, HF_HOST_DECAPSULATED_IPIP);
	}
}

/* A SYN-ACK with the given TCP options, and its MSS after the outward program. */
static int clamped(int family, const char *options, size_t length, size_t mss_at)
{
	LIBBPF_OPTS(bpf_test_run_opts, test, .data_out = host_out,
		    .data_size_out = sizeof(host_out), .repeat = 1);
	struct frame f;

	frame_ethernet(&f);
	if (family == 4)
		frame_ipv4(&f, VIP4, CLIENT4);
	else
		frame_ipv6(&f, VIP6, CLIENT6);
	frame_tcp(&f, 80, 1234, HF_TCP_SYN | HF_TCP_ACK);
	memcpy(f.bytes + f.length, options, length);
	f.length += length;
	f.bytes[f.l4 + 12] = (20 + length) / 4 << 4;
	frame_finish(&f);
	test.data_in = f.bytes;
	test.data_size_in = f.length;
	assert_int_equal(
		bpf_prog_test_run_opts(bpf_program__fd(host_programs->progs.holdfast_out), &test),
		0);
	assert_int_equal(test.retval, (uint32_t)TC_ACT_UNSPEC);
	memcpy(f.bytes, host_out, f.length);
	frame_finish(&f); /* the checksum must already be as this makes it */
	assert_memory_equal(f.bytes, host_out, f.length);
	return host_out[f.l4 + 20 + mss_at] << 8 | host_out[f.l4 + 21 + mss_at];
}

static void syn_by(const char *node, const char *backend, int family, bool by_gue)
{
	struct frame inner, f;

	host_client_packet(&inner, family, HF_TCP_SYN);
	if (by_gue)
		host_gue(&f, &inner, node, backend, 0);
	else
		host_ipip(&f, &inner, node, backend);
	assert_int_equal(host_inward(&f), XDP_PASS);
}

#define MSS_1460 "\x02\x04\x05\xb4"

static void syn_acks_are_clamped(void **state)
{
	(void)state;
	syn_by(NODE4, BACKEND4, 4, false);
	assert_int_equal(clamped(4, MSS_1460, 4, 2), 1500 - 20 - 40);
	syn_by(NODE6, BACKEND6, 4, false);
	assert_int_equal(clamped(4, MSS_1460, 4, 2), 1500 - 40 - 40);
	syn_by(NODE4, BACKEND4, 4, true);
	assert_int_equal(clamped(4, MSS_1460, 4, 2), 1500 - 32 - 40);
	syn_by(NODE6, BACKEND6, 6, true);
	assert_int_equal(clamped(6, MSS_1460, 4, 2), 1500 - 52 - 60);
}

static void the_option_is_found_anywhere(void **state)
{
	(void)state;
	syn_by(NODE4, BACKEND4, 4, false);
	assert_int_equal(clamped(4, "\x01\x01\x04\x02\x03\x03\x07" MSS_1460 "\x01", 12, 9), 1440);
	assert_int_equal(clamped(4, "\x01\x02\x04\x05\xb4\x01\x01\x01", 8, 3), 1440);
	assert_int_equal(clamped(4, "\x04\x02\x08\x0a........" MSS_1460 "\x00\x00\x00\x00", 20, 14),
			 1440);
}

static void what_fits_or_is_odd_stays(void **state)
{
	(void)state;
	syn_by(NODE4, BACKEND4, 4, false);
	assert_int_equal(clamped(4, "\x02\x04\x05\x00", 4, 2), 0x500);
	assert_int_equal(clamped(4, "\x00\x00\x00\x00" MSS_1460, 8, 6), 1460); /* after the end */
	assert_int_equal(clamped(4, "\x08\x00\x02\x04\x05\xb4\x00\x00", 8, 4), 1460);
	assert_int_equal(clamped(4, "\x08\xff\x02\x04\x05\xb4\x00\x00", 8, 4), 1460);
	assert_int_equal(clamped(4, "\x01\x01\x02\x04", 4, 2), 0x0204); /* cut short */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_combinations),
		cmocka_unit_test(other_inner_packets),
		cmocka_unit_test(tags_stay),
		cmocka_unit_test(only_allowed_sources),
		cmocka_unit_test(the_hosts_own_traffic),
		cmocka_unit_test(malformed),
		cmocka_unit_test(outer_checksums),
		cmocka_unit_test(nested_tunnels),
		cmocka_unit_test(inner_sources),
		cmocka_unit_test(congestion_marks),
		cmocka_unit_test(syn_acks_are_clamped),
		cmocka_unit_test(the_option_is_found_anywhere),
		cmocka_unit_test(what_fits_or_is_odd_stays),
	};

	return cmocka_run_group_tests_name("decapsulate", tests, host_begin, host_end);
}
