/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HF_BENCH_STEPS_H
#define HF_BENCH_STEPS_H

#include "tests/xdp_harness.h"

/* The hot path up to a step (bpf/steps.bpf.c), over the harness' tables. NULL: it can't be loaded.
 */
struct steps_bpf;

struct steps_bpf *steps_open(const struct harness *h, uint32_t steps);
int steps_program(const struct steps_bpf *s);
void steps_close(struct steps_bpf *s);

#endif
