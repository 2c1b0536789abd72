// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/dataplane.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lbnode/bpf/counters.h"
#include "lbnode/takeover.h"
#include "lib/bpf_log.h"
#include "lib/bpffs.h"
#include "lib/log.h"
#include "lib/packet/siphash.h"
#include "lib/percpu.h"
#include "lib/tick.h"
#include "lib/xdp_link.h"
#include "lb.skel.h"

struct hf_dataplane {
	char instance[64];
	struct lb_bpf *bpf;
	struct hf_bucket *flows;
	size_t flows_bytes;
	int former_program; /* of the agent before us; -1: none */
	struct hf_marks *marks;
	size_t marks_bytes;
	uint64_t *counters;
	struct ring_buffer *held, *questions;
	/* Of the call that goes on: */
	void (*take)(void *context, const struct hf_held *fragment);
	void (*ask)(void *context, const struct hf_question *question);
	void *take_context;
	uint32_t taken, take_max;
};

static int explain_load(int err)
{
	if (err == -EPERM || err == -EACCES)
		hf_error("the kernel refuses the BPF program: no permission; run as root, or with "
			 "CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON");
	else if (err == -ENOMEM || err == -E2BIG)
		hf_error("no memory for the BPF maps; lower tables.flows");
	else
		hf_error("the kernel refuses the BPF program: %s; run with --debug for its reasons",
			 strerror(-err));
	return err;
}

static int load(struct hf_dataplane *dp, const struct hf_dataplane_settings *settings,
		int former_flows, int former_marks)
{
	int err;

	dp->bpf = lb_bpf__open();
	if (!dp->bpf)
		return explain_load(-errno);
	dp->bpf->rodata->flow_key.k0 = settings->flow_key[0];
	dp->bpf->rodata->flow_key.k1 = settings->flow_key[1];
	dp->bpf->rodata->bucket_bits = settings->bucket_bits;
	dp->bpf->rodata->tick_us = hf_tick_us();
	err = bpf_map__set_max_entries(dp->bpf->maps.flows, 1U << settings->bucket_bits);
	if (!err)
		err = bpf_map__set_max_entries(dp->bpf->maps.marks, 1U << settings->bucket_bits);
	if (!err && former_flows >= 0)
		err = bpf_map__reuse_fd(dp->bpf->maps.flows, former_flows);
	if (!err && former_flows >= 0)
		err = bpf_map__reuse_fd(dp->bpf->maps.marks, former_marks);
	if (!err)
		err = lb_bpf__load(dp->bpf);
	return err ? explain_load(err) : 0;
}

static void *map_whole(struct bpf_map *map, size_t bytes)
{
	void *mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	if (mapped != MAP_FAILED)
		return mapped;
	hf_error("can't map the map %s, %zu bytes: %s; lower tables.flows", bpf_map__name(map),
		 bytes, strerror(errno));
	return NULL;
}

static int map_flows(struct hf_dataplane *dp, uint32_t bucket_bits)
{
	dp->flows_bytes = sizeof(struct hf_bucket) << bucket_bits;
	dp->marks_bytes = sizeof(struct hf_marks) << bucket_bits;
	dp->flows = map_whole(dp->bpf->maps.flows, dp->flows_bytes);
	dp->marks = map_whole(dp->bpf->maps.marks, dp->marks_bytes);
	dp->counters = map_whole(dp->bpf->maps.sharing, sizeof(uint64_t) * HF_SHARING_COUNTER_END);
	return dp->flows && dp->marks && dp->counters ? 0 : -ENOMEM;
}

static int set_map(struct bpf_map *map, uint32_t key, const void *value, size_t size)
{
	int err = bpf_map__update_elem(map, &key, sizeof(key), value, size, BPF_ANY);

	if (err)
		hf_error("can't write entry %u of the map %s: %s", key, bpf_map__name(map),
			 strerror(-err));
	return err;
}

static int on_held(void *context, void *data, size_t size)
{
	struct hf_dataplane *dp = context;

	if (size == sizeof(struct hf_held))
		dp->take(dp->take_context, data);
	return ++dp->taken < dp->take_max ? 0 : -EAGAIN; /* which ends the call, no more */
}

static int on_question(void *context, void *data, size_t size)
{
	struct hf_dataplane *dp = context;

	if (size == sizeof(struct hf_question))
		dp->ask(dp->take_context, data);
	return 0;
}

static int open_rings(struct hf_dataplane *dp)
{
	int err;

	dp->held = ring_buffer__new(bpf_map__fd(dp->bpf->maps.held), on_held, dp, NULL);
	dp->questions =
		ring_buffer__new(bpf_map__fd(dp->bpf->maps.questions), on_question, dp, NULL);
	if (dp->held && dp->questions)
		return 0;
	err = -errno;
	hf_error("can't map the data plane's rings: %s", strerror(-err));
	return err;
}

int hf_dataplane_open(struct hf_dataplane **dataplane, const struct hf_dataplane_settings *settings,
		      void (*adopt)(void *context, uint16_t id, const struct hf_backend *entry),
		      void *context)
{
	struct hf_layout layout = hf_takeover_layout(settings);
	struct hf_dataplane *dp;
	int err, former, former_marks;

	hf_bpf_log_open();
	err = hf_bpffs_prepare(settings->instance);
	if (!err)
		err = hf_takeover_recover(settings->instance);
	if (err)
		return err;
	dp = calloc(1, sizeof(*dp));
	if (!dp)
		return -ENOMEM;
	snprintf(dp->instance, sizeof(dp->instance), "%s", settings->instance);
	dp->former_program = hf_bpffs_open(dp->instance, HF_PROGRAM_PIN);
	if (dp->former_program < 0 && dp->former_program != -ENOENT) {
		err = dp->former_program;
		hf_error("can't open the program of the agent before this one: %s", strerror(-err));
		free(dp);
		return err;
	}
	if (hf_takeover_open(dp->instance, &layout, &former, &former_marks) &&
	    hf_takeover_backends(dp->instance, adopt, context) < 0) {
		close(former);
		close(former_marks);
		former = former_marks = -1;
	}
	err = load(dp, settings, former, former_marks);
	if (!err)
		err = map_flows(dp, settings->bucket_bits);
	if (!err)
		err = open_rings(dp);
	if (!err)
		err = set_map(dp->bpf->maps.layout, 0, &layout, sizeof(layout));
	if (former >= 0) {
		close(former);
		close(former_marks);
	}
	if (err) {
		if (dp->former_program < 0)
			hf_bpffs_remove(dp->instance);
		hf_dataplane_close(dp);
		return err;
	}
	*dataplane = dp;
	return 0;
}

void hf_dataplane_close(struct hf_dataplane *dp)
{
	if (!dp)
		return;
	if (dp->flows)
		munmap(dp->flows, dp->flows_bytes);
	if (dp->marks)
		munmap(dp->marks, dp->marks_bytes);
	if (dp->counters)
		munmap(dp->counters, sizeof(uint64_t) * HF_SHARING_COUNTER_END);
	if (dp->former_program >= 0)
		close(dp->former_program);
	ring_buffer__free(dp->held);
	ring_buffer__free(dp->questions);
	lb_bpf__destroy(dp->bpf);
	free(dp);
}

struct hf_bucket *hf_dataplane_flows(struct hf_dataplane *dp)
{
	return dp->flows;
}

struct hf_marks *hf_dataplane_marks(struct hf_dataplane *dp)
{
	return dp->marks;
}

uint64_t hf_dataplane_forwarded(const struct hf_dataplane *d)
{
	uint64_t packets = 0;

	hf_percpu_read(bpf_map__fd(d->bpf->maps.counters), HF_COUNT_FORWARDED, &packets, 1);
	return packets;
}

uint64_t *hf_dataplane_sharing_counters(struct hf_dataplane *dp)
{
	return dp->counters;
}

int hf_dataplane_questions_fd(struct hf_dataplane *dp)
{
	return ring_buffer__epoll_fd(dp->questions);
}

void hf_dataplane_take_questions(struct hf_dataplane *dp,
				 void (*ask)(void *context, const struct hf_question *question),
				 void *context)
{
	dp->ask = ask;
	dp->take_context = context;
	ring_buffer__consume(dp->questions);
}

int hf_dataplane_held_fd(struct hf_dataplane *dp)
{
	return ring_buffer__epoll_fd(dp->held);
}

uint32_t hf_dataplane_take_held(struct hf_dataplane *dp, uint32_t most,
				void (*take)(void *context, const struct hf_held *fragment),
				void *context)
{
	dp->take = take;
	dp->take_context = context;
	dp->taken = 0;
	dp->take_max = most;
	ring_buffer__consume(dp->held);
	return dp->taken;
}

bool hf_dataplane_knows_datagram(struct hf_dataplane *dp, uint64_t datagram)
{
	struct hf_fragment note;

	return bpf_map__lookup_elem(dp->bpf->maps.fragments, &datagram, sizeof(datagram), &note,
				    sizeof(note), 0) == 0;
}

/* "Live frames": what the program says of the packet is done, too (Linux 5.18). */
void hf_dataplane_run_held(struct hf_dataplane *dp, const struct hf_held *fragment)
{
	struct xdp_md context = { .data_end = fragment->length,
				  .ingress_ifindex = fragment->ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = fragment->frame,
		    .data_size_in = fragment->length, .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .repeat = 1,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES);
	int err = bpf_prog_test_run_opts(bpf_program__fd(dp->bpf->progs.holdfast_held), &run);

	if (err)
		hf_debug("a held fragment is lost: %s", strerror(-err));
}

int hf_dataplane_lend(struct hf_dataplane *dp, struct bpf_map *backends, struct bpf_map *nexthops)
{
	int err = bpf_map__reuse_fd(backends, bpf_map__fd(dp->bpf->maps.backends));

	return err ? err : bpf_map__reuse_fd(nexthops, bpf_map__fd(dp->bpf->maps.nexthops));
}

int hf_dataplane_set_backend(struct hf_dataplane *dp, uint16_t id, const struct hf_backend *backend)
{
	return set_map(dp->bpf->maps.backends, id, backend, sizeof(*backend));
}

int hf_dataplane_set_nexthop(struct hf_dataplane *dp, uint32_t id, const struct hf_nexthop *nexthop)
{
	return set_map(dp->bpf->maps.nexthops, id, nexthop, sizeof(*nexthop));
}

int hf_dataplane_add_device(struct hf_dataplane *dp, uint32_t ifindex)
{
	return set_map(dp->bpf->maps.devices, ifindex, &ifindex, sizeof(ifindex));
}

static int make_array(const char *name, uint32_t value_size, uint32_t count, uint32_t flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = flags);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(uint32_t), value_size, count,
				&options);

	if (fd < 0)
		hf_error("can't make a %s of %u entries: %s", name, count, strerror(-fd));
	return fd;
}

int hf_dataplane_make_pool(const struct hf_slot *slots, uint32_t size, struct hf_slot **mapped)
{
	size_t bytes = size * sizeof(*slots);
	int fd = make_array("pool_table", sizeof(*slots), size, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	void *table;

	if (fd < 0)
		return fd;
	table = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (table == MAP_FAILED) {
		hf_error("can't map a pool's table: %s", strerror(errno));
		close(fd);
		return -ENOMEM;
	}
	memcpy(table, slots, bytes);
	*mapped = table;
	return fd;
}

void hf_dataplane_unmap_pool(struct hf_slot *mapped, uint32_t size)
{
	if (mapped)
		munmap(mapped, size * sizeof(*mapped));
}

static int make_single(const char *name, const void *value, uint32_t size)
{
	int fd = make_array(name, size, 1, 0), err;
	__u32 zero = 0;

	if (fd < 0)
		return fd;
	err = bpf_map_update_elem(fd, &zero, value, BPF_ANY);
	if (!err)
		return fd;
	hf_error("can't fill the table %s: %s", name, strerror(-err));
	close(fd);
	return err;
}

int hf_dataplane_make_services(const struct hf_service_table *table)
{
	return make_single("service_table", table, sizeof(*table));
}

int hf_dataplane_set_cluster(struct hf_dataplane *dp, const struct hf_cluster *cluster)
{
	int table = make_single("cluster_table", cluster, sizeof(*cluster)), err;

	if (table < 0)
		return table;
	err = set_map(dp->bpf->maps.cluster, 0, &table, sizeof(table));
	close(table);
	return err;
}

int hf_dataplane_set_pools(struct hf_dataplane *dp, const uint32_t *ids, const int *tables,
			   uint32_t count)
{
	uint32_t done = count;
	int err = 0;

	if (count > 1 &&
	    bpf_map_update_batch(bpf_map__fd(dp->bpf->maps.pools), ids, tables, &done, NULL) == 0)
		return 0;
	/* One, or a kernel without batches for this kind of map; or one that says what is wrong. */
	for (uint32_t i = 0; i < count && !err; i++)
		err = set_map(dp->bpf->maps.pools, ids[i], &tables[i], sizeof(tables[i]));
	return err;
}

int hf_dataplane_set_services(struct hf_dataplane *dp, int table)
{
	return set_map(dp->bpf->maps.services, 0, &table, sizeof(table));
}

int hf_dataplane_remove_pool(struct hf_dataplane *dp, uint16_t id)
{
	__u32 key = id;

	return bpf_map__delete_elem(dp->bpf->maps.pools, &key, sizeof(key), 0);
}

int hf_dataplane_clear_service(struct hf_dataplane *dp, uint16_t id)
{
	int cpus = libbpf_num_possible_cpus(), err;
	struct hf_traffic *none = cpus > 0 ? calloc(cpus, sizeof(*none)) : NULL;

	if (!none)
		return -ENOMEM;
	err = set_map(dp->bpf->maps.service_traffic, id, none, cpus * sizeof(*none));
	free(none);
	return err;
}

int hf_dataplane_attach(struct hf_dataplane *dp, const char *interface,
			enum hf_config_xdp_mode mode)
{
	return hf_xdp_attach(dp->instance, interface, bpf_program__fd(dp->bpf->progs.holdfast),
			     mode == HF_CONFIG_XDP_GENERIC);
}

struct wanted {
	char *const *interfaces;
	uint32_t count;
};

static bool is_stale_link(void *context, const char *pin)
{
	const struct wanted *wanted = context;
	char interface[16];

	if (!hf_xdp_link_interface(pin, interface))
		return false;
	for (uint32_t i = 0; i < wanted->count; i++)
		if (strcmp(interface, wanted->interfaces[i]) == 0)
			return false;
	return true;
}

int hf_dataplane_stage(struct hf_dataplane *dp)
{
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map (map, dp->bpf->obj) {
		if (!err && !bpf_map__is_internal(map))
			err = hf_bpffs_stage(dp->instance, bpf_map__name(map), bpf_map__fd(map));
	}
	if (!err)
		err = hf_bpffs_stage(dp->instance, HF_PROGRAM_PIN,
				     bpf_program__fd(dp->bpf->progs.holdfast));
	return err;
}

int hf_dataplane_commit(struct hf_dataplane *dp, char *const *interfaces, uint32_t count)
{
	struct wanted wanted = { interfaces, count };
	int err = hf_bpffs_unpin(dp->instance, is_stale_link, &wanted);

	return err ? err : hf_bpffs_commit(dp->instance, HF_PROGRAM_PIN);
}

static bool is_any(void *context, const char *pin)
{
	(void)context;
	(void)pin;
	return true;
}

int hf_dataplane_remove(const char *instance)
{
	char path[HF_BPFFS_PATH_SIZE];
	int err;

	if (access(hf_bpffs_path(instance, NULL, path), F_OK) < 0)
		return -errno;
	err = hf_bpffs_unpin(instance, is_any, NULL);
	if (!err)
		hf_bpffs_remove(instance);
	return err;
}

void hf_dataplane_give_up(struct hf_dataplane *dp)
{
	if (dp->former_program < 0) {
		hf_dataplane_remove(dp->instance);
		return;
	}
	if (hf_xdp_update_all(dp->instance, dp->former_program))
		hf_warning("the data plane of the agent before this one forwards on as it was");
	else
		hf_error(
			"not every interface could be given back to the agent before this one: see "
			"`ip link`, and start again");
	hf_bpffs_rollback(dp->instance);
}
