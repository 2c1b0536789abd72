// SPDX-License-Identifier: BSD-2-Clause
#include "tests/packet/host.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "lib/packet/base.h"
#include "lib/percpu.h"
#include "tests/unit/unit.h"

struct host_bpf *host_programs;
uint8_t host_out[HOST_OUT_MAX];
uint32_t host_out_length;

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

	assert_int_equal(
		bpf_map__update_elem(host_programs->maps.allowed, &key, sizeof(key), &yes, 1, 0),
		0);
}

static void add_local(const char *text)
{
	struct hf_host_address key = address_of(text);
	uint8_t yes = 1;

	assert_int_equal(bpf_map__update_elem(host_programs->maps.local_addresses, &key,
					      sizeof(key), &yes, 1, 0),
			 0);
}

void host_make_namespace(void)
{
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	assert_int_equal(system("ip link set lo up && ip addr add " VIP4 "/32 dev lo && "
				"ip route add default dev lo"),
			 0);
}

int host_begin(void **state)
{
	(void)state;
	host_make_namespace();
	host_programs = host_bpf__open();
	if (!host_programs)
		return -1;
	host_programs->rodata->tunnel_mtu = 1500;
	if (host_bpf__load(host_programs))
		return -1;
	allow("198.51.100.16", 28);
	allow("2001:db8:1b:1::", 64);
	add_local(BACKEND4);
	add_local(BACKEND6);
	add_local(VIP4);
	add_local(VIP6);
	return 0;
}

int host_end(void **state)
{
	(void)state;
	host_bpf__destroy(host_programs);
	return 0;
}

uint64_t host_counter(enum hf_host_counter which)
{
	uint64_t value;

	assert_int_equal(
		hf_percpu_read(bpf_map__fd(host_programs->maps.counters), which, &value, 1), 0);
	return value;
}

uint32_t host_run(int program, const struct frame *f)
{
	LIBBPF_OPTS(bpf_test_run_opts, test, .data_in = f->bytes, .data_size_in = f->length,
		    .data_out = host_out, .data_size_out = sizeof(host_out), .repeat = 1);

	assert_int_equal(bpf_prog_test_run_opts(program, &test), 0);
	host_out_length = test.data_size_out;
	return test.retval;
}

uint32_t host_inward(const struct frame *f)
{
	return host_run(bpf_program__fd(host_programs->progs.holdfast_in), f);
}

/* The packet of `inner` behind the outer header that is already in `f`. */
void host_wrap_ip(struct frame *f, const struct frame *inner, uint8_t protocol)
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

void host_ipip(struct frame *f, const struct frame *inner, const char *source,
	       const char *destination)
{
	outer_of(f, source, destination);
	host_wrap_ip(f, inner, kind_of(inner));
}

void host_gue(struct frame *f, const struct frame *inner, const char *source,
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
	host_wrap_ip(f, inner, IPPROTO_UDP);
	f->bytes[udp + 4] = (f->length - udp) >> 8;
	f->bytes[udp + 5] = f->length - udp;
}

/* The inner packet comes out as it was, behind its Ethernet header. */
void host_unwraps(const struct frame *f, const struct frame *inner, enum hf_host_counter how)
{
	uint64_t before = host_counter(how);
	size_t length = inner->length - inner->l3;
	const uint8_t *ethertype = host_out + f->l3 - 2;

	assert_int_equal(host_inward(f), XDP_PASS);
	assert_int_equal(host_out_length, f->l3 + length);
	assert_memory_equal(host_out + f->l3, inner->bytes + inner->l3, length);
	assert_memory_equal(host_out, f->bytes, 12);
	assert_int_equal(ethertype[0] << 8 | ethertype[1],
			 kind_of(inner) == IPPROTO_IPIP ? ETH_P_IP : ETH_P_IPV6);
	assert_int_equal(host_counter(how), before + 1);
}

void host_refuses(const struct frame *f, enum hf_host_counter why)
{
	uint64_t before = host_counter(why);

	assert_int_equal(host_inward(f), XDP_DROP);
	assert_int_equal(host_counter(why), before + 1);
}

void host_leaves_alone(const struct frame *f)
{
	assert_int_equal(host_inward(f), XDP_PASS);
	assert_int_equal(host_out_length, f->length);
	assert_memory_equal(host_out, f->bytes, f->length);
}

void host_client_packet(struct frame *f, int family, uint8_t flags)
{
	frame_flow(f, IPPROTO_TCP, family == 4 ? CLIENT4 : CLIENT6, 1234, family == 4 ? VIP4 : VIP6,
		   80, flags, 33);
}
