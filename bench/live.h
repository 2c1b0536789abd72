/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HF_BENCH_LIVE_H
#define HF_BENCH_LIVE_H

#include "tests/frame.h"
#include "tests/xdp_harness.h"

/*
 * Packets through a veth pair in native mode, in a network namespace of its own that goes with the
 * process: made by one XDP program in live-frames mode, handled at the other end by the program
 * under test, counted when they are back. Generator, program and counter share each CPU: what
 * counts is the ratio to `reflect`, which only returns XDP_TX.
 */
struct live;

/* Goes into a new namespace, for good. Borrows both. */
struct live *live_open(struct harness *h, const struct frame *f);
/* Million packets per second that came back; program -1: the bare XDP_TX. */
double live_run(struct live *live, int program, unsigned int cpus);

#endif
