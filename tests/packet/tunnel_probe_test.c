// SPDX-License-Identifier: BSD-2-Clause
/* The tc programs that send this node's probes through tunnels, and take the answers. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <string.h>

#include "lbnode/bpf/probe_types.h"
#include "lbnode/bpf/types.h"
#include "lib/packet/base.h"
#include "tests/frame.h"
#include "tests/packet/outer.h"
#include "tests/unit/unit.h"
#include "probe.skel.h"

#define NODE4	 "198.51.100.17"
#define NODE6	 "2001:db8:1b:1::1"
#define BACKEND4 "192.0.2.101"
#define BACKEND6 "2001:db8:be:1::1"
#define VIP4	 "203.0.113.10"
#define VIP6	 "2001:db8:cafe::10"
#define MARK	 ((uint32_t)HF_PROBE_MARK << 16)

static struct probe_bpf *programs;
static uint8_t out[4096];
static uint32_t out_length;

static int begin(void **state)
{
	(void)state;
	programs = probe_bpf__open_and_load();
	return programs ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	probe_bpf__destroy(programs);
	return 0;
}

static void put(struct bpf_map *map, uint32_t key, const void *value, size_t size)
{
	assert_int_equal(bpf_map__update_elem(map, &key, sizeof(key), value, size, 0), 0);
}

/* Backend 7 behind next hop 3, and the VIP behind it as way 5. */
static void set_way(uint8_t encapsulation, int vip_family)
{
	bool over_ipv4 =
		encapsulation == HF_ENCAP_IPIP_OVER_IPV4 || encapsulation == HF_ENCAP_GUE_OVER_IPV4;
	struct hf_backend backend = { .nexthop = 3,
				      .gue_port = htons(HF_GUE_PORT),
				      .encapsulation = encapsulation };
	struct hf_nexthop nexthop = { .ifindex = 1,
				      .mtu = 1500,
				      .macs = { 2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8 } };
	struct hf_probe_way way = { .backend = 7, .family = vip_family };

	inet_pton(over_ipv4 ? AF_INET : AF_INET6, over_ipv4 ? BACKEND4 : BACKEND6, backend.address);
	inet_pton(over_ipv4 ? AF_INET : AF_INET6, over_ipv4 ? NODE4 : NODE6, backend.source);
	/* What lbnode/tables.c makes of the constant words. */
	if (over_ipv4)
		backend.checksum = htons(0x4500) + htons(0x4000) + htons(64 << 8) +
				   (backend.address[0] & 0xffff) + (backend.address[0] >> 16);
	inet_pton(vip_family == 4 ? AF_INET : AF_INET6, vip_family == 4 ? VIP4 : VIP6, way.vip);
	put(programs->maps.backends, 7, &backend, sizeof(backend));
	put(programs->maps.nexthops, 3, &nexthop, sizeof(nexthop));
	put(programs->maps.ways, 5, &way, sizeof(way));
}

static uint32_t run(const struct bpf_program *program, const struct frame *f, uint32_t mark)
{
	struct __sk_buff skb = { .mark = mark };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = f->bytes, .data_size_in = f->length,
		    .data_out = out, .data_size_out = sizeof(out), .ctx_in = &skb,
		    .ctx_size_in = sizeof(skb), .repeat = 1);

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(program), &options), 0);
	out_length = options.data_size_out;
	return options.retval;
}

static void check_bytes(const uint8_t *bytes, const struct frame *expected)
{
	assert_memory_equal(bytes, expected->bytes + expected->l3, expected->length - expected->l3);
}

/* To a peer that is nobody, and from the VIP back. */
static void probe(int family, uint8_t protocol)
{
	const char *node = family == 4 ? NODE4 : NODE6, *peer = family == 4 ? BACKEND4 : BACKEND6;
	const char *vip = family == 4 ? VIP4 : VIP6;
	struct frame sent, expected;
	struct outer o;

	frame_flow(&sent, protocol, node, 40000, peer, 80, HF_TCP_SYN, 11);
	frame_flow(&expected, protocol, node, 40000, vip, 80, HF_TCP_SYN, 11);
	assert_int_equal(run(programs->progs.holdfast_probe_out, &sent, MARK | 5), TC_ACT_REDIRECT);
	assert_null(outer_decode(out, out_length, &o));
	assert_int_equal(o.macs[5], 9);
	assert_int_equal(o.inner_length, expected.length - expected.l3);
	check_bytes(o.inner, &expected);

	frame_flow(&sent, protocol, vip, 80, node, 40000, HF_TCP_SYN | HF_TCP_ACK, 7);
	frame_flow(&expected, protocol, peer, 80, node, 40000, HF_TCP_SYN | HF_TCP_ACK, 7);
	assert_int_equal(run(programs->progs.holdfast_probe_in, &sent, 0), (uint32_t)TC_ACT_UNSPEC);
	check_bytes(out + sent.l3, &expected);
}

static void through_every_tunnel_and_back(void **state)
{
	static const uint8_t encapsulations[] = { HF_ENCAP_IPIP_OVER_IPV4, HF_ENCAP_IPIP_OVER_IPV6,
						  HF_ENCAP_GUE_OVER_IPV4, HF_ENCAP_GUE_OVER_IPV6 };

	(void)state;
	for (size_t i = 0; i < sizeof(encapsulations); i++) {
		for (int family = 4; family <= 6; family += 2) {
			set_way(encapsulations[i], family);
			probe(family, IPPROTO_TCP);
			probe(family, IPPROTO_UDP);
		}
	}
}

static void others_are_left_alone(void **state)
{
	struct frame f;

	(void)state;
	set_way(HF_ENCAP_IPIP_OVER_IPV4, 4);
	frame_flow(&f, IPPROTO_TCP, NODE4, 41000, BACKEND4, 80, HF_TCP_SYN, 0);
	assert_int_equal(run(programs->progs.holdfast_probe_out, &f, 0), (uint32_t)TC_ACT_UNSPEC);
	check_bytes(out + f.l3, &f);
	assert_int_equal(run(programs->progs.holdfast_probe_out, &f, 0x12340005),
			 (uint32_t)TC_ACT_UNSPEC);
	/* From the VIP, but not to a port that probes; from a port that does not; of another host.
	 */
	frame_flow(&f, IPPROTO_TCP, VIP4, 80, NODE4, 41001, HF_TCP_ACK, 0);
	assert_int_equal(run(programs->progs.holdfast_probe_in, &f, 0), (uint32_t)TC_ACT_UNSPEC);
	check_bytes(out + f.l3, &f);
	frame_flow(&f, IPPROTO_TCP, VIP4, 81, NODE4, 40000, HF_TCP_ACK, 0);
	run(programs->progs.holdfast_probe_in, &f, 0);
	check_bytes(out + f.l3, &f);
	frame_flow(&f, IPPROTO_TCP, "192.0.2.7", 80, NODE4, 40000, HF_TCP_ACK, 0);
	run(programs->progs.holdfast_probe_in, &f, 0);
	check_bytes(out + f.l3, &f);
}

/* A probe that can't go by its tunnel must not go at all. */
static void what_has_no_way_is_dropped(void **state)
{
	const struct hf_nexthop nowhere = { 0 };
	struct frame f;

	(void)state;
	set_way(HF_ENCAP_IPIP_OVER_IPV4, 4);
	frame_flow(&f, IPPROTO_TCP, NODE4, 42000, BACKEND4, 80, HF_TCP_SYN, 0);
	assert_int_equal(run(programs->progs.holdfast_probe_out, &f, MARK | 6), TC_ACT_SHOT);
	frame_flow(&f, IPPROTO_TCP, NODE6, 42000, BACKEND6, 80, HF_TCP_SYN, 0);
	assert_int_equal(run(programs->progs.holdfast_probe_out, &f, MARK | 5), TC_ACT_SHOT);
	put(programs->maps.nexthops, 3, &nowhere, sizeof(nowhere));
	frame_flow(&f, IPPROTO_TCP, NODE4, 42000, BACKEND4, 80, HF_TCP_SYN, 0);
	assert_int_equal(run(programs->progs.holdfast_probe_out, &f, MARK | 5), TC_ACT_SHOT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(through_every_tunnel_and_back),
		cmocka_unit_test(others_are_left_alone),
		cmocka_unit_test(what_has_no_way_is_dropped),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
