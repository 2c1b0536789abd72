/* SPDX-License-Identifier: BSD-2-Clause */
/* What packet tests expect of a packet: each runs it once through the real program, and fails the
 * cmocka test that calls it if anything else comes out. */
#ifndef HF_TESTS_VERDICT_H
#define HF_TESTS_VERDICT_H

#include "tests/frame.h"
#include "tests/packet/outer.h"
#include "tests/xdp_harness.h"

/* What came out of the last one. */
extern uint8_t verdict_out[4096];
extern size_t verdict_length;

uint32_t verdict_run(struct harness *h, const struct frame *f);

/* It must come out in an outer header, itself untouched, with nothing behind; *o is filled. */
void expect_forwarded(struct harness *h, const struct frame *f, struct outer *o);

/* It must be left to the kernel, untouched. */
void expect_passed(struct harness *h, const struct frame *f);

/* It must be dropped, and counted as this. */
void expect_dropped(struct harness *h, const struct frame *f, enum hf_counter why);

/* It must be answered, and counted as this; *answer: what goes back. */
void expect_answered(struct harness *h, const struct frame *f, enum hf_counter as,
		     struct frame *answer);

#endif
