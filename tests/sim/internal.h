/* SPDX-License-Identifier: BSD-2-Clause */
/* What the simulator's parts know of each other. */
#ifndef HF_TESTS_SIM_INTERNAL_H
#define HF_TESTS_SIM_INTERNAL_H

#include "tests/sim/sim.h"

#define SIM_PORT     7000
#define SIM_DATAGRAM 1400

enum sim_event_kind { SIM_TIMER, SIM_LETTER, SIM_REQUEST, SIM_CHUNK, SIM_STREAM_END };

/* A datagram on its way, or part of a stream. */
struct sim_letter {
	struct sim_letter *next;
	uint32_t from, to;
	uint32_t life, served_life; /* of a stream's two ends when it was opened */
	uint32_t stream;
	bool genuine;		      /* the first copy of what a node sent, unchanged */
	struct hf_snapshot *snapshot; /* of a stream: whose next chunk this asks for */
	size_t length;
	uint8_t bytes[];
};

struct sim_event {
	hf_time at;
	uint64_t sequence;
	enum sim_event_kind kind;
	uint32_t node;
	struct sim_letter *letter;
};

/* events.c */
void sim_push(struct sim *sim, hf_time at, enum sim_event_kind kind, uint32_t node,
	      struct sim_letter *letter);
struct sim_event sim_pop(struct sim *sim);

/* network.c: what the core has to say goes out, and what has arrived goes in. */
struct sim_letter *sim_new_letter(uint32_t from, uint32_t to, const uint8_t *bytes, size_t length);
void sim_send(void *context, const struct hf_endpoint *to, const uint8_t *bytes, size_t length);
void sim_deliver(struct sim_node *node, struct sim_letter *letter);
void sim_on_letter(struct sim *sim, struct sim_letter *letter);

/* streams.c */
void sim_fetch(void *context, const struct hf_endpoint *from, const uint8_t *request,
	       size_t length);
void sim_on_chunk(struct sim *sim, struct sim_letter *letter, bool first);
void sim_on_part(struct sim *sim, struct sim_letter *part, bool ended);

/* sim.c */
uint32_t sim_node_at(const struct sim *sim, const struct hf_endpoint *endpoint);
hf_time sim_travel(struct sim *sim);
extern const struct hf_sync_output sim_output;
/* After each step of a node. */
void sim_stepped(struct sim_node *node);

/* verbs.c */
void sim_stop(struct sim_node *node);

#endif
