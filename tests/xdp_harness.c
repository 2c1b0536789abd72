// SPDX-License-Identifier: BSD-2-Clause
#include "tests/xdp_harness.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lbnode/tables.h"
#include "lib/percpu.h"
#include "lib/tick.h"

#define MUST(condition, ...)                                                         \
	do {                                                                         \
		if (!(condition)) {                                                  \
			fprintf(stderr, "xdp_harness: %s:%d: ", __FILE__, __LINE__); \
			fprintf(stderr, __VA_ARGS__);                                \
			fprintf(stderr, ": %s\n", strerror(errno));                  \
			abort();                                                     \
		}                                                                    \
	} while (0)

static struct hf_config *load_text(const char *yaml)
{
	char path[] = "/tmp/hf-harness-XXXXXX";
	int fd = mkstemp(path);
	struct hf_config *config = NULL;
	struct hf_config_error error;

	MUST(fd >= 0 && write(fd, yaml, strlen(yaml)) == (ssize_t)strlen(yaml), "write %s", path);
	close(fd);
	MUST(hf_config_load(path, &config, &error) == 0, "%s", error.text);
	unlink(path);
	return config;
}

static void set(struct bpf_map *map, uint32_t key, const void *value, size_t size)
{
	MUST(bpf_map__update_elem(map, &key, sizeof(key), value, size, 0) == 0, "update %s[%u]",
	     bpf_map__name(map), key);
}

static int make_array(uint32_t value_size, uint32_t count, uint32_t flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = flags);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "table", 4, value_size, count, &options);

	MUST(fd >= 0, "make a table");
	return fd;
}

static void set_pool(struct harness *h, uint32_t i)
{
	const struct hf_config_pool *pool = &h->config->pools[i];
	uint16_t *slots = calloc(pool->table_size, sizeof(*slots));
	int fd = make_array(sizeof(struct hf_slot), pool->table_size,
			    BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	struct hf_slot *table = mmap(NULL, pool->table_size * sizeof(*table),
				     PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	MUST(slots && table != MAP_FAILED, "map a pool");
	MUST(hf_pool_table_build(slots, pool, h->backends) == 0, "build a pool");
	for (uint32_t s = 0; s < pool->table_size; s++)
		table[s].backend = slots[s];
	munmap(table, pool->table_size * sizeof(*table));
	free(slots);
	set(h->bpf->maps.pools, i, &fd, sizeof(fd));
	close(fd);
}

static void set_services(struct harness *h)
{
	struct hf_service_table *table = calloc(1, sizeof(*table));
	uint16_t ids[HF_MAX_SERVICES];
	int fd = make_array(sizeof(*table), 1, 0);
	__u32 zero = 0;

	MUST(table, "memory");
	for (uint32_t i = 0; i < HF_MAX_SERVICES; i++)
		ids[i] = i;
	MUST(hf_service_table_build(table, h->config, ids, ids) == 0, "build services");
	MUST(bpf_map_update_elem(fd, &zero, table, 0) == 0, "fill services");
	set(h->bpf->maps.services, 0, &fd, sizeof(fd));
	close(fd);
	free(table);
}

static void set_backend(struct harness *h, uint16_t id, uint32_t nexthop)
{
	const struct hf_backend_record *record = hf_backends_record(h->backends, id);
	const struct hf_config_node *node = &h->config->node;
	struct hf_backend entry = hf_backend_entry(
		record, record->address.family == 4 ? &node->source_ipv4 : &node->source_ipv6,
		nexthop);

	set(h->bpf->maps.backends, id, &entry, sizeof(entry));
}

static void fill(struct harness *h)
{
	for (uint32_t id = 1; id < HF_MAX_BACKENDS; id++)
		if (hf_backends_record(h->backends, id)->state != HF_BACKEND_FREE)
			set_backend(h, id, HARNESS_NEXTHOP_BACK);
	for (uint32_t i = 0; i < h->config->pool_count; i++)
		set_pool(h, i);
	set_services(h);
}

static void set_nexthops(struct harness *h)
{
	struct hf_nexthop n = {
		.ifindex = HARNESS_IFINDEX,
		.mtu = 1500,
		.macs = { 2, 0, 0, 0, 0, 0xbe, 2, 0, 0, 0, 0, 0x1b },
	};
	uint32_t lo = HARNESS_IFINDEX;

	set(h->bpf->maps.devices, HARNESS_IFINDEX, &lo, sizeof(lo));
	set(h->bpf->maps.nexthops, HARNESS_NEXTHOP_BACK, &n, sizeof(n));
	n.ifindex = HARNESS_OTHER_IFINDEX;
	set(h->bpf->maps.nexthops, HARNESS_NEXTHOP_OTHER, &n, sizeof(n));
	n.ifindex = HARNESS_IFINDEX;
	n.vlan_tags = 1;
	n.vlan[0].protocol = htons(0x8100);
	n.vlan[0].tci = htons(100);
	set(h->bpf->maps.nexthops, HARNESS_NEXTHOP_VLAN, &n, sizeof(n));
	n.vlan_tags = 2;
	n.vlan[0].protocol = htons(0x88a8);
	n.vlan[1].protocol = htons(0x8100);
	n.vlan[1].tci = htons(200);
	set(h->bpf->maps.nexthops, HARNESS_NEXTHOP_VLAN_TWICE, &n, sizeof(n));
}

static void zero_array(const struct bpf_map *map)
{
	bool per_cpu = bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_ARRAY;
	uint32_t count = bpf_map__max_entries(map), size = bpf_map__value_size(map);
	void *zeros =
		calloc(count, per_cpu ? (size + 7) / 8 * 8 * libbpf_num_possible_cpus() : size);
	uint32_t *keys = calloc(count, sizeof(*keys));

	MUST(zeros && keys, "memory");
	for (uint32_t i = 0; i < count; i++)
		keys[i] = i;
	MUST(bpf_map_update_batch(bpf_map__fd(map), keys, zeros, &count, NULL) == 0, "zero %s",
	     bpf_map__name(map));
	free(keys);
	free(zeros);
}

static void empty_hash(const struct bpf_map *map)
{
	uint64_t key;

	while (bpf_map_get_next_key(bpf_map__fd(map), NULL, &key) == 0)
		bpf_map_delete_elem(bpf_map__fd(map), &key);
}

static int ignore(void *context, void *data, size_t size)
{
	(void)context;
	(void)data;
	(void)size;
	return 0;
}

static void empty_ring(const struct bpf_map *map)
{
	struct ring_buffer *ring = ring_buffer__new(bpf_map__fd(map), ignore, NULL, NULL);

	MUST(ring && ring_buffer__consume(ring) >= 0, "empty %s", bpf_map__name(map));
	ring_buffer__free(ring);
}

/* Linux 6.1 waits for a grace period after each deletion, of nothing, too. */
static void empty_outer(const struct bpf_map *map)
{
	for (uint32_t i = 0, inner; i < bpf_map__max_entries(map); i++)
		if (bpf_map_lookup_elem(bpf_map__fd(map), &i, &inner) == 0)
			bpf_map_delete_elem(bpf_map__fd(map), &i);
}

/* As just loaded. */
static void empty_maps(struct lb_bpf *bpf)
{
	struct bpf_map *map;

	bpf_object__for_each_map (map, bpf->obj) {
		switch (bpf_map__type(map)) {
		case BPF_MAP_TYPE_ARRAY:
			if (!bpf_map__is_internal(map))
				zero_array(map);
			break;
		case BPF_MAP_TYPE_PERCPU_ARRAY:
			zero_array(map);
			break;
		case BPF_MAP_TYPE_ARRAY_OF_MAPS:
			empty_outer(map);
			break;
		case BPF_MAP_TYPE_LRU_HASH:
			empty_hash(map);
			break;
		case BPF_MAP_TYPE_RINGBUF:
			empty_ring(map);
			break;
		default:
			break;
		}
	}
}

/* The verifier takes seconds: what it has passed is kept for the process's next harness. */
static struct {
	struct lb_bpf *bpf;
	uint32_t bits;
} kept;

static struct lb_bpf *load(uint32_t bits)
{
	struct lb_bpf *bpf = kept.bpf;

	kept.bpf = NULL;
	if (bpf && kept.bits == bits) {
		empty_maps(bpf);
		return bpf;
	}
	lb_bpf__destroy(bpf);
	bpf = lb_bpf__open();
	MUST(bpf, "open the BPF object");
	bpf->rodata->flow_key.k0 = HARNESS_KEY0;
	bpf->rodata->flow_key.k1 = HARNESS_KEY1;
	bpf->rodata->bucket_bits = bits;
	bpf->rodata->tick_us = hf_tick_us();
	bpf_map__set_max_entries(bpf->maps.flows, 1U << bits);
	MUST(lb_bpf__load(bpf) == 0, "load the BPF object (as root?)");
	return bpf;
}

void harness_open(struct harness *h, const char *yaml, uint32_t bits)
{
	memset(h, 0, sizeof(*h));
	h->bucket_bits = bits;
	h->config = load_text(yaml);
	h->backends = hf_backends_new();
	MUST(h->backends && hf_backends_apply(h->backends, h->config, 0) == 0, "backends");
	h->bpf = load(bits);
	h->flows = mmap(NULL, sizeof(*h->flows) << bits, PROT_READ | PROT_WRITE, MAP_SHARED,
			bpf_map__fd(h->bpf->maps.flows), 0);
	MUST(h->flows != MAP_FAILED, "map the flow table");
	set_nexthops(h);
	fill(h);
}

void harness_apply(struct harness *h, const char *yaml)
{
	hf_config_free(h->config);
	h->config = load_text(yaml);
	MUST(hf_backends_apply(h->backends, h->config, 0) == 0, "backends");
	fill(h);
}

void harness_set_down(struct harness *h, uint32_t backend, bool down)
{
	h->config->pools[0].backends[backend].weight = down ? 0 : HF_CONFIG_WEIGHT_DEFAULT;
	MUST(hf_backends_apply(h->backends, h->config, 0) == 0, "backends");
	fill(h);
}

void harness_close(struct harness *h)
{
	munmap(h->flows, sizeof(*h->flows) << h->bucket_bits);
	lb_bpf__destroy(kept.bpf);
	kept.bpf = h->bpf;
	kept.bits = h->bucket_bits;
	hf_backends_delete(h->backends);
	hf_config_free(h->config);
}

void harness_forgive(struct harness *h)
{
	zero_array(h->bpf->maps.limits);
	zero_array(h->bpf->maps.second_chances);
}

void harness_establish(struct harness *h)
{
	for (uint32_t i = 0; i < 1U << h->bucket_bits; i++)
		for (int j = 0; j < HF_BUCKET_PINS; j++)
			if (hf_pin_state(h->flows[i].pin[j]) == HF_PIN_ADOPTED)
				h->flows[i].pin[j] =
					hf_pin_with_state(h->flows[i].pin[j], HF_PIN_ESTABLISHED);
}

void harness_set_cluster(struct harness *h, struct hf_cluster *cluster)
{
	int fd = make_array(sizeof(*cluster), 1, 0);
	__u32 zero = 0;

	for (uint32_t i = 1; i < HF_MAX_PEERS; i++)
		if (cluster->peer[i].encapsulation)
			cluster->peer[i].nexthop = HARNESS_NEXTHOP_BACK;
	MUST(bpf_map_update_elem(fd, &zero, cluster, 0) == 0, "fill the cluster");
	set(h->bpf->maps.cluster, 0, &fd, sizeof(fd));
	close(fd);
}

uint16_t harness_backend_id(const struct harness *h, const char *pool, const char *backend)
{
	for (uint32_t p = 0; p < h->config->pool_count; p++) {
		const struct hf_config_pool *in = &h->config->pools[p];

		for (uint32_t b = 0; b < in->backend_count && strcmp(in->name, pool) == 0; b++)
			if (strcmp(in->backends[b].name, backend) == 0)
				return hf_backends_id(h->backends,
						      hf_backend_identity(in, &in->backends[b]));
	}
	return HF_NO_BACKEND;
}

void harness_set_nexthop(struct harness *h, const char *pool, const char *backend, uint32_t nexthop)
{
	set_backend(h, harness_backend_id(h, pool, backend), nexthop);
}

uint32_t harness_run(struct harness *h, const void *packet, size_t length, void *out,
		     size_t *out_length)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = length,
		    .data_out = out, .data_size_out = *out_length, .repeat = 1);

	MUST(bpf_prog_test_run_opts(bpf_program__fd(h->bpf->progs.holdfast), &run) == 0,
	     "run a packet of %zu bytes", length);
	*out_length = run.data_size_out;
	return run.retval;
}

uint64_t harness_counter(const struct harness *h, enum hf_counter counter)
{
	uint64_t sum;

	MUST(hf_percpu_read(bpf_map__fd(h->bpf->maps.counters), counter, &sum, 1) == 0, "counter");
	return sum;
}

static struct hf_traffic traffic(const struct bpf_map *map, uint32_t id)
{
	struct hf_traffic sum;

	MUST(hf_percpu_read(bpf_map__fd(map), id, (uint64_t *)&sum, sizeof(sum) / 8) == 0,
	     "read traffic");
	return sum;
}

struct hf_traffic harness_service_traffic(const struct harness *h, uint32_t id)
{
	return traffic(h->bpf->maps.service_traffic, id);
}

struct hf_traffic harness_backend_traffic(const struct harness *h, uint16_t id)
{
	return traffic(h->bpf->maps.backend_traffic, id);
}
