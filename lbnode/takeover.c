// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/takeover.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lbnode/bpf/service_table.h"
#include "lib/bpffs.h"
#include "lib/log.h"
#include "lib/packet/siphash.h"
#include "lib/xdp_link.h"

struct hf_layout hf_takeover_layout(const struct hf_dataplane_settings *settings)
{
	struct hf_key key = { settings->flow_key[0], settings->flow_key[1] };
	struct hf_sip sip;

	hf_sip_start(&sip, key);
	hf_sip_word(&sip, 0);
	return (struct hf_layout){
		.version = HF_LAYOUT,
		.buckets = 1U << settings->bucket_bits,
		.key_fingerprint = hf_sip_end(&sip),
	};
}

static const char *difference(const struct hf_layout *found, const struct hf_layout *wanted)
{
	if (found->version != wanted->version)
		return "is of another layout version";
	if (found->buckets != wanted->buckets)
		return "has another size (tables.flows)";
	if (found->key_fingerprint != wanted->key_fingerprint)
		return "was filled under another cluster key";
	return NULL;
}

static void close_all(const int *fds, int count)
{
	for (int i = 0; i < count; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

bool hf_takeover_open(const char *instance, const struct hf_layout *wanted, int *flows, int *marks)
{
	int layout = hf_bpffs_open(instance, "layout");
	struct hf_layout found;
	const char *reason;
	__u32 zero = 0;

	*flows = hf_bpffs_open(instance, "flows");
	*marks = hf_bpffs_open(instance, "marks");
	if (layout < 0 || *flows < 0 || *marks < 0)
		goto none;
	if (bpf_map_lookup_elem(layout, &zero, &found) < 0)
		goto none;
	reason = difference(&found, wanted);
	if (reason) {
		hf_warning("the pinned flow table of instance %s %s: starting with an empty one; "
			   "its flows go by their slots' choice, or by other nodes' records",
			   instance, reason);
		goto none;
	}
	close(layout);
	return true;
none:
	close_all((const int[]){ layout, *flows, *marks }, 3);
	*flows = *marks = -1;
	return false;
}

/* Pins name backends by ids that only the former agent's map explains: -ENOENT without it. */
int hf_takeover_backends(const char *instance,
			 void (*adopt)(void *context, uint16_t id, const struct hf_backend *entry),
			 void *context)
{
	int former = hf_bpffs_open(instance, "backends");
	struct hf_backend entry;

	if (former < 0)
		return former;
	for (__u32 id = 1; id < HF_MAX_BACKENDS; id++)
		if (bpf_map_lookup_elem(former, &id, &entry) == 0 &&
		    entry.encapsulation != HF_ENCAP_NONE)
			adopt(context, id, &entry);
	close(former);
	return 0;
}

/* The table that stands at `key` of an outer map, if its elements have that size: another layout's
 * would be written beyond its end. A descriptor, with *count elements; or a negative errno. */
static int open_inner(const char *instance, const char *outer_name, __u32 key, uint32_t size,
		      uint32_t *count)
{
	int outer = hf_bpffs_open(instance, outer_name), inner, err;
	struct bpf_map_info info = { 0 };
	__u32 id = 0, length = sizeof(info);

	if (outer < 0)
		return outer;
	err = bpf_map_lookup_elem(outer, &key, &id);
	close(outer);
	inner = err ? err : bpf_map_get_fd_by_id(id);
	if (inner < 0)
		return inner;
	err = bpf_obj_get_info_by_fd(inner, &info, &length);
	if (err || info.value_size != size) {
		close(inner);
		return err ? err : -EINVAL;
	}
	*count = info.max_entries;
	return inner;
}

static int read_inner(const char *instance, const char *outer_name, void *value, uint32_t size)
{
	uint32_t count = 0;
	int inner = open_inner(instance, outer_name, 0, size, &count), err;
	__u32 zero = 0;

	if (inner < 0)
		return inner;
	err = bpf_map_lookup_elem(inner, &zero, value);
	close(inner);
	return err;
}

int hf_takeover_cluster(const char *instance, struct hf_cluster *cluster)
{
	return read_inner(instance, "cluster", cluster, sizeof(*cluster));
}

static struct hf_slot *map_slots(const char *instance, uint16_t pool, uint32_t size)
{
	uint32_t count = 0;
	int table = open_inner(instance, "pools", pool, sizeof(struct hf_slot), &count);
	void *slots = MAP_FAILED;

	if (table < 0)
		return NULL;
	if (count == size)
		slots = mmap(NULL, size * sizeof(struct hf_slot), PROT_READ | PROT_WRITE,
			     MAP_SHARED, table, 0);
	close(table);
	return slots == MAP_FAILED ? NULL : slots;
}

/* A pool is known by the services that name it. */
void hf_takeover_pools(const char *instance, const struct hf_config *config,
		       void (*adopt)(void *context, const struct hf_config_pool *pool,
				     struct hf_slot *slots),
		       void *context)
{
	struct hf_service_table *table = malloc(sizeof(*table));
	bool *done = calloc(config->pool_count, sizeof(*done));
	bool good = table && done && read_inner(instance, "services", table, sizeof(*table)) == 0;

	for (uint32_t i = 0; good && i < config->service_count; i++) {
		const struct hf_config_service *s = &config->services[i];
		const struct hf_config_pool *pool = &config->pools[s->pool];
		const struct hf_service *former =
			hf_service_probe(table, s->address.word, s->address.family, htons(s->port),
					 s->protocol == HF_CONFIG_TCP ? IPPROTO_TCP : IPPROTO_UDP);
		struct hf_slot *slots;

		if (!former || done[s->pool])
			continue;
		slots = map_slots(instance, former->pool, pool->table_size);
		if (slots)
			adopt(context, pool, slots);
		done[s->pool] = slots;
	}
	free(done);
	free(table);
}

static uint32_t program_id(int fd)
{
	struct bpf_prog_info info = { 0 };
	__u32 length = sizeof(info);

	return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &length) == 0 ? info.id : 0;
}

/* An agent that died while it took over has left things half done: done, if its program runs
 * already on one interface, else undone. Either way all links run one program before any pin goes.
 */
int hf_takeover_recover(const char *instance)
{
	int staged = hf_bpffs_open_staged(instance, HF_PROGRAM_PIN);
	uint32_t id = program_id(staged);
	int err;

	if (id && hf_xdp_runs(instance, id)) {
		hf_xdp_update_all(instance, staged);
		err = hf_bpffs_commit(instance, HF_PROGRAM_PIN);
	} else {
		err = hf_bpffs_rollback(instance);
	}
	if (staged >= 0)
		close(staged);
	return err;
}
