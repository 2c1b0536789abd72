// SPDX-License-Identifier: BSD-2-Clause
/* The backend's programs: tunnel packets in, SYN-ACKs out. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lbhost/bpf/types.h"
#include "lib/packet/base.h"
#include "lib/percpu.h"
#include "tests/frame.h"
#include "tests/unit/unit.h"
#include "host.skel.h"

#define NODE4	 "198.51.100.17"
#define NODE6	 "2001:db8:1b:1::99"
#define BACKEND4 "192.0.2.101"
#define BACKEND6 "2001:db8:be:1::1"
#define CLIENT4	 "203.0.113.130"
#define CLIENT6	 "2001:db8:c1::1"
#define VIP4	 "203.0.113.10"
#define VIP6	 "2001:db8:cafe::10"

static struct host_bpf *host;
static uint8_t out[4096];
static uint32_t out_length;

static struct hf_host_address address_of(const char *text)
{
	struct hf_host_address a = { .family = strchr(text, ':') ? 6 : 4 };

	assert_int_equal(inet_pton(a.family == 6 ? AF_INET6 : AF_INET, text, a.word), 1);
	return a;
}

static void allow(const char *text, uint32_t length)
{
	struct hf_host_prefix key = { HF_HOST_FAMILY_BITS + length, address_of(text) };
	uint8_t yes = 1;

	assert_int_equal(bpf_map__update_elem(host->maps.allowed, &key, sizeof(key), &yes, 1, 0),
			 0);
}

static void add_local(const char *text)
{
	struct hf_host_address key = address_of(text);
	uint8_t yes = 1;

	assert_int_equal(
		bpf_map__update_elem(host->maps.local_addresses, &key, sizeof(key), &yes, 1, 0), 0);
}

/* Sockets are looked up in a network namespace of the test's own, where all addresses have a way.
 */
static void make_namespace(void)
{
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	assert_int_equal(system("ip link set lo up && ip addr add " VIP4 "/32 dev lo && "
				"ip route add default dev lo"),
			 0);
}

static int begin(void **state)
{
	(void)state;
	make_namespace();
	host = host_bpf__open();
	if (!host)
		return -1;
	host->rodata->tunnel_mtu = 1500;
	if (host_bpf__load(host))
		return -1;
	allow("198.51.100.16", 28);
	allow("2001:db8:1b:1::", 64);
	add_local(BACKEND4);
	add_local(BACKEND6);
	add_local(VIP4);
	add_local(VIP6);
	return 0;
}

static int end(void **state)
{
	(void)state;
	host_bpf__destroy(host);
	return 0;
}

static uint64_t counter(enum hf_host_counter which)
{
	uint64_t value;

	assert_int_equal(hf_percpu_read(bpf_map__fd(host->maps.counters), which, &value, 1), 0);
	return value;
}

static uint32_t run(int program, const struct frame *f)
{
	LIBBPF_OPTS(bpf_test_run_opts, test, .data_in = f->bytes, .data_size_in = f->length,
		    .data_out = out, .data_size_out = sizeof(out), .repeat = 1);

	assert_int_equal(bpf_prog_test_run_opts(program, &test), 0);
	out_length = test.data_size_out;
	return test.retval;
}

static uint32_t inward(const struct frame *f)
{
	return run(bpf_program__fd(host->progs.holdfast_in), f);
}

/* The packet of `inner` behind the outer header that is already in `f`. */
static void wrap_ip(struct frame *f, const struct frame *inner, uint8_t protocol)
{
	size_t length = inner->length - inner->l3;

	memcpy(f->bytes + f->length, inner->bytes + inner->l3, length);
	f->length += length;
	f->bytes[f->l3 + (f->bytes[f->l3] >> 4 == 4 ? 9 : 6)] = protocol;
	frame_finish_ip(f);
}

static void outer_of(struct frame *f, const char *source, const char *destination)
{
	frame_ethernet(f);
	if (strchr(source, ':'))
		frame_ipv6(f, source, destination);
	else
		frame_ipv4(f, source, destination);
}

static uint8_t kind_of(const struct frame *inner)
{
	return inner->bytes[inner->l3] >> 4 == 4 ? IPPROTO_IPIP : IPPROTO_IPV6;
}

static void ipip(struct frame *f, const struct frame *inner, const char *source,
		 const char *destination)
{
	outer_of(f, source, destination);
	wrap_ip(f, inner, kind_of(inner));
}

static void gue(struct frame *f, const struct frame *inner, const char *source,
		const char *destination, size_t option_words)
{
	size_t udp;

	outer_of(f, source, destination);
	udp = f->length;
	f->bytes[udp] = 0xc1;
	f->bytes[udp + 2] = 6080 >> 8;
	f->bytes[udp + 3] = 6080 & 0xff;
	f->bytes[udp + 8] = option_words;
	f->bytes[udp + 9] = kind_of(inner);
	f->length += 12 + option_words * 4;
	wrap_ip(f, inner, IPPROTO_UDP);
	f->bytes[udp + 4] = (f->length - udp) >> 8;
	f->bytes[udp + 5] = f->length - udp;
}

/* The inner packet comes out as it was, behind its Ethernet header. */
static void unwrapped(const struct frame *f, const struct frame *inner, enum hf_host_counter how)
{
	uint64_t before = counter(how);
	size_t length = inner->length - inner->l3;
	const uint8_t *ethertype = out + f->l3 - 2;

	assert_int_equal(inward(f), XDP_PASS);
	assert_int_equal(out_length, f->l3 + length);
	assert_memory_equal(out + f->l3, inner->bytes + inner->l3, length);
	assert_memory_equal(out, f->bytes, 12);
	assert_int_equal(ethertype[0] << 8 | ethertype[1],
			 kind_of(inner) == IPPROTO_IPIP ? ETH_P_IP : ETH_P_IPV6);
	assert_int_equal(counter(how), before + 1);
}

static void refused(const struct frame *f, enum hf_host_counter why)
{
	uint64_t before = counter(why);

	assert_int_equal(inward(f), XDP_DROP);
	assert_int_equal(counter(why), before + 1);
}

static void left_alone(const struct frame *f)
{
	assert_int_equal(inward(f), XDP_PASS);
	assert_int_equal(out_length, f->length);
	assert_memory_equal(out, f->bytes, f->length);
}

static void client_packet(struct frame *f, int family, uint8_t flags)
{
	frame_flow(f, IPPROTO_TCP, family == 4 ? CLIENT4 : CLIENT6, 1234, family == 4 ? VIP4 : VIP6,
		   80, flags, 33);
}

static void all_combinations(void **state)
{
	struct frame inner, f;

	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		client_packet(&inner, family, HF_TCP_ACK);
		ipip(&f, &inner, NODE4, BACKEND4);
		unwrapped(&f, &inner, HF_HOST_DECAPSULATED_IPIP);
		ipip(&f, &inner, NODE6, BACKEND6);
		unwrapped(&f, &inner, HF_HOST_DECAPSULATED_IPIP);
		for (size_t options = 0; options <= 31; options += 7) {
			gue(&f, &inner, NODE4, BACKEND4, options);
			unwrapped(&f, &inner, HF_HOST_DECAPSULATED_GUE);
			gue(&f, &inner, NODE6, BACKEND6, options);
			unwrapped(&f, &inner, HF_HOST_DECAPSULATED_GUE);
		}
	}
}

static void other_inner_packets(void **state)
{
	struct frame inner, f;

	(void)state;
	frame_flow(&inner, IPPROTO_UDP, CLIENT4, 5, VIP4, 53, 0, 9);
	ipip(&f, &inner, NODE4, BACKEND4);
	unwrapped(&f, &inner, HF_HOST_DECAPSULATED_IPIP);
	/* A fragment of the client's. */
	client_packet(&inner, 4, HF_TCP_ACK);
	frame_fragment4(&inner, 7, 0, true);
	ipip(&f, &inner, NODE4, BACKEND4);
	unwrapped(&f, &inner, HF_HOST_DECAPSULATED_IPIP);
}

static void tags_stay(void **state)
{
	struct frame inner, f;

	(void)state;
	client_packet(&inner, 4, HF_TCP_ACK);
	for (int tags = 1; tags <= 2; tags++) {
		frame_ethernet(&f);
		for (int i = 0; i < tags; i++)
			frame_vlan(&f, ETH_P_8021Q, 10 + i);
		frame_ipv4(&f, NODE4, BACKEND4);
		wrap_ip(&f, &inner, IPPROTO_IPIP);
		unwrapped(&f, &inner, HF_HOST_DECAPSULATED_IPIP);
		assert_memory_equal(out + 12, f.bytes + 12, 4 * tags);
	}
}

static void only_allowed_sources(void **state)
{
	struct frame inner, f;

	(void)state;
	client_packet(&inner, 4, HF_TCP_ACK);
	ipip(&f, &inner, "198.51.100.15", BACKEND4);
	refused(&f, HF_HOST_DROP_SOURCE);
	ipip(&f, &inner, "198.51.100.32", BACKEND4);
	refused(&f, HF_HOST_DROP_SOURCE);
	gue(&f, &inner, CLIENT4, BACKEND4, 0);
	refused(&f, HF_HOST_DROP_SOURCE);
	ipip(&f, &inner, "2001:db8:1b:2::1", BACKEND6);
	refused(&f, HF_HOST_DROP_SOURCE);
	/* An IPv4 prefix allows no IPv6 address, however it is written. */
	ipip(&f, &inner, "::ffff:198.51.100.17", BACKEND6);
	refused(&f, HF_HOST_DROP_SOURCE);
	ipip(&f, &inner, "c633:6411::", BACKEND6);
	refused(&f, HF_HOST_DROP_SOURCE);
}

/* What is not addressed to the host, and what is no tunnel's, is none of our business. */
static void the_hosts_own_traffic(void **state)
{
	struct frame inner, f;

	(void)state;
	client_packet(&inner, 4, HF_TCP_ACK);
	left_alone(&inner);
	ipip(&f, &inner, NODE4, "192.0.2.102");
	left_alone(&f);
	gue(&f, &inner, CLIENT4, "192.0.2.102", 0);
	left_alone(&f);
	frame_flow(&f, IPPROTO_UDP, CLIENT4, 6080, BACKEND4, 6081, 0, 100);
	left_alone(&f);
	frame_flow(&f, IPPROTO_TCP, CLIENT4, 4000, BACKEND4, 22, HF_TCP_SYN, 0);
	left_alone(&f);
}

static void outer_checksums(void **state)
{
	struct frame inner, f;

	(void)state;
	client_packet(&inner, 4, HF_TCP_ACK);
	ipip(&f, &inner, NODE4, BACKEND4);
	f.bytes[f.l3 + 10] ^= 1;
	refused(&f, HF_HOST_DROP_MALFORMED);
	ipip(&f, &inner, CLIENT4, BACKEND4);
	f.bytes[f.l3 + 10] ^= 1;
	refused(&f, HF_HOST_DROP_SOURCE);
	inner.bytes[inner.l3 + 10] ^= 1;
	ipip(&f, &inner, NODE4, BACKEND4);
	refused(&f, HF_HOST_DROP_MALFORMED);
}

/* An inner tunnel, which this host, or the next one, might take as sent by a node. */
static void nested_tunnels(void **state)
{
	struct frame inner, tunnel, f;

	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		client_packet(&inner, family, HF_TCP_ACK);
		ipip(&tunnel, &inner, CLIENT4, VIP4);
		ipip(&f, &tunnel, NODE4, BACKEND4);
		refused(&f, HF_HOST_DROP_NESTED);
		gue(&f, &tunnel, NODE6, BACKEND6, 0);
		refused(&f, HF_HOST_DROP_NESTED);
		gue(&tunnel, &inner, CLIENT6, VIP6, 0);
		gue(&f, &tunnel, NODE4, BACKEND4, 0);
		refused(&f, HF_HOST_DROP_NESTED);
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
		ipip(&f, &inner, NODE4, BACKEND4);
		refused(&f, HF_HOST_DROP_CLIENT);
	}
}

#define OTHER4 "192.0.2.102"
#define OTHER6 "2001:db8:be:2::1"

/* The client's packet by GUE, naming another backend as the last chance (docs/second-chance.md). */
static void named(struct frame *f, const struct frame *inner, bool by_ipv6)
{
	size_t at;

	gue(f, inner, by_ipv6 ? NODE6 : NODE4, by_ipv6 ? BACKEND6 : BACKEND4, by_ipv6 ? 5 : 2);
	at = f->l3 + (by_ipv6 ? 40 : 20) + 12;
	memcpy(f->bytes + at, "\x01\x02\x17\xc0", 4);
	inet_pton(by_ipv6 ? AF_INET6 : AF_INET, by_ipv6 ? OTHER6 : OTHER4, f->bytes + at + 4);
}

/* It leaves as it came, but for its outer destination and the option, which is used up. */
static void sent_on(const struct frame *f, bool by_ipv6)
{
	struct frame expected = *f;
	uint8_t *ip = expected.bytes + f->l3;
	uint64_t before = counter(HF_HOST_LAST_CHANCES);

	memcpy(expected.bytes, f->bytes + 6, 6);
	memcpy(expected.bytes + 6, f->bytes, 6);
	ip[(by_ipv6 ? 40 : 20) + 13] = 0;
	if (by_ipv6) {
		inet_pton(AF_INET6, OTHER6, ip + 24);
	} else {
		uint16_t sum;

		inet_pton(AF_INET, OTHER4, ip + 16);
		memset(ip + 10, 0, 2);
		sum = htons(frame_checksum(ip, 20, 0));
		memcpy(ip + 10, &sum, 2);
	}
	assert_int_equal(inward(f), XDP_TX);
	assert_int_equal(out_length, f->length);
	assert_memory_equal(out, expected.bytes, f->length);
	assert_int_equal(counter(HF_HOST_LAST_CHANCES), before + 1);
}

static void unknown_connections_go_to_the_backend_that_is_named(void **state)
{
	struct frame inner, f;

	(void)state;
	for (int outer = 0; outer < 2; outer++) {
		for (int family = 4; family <= 6; family += 2) {
			client_packet(&inner, family, HF_TCP_ACK);
			named(&f, &inner, outer);
			sent_on(&f, outer);
			client_packet(&inner, family, HF_TCP_RST);
			named(&f, &inner, outer);
			sent_on(&f, outer);
			/* A new connection is this backend's. */
			client_packet(&inner, family, HF_TCP_SYN);
			named(&f, &inner, outer);
			unwrapped(&f, &inner, HF_HOST_DECAPSULATED_GUE);
		}
	}
	frame_flow(&inner, IPPROTO_UDP, CLIENT4, 1, VIP4, 53, 0, 20);
	named(&f, &inner, false);
	unwrapped(&f, &inner, HF_HOST_DECAPSULATED_GUE);
	/* The other one takes whatever comes. */
	client_packet(&inner, 4, HF_TCP_ACK);
	named(&f, &inner, false);
	f.bytes[f.l3 + 20 + 13] = 0;
	unwrapped(&f, &inner, HF_HOST_DECAPSULATED_GUE);
}

/* A socket on the VIP's port that is connected to the client, without a packet: TCP_REPAIR. */
static int connected_socket(void)
{
	struct sockaddr_in vip = { .sin_family = AF_INET, .sin_port = htons(80) };
	struct sockaddr_in client = { .sin_family = AF_INET, .sin_port = htons(1234) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	inet_pton(AF_INET, VIP4, &vip.sin_addr);
	inet_pton(AF_INET, CLIENT4, &client.sin_addr);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &one, sizeof(one)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&vip, sizeof(vip)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&client, sizeof(client)), 0);
	return fd;
}

static void known_connections_stay(void **state)
{
	struct frame inner, f;
	int fd;

	(void)state;
	client_packet(&inner, 4, HF_TCP_ACK);
	named(&f, &inner, false);
	sent_on(&f, false);
	fd = connected_socket();
	unwrapped(&f, &inner, HF_HOST_DECAPSULATED_GUE);
	close(fd);
}

static void malformed(void **state)
{
	struct frame inner, f;

	(void)state;
	client_packet(&inner, 4, HF_TCP_ACK);
	ipip(&f, &inner, NODE4, BACKEND4);
	f.bytes[f.l3 + 20] = 0x65; /* IPv6 where IPv4 was announced */
	refused(&f, HF_HOST_DROP_MALFORMED);
	ipip(&f, &inner, NODE4, BACKEND4);
	f.bytes[f.l3 + 20 + 3] += 1; /* longer than its envelope */
	refused(&f, HF_HOST_DROP_MALFORMED);
	gue(&f, &inner, NODE4, BACKEND4, 0);
	f.bytes[f.l3 + 20 + 8] = 0x40; /* variant 1 */
	refused(&f, HF_HOST_DROP_MALFORMED);
	gue(&f, &inner, NODE4, BACKEND4, 0);
	f.bytes[f.l3 + 20 + 8] = 0x20; /* a control message */
	refused(&f, HF_HOST_DROP_MALFORMED);
	gue(&f, &inner, NODE4, BACKEND4, 0);
	f.bytes[f.l3 + 20 + 9] = IPPROTO_TCP;
	refused(&f, HF_HOST_DROP_MALFORMED);
	gue(&f, &inner, NODE4, BACKEND4, 0);
	f.bytes[f.l3 + 20 + 8] = 31; /* options beyond the end */
	refused(&f, HF_HOST_DROP_MALFORMED);
	ipip(&f, &inner, NODE4, BACKEND4);
	frame_fragment4(&f, 1, 0, true);
	refused(&f, HF_HOST_DROP_FRAGMENT);
	ipip(&f, &inner, CLIENT4, BACKEND4);
	frame_fragment4(&f, 1, 0, true);
	refused(&f, HF_HOST_DROP_SOURCE);
	frame_ethernet(&f);
	frame_ipv6(&f, NODE6, BACKEND6);
	frame_ipv6_extension(&f, IPPROTO_FRAGMENT, 0);
	f.bytes[f.l3 + 40] = IPPROTO_IPIP;
	f.bytes[f.l3 + 43] = 1;
	wrap_ip(&f, &inner, IPPROTO_FRAGMENT);
	refused(&f, HF_HOST_DROP_FRAGMENT);
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

		client_packet(&inner, family, HF_TCP_ACK);
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
		ipip(&f, &inner, outer6 ? NODE6 : NODE4, outer6 ? BACKEND6 : BACKEND4);
		f.bytes[f.l3 + 1] |= outer6 ? outside << 4 : outside;
		frame_finish_ip(&f);
		if (want < 0)
			refused(&f, HF_HOST_DROP_ECN);
		else
			unwrapped(&f, &expected, HF_HOST_DECAPSULATED_IPIP);
	}
}

/* A SYN-ACK with the given TCP options, and its MSS after the outward program. */
static int clamped(int family, const char *options, size_t length, size_t mss_at)
{
	LIBBPF_OPTS(bpf_test_run_opts, test, .data_out = out, .data_size_out = sizeof(out),
		    .repeat = 1);
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
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(host->progs.holdfast_out), &test),
			 0);
	assert_int_equal(test.retval, (uint32_t)TC_ACT_UNSPEC);
	memcpy(f.bytes, out, f.length);
	frame_finish(&f); /* the checksum must already be as this makes it */
	assert_memory_equal(f.bytes, out, f.length);
	return out[f.l4 + 20 + mss_at] << 8 | out[f.l4 + 21 + mss_at];
}

static void syn_by(const char *node, const char *backend, int family, bool by_gue)
{
	struct frame inner, f;

	client_packet(&inner, family, HF_TCP_SYN);
	if (by_gue)
		gue(&f, &inner, node, backend, 0);
	else
		ipip(&f, &inner, node, backend);
	assert_int_equal(inward(&f), XDP_PASS);
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
		cmocka_unit_test(unknown_connections_go_to_the_backend_that_is_named),
		cmocka_unit_test(known_connections_stay),
		cmocka_unit_test(congestion_marks),
		cmocka_unit_test(syn_acks_are_clamped),
		cmocka_unit_test(the_option_is_found_anywhere),
		cmocka_unit_test(what_fits_or_is_odd_stays),
	};

	return cmocka_run_group_tests_name("decapsulate", tests, begin, end);
}
