// SPDX-License-Identifier: BSD-2-Clause
/* The XDP program once more, for one packet that is not sent. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lbnode/explain.h"
#include "lib/bpffs.h"
#include "lib/percpu.h"
#include "lib/packet/siphash.h"
#include "lib/tick.h"
#include "lb.skel.h"

#define IDLE_MS 60000
#define BITS	HF_BUCKETS_MIN_BITS

/* What the program only reads, of what it does with a packet that is no fragment. */
static int share_maps(const struct agent *a, struct lb_bpf *bpf)
{
	struct bpf_map *const maps[] = { bpf->maps.services, bpf->maps.pools,	bpf->maps.backends,
					 bpf->maps.nexthops, bpf->maps.cluster, bpf->maps.devices };
	int err = 0;

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]) && !err; i++) {
		int fd = hf_bpffs_open(a->instance, bpf_map__name(maps[i]));

		err = fd < 0 ? fd : bpf_map__reuse_fd(maps[i], fd);
		if (fd >= 0)
			close(fd);
	}
	return err;
}

static int load(const struct agent *a, struct lb_bpf *bpf)
{
	uint64_t key[2];
	int err;

	hf_key_derive(&a->keys.flow, HF_KEY_FLOW, key, sizeof(key));
	bpf->rodata->flow_key.k0 = key[0];
	bpf->rodata->flow_key.k1 = key[1];
	bpf->rodata->bucket_bits = BITS;
	bpf->rodata->tick_us = hf_tick_us();
	err = bpf_map__set_max_entries(bpf->maps.flows, 1U << BITS);
	if (!err)
		err = share_maps(a, bpf);
	return err ? err : lb_bpf__load(bpf);
}

/* The flow's pin, and nothing else, where it belongs. */
static int put_pin(struct lb_bpf *bpf, const struct hf_explain_run *run)
{
	uint32_t home = hf_home_bucket(run->digest, BITS);
	uint32_t away = hf_away_bucket(home, hf_pin_tag(hf_pin(run->digest, 0, HF_PIN_NONE)));
	struct hf_bucket bucket = { { 0 } };
	int err = bpf_map__update_elem(bpf->maps.flows, &away, sizeof(away), &bucket,
				       sizeof(bucket), BPF_ANY);

	bucket.pin[0] = run->pin & ~HF_PIN_AWAY;
	return err ? err
		   : bpf_map__update_elem(bpf->maps.flows, &home, sizeof(home), &bucket,
					  sizeof(bucket), BPF_ANY);
}

static void run_once(struct lb_bpf *bpf, struct hf_explain_run *run)
{
	struct xdp_md context = { .data_end = run->length, .ingress_ifindex = run->ifindex };
	uint64_t before[HF_COUNTER_END];
	uint8_t in[HF_EXPLAIN_FRAME];
	int counters = bpf_map__fd(bpf->maps.counters);
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = in, .data_size_in = run->length,
		    .data_out = run->frame, .data_size_out = sizeof(run->frame), .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .repeat = 1);

	memcpy(in, run->frame, run->length);
	for (uint32_t i = 0; i < HF_COUNTER_END; i++)
		hf_percpu_read(counters, i, &before[i], 1);
	run->err = bpf_prog_test_run_opts(bpf_program__fd(bpf->progs.holdfast), &options);
	if (run->err)
		return;
	run->verdict = options.retval;
	run->length = options.data_size_out;
	for (uint32_t i = 0; i < HF_COUNTER_END; i++) {
		hf_percpu_read(counters, i, &run->counters[i], 1);
		run->counters[i] -= before[i];
	}
}

void hf_explain_serve(const struct agent *a, int socket)
{
	static struct hf_explain_run run;
	struct pollfd wait = { .fd = socket, .events = POLLIN };
	struct lb_bpf *bpf = lb_bpf__open();
	int err = bpf ? load(a, bpf) : -errno;

	while (poll(&wait, 1, IDLE_MS) > 0 &&
	       recv(socket, &run, sizeof(run), 0) == (ssize_t)sizeof(run)) {
		run.err = err;
		if (!err)
			run.err = put_pin(bpf, &run);
		if (!run.err)
			run_once(bpf, &run);
		/* The next one may be luckier. */
		if (send(socket, &run, sizeof(run), MSG_NOSIGNAL) < 0 || err)
			break;
	}
	_exit(0);
}
