// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/takeover.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <unistd.h>

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

static uint32_t value_size(int map)
{
	struct bpf_map_info info = { 0 };
	__u32 length = sizeof(info);

	return bpf_obj_get_info_by_fd(map, &info, &length) == 0 ? info.value_size : 0;
}

int hf_takeover_cluster(const char *instance, struct hf_cluster *cluster)
{
	int outer = hf_bpffs_open(instance, "cluster"), inner, err;
	__u32 zero = 0, id = 0;

	if (outer < 0)
		return outer;
	err = bpf_map_lookup_elem(outer, &zero, &id);
	close(outer);
	inner = err ? err : bpf_map_get_fd_by_id(id);
	if (inner < 0)
		return inner;
	/* Another layout's has another size, and would be written beyond its end. */
	err = value_size(inner) == sizeof(*cluster) ? bpf_map_lookup_elem(inner, &zero, cluster)
						    : -EINVAL;
	close(inner);
	return err;
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
