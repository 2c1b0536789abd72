// SPDX-License-Identifier: BSD-2-Clause
#include "bench/live.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/percpu.h"
#include "mirror.skel.h"

#define PACKETS	 (1U << 21)
#define BATCH	 64
#define CPUS_MAX 2

struct live {
	struct mirror_bpf *mirror;
	struct harness *harness;
	uint32_t near, far; /* ifindex of the generator's end and of the program's */
	const struct frame *frame;
};

struct sender {
	const struct live *live;
	unsigned int cpu;
	pthread_t thread;
};

static void must(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "bench: live: %s: %s\n", what, strerror(errno));
	exit(1);
}

struct live *live_open(struct harness *h, const struct frame *f)
{
	struct live *l = calloc(1, sizeof(*l));
	struct hf_nexthop back = { .mtu = 1500, .macs = { 2, 0, 0, 0, 0, 0xbe, 2, 0, 0, 0, 0, 1 } };
	uint32_t key = HARNESS_NEXTHOP_BACK;

	must(l != NULL, "memory");
	must(unshare(CLONE_NEWNET) == 0, "a network namespace");
	must(system("ip link add near numrxqueues 2 numtxqueues 2 type veth"
		    " peer name far numrxqueues 2 numtxqueues 2 &&"
		    " ip link set near up && ip link set far up") == 0,
	     "a veth pair");
	l->harness = h;
	l->mirror = mirror_bpf__open();
	must(l->mirror != NULL, "open the ends");
	memcpy((void *)l->mirror->rodata->ethernet, f->bytes, sizeof(l->mirror->rodata->ethernet));
	must(mirror_bpf__load(l->mirror) == 0, "load the ends");
	l->frame = f;
	l->near = if_nametoindex("near");
	l->far = if_nametoindex("far");
	must(bpf_xdp_attach(l->near, bpf_program__fd(l->mirror->progs.sink), XDP_FLAGS_DRV_MODE,
			    NULL) == 0,
	     "attach the sink");
	back.ifindex = l->far;
	must(bpf_map__update_elem(h->bpf->maps.nexthops, &key, sizeof(key), &back, sizeof(back),
				  0) == 0,
	     "the way back");
	return l;
}

static void *play_sender(void *argument)
{
	const struct sender *s = argument;
	const struct frame *f = s->live->frame;
	struct xdp_md context = { .data_end = f->length, .ingress_ifindex = s->live->near };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = f->bytes, .data_size_in = f->length,
		    .ctx_in = &context, .ctx_size_in = sizeof(context), .repeat = PACKETS,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(s->cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	must(bpf_prog_test_run_opts(bpf_program__fd(s->live->mirror->progs.generate), &run) == 0,
	     "generate");
	return NULL;
}

static uint64_t received(const struct live *l)
{
	uint64_t sum = 0;

	hf_percpu_read(bpf_map__fd(l->mirror->maps.received), 0, &sum, 1);
	return sum;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

double live_run(struct live *l, int program, unsigned int cpus)
{
	int fd = program < 0 ? bpf_program__fd(l->mirror->progs.reflect) : program;
	struct sender sender[CPUS_MAX];
	uint64_t before;
	double began;

	must(bpf_xdp_attach(l->far, fd, XDP_FLAGS_DRV_MODE, NULL) == 0, "attach the program");
	before = received(l);
	began = seconds();
	for (unsigned int i = 0; i < cpus; i++) {
		sender[i] = (struct sender){ .live = l, .cpu = i };
		must(pthread_create(&sender[i].thread, NULL, play_sender, &sender[i]) == 0,
		     "a thread");
	}
	for (unsigned int i = 0; i < cpus; i++)
		pthread_join(sender[i].thread, NULL);
	return (received(l) - before) / (seconds() - began) / 1e6;
}
