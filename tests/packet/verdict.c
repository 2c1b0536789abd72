// SPDX-License-Identifier: BSD-2-Clause
#include "tests/packet/verdict.h"

#include <string.h>

#include "tests/unit/unit.h"

uint8_t verdict_out[4096];
size_t verdict_length;

uint32_t verdict_run(struct harness *h, const struct frame *f)
{
	verdict_length = sizeof(verdict_out);
	return harness_run(h, f->bytes, f->length, verdict_out, &verdict_length);
}

void expect_forwarded(struct harness *h, const struct frame *f, struct outer *o)
{
	const char *fault;

	assert_int_equal(verdict_run(h, f), XDP_TX);
	fault = outer_decode(verdict_out, verdict_length, o);
	if (fault)
		fail_msg("%s", fault);
	assert_int_equal(o->inner_length, f->length - f->l3);
	assert_memory_equal(o->inner, f->bytes + f->l3, o->inner_length);
	assert_int_equal(o->trailer, 0);
	assert_int_equal(o->ttl, 64);
}

void expect_passed(struct harness *h, const struct frame *f)
{
	assert_int_equal(verdict_run(h, f), XDP_PASS);
	assert_int_equal(verdict_length, f->length);
	assert_memory_equal(verdict_out, f->bytes, f->length);
}

void expect_dropped(struct harness *h, const struct frame *f, enum hf_counter why)
{
	uint64_t before = harness_counter(h, why);

	assert_int_equal(verdict_run(h, f), XDP_DROP);
	assert_int_equal(harness_counter(h, why), before + 1);
}

void expect_answered(struct harness *h, const struct frame *f, enum hf_counter as,
		     struct frame *answer)
{
	uint64_t before = harness_counter(h, as);

	assert_int_equal(verdict_run(h, f), XDP_TX);
	assert_int_equal(harness_counter(h, as), before + 1);
	assert_true(verdict_length <= sizeof(answer->bytes));
	memset(answer, 0, sizeof(*answer));
	memcpy(answer->bytes, verdict_out, verdict_length);
	answer->length = verdict_length;
	answer->l3 = f->l3;
	/* Back to where it came from, with the tags that it had. */
	assert_memory_equal(answer->bytes, f->bytes + 6, 6);
	assert_memory_equal(answer->bytes + 6, f->bytes, 6);
	assert_memory_equal(answer->bytes + 12, f->bytes + 12, f->l3 - 12);
}
