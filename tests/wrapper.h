/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs an XDP program many times without leaving the kernel (bpf/wrap.bpf.c), over one flow or
 * many: what it costs, and what a flood does to it. Aborts with a message if anything fails.
 */
#ifndef HF_TESTS_WRAPPER_H
#define HF_TESTS_WRAPPER_H

#include <stdint.h>

#include "tests/frame.h"
#include "wrap.skel.h"

struct wrapper_settings {
	int program;	       /* its descriptor */
	uint32_t flows;	       /* to cycle through: a power of 2; 1: the frame's own */
	uint32_t outer_length; /* what the program prepends to the IP packet */
};

/* The frame of one of the wrapper's flows, which differ in source and port: IPv4 if there are many.
 */
void wrapper_first_flow(struct frame *f);

/* The frame stays the caller's. */
struct wrap_bpf *wrapper_open(const struct frame *f, const struct wrapper_settings *settings);

/* Runs it so many times, each with the next flow: nanoseconds a run, the wrapper's own included.
 * The last verdict must be this one. */
double wrapper_run(struct wrap_bpf *wrap, const struct frame *f, uint32_t runs, uint32_t verdict);

#endif
