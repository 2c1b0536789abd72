/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which id stands for which backend. Pins name backends by a 16-bit id, so an id keeps its meaning
 * while a pin may hold it: over reloads, over restarts, and after the backend has left the
 * configuration, until its flows have ended or the drain timeout has passed.
 *
 *            in the configuration              not in it any more
 *	FREE ----------------------> SERVING -----------------------> DRAINING
 *	  ^                             ^                                |   |
 *	  |                             +---- back in the configuration -+   |
 *	  |    a whole sweep took                                            |
 *	  +--- away its last pins --- GONE <-- no pins in a whole sweep, or -+
 *	                                       the drain timeout
 *
 * A GONE backend's map entry is empty, so the data plane chooses anew for its flows.
 *
 * Time comes in as an argument, in milliseconds of any monotonic clock; nothing here does I/O.
 */
#ifndef HF_LBNODE_BACKENDS_H
#define HF_LBNODE_BACKENDS_H

#include <stdbool.h>
#include <stdint.h>

#include "lbnode/bpf/types.h"
#include "lib/config.h"

enum hf_backend_state {
	HF_BACKEND_FREE = 0,
	HF_BACKEND_SERVING,
	HF_BACKEND_DRAINING,
	HF_BACKEND_GONE,
};

struct hf_backend_record {
	enum hf_backend_state state;
	uint64_t identity;
	int64_t drain_began, drain_until; /* DRAINING: ms */
	bool idle;			  /* SERVING, but no pool has slots for it: it is down */
	struct hf_address address;
	enum hf_config_encapsulation encapsulation;
	uint16_t gue_port;
};

struct hf_backends;

/* NULL: no memory. */
struct hf_backends *hf_backends_new(void);
void hf_backends_delete(struct hf_backends *backends);

/* A backend is its tunnel's end: address, encapsulation, port. Its name, and the pools that it is
 * in, may change without a flow's noticing. */
uint64_t hf_backend_identity(const struct hf_config_pool *pool,
			     const struct hf_config_backend *backend);

/* Takes over what a former agent left in the map's entry `id`, as DRAINING for `drain_ms`. */
void hf_backends_adopt(struct hf_backends *backends, uint16_t id, const struct hf_backend *entry,
		       int64_t now, int64_t drain_ms);

/*
 * Gives each backend of the plan its id, and lets those that are not in it drain, for the
 * configuration's drain timeout at most; those that are told to drain, as long as they are told. 0;
 * -ENOSPC with nothing changed when the ids do not suffice; -ENOMEM.
 */
int hf_backends_apply(struct hf_backends *backends, const struct hf_config *config, int64_t now);

/* The id of a backend of the configuration that was applied; HF_NO_BACKEND: there is none. */
uint16_t hf_backends_id(const struct hf_backends *backends, uint64_t identity);

/* A backend's name in records, the same on all nodes: never 0. And the id of that name. */
static inline uint32_t hf_backend_name(uint64_t identity)
{
	return (uint32_t)identity ? (uint32_t)identity : 1;
}
uint16_t hf_backends_named(const struct hf_backends *backends, uint32_t name);

/* Flows may come from other nodes: a drain lasts its whole time, whatever this node has pins of. */
void hf_backends_set_shared(struct hf_backends *backends, bool shared);

/* Ids run from 1 to HF_MAX_BACKENDS - 1. */
const struct hf_backend_record *hf_backends_record(const struct hf_backends *backends, uint16_t id);

/*
 * After a whole sweep, begun at `began`, that counted pins[id] of each backend: ends drains and
 * frees what the sweep has cleared. Calls `gone` for each backend that has just become GONE. A
 * sweep that was under way when a drain began says nothing of it: it may have missed the youngest
 * pins.
 */
void hf_backends_swept(struct hf_backends *backends, const uint32_t *pins, int64_t began,
		       int64_t now, void (*gone)(void *context, uint16_t id), void *context);

#endif
