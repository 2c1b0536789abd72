// SPDX-License-Identifier: BSD-2-Clause
/*
 * The last chance: packets of connections that this host does not have go to the backend that they
 * name, by a tunnel of that one's family, and in the node's name (docs/second-chance.md).
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lbhost/namespaces.h"
#include "lib/packet/base.h"
#include "tests/packet/host.h"
#include "tests/packet/outer.h"
#include "tests/unit/unit.h"

/* The ends of the tunnel to the other backend. */
#define SOURCE4 "198.51.100.18"
#define SOURCE6 "2001:db8:1b:1::77"
#define OTHER4	"192.0.2.102"
#define OTHER6	"2001:db8:be:2::1"
#define PORT	7000

/* The client's packet by GUE over `family`, naming another backend, of family `other`. */
static void named(struct frame *f, const struct frame *inner, int family, int other)
{
	uint8_t *option;

	host_gue(f, inner, family == 6 ? NODE6 : NODE4, family == 6 ? BACKEND6 : BACKEND4,
		 other == 6 ? 9 : 3);
	option = f->bytes + f->l3 + (family == 6 ? 40 : 20) + 12;
	memcpy(option, "\x01\x02", 2);
	option[2] = PORT >> 8;
	option[3] = PORT & 0xff;
	if (other == 6) {
		inet_pton(AF_INET6, SOURCE6, option + 4);
		inet_pton(AF_INET6, OTHER6, option + 20);
	} else {
		inet_pton(AF_INET, SOURCE4, option + 4);
		inet_pton(AF_INET, OTHER4, option + 8);
	}
}

static void sent_on(const struct frame *f, const struct frame *inner, int other)
{
	uint64_t before = host_counter(HF_HOST_LAST_CHANCES);
	uint8_t source[16], destination[16];
	struct outer o;

	inet_pton(other == 6 ? AF_INET6 : AF_INET, other == 6 ? SOURCE6 : SOURCE4, source);
	inet_pton(other == 6 ? AF_INET6 : AF_INET, other == 6 ? OTHER6 : OTHER4, destination);
	assert_int_equal(host_inward(f), XDP_TX);
	assert_int_equal(host_counter(HF_HOST_LAST_CHANCES), before + 1);
	assert_memory_equal(host_out, f->bytes + 6, 6);
	assert_memory_equal(host_out + 6, f->bytes, 6);
	assert_null(outer_decode(host_out, host_out_length, &o));
	assert_int_equal(o.family, other);
	assert_memory_equal(o.source, source, other == 6 ? 16 : 4);
	assert_memory_equal(o.destination, destination, other == 6 ? 16 : 4);
	assert_true(o.is_gue && o.destination_port == PORT && !o.option_words);
	assert_int_equal(o.source_port, 0xc100); /* as it came */
	assert_int_equal(o.inner_length, inner->length - inner->l3);
	assert_memory_equal(o.inner, inner->bytes + inner->l3, o.inner_length);
}

static void unknown_connections_go_to_the_backend_that_is_named(void **state)
{
	struct frame inner, f;

	(void)state;
	for (int i = 0; i < 8; i++) {
		int family = i & 1 ? 6 : 4, outer = i & 2 ? 6 : 4, other = i & 4 ? 6 : 4;

		host_client_packet(&inner, family, HF_TCP_ACK);
		named(&f, &inner, outer, other);
		sent_on(&f, &inner, other);
		host_client_packet(&inner, family, HF_TCP_RST);
		named(&f, &inner, outer, other);
		sent_on(&f, &inner, other);
		/* A new connection is this backend's. */
		host_client_packet(&inner, family, HF_TCP_SYN);
		named(&f, &inner, outer, other);
		host_unwraps(&f, &inner, HF_HOST_DECAPSULATED_GUE);
	}
	frame_flow(&inner, IPPROTO_UDP, CLIENT4, 1, VIP4, 53, 0, 20);
	named(&f, &inner, 4, 4);
	host_unwraps(&f, &inner, HF_HOST_DECAPSULATED_GUE);
}

/* An option of another kind, version or length: whatever it is, it is not for this host. */
static void other_options_are_ignored(void **state)
{
	struct frame inner, f;
	size_t option;

	(void)state;
	host_client_packet(&inner, 4, HF_TCP_ACK);
	for (int i = 0; i < 2; i++) {
		named(&f, &inner, 4, 4);
		option = f.l3 + 20 + 12;
		f.bytes[option + i] = 3;
		host_unwraps(&f, &inner, HF_HOST_DECAPSULATED_GUE);
	}
	for (size_t words = 0; words <= 31; words++) {
		if (words == 3 || words == 9)
			continue;
		host_gue(&f, &inner, NODE4, BACKEND4, words);
		if (words)
			memcpy(f.bytes + f.l3 + 20 + 12, "\x01\x02", 2);
		host_unwraps(&f, &inner, HF_HOST_DECAPSULATED_GUE);
	}
}

/* Who may send tunnels from one address may not make this host send from any other. */
static void sources_that_are_not_allowed(void **state)
{
	struct frame inner, f;

	(void)state;
	host_client_packet(&inner, 4, HF_TCP_ACK);
	named(&f, &inner, 4, 4);
	f.bytes[f.l3 + 20 + 12 + 7] = 0x20; /* 198.51.100.32 */
	host_refuses(&f, HF_HOST_DROP_SOURCE);
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
	host_client_packet(&inner, 4, HF_TCP_ACK);
	named(&f, &inner, 4, 4);
	sent_on(&f, &inner, 4);
	fd = connected_socket();
	host_unwraps(&f, &inner, HF_HOST_DECAPSULATED_GUE);
	close(fd);
}

/* The service lives in another network namespace, which comes, and goes. */
static void connections_elsewhere_stay(void **state)
{
	char elsewhere[] = "/tmp/hf-netns-XXXXXX";
	struct hf_namespace ns = { .name = elsewhere };
	const int map = bpf_map__fd(host_programs->maps.namespaces);
	int here = open("/proc/self/ns/net", O_RDONLY), name = mkstemp(elsewhere), fd;
	struct frame inner, f;

	(void)state;
	assert_true(here >= 0 && name >= 0);
	close(name);
	host_client_packet(&inner, 4, HF_TCP_ACK);
	named(&f, &inner, 4, 4);
	host_make_namespace();
	fd = connected_socket();
	assert_int_equal(mount("/proc/self/ns/net", elsewhere, NULL, MS_BIND, NULL), 0);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	sent_on(&f, &inner, 4);
	hf_namespace_refresh(&ns, 3, map);
	host_unwraps(&f, &inner, HF_HOST_DECAPSULATED_GUE);
	hf_namespace_refresh(&ns, 3, map);
	host_unwraps(&f, &inner, HF_HOST_DECAPSULATED_GUE);
	umount(elsewhere);
	unlink(elsewhere);
	hf_namespace_refresh(&ns, 3, map);
	sent_on(&f, &inner, 4);
	close(fd);
	close(here);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_connections_go_to_the_backend_that_is_named),
		cmocka_unit_test(other_options_are_ignored),
		cmocka_unit_test(sources_that_are_not_allowed),
		cmocka_unit_test(known_connections_stay),
		cmocka_unit_test(connections_elsewhere_stay),
	};

	return cmocka_run_group_tests_name("last_chance", tests, host_begin, host_end);
}
