// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a packet costs in the data plane, in nanoseconds, beside what it would cost at least: the
 * real program by BPF_PROG_TEST_RUN inside bpf/wrap.bpf.c, with the cost of the same wrapper around
 * `push` (the floor) or `empty` taken off. The median of rounds, on one CPU.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/live.h"
#include "bench/lru.h"
#include "bench/steps.h"
#include "lbnode/cluster.h"
#include "lbnode/tables.h"
#include "lib/packet/parse.h"
#include "tests/frame.h"
#include "tests/wrapper.h"
#include "tests/xdp_harness.h"
#include "floor.skel.h"

#define ROUNDS	     21
#define RUNS_A_ROUND 500000U

static const char configuration[] =
	"cluster: {insecure: true}\n"
	"node: {name: bench, addresses: [198.51.100.16/28, '2001:db8:1b:1::/64']}\n"
	"services:\n"
	"  - {address: 203.0.113.10, port: 80, protocol: tcp, pool: ipip}\n"
	"  - {address: 203.0.113.10, port: 443, protocol: tcp, pool: ipip}\n"
	"  - {address: 203.0.113.10, port: 53, protocol: udp, pool: ipip}\n"
	"  - {address: 203.0.113.11, port: 80, protocol: tcp, pool: gue}\n"
	"  - {address: '2001:db8:cafe::10', port: 80, protocol: tcp, pool: ipip}\n"
	"pools:\n"
	"  - name: ipip\n"
	"    backends: [{name: be1, address: 192.0.2.1}, {name: be2, address: 192.0.2.2}]\n"
	"  - name: gue\n"
	"    encapsulation: gue\n"
	"    backends: [{name: be1, address: 192.0.2.1}, {name: be2, address: 192.0.2.2}]\n";

enum program { HOLDFAST, LRU, FLOOR, EMPTY };

struct bench_case {
	const char *name;
	enum program program; /* HOLDFAST, or LRU: the kernel's tables in its place */
	uint8_t protocol;
	const char *source, *destination;
	uint16_t port;
	uint8_t tcp_flags;
	uint32_t flows; /* a power of 2 */
	uint32_t bucket_bits;
	uint32_t outer_length;
	uint32_t runs;	 /* a round; 0: RUNS_A_ROUND */
	uint32_t flood;	 /* so many SYNs of unknown flows once its own are known */
	bool is_strange; /* the flow is not known here: in an envelope to another node */
};

#define V4   "192.0.2.99"
#define V6   "2001:db8:c1::1"
#define VIP4 "203.0.113.10"
#define GUE4 "203.0.113.11"
#define VIP6 "2001:db8:cafe::10"

/* Flow tables are sized for the case's flows, as the operator's guide says to. */
static const struct bench_case cases[] = {
	{ "tcp4_hit_1", HOLDFAST, IPPROTO_TCP, V4, VIP4, 80, HF_TCP_ACK, 1, 16, 20, 0, 0, false },
	{ "tcp6_hit_1", HOLDFAST, IPPROTO_TCP, V6, VIP6, 80, HF_TCP_ACK, 1, 16, 20, 0, 0, false },
	{ "udp4_hit_1", HOLDFAST, IPPROTO_UDP, V4, VIP4, 53, 0, 1, 16, 20, 0, 0, false },
	{ "gue4_hit_1", HOLDFAST, IPPROTO_TCP, V4, GUE4, 80, HF_TCP_ACK, 1, 16, 32, 0, 0, false },
	{ "tcp4_hit_64k", HOLDFAST, IPPROTO_TCP, V4, VIP4, 80, HF_TCP_ACK, 1 << 16, 16, 20, 0, 0,
	  false },
	{ "tcp4_hit_512k", HOLDFAST, IPPROTO_TCP, V4, VIP4, 80, HF_TCP_ACK, 1 << 19, 17, 20, 0, 0,
	  false },
	{ "tcp4_hit_512k_after_syn_flood", HOLDFAST, IPPROTO_TCP, V4, VIP4, 80, HF_TCP_ACK, 1 << 19,
	  17, 20, 0, 10000000, false },
	{ "tcp4_hit_4m", HOLDFAST, IPPROTO_TCP, V4, VIP4, 80, HF_TCP_ACK, 1 << 22, 20, 20, 1 << 22,
	  0, false },
	{ "syn_insert_8m", HOLDFAST, IPPROTO_TCP, V4, VIP4, 80, HF_TCP_SYN, 1 << 23, 21, 20,
	  1 << 18, 0, false },
	/* Of so many routers, since one of them would soon have had its share. */
	{ "icmp_error", HOLDFAST, IPPROTO_ICMP, V4, VIP4, 80, HF_TCP_ACK, 1 << 13, 16, 20, 0, 0,
	  false },
	/* So many a round as are not limited. Few flows, which are asked for once a round; or many,
	 * so that each packet asks. */
	{ "second_chance", HOLDFAST, IPPROTO_TCP, V4, VIP4, 80, HF_TCP_ACK, 1 << 8, 16, 52, 1 << 15,
	  0, true },
	{ "second_chance_first", HOLDFAST, IPPROTO_TCP, V4, VIP4, 80, HF_TCP_ACK, 1 << 18, 16, 52,
	  1 << 15, 0, true },
	{ "not_ours", HOLDFAST, IPPROTO_TCP, V4, "203.0.113.99", 80, HF_TCP_ACK, 1, 16, 0, 0, 0,
	  false },
	{ "lru_tcp4_hit_1", LRU, IPPROTO_TCP, V4, VIP4, 80, HF_TCP_ACK, 1, 0, 20, 0, 0, false },
	{ "lru_tcp4_hit_64k", LRU, IPPROTO_TCP, V4, VIP4, 80, HF_TCP_ACK, 1 << 16, 0, 20, 0, 0,
	  false },
	{ "lru_tcp4_hit_512k", LRU, IPPROTO_TCP, V4, VIP4, 80, HF_TCP_ACK, 1 << 19, 0, 20, 0, 0,
	  false },
	{ "lru_tcp4_hit_4m", LRU, IPPROTO_TCP, V4, VIP4, 80, HF_TCP_ACK, 1 << 22, 0, 20, 1 << 22, 0,
	  false },
	{ "lru_syn_insert_8m", LRU, IPPROTO_TCP, V4, VIP4, 80, HF_TCP_SYN, 1 << 23, 0, 20, 1 << 18,
	  0, false },
};

struct figure {
	double median, min, max; /* ns a packet, the wrapper's own cost included */
	double base;		 /* of the baseline, by the same */
	double above;		 /* what the program costs more than its baseline */
};

static void die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct wrap_bpf *open_wrapper(const struct bench_case *c, const struct frame *f, int target,
				     enum program program)
{
	const uint32_t outer[] = {
		[HOLDFAST] = c->outer_length, [LRU] = 20, [FLOOR] = 20, [EMPTY] = 0
	};
	const struct wrapper_settings settings = { target, c->flows, outer[program] };

	return wrapper_open(f, &settings);
}

static int by_value(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), by_value);
	return values[ROUNDS / 2];
}

static void play(int target, uint16_t port, uint8_t flags, uint32_t flows, uint32_t packets)
{
	const struct wrapper_settings settings = { target, flows, 20 };
	struct wrap_bpf *wrap;
	struct frame f;

	frame_flow(&f, IPPROTO_TCP, V4, 1024, VIP4, port, flags, 10);
	wrapper_first_flow(&f);
	wrap = wrapper_open(&f, &settings);
	wrapper_run(wrap, &f, packets, XDP_TX);
	wrap_bpf__destroy(wrap);
}

/* Lets the program see the case's flows, which it then knows for certain. */
static void make_known(struct harness *h, const struct frame *f, uint32_t flows, uint32_t outer)
{
	const struct wrapper_settings settings = { bpf_program__fd(h->bpf->progs.holdfast), flows,
						   outer };
	struct wrap_bpf *wrap = wrapper_open(f, &settings);

	wrapper_run(wrap, f, flows, XDP_TX);
	wrap_bpf__destroy(wrap);
	harness_establish(h);
}

/* The program and its baseline take turns, round by round, and what is above is the median of their
 * differences: so a machine that drifts, or is shared, deceives less. */
static struct figure measure(struct harness *h, const struct bench_case *c, const struct frame *f,
			     int target, int base, enum program baseline, uint32_t verdict)
{
	struct wrap_bpf *ours = open_wrapper(c, f, target, c->program);
	struct wrap_bpf *theirs = open_wrapper(c, f, base, baseline);
	uint32_t runs = c->runs ? c->runs : RUNS_A_ROUND;
	uint32_t base_verdict = baseline == EMPTY ? XDP_PASS : XDP_TX;
	double ns[ROUNDS], base_ns[ROUNDS], above[ROUNDS];
	struct figure figure;

	/* Once through all flows, so that hits are hits; an insertion wants them unknown. */
	if (c->flood)
		play(target, c->port, HF_TCP_SYN, c->flows, c->flows);
	if (c->flows > 1 && c->tcp_flags != HF_TCP_SYN && !c->is_strange)
		wrapper_run(ours, f, c->flows, verdict);
	if (c->flood)
		play(target, 443, HF_TCP_SYN, 1 << 24, c->flood);
	for (int i = 0; i < ROUNDS; i++) {
		base_ns[i] = wrapper_run(theirs, f, runs, base_verdict);
		if (c->is_strange)
			harness_forgive(h);
		ns[i] = wrapper_run(ours, f, runs, verdict);
		above[i] = ns[i] - base_ns[i];
	}
	figure = (struct figure){ .median = median(ns),
				  .base = median(base_ns),
				  .above = median(above),
				  .min = ns[0],
				  .max = ns[ROUNDS - 1] };
	wrap_bpf__destroy(ours);
	wrap_bpf__destroy(theirs);
	return figure;
}

static struct floor_bpf *open_floor(void)
{
	static const uint8_t header[34] = { 2, 0, 0, 0, 0, 0xbe, 2, 0, 0, 0, 0, 0x1b, 8, 0, 0x45 };
	struct floor_bpf *floor = floor_bpf__open();

	if (!floor)
		die("open the baselines");
	memcpy((void *)floor->rodata->header, header, sizeof(header));
	if (floor_bpf__load(floor))
		die("load the baselines");
	return floor;
}

static void report(const struct bench_case *c, struct figure f, bool json, bool first)
{
	if (json)
		printf("%s\n    {\"name\": \"%s\", \"ns\": %.0f, \"ns_above\": %.0f, \"min\": "
		       "%.0f, "
		       "\"max\": %.0f}",
		       first ? "" : ",", c->name, f.median, f.above, f.min, f.max);
	else
		printf("%-29s %6.0f ns  %+6.0f above the %s's %3.0f  (%.0f to %.0f)\n", c->name,
		       f.median, f.above, c->outer_length ? "floor" : "empty program", f.base,
		       f.min, f.max);
	fflush(stdout);
}

/* What an error quotes, and where its ports are: the wrapper must not write its own there. */
static void make_error(const struct bench_case *c, struct frame *f)
{
	struct frame quoted;

	frame_flow(&quoted, IPPROTO_TCP, c->destination, c->port, c->source, 1024, c->tcp_flags,
		   10);
	frame_ethernet(f);
	frame_ipv4(f, c->source, c->destination);
	frame_icmp(f, 3, 4, 1400);
	frame_append(f, quoted.bytes + quoted.l3, quoted.length - quoted.l3);
	frame_finish(f);
	f->l4 += 8 + 20 + 2; /* the quoted client's port */
}

static void make_frame(const struct bench_case *c, struct frame *f)
{
	if (c->protocol == IPPROTO_ICMP)
		make_error(c, f);
	else
		frame_flow(f, c->protocol, c->source, 1024, c->destination, c->port, c->tcp_flags,
			   10);
	if (c->flows > 1)
		wrapper_first_flow(f);
}

static void run_lru(const struct bench_case *c, const struct frame *f,
		    const struct floor_bpf *floor, bool json, bool first)
{
	struct lru_bpf *lru = lru_start(c->flows);

	if (!lru) {
		fprintf(stderr, "bench: %s: no memory for the kernel's table\n", c->name);
		return;
	}
	report(c,
	       measure(NULL, c, f, lru_program(lru), bpf_program__fd(floor->progs.push), FLOOR,
		       XDP_TX),
	       json, first);
	lru_stop(lru);
}

/* Beside one other node, which owns all shards. */
static void join_cluster(struct harness *h)
{
	static struct hf_cluster cluster;
	static struct hf_cluster_news news = {
		.self = 1,
		.member = { { .id = 1, .address = { { 0x010200c0 }, 4 }, .ready = true },
			    { .id = 2, .address = { { 0x020200c0 }, 4 }, .ready = true } },
		.member_count = 2,
		.replicas = 1,
	};
	static uint16_t owners[HF_SHARDS];

	for (uint32_t i = 0; i < HF_SHARDS; i++)
		owners[i] = 1;
	news.now = owners;
	if (hf_cluster_build(&cluster, &news))
		die("make a cluster");
	cluster.hop_key_count = 1;
	harness_set_cluster(h, &cluster);
}

static void run_case(const struct bench_case *c, const struct floor_bpf *floor, bool json,
		     bool first)
{
	enum program baseline = c->outer_length ? FLOOR : EMPTY;
	struct harness h;
	struct frame f;

	make_frame(c, &f);
	if (c->program == LRU) {
		run_lru(c, &f, floor, json, first);
		return;
	}
	harness_open(&h, configuration, c->bucket_bits);
	if (c->is_strange)
		join_cluster(&h);
	else if (c->outer_length && c->tcp_flags != HF_TCP_SYN)
		make_known(&h, &f, c->flows, c->outer_length);
	report(c,
	       measure(&h, c, &f, bpf_program__fd(h.bpf->progs.holdfast),
		       bpf_program__fd(baseline == FLOOR ? floor->progs.push : floor->progs.empty),
		       baseline, baseline == EMPTY ? XDP_PASS : XDP_TX),
	       json, first);
	harness_close(&h);
}

static const char *const step_names[] = { "parse",	  "service",  "digest",
					  "pin, backend", "counters", "header, next hop" };

/* What the hot path's steps cost one after the other, above an empty program. */
static void run_steps(const struct floor_bpf *floor, bool json)
{
	struct bench_case c = cases[0];
	double before = 0;
	struct harness h;
	struct frame f;

	make_frame(&c, &f);
	harness_open(&h, configuration, c.bucket_bits);
	make_known(&h, &f, 1, 20);
	for (uint32_t step = 1; step <= 6; step++) {
		struct steps_bpf *s = steps_open(&h, step);
		double above;

		if (!s)
			die("load the steps");
		c.outer_length = step < 6 ? 0 : 20;
		above = measure(&h, &c, &f, steps_program(s), bpf_program__fd(floor->progs.empty),
				EMPTY, step < 6 ? XDP_PASS : XDP_TX)
				.above;
		if (json)
			printf("%s\n    {\"name\": \"%s\", \"ns_above\": %.0f}",
			       step > 1 ? "," : "", step_names[step - 1], above);
		else
			printf("  %-18s %+4.0f ns, %3.0f in all\n", step_names[step - 1],
			       above - before, above);
		before = above;
		steps_close(s);
	}
	harness_close(&h);
}

/* What the kernel says that a map takes. */
static double map_bytes(int fd)
{
	char path[64], line[128];
	unsigned long bytes = 0;
	FILE *info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = fopen(path, "r");
	while (info && fgets(line, sizeof(line), info))
		if (sscanf(line, "memlock: %lu", &bytes) == 1)
			break;
	if (info)
		fclose(info);
	return bytes;
}

#define MEMORY_FLOWS (1U << 19)

/* Bytes a flow, each table sized for so many: ours is then half full. */
static void run_memory(bool json)
{
	struct lru_bpf *lru = lru_start(MEMORY_FLOWS);
	double ours, theirs;
	struct harness h;

	harness_open(&h, configuration, hf_flow_table_bits(MEMORY_FLOWS));
	ours = map_bytes(bpf_map__fd(h.bpf->maps.flows)) / MEMORY_FLOWS;
	theirs = lru ? map_bytes(lru_flows(lru)) / MEMORY_FLOWS : 0;
	if (json)
		printf("{\"holdfast\": %.0f, \"lru\": %.0f}", ours, theirs);
	else
		printf("memory                           %6.0f bytes a flow; the kernel's LRU hash "
		       "takes %.0f\n",
		       ours, theirs);
	harness_close(&h);
	if (lru)
		lru_stop(lru);
}

#define LIVE_ROUNDS 5

static double best_of(struct live *live, int program, unsigned int cpus)
{
	double best = 0;

	for (int i = 0; i < LIVE_ROUNDS; i++) {
		double mpps = live_run(live, program, cpus);

		best = mpps > best ? mpps : best;
	}
	return best;
}

/* Million packets per second through a veth pair, beside the bare XDP_TX. */
static void run_live(bool json)
{
	struct harness h;
	struct live *live;
	struct frame f;

	frame_flow(&f, IPPROTO_TCP, V4, 1024, VIP4, 80, HF_TCP_ACK, 10);
	harness_open(&h, configuration, 16);
	make_known(&h, &f, 1, 20);
	live = live_open(&h, &f);
	for (unsigned int cpus = 1; cpus <= 2; cpus++) {
		double bare = best_of(live, -1, cpus);
		double ours = best_of(live, bpf_program__fd(h.bpf->progs.holdfast), cpus);

		if (json)
			printf("%s\n    {\"cpus\": %u, \"holdfast_mpps\": %.2f, \"xdp_tx_mpps\": "
			       "%.2f}",
			       cpus > 1 ? "," : "", cpus, ours, bare);
		else
			printf("live, %u CPU%s     %6.2f Mpps  of the bare XDP_TX's %.2f: %.0f "
			       "%%\n",
			       cpus, cpus > 1 ? "s" : " ", ours, bare, 100 * ours / bare);
	}
	harness_close(&h);
}

static void stay_on_one_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void let_all_cpus(void)
{
	cpu_set_t set;

	memset(&set, 0xff, sizeof(set));
	sched_setaffinity(0, sizeof(set), &set);
}

int main(int argc, char **argv)
{
	bool json = argc > 1 && strcmp(argv[1], "--json") == 0, first = true;
	const char *only = argc > 1 + json ? argv[1 + json] : NULL;
	struct floor_bpf *floor;

	stay_on_one_cpu();
	floor = open_floor();
	if (json)
		printf("{\"cases\": [");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (only && strcmp(only, cases[i].name) != 0)
			continue;
		run_case(&cases[i], floor, json, first);
		first = false;
	}
	if (json)
		printf("\n], \"bytes_a_flow\": ");
	if (json || !only || strcmp(only, "memory") == 0)
		run_memory(json);
	if (json)
		printf(", \"steps\": [");
	if (!only || strcmp(only, "steps") == 0)
		run_steps(floor, json);
	if (json)
		printf("\n], \"live\": [");
	if (!only || strcmp(only, "live") == 0) {
		let_all_cpus();
		run_live(json);
	}
	if (json)
		printf("\n]}\n");
	floor_bpf__destroy(floor);
	return 0;
}
