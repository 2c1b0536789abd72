// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/sweeper.h"

#include <stddef.h>
#include <string.h>

/* Pins that are watched start at 2 (sharing.c): to 15 are 13 steps, the first of which may come at
 * once. */
#define STEPS_IN_TIMEOUT 12

void hf_sweeper_init(struct hf_sweeper *s, struct hf_bucket *buckets, uint32_t count, int64_t now)
{
	s->buckets = buckets;
	s->count = count;
	s->next = 0;
	s->pass_began = now - HF_SWEEP_PASS_MS;
}

static void begin_pass(struct hf_sweeper *s, int64_t now)
{
	int64_t elapsed = now - s->pass_began;
	uint64_t before = s->clock_ms;

	if (elapsed > 2 * HF_SWEEP_PASS_MS)
		elapsed = 2 * HF_SWEEP_PASS_MS;
	s->clock_ms += elapsed;
	s->pass_began = now;
	for (int state = 0; state < HF_SWEEP_AGES; state++) {
		uint64_t timeout = s->timeout_ms[state];

		s->steps[state] = timeout ? s->clock_ms * STEPS_IN_TIMEOUT / timeout -
						    before * STEPS_IN_TIMEOUT / timeout
					  : 0;
	}
	memset(&s->running, 0, sizeof(s->running));
}

/* A pin's place in the table. */
struct place {
	uint32_t bucket, cell;
};

static uint32_t log2_of(uint32_t count)
{
	return 31 - __builtin_clz(count);
}

static bool is_doubtful(const struct hf_sweeper *s, const struct hf_sweep_view *view,
			struct place at, uint64_t pin)
{
	uint64_t digest = hf_pin_digest(pin, at.bucket, log2_of(s->count));

	return hf_pin_state(pin) == HF_PIN_ADOPTED && view->is_doubtful &&
	       view->is_doubtful(view->context, digest, hf_pin_backend(pin));
}

/* What a pass makes of a pin; 0: it goes. */
static uint64_t aged(const struct hf_sweeper *s, const struct hf_sweep_view *view, struct place at,
		     uint64_t pin)
{
	enum hf_pin_state state = hf_pin_state(pin);
	uint64_t idle = pin & HF_PIN_IDLE_MASK;
	bool is_new = state == HF_PIN_ADOPTED || state == HF_PIN_UDP_NEW;
	bool is_kept = view->is_kept && view->is_kept(view->context, at.bucket, at.cell, pin);

	if (idle == 0 && is_new && !is_doubtful(s, view, at, pin))
		pin = hf_pin_with_state(pin,
					state == HF_PIN_UDP_NEW ? HF_PIN_UDP : HF_PIN_ESTABLISHED);
	idle += s->steps[is_kept ? HF_SWEEP_KEPT : state];
	/* Marked as seen once, so that the next packet shows, however long the timeout's steps. */
	if (is_new && idle == HF_PIN_IDLE_NEW)
		idle++;
	return idle >= HF_PIN_IDLE_GONE ? 0 : (pin & ~HF_PIN_IDLE_MASK) | idle;
}

static void sweep_pin(struct hf_sweeper *s, struct place at, const struct hf_sweep_view *view)
{
	__u64 *cell = &s->buckets[at.bucket].pin[at.cell];
	uint64_t pin = hf_pin_read(cell), next;

	if (!pin)
		return;
	next = view->is_gone(view->context, hf_pin_backend(pin)) ? 0 : aged(s, view, at, pin);
	/* Lost to a packet that came just now: the next pass will see. */
	if (next != pin && !hf_pin_swap(cell, pin, next))
		next = pin;
	if (!next) {
		s->running.expired++;
		return;
	}
	s->running.state[hf_pin_state(next)]++;
	s->running.backend[hf_pin_backend(next)]++;
	if (view->visit)
		view->visit(view->context, at.bucket, at.cell);
}

bool hf_sweeper_slice(struct hf_sweeper *s, int64_t now, const struct hf_sweep_view *view)
{
	uint32_t end = s->next + (s->count + HF_SWEEP_SLICES - 1) / HF_SWEEP_SLICES;

	if (s->next == 0)
		begin_pass(s, now);
	if (end > s->count)
		end = s->count;
	for (uint32_t i = s->next; i < end; i++)
		for (uint32_t j = 0; j < HF_BUCKET_PINS; j++)
			sweep_pin(s, (struct place){ i, j }, view);
	s->next = end == s->count ? 0 : end;
	if (s->next == 0)
		memcpy(&s->last, &s->running, sizeof(s->last));
	return s->next == 0;
}
