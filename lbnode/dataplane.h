/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The XDP program, its maps and its links, in the kernel and in bpffs.
 *
 * Under /sys/fs/bpf/holdfast/<instance>/ stand `program`, one `link-<interface>` for each
 * interface, and the maps by their names. What is pinned forwards with or without an agent. A new
 * agent loads its own program with maps of its own, except for the flow table, which it takes over
 * if `layout` says that it means the same; fills them; and puts the new program in the old one's
 * place link by link, so that no packet meets a table half full.
 *
 * Functions return 0 or a negative errno, and have then logged what happened and what to do.
 */
#ifndef HF_LBNODE_DATAPLANE_H
#define HF_LBNODE_DATAPLANE_H

#include <stdbool.h>
#include <stdint.h>

#include "lbnode/backends.h"
#include "lbnode/bpf/pin.h"
#include "lbnode/bpf/types.h"
#include "lib/config.h"

struct hf_dataplane;

struct hf_dataplane_settings {
	const char *instance;
	uint64_t flow_key[2];
	uint32_t bucket_bits;
};

/*
 * Loads the program. If a former agent's flow table can be taken over, calls adopt(context, id,
 * entry) for each backend that its pins may name. Nothing is attached or pinned yet.
 */
int hf_dataplane_open(struct hf_dataplane **dataplane, const struct hf_dataplane_settings *settings,
		      void (*adopt)(void *context, uint16_t id, const struct hf_backend *entry),
		      void *context);

/* Lets go of it; what is pinned stays and forwards. NULL is fine. */
void hf_dataplane_close(struct hf_dataplane *dataplane);

/* The flow table, mapped; 2^bucket_bits buckets, the data plane's own. */
struct hf_bucket *hf_dataplane_flows(struct hf_dataplane *dataplane);
/* As many; the agent's, and mapped, too, as are its counters (HF_SHARING_COUNTERS). */
struct hf_marks *hf_dataplane_marks(struct hf_dataplane *dataplane);
uint64_t *hf_dataplane_sharing_counters(struct hf_dataplane *dataplane);

/* Packets sent to backends and other nodes since this agent started. */
uint64_t hf_dataplane_forwarded(const struct hf_dataplane *dataplane);

int hf_dataplane_set_backend(struct hf_dataplane *dataplane, uint16_t id,
			     const struct hf_backend *backend);
int hf_dataplane_set_nexthop(struct hf_dataplane *dataplane, uint32_t id,
			     const struct hf_nexthop *nexthop);

/* Lets next hops leave by the device. */
int hf_dataplane_add_device(struct hf_dataplane *dataplane, uint32_t ifindex);

/* Makes a kernel table of the slots: its descriptor, the caller's to close. Nothing uses it yet.
 * *mapped: the slots in it, which may be written while it is in force, until they are unmapped. */
int hf_dataplane_make_pool(const struct hf_slot *slots, uint32_t size, struct hf_slot **mapped);
void hf_dataplane_unmap_pool(struct hf_slot *mapped, uint32_t size);
int hf_dataplane_make_services(const struct hf_service_table *table);

/* Has another program's maps be its backends and next hops, before that one is loaded. Not logged.
 */
struct bpf_map;
int hf_dataplane_lend(struct hf_dataplane *dataplane, struct bpf_map *backends,
		      struct bpf_map *nexthops);

/* Puts tables in force, each in one step for every packet; no packet uses a former one on return.
 * Where the kernel can (Linux 6.8), all of them cost one of its grace periods, of some 13 ms,
 * together. */
int hf_dataplane_set_pools(struct hf_dataplane *dataplane, const uint32_t *ids, const int *tables,
			   uint32_t count);
int hf_dataplane_set_services(struct hf_dataplane *dataplane, int table);
/* Sets a service's traffic to 0, before another one gets its id. */
int hf_dataplane_clear_service(struct hf_dataplane *dataplane, uint16_t id);
int hf_dataplane_remove_pool(struct hf_dataplane *dataplane, uint16_t id);

/* Puts the cluster's table in force, as above. */
int hf_dataplane_set_cluster(struct hf_dataplane *dataplane, const struct hf_cluster *cluster);

/* Flows that the data plane does not know: a descriptor that is readable when there are some, and
 * ask() is called for each. */
int hf_dataplane_questions_fd(struct hf_dataplane *dataplane);
void hf_dataplane_take_questions(struct hf_dataplane *dataplane,
				 void (*ask)(void *context, const struct hf_question *question),
				 void *context);

/* Fragments that must wait (held.h): a descriptor that is readable when there are some; take() is
 * called for each, for so many at most, and their number returned. */
int hf_dataplane_held_fd(struct hf_dataplane *dataplane);
uint32_t hf_dataplane_take_held(struct hf_dataplane *dataplane, uint32_t most,
				void (*take)(void *context, const struct hf_held *fragment),
				void *context);
/* The datagram's first fragment has come. */
bool hf_dataplane_knows_datagram(struct hf_dataplane *dataplane, uint64_t datagram);
/* Gives a held fragment back to the data plane, as if it had come just now. It is forwarded, or
 * counted and dropped, and not held again. */
void hf_dataplane_run_held(struct hf_dataplane *dataplane, const struct hf_held *fragment);

/* Pins program and maps beside a former agent's, before the program is attached: what is attached
 * is pinned, whenever this agent may die. */
int hf_dataplane_stage(struct hf_dataplane *dataplane);

/* Attaches the program to the interface, or puts it in the place of a former agent's. */
int hf_dataplane_attach(struct hf_dataplane *dataplane, const char *interface,
			enum hf_config_xdp_mode mode);

/* Once all is attached: puts what is staged in the former agent's place, and detaches from
 * interfaces that are not among `interfaces`. */
int hf_dataplane_commit(struct hf_dataplane *dataplane, char *const *interfaces, uint32_t count);

/* After a start that failed: interfaces go back to the program of the agent before, or, if there
 * was none, to none, with all pins. */
void hf_dataplane_give_up(struct hf_dataplane *dataplane);

/* Detaches an instance from all interfaces and takes away its pins, flow table included. -ENOENT,
 * not logged: there is no such instance. */
int hf_dataplane_remove(const char *instance);

#endif
