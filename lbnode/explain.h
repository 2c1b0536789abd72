/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What would become of a packet, and why: the packet runs through the same XDP program, loaded once
 * more, with maps of its own for all that it writes, so that nothing is sent and nothing changes.
 * Its flow table is the smallest one, and has no more than the flow's own pin: how crowded the real
 * one is, and limits of rates, are not part of it.
 *
 * To load the program takes the kernel seconds, in which the agent must not stand still: a process
 * of its own does it, the explainer, which is there from the first question until a minute after
 * the last. It does nothing but run frames: what the rest of an answer takes is the agent's.
 */
#ifndef HF_LBNODE_EXPLAIN_H
#define HF_LBNODE_EXPLAIN_H

#include "lbnode/agent_state.h"
#include "lbnode/bpf/counters.h"

/* Answers by agent->control.connection, now or later: then HF_CONTROL_LATER. */
size_t hf_explain(struct agent *agent, const Holdfast__ExplainAsk *ask, uint8_t *out, size_t size);
void hf_explain_stop(struct agent *agent);

/* explain_frame.c: the packet as it would come from a client, in `frame` of HF_EXPLAIN_FRAME bytes:
 * its length, 0 if what is asked for is no packet. */
#define HF_EXPLAIN_FRAME 2048
size_t hf_explain_frame(const Holdfast__ExplainAsk *ask, uint8_t *frame);
/* The outer destination of a frame: its length, 4 or 16; 0: it has none. */
size_t hf_explain_destination(const uint8_t *frame, size_t length, uint8_t destination[16]);

/* explain_run.c: what the program made of it. */
struct hf_explain_run {
	uint8_t frame[HF_EXPLAIN_FRAME]; /* in and out */
	size_t length;
	uint32_t ifindex; /* that it comes by */
	uint64_t digest;
	uint64_t pin; /* of the flow; 0: none */
	int err; /* 0, or a negative errno: it could not be run, and what follows means nothing */
	uint32_t verdict;
	uint64_t counters[HF_COUNTER_END];
};
/* The explainer's life: takes runs from the socket, and gives them back, done. Does not return. */
void hf_explain_serve(const struct agent *agent, int socket) __attribute__((noreturn));

#endif
