// SPDX-License-Identifier: BSD-2-Clause
/*
 * Frames that are nearly right, through the real XDP program, against an oracle (oracle.h):
 * verdict, inner bytes, answers, one backend a flow and a datagram, and not one pin more than flows
 * were forwarded. xdp_fuzz [SEED [FRAMES]]: the same seed makes the same frames.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/fuzz/oracle.h"
#include "tests/packet/outer.h"
#include "tests/xdp_harness.h"

static const char configuration[] =
	"cluster: {insecure: true}\n"
	"node: {name: fuzz, addresses: [198.51.100.16/28, '2001:db8:1b:1::/64']}\n"
	"services:\n"
	"  - {address: 203.0.113.1, port: 80, protocol: tcp, pool: ipip}\n"
	"  - {address: 203.0.113.1, port: 53, protocol: udp, pool: ipip}\n"
	"  - {address: 203.0.113.2, port: all, protocol: udp, pool: gue}\n"
	"  - {address: 203.0.113.2, port: 80, protocol: tcp, pool: gue}\n"
	"  - {address: '2001:db8:cafe::1', port: 80, protocol: tcp, pool: ipip}\n"
	"  - {address: '2001:db8:cafe::1', port: 53, protocol: udp, pool: gue, stateless: true}\n"
	"pools:\n"
	"  - name: ipip\n"
	"    backends: [{name: a, address: 192.0.2.1}, {name: b, address: 192.0.2.2},\n"
	"               {name: c, address: 192.0.2.3}]\n"
	"  - name: gue\n"
	"    encapsulation: gue\n"
	"    backends: [{name: a, address: '2001:db8:be::1'}, {name: b, address: "
	"'2001:db8:be::2'}]\n";

static struct oracle_world world = { .own4 = { 198, 51, 100, 16 },
				     .own6 = { 0x20, 0x01, 0x0d, 0xb8, 0, 0x1b, 0, 1 } };

struct fuzz {
	struct harness h;
	uint64_t x; /* the generator's state */
	uint8_t frame[2048];
	size_t length;
	uint8_t out[4096];
	size_t out_length;
	struct oracle_answer answer;
	uint64_t number;
	uint32_t pinned;
	uint64_t verdicts[8];
};

/* What is remembered of a flow or a datagram: its backend's last byte; 0 is "the kernel's". */
struct memory {
	struct oracle_flow key;
	int backend;
	bool pinned;
	time_t noted;
};

static void *flows, *datagrams;

static int by_key(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct oracle_flow));
}

static struct memory *recall(void **tree, const struct oracle_flow *key)
{
	struct memory wanted = { .key = *key }, **found = tfind(&wanted, tree, by_key), *new;

	if (found)
		return *found;
	new = calloc(1, sizeof(*new));
	if (!new)
		abort();
	new->key = *key;
	new->backend = -1;
	tsearch(new, tree, by_key);
	return new;
}

static void serve(int family, const char *address, uint8_t protocol, uint16_t port, size_t outer,
		  bool stateless)
{
	struct oracle_service *s = &world.service[world.services++];

	*s = (struct oracle_service){ .family = family,
				      .protocol = protocol,
				      .port = port,
				      .outer = outer,
				      .stateless = stateless };
	inet_pton(family == 4 ? AF_INET : AF_INET6, address, s->address);
}

static uint32_t below(struct fuzz *f, uint32_t limit)
{
	/* splitmix64 (Steele, Lea and Flood, 2014) */
	uint64_t z = f->x += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return (z ^ z >> 31) % limit;
}

static bool one_in(struct fuzz *f, uint32_t n)
{
	return below(f, n) == 0;
}

static void put(struct fuzz *f, uint32_t value, int bytes)
{
	while (bytes--)
		f->frame[f->length++] = value >> 8 * bytes;
}

static void put_address(struct fuzz *f, int family, const char *text)
{
	inet_pton(family == 4 ? AF_INET : AF_INET6, text, f->frame + f->length);
	f->length += family == 4 ? 4 : 16;
}

static void put_client(struct fuzz *f, int family)
{
	static const char *const odd4[] = { "203.0.113.1", "127.0.0.1", "224.0.0.1", "0.0.0.0" };
	static const char *const odd6[] = { "2001:db8:cafe::1", "::1", "ff02::1",
					    "::ffff:1.2.3.4" };

	if (one_in(f, 20)) {
		put_address(f, family, family == 4 ? odd4[below(f, 4)] : odd6[below(f, 4)]);
		return;
	}
	put_address(f, family, family == 4 ? "192.0.2.0" : "2001:db8:c1::");
	f->frame[f->length - 1] = below(f, 8) + 1;
}

static void put_vip(struct fuzz *f, int family)
{
	static const char *const to4[] = { "203.0.113.1", "203.0.113.1", "203.0.113.1",
					   "203.0.113.2", "203.0.113.3", "198.51.100.20" };
	static const char *const to6[] = { "2001:db8:cafe::1", "2001:db8:cafe::1",
					   "2001:db8:cafe::1", "2001:db8:cafe::2",
					   "2001:db8:1b:1::9", "2001:db8:cafe::1" };

	put_address(f, family, family == 4 ? to4[below(f, 6)] : to6[below(f, 6)]);
}

static uint16_t some_port(struct fuzz *f, uint16_t mostly)
{
	static const uint16_t ports[] = { 80, 53, 6080, 81, 0 };

	return one_in(f, 6) ? ports[below(f, 5)] : mostly;
}

static size_t some_payload(struct fuzz *f)
{
	return one_in(f, 4) ? 1380 + below(f, 120) : below(f, 60);
}

static void put_ports(struct fuzz *f, uint16_t mostly, bool turned)
{
	uint16_t client = 1024 + below(f, 16), port = some_port(f, mostly);

	put(f, turned ? port : client, 2);
	put(f, turned ? client : port, 2);
}

static void put_payload(struct fuzz *f, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		put(f, i, 1);
}

static void put_tcp(struct fuzz *f, bool turned)
{
	static const uint8_t flags[] = { 2, 16, 16, 24, 17, 4, 20, 18, 0, 3 };

	put_ports(f, 80, turned);
	put(f, 1, 4);
	put(f, 2, 4);
	put(f, one_in(f, 10) ? below(f, 16) << 4 : 0x50, 1);
	put(f, one_in(f, 20) ? below(f, 256) : flags[below(f, 10)], 1);
	put(f, 0xffff, 2);
	put(f, 0, 4);
	put_payload(f, some_payload(f));
}

static void put_udp(struct fuzz *f, bool turned)
{
	size_t payload = some_payload(f);

	put_ports(f, 53, turned);
	put(f, one_in(f, 10) ? below(f, 100) : 8 + payload, 2);
	put(f, 0, 2);
	put_payload(f, payload);
}

static void put_ip(struct fuzz *f, int depth, bool turned);
static void put_ipv4(struct fuzz *f, int depth, bool turned);
static void put_ipv6(struct fuzz *f, int depth, bool turned);

static void put_icmp(struct fuzz *f, int family, int depth)
{
	static const uint8_t types4[] = { 8, 3, 3, 11, 12, 0, 5 },
			     types6[] = { 128, 1, 2, 3, 4, 129, 135 };

	put(f, family == 4 ? types4[below(f, 7)] : types6[below(f, 7)], 1);
	put(f, one_in(f, 3) ? below(f, 16) : 0, 1);
	put(f, below(f, 65536), 2);
	put(f, 1400, 4);
	if (depth >= 1)
		put_payload(f, below(f, 60));
	else if (family == 4)
		put_ipv4(f, depth + 1, true);
	else
		put_ipv6(f, depth + 1, true);
}

static void put_upper(struct fuzz *f, int family, uint8_t protocol, int depth, bool turned)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return put_tcp(f, turned);
	case IPPROTO_UDP:
		return put_udp(f, turned);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return put_icmp(f, family, depth);
	default:
		if (depth < 1)
			put_ip(f, depth + 1, false);
	}
}

static uint8_t some_protocol(struct fuzz *f, int family)
{
	const uint8_t protocols[] = { IPPROTO_TCP,
				      IPPROTO_TCP,
				      IPPROTO_TCP,
				      IPPROTO_UDP,
				      IPPROTO_UDP,
				      family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
				      family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
				      IPPROTO_IPIP,
				      IPPROTO_IPV6,
				      below(f, 256) };

	return protocols[below(f, 10)];
}

static void sum_ipv4(struct fuzz *f, size_t ip, size_t header)
{
	uint32_t sum = 0;

	f->frame[ip + 10] = f->frame[ip + 11] = 0;
	for (size_t i = 0; i < header; i += 2)
		sum += f->frame[ip + i] << 8 | f->frame[ip + i + 1];
	while (sum > 0xffff)
		sum = (sum >> 16) + (sum & 0xffff);
	f->frame[ip + 10] = ~sum >> 8;
	f->frame[ip + 11] = ~sum;
}

static void put_ipv4(struct fuzz *f, int depth, bool turned)
{
	size_t ip = f->length, options = one_in(f, 8) ? below(f, 11) : 0;
	uint8_t protocol = some_protocol(f, 4);
	static const uint16_t cuts[] = { 0x2000, 0x2000, 125, 0x2000 | 125, 250, 8191 };

	put(f, 0x45 + options, 1);
	put(f, below(f, 256), 1);
	put(f, 0, 2);
	put(f, below(f, 40), 2);
	put(f, one_in(f, 5) ? cuts[below(f, 6)] : 0x4000, 2);
	put(f, 64, 1);
	put(f, protocol, 1);
	put(f, 0, 2);
	turned ? put_vip(f, 4) : put_client(f, 4);
	turned ? put_client(f, 4) : put_vip(f, 4);
	put_payload(f, options * 4);
	put_upper(f, 4, protocol, depth, turned);
	f->frame[ip + 2] = (f->length - ip) >> 8;
	f->frame[ip + 3] = f->length - ip;
	sum_ipv4(f, ip, 20 + options * 4);
}

static void put_extensions(struct fuzz *f, size_t *next)
{
	static const uint8_t kinds[] = { 0, 60, 43, 51, 44, 44 };
	uint32_t count = one_in(f, 4) ? below(f, 10) : 0;

	while (count--) {
		uint8_t kind = kinds[below(f, 6)], more = one_in(f, 4) ? below(f, 3) : 0;

		f->frame[*next] = kind;
		*next = f->length;
		if (kind == 44) {
			static const uint16_t cuts[] = { 0, 1, 1000, 1001, 2000 };

			put(f, 0, 2);
			put(f, cuts[below(f, 5)], 2);
			put(f, below(f, 40), 4);
			continue;
		}
		put(f, 0, 1);
		put(f, kind == 51 ? 2 * more : more, 1);
		put_payload(f, 8 * (more + 1) - 2);
	}
}

static void put_ipv6(struct fuzz *f, int depth, bool turned)
{
	size_t ip = f->length, next = ip + 6;
	uint8_t protocol = some_protocol(f, 6);

	put(f, 6U << 28 | below(f, 1 << 28), 4);
	put(f, 0, 2);
	put(f, 0, 1);
	put(f, 64, 1);
	turned ? put_vip(f, 6) : put_client(f, 6);
	turned ? put_client(f, 6) : put_vip(f, 6);
	put_extensions(f, &next);
	f->frame[next] = protocol;
	put_upper(f, 6, protocol, depth, turned);
	f->frame[ip + 4] = (f->length - ip - 40) >> 8;
	f->frame[ip + 5] = f->length - ip - 40;
}

static void put_ip(struct fuzz *f, int depth, bool turned)
{
	/* Room for all that may come; an inner packet is cut by the outer one's room. */
	if (f->length > 200)
		return;
	one_in(f, 2) ? put_ipv4(f, depth, turned) : put_ipv6(f, depth, turned);
}

/* A few bytes that are not what they were; half the time with a checksum that agrees. */
static void spoil(struct fuzz *f, size_t ip)
{
	for (uint32_t n = below(f, 3) + 1; n; n--) {
		size_t at = one_in(f, 4) ? below(f, f->length) : ip + below(f, 60);

		if (at < f->length)
			f->frame[at] =
				one_in(f, 2) ? below(f, 256) : f->frame[at] ^ 1U << below(f, 8);
	}
	if (f->length >= ip + 60 && f->frame[ip] >> 4 == 4 && one_in(f, 2))
		sum_ipv4(f, ip, (f->frame[ip] & 15) * 4);
}

static void make_frame(struct fuzz *f)
{
	uint32_t tags = one_in(f, 6) ? below(f, 4) : 0;
	size_t ip;

	f->length = 0;
	put_payload(f, 12);
	while (tags--) {
		put(f, one_in(f, 2) ? 0x8100 : 0x88a8, 2);
		put(f, below(f, 4096), 2);
	}
	f->length += 2;
	ip = f->length;
	put_ip(f, 0, false);
	f->frame[ip - 2] = f->frame[ip] >> 4 == 4 ? 0x08 : 0x86;
	f->frame[ip - 1] = f->frame[ip] >> 4 == 4 ? 0x00 : 0xdd;
	if (one_in(f, 4))
		spoil(f, ip);
	if (one_in(f, 10))
		f->length = f->length * below(f, 100) / 100;
	else if (one_in(f, 10))
		put_payload(f, below(f, 20));
	if (f->length < 14)
		f->length = 14; /* less the kernel does not let in */
}

static const char *check_backend(struct memory *m, int backend)
{
	if (m->backend > 0 && m->backend != backend)
		return "another backend than before";
	m->backend = backend;
	return NULL;
}

/* The packet, whole, to a backend of its pool; *backend: its last byte. */
static const char *check_forwarded(struct fuzz *f, int *backend)
{
	const struct oracle_answer *a = &f->answer;
	struct outer o;
	const char *fault = outer_decode(f->out, f->out_length, &o);

	if (fault)
		return fault;
	*backend = o.destination[o.family == 4 ? 3 : 15];
	if (o.inner_length != a->length || memcmp(o.inner, f->frame + a->l3, a->length) != 0)
		return "the inner packet is not what it was";
	if (a->service && o.is_gue != (a->service->outer != 20))
		return "another tunnel than the pool's";
	return *backend < 1 || *backend > (o.is_gue ? 2 : 3) ? "to none of the backends" : NULL;
}

static const char *check_untouched(const struct fuzz *f)
{
	return f->out_length != f->length || memcmp(f->out, f->frame, f->length) != 0
		       ? "passed, but not as it was"
		       : NULL;
}

static const char *check_flow(struct fuzz *f, uint32_t verdict)
{
	struct memory *m = recall(&flows, &f->answer.flow);
	const char *fault;
	int backend;

	if (f->answer.pins && !m->pinned) {
		m->pinned = true;
		f->pinned++;
	}
	if (f->answer.verdict == ORACLE_TOO_BIG)
		return verdict == XDP_DROP ? NULL
		       : verdict == XDP_TX
			       ? oracle_check_too_big(f->frame, &f->answer, f->out, f->out_length)
			       : "neither answered nor dropped";
	if (f->answer.verdict == ORACLE_ERROR && verdict == XDP_DROP)
		return NULL;
	if (verdict != XDP_TX)
		return "not forwarded";
	fault = check_forwarded(f, &backend);
	return fault ? fault : check_backend(m, backend);
}

#define NOTE_SECONDS 14 /* a little less than the data plane's */

static const char *check_follower(struct fuzz *f, uint32_t verdict)
{
	struct memory *d = recall(&datagrams, &f->answer.datagram);
	const char *fault;
	int backend;

	if (verdict == XDP_DROP)
		return d->noted && time(NULL) - d->noted < NOTE_SECONDS && d->backend >= 0 &&
				       f->answer.length < 1400
			       ? "dropped, though its first one has come"
			       : NULL;
	if (!d->noted)
		return "placed, though its first one has not come";
	if (verdict == XDP_PASS)
		return d->backend == 0 ? check_untouched(f)
				       : "passed, though its first one was not";
	fault = check_forwarded(f, &backend);
	if (!fault && d->backend >= 0 && backend != d->backend)
		fault = "another backend than its first one's";
	return fault;
}

/* The first fragment's backend is that of its flow; which a flow met here first may not have shown
 * (too big), so -1: any. */
static void note(struct fuzz *f)
{
	struct memory *d = recall(&datagrams, &f->answer.datagram);

	d->noted = time(NULL);
	d->backend =
		f->answer.verdict == ORACLE_PASS ? 0 : recall(&flows, &f->answer.flow)->backend;
}

static const char *check(struct fuzz *f, uint32_t verdict)
{
	switch (f->answer.verdict) {
	case ORACLE_PASS:
		return verdict == XDP_PASS ? check_untouched(f) : "not passed";
	case ORACLE_DROP:
		return verdict == XDP_DROP ? NULL : "not dropped";
	case ORACLE_ECHO:
		return verdict == XDP_TX
			       ? oracle_check_echo(f->frame, &f->answer, f->out, f->out_length)
			       : "not answered";
	case ORACLE_FOLLOW:
		return check_follower(f, verdict);
	default:
		return check_flow(f, verdict);
	}
}

static uint32_t count_pins(const struct harness *h)
{
	uint32_t pins = 0;

	for (uint32_t i = 0; i < 1U << h->bucket_bits; i++)
		for (int j = 0; j < HF_BUCKET_PINS; j++)
			pins += h->flows[i].pin[j] != 0;
	return pins;
}

static void die(const struct fuzz *f, uint64_t seed, const char *fault, uint32_t verdict)
{
	fprintf(stderr, "xdp_fuzz: seed %lu, frame %lu: %s (verdict %u, oracle %u)\n",
		(unsigned long)seed, (unsigned long)f->number, fault, verdict, f->answer.verdict);
	for (size_t i = 0; i < f->length; i++)
		fprintf(stderr, "%02x%s", f->frame[i], i % 32 == 31 ? "\n" : "");
	fprintf(stderr, "\n");
	exit(1);
}

static void run(struct fuzz *f, uint64_t seed)
{
	const char *fault;
	uint32_t verdict;

	make_frame(f);
	oracle_ask(&world, f->frame, f->length, &f->answer);
	f->out_length = sizeof(f->out);
	verdict = harness_run(&f->h, f->frame, f->length, f->out, &f->out_length);
	fault = check(f, verdict);
	if (!fault && f->answer.is_first)
		note(f);
	if (!fault && f->number % 50000 == 0 && count_pins(&f->h) != f->pinned)
		fault = "more or fewer pins than flows";
	if (fault)
		die(f, seed, fault, verdict);
	f->verdicts[f->answer.verdict]++;
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "passed",	"dropped", "forwarded", "pings",
					     "too big", "errors",  "followers" };
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	uint64_t frames = argc > 2 ? strtoull(argv[2], NULL, 10) : 300000;
	static struct fuzz f;

	serve(4, "203.0.113.1", IPPROTO_TCP, 80, 20, false);
	serve(4, "203.0.113.1", IPPROTO_UDP, 53, 20, false);
	serve(4, "203.0.113.2", IPPROTO_UDP, 0, 52, false);
	serve(4, "203.0.113.2", IPPROTO_TCP, 80, 52, false);
	serve(6, "2001:db8:cafe::1", IPPROTO_TCP, 80, 20, false);
	serve(6, "2001:db8:cafe::1", IPPROTO_UDP, 53, 52, true);
	harness_open(&f.h, configuration, 16);
	f.x = seed;
	for (f.number = 1; f.number <= frames; f.number++)
		run(&f, seed);
	printf("seed %lu: %lu frames, %u flows", (unsigned long)seed, (unsigned long)frames,
	       f.pinned);
	for (int i = 0; i < 7; i++)
		printf(", %lu %s", (unsigned long)f.verdicts[i], names[i]);
	printf("\n");
	harness_close(&f.h);
	return 0;
}
