/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cluster in one thread: the real core of syncd on every node, a network and a clock that are not
 * real, and one seed for all that is left to chance. The same seed does the same, to the byte.
 *
 * Times are virtual microseconds since the beginning. Each node has a monotonic clock of its own,
 * which began at another time and runs up to 50 ppm fast or slow, and a wall clock that is wrong by
 * up to a minute.
 */
#ifndef HF_TESTS_SIM_H
#define HF_TESTS_SIM_H

#include <stdio.h>

#include "syncd/core/random.h"
#include "syncd/core/sync.h"

#define SIM_NODES_MAX 1024
#define SIM_UNTAKEN   (1 << 20)

struct sim;

enum sim_condition {
	SIM_OFF, /* no process */
	SIM_UP,
	SIM_PAUSED, /* its datagrams wait for it, its timers run late */
};

/* A flow: what some node's data plane knows, and what the cluster should remember. */
struct sim_flow {
	struct hf_record record;
	uint32_t holder;  /* whose data plane has it; SIM_NODES_MAX: that machine is gone */
	hf_time exported; /* last */
	hf_time ends;
	/* For the invariants: a syncd that held it at the last look, and in which life. */
	uint32_t seen_at, seen_life;
	hf_time seen_until;
};

/* The last notice of a key, and who posted it. */
#define SIM_NOTICES 24
struct sim_notice {
	uint64_t version;
	uint32_t poster, life;
};

struct sim_node {
	struct sim *sim;
	uint32_t index;
	char name[16];
	struct hf_endpoint endpoint;
	enum sim_condition condition;
	struct hf_sync *sync;
	uint32_t life; /* starts so far */
	hf_time clock_offset;
	double clock_rate;
	int32_t wall_error; /* in stamps */
	hf_time scheduled;  /* its timer */
	hf_time up_since;
	uint32_t key;	   /* generation of keys it has loaded */
	uint32_t group;	   /* of a partition */
	hf_time line_free; /* when what it sent so far has left, with a bandwidth limit */
	uint32_t epoch;
	struct sim_letter *waiting, **waiting_end; /* while it is paused */
	uint64_t bytes_sent, datagrams_sent;
	uint32_t stream; /* number of the last one it opened */
	bool owners_changed;
	struct hf_shard_set again; /* to be exported once more */
	bool any_again;
};

struct sim_network {
	double loss, duplicates, corrupt, replay;
	hf_time delay_least, delay_most; /* uniform: letters overtake each other */
	uint64_t bandwidth;		 /* bytes a second a node may send; 0: any */
};

struct sim {
	uint64_t seed;
	hf_time now;
	struct hf_random random;
	struct sim_node *nodes;
	uint32_t count;
	struct sim_network network;
	/* Cuts of single directions: cut[a * count + b]. */
	bool *cut;
	bool partitioned;
	hf_time disturbed; /* when the last fault was over, or began; HF_NEVER: one is on */

	struct sim_event *events; /* a heap */
	size_t event_count, event_room;
	uint64_t event_sequence;
	uint32_t key_oldest, key_newest; /* generations that nodes load when told to */

	struct sim_flow *flows;
	uint32_t flow_count, flow_room;

	struct sim_notice notices[SIM_NOTICES];

	struct sim_letter *recorded[256]; /* by the attacker */
	uint64_t untaken[SIM_UNTAKEN], untaken_key;

	FILE *trace;	  /* NULL: none */
	char broken[256]; /* the first invariant that did not hold; "": none so far */
	uint64_t accepted_wrongly;
	uint64_t replays_sent;

	/* Called for each event that a node reports. */
	void (*on_event)(struct sim_node *node, const struct hf_event *event);
	void (*on_told)(struct sim_node *node, uint32_t ticket, const struct hf_record *records,
			uint32_t count);
	/* From within the core: it must not be called back. */
	void (*on_notice)(struct sim_node *node, const struct hf_notice *notice);
	void *context;
};

/* Nodes are off. */
struct sim *sim_new(uint64_t seed, uint32_t nodes);
void sim_delete(struct sim *sim);

/* verbs.c */
void sim_start(struct sim *sim, uint32_t node);
void sim_crash(struct sim *sim, uint32_t node, bool machine); /* true: its flows are gone, too */
void sim_leave(struct sim *sim, uint32_t node);
void sim_pause(struct sim *sim, uint32_t node);
void sim_resume(struct sim *sim, uint32_t node);
void sim_cut(struct sim *sim, uint32_t from, uint32_t to, bool cut); /* one direction */
void sim_heal(struct sim *sim);					     /* cuts and partitions */
void sim_load_keys(struct sim *sim, uint32_t node); /* key_oldest to key_newest; newest seals */

void sim_load_ring(struct sim *sim, uint32_t node,
		   bool prepare); /* true: the newest seals not yet */

/* Runs until the time, or until an invariant breaks. */
void sim_run(struct sim *sim, hf_time until);
/* Runs until condition(context) holds, looked at each ms; false: it did not within `most`. */
bool sim_wait(struct sim *sim, hf_time most, bool (*condition)(struct sim *sim, void *context),
	      void *context);

hf_time sim_local(const struct sim_node *node, hf_time when);
void sim_note(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_break(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* After any call into a node's core. */
void sim_schedule(struct sim_node *node);

bool sim_reaches(const struct sim *sim, uint32_t from, uint32_t to);
double sim_chance(struct sim *sim);
hf_time sim_between(struct sim *sim, hf_time least, hf_time most);

/* flows.c */
void sim_add_flows(struct sim *sim, uint32_t node, uint32_t count, hf_time life);
void sim_export(struct sim *sim, uint32_t node, const struct hf_shard_set *shards); /* NULL: all */
void sim_refresh(struct sim *sim); /* ends flows, and exports those that are due */
/* Another node takes the flow up, with another backend. */
void sim_move_flow(struct sim *sim, uint32_t flow, uint32_t node);

/* notices.c */
void sim_post(struct sim *sim, uint32_t node);
/* All nodes that are in have the same notices, and those that were posted. */
void sim_check_notices(struct sim *sim, bool (*is_in)(const struct sim_node *node));

/* invariants.c: each breaks the sim if it does not hold. */
void sim_check_node(struct sim_node *node); /* after each step */
void sim_check_all(struct sim *sim);	    /* now and then */
bool sim_members_agree(struct sim *sim, void *unused);
/* All owners hold all flows that were exported until `before`. */
uint32_t sim_missing_records(struct sim *sim, hf_time before);

/* faults.c */
/* Random faults for a while, then calm; over and over. */
void sim_random_faults(struct sim *sim, hf_time until);
/* Runs a schedule, a line a fault (soak --help tells them). 0 or -EINVAL, said on stderr. */
int sim_scheduled_faults(struct sim *sim, const char *path, hf_time until);

#endif
