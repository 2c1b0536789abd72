// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/sharing.h"

#include "lbnode/bpf/flow_table.h"
#include "lbnode/bpf/types.h"

/* What a mark's `when` says: a second of the clock, from 1 on, modulo WHEN_RANGE; or one of these.
 */
#define WHEN_SEEN	0 /* not exported yet */
#define WHEN_RANGE	60000
#define WHEN_KEPT	0xffff /* for others */
#define WHEN_KEPT_AGAIN 0xfffe /* for others, and to be exported once */

/* A packet of the flow has come since the pin was marked with this. */
#define IDLE_MARKED 2

/* Of flow_table.h's look-ups: whose buckets. The agent has one thread. */
static struct hf_bucket *current_buckets;

static struct hf_bucket *hf_flow_bucket(__u32 index)
{
	return &current_buckets[index];
}

void hf_sharing_init(struct hf_sharing *s, struct hf_bucket *buckets, struct hf_marks *marks,
		     uint32_t bits, uint64_t *counters, const struct hf_sharing_output *output,
		     void *context)
{
	*s = (struct hf_sharing){
		.buckets = buckets,
		.marks = marks,
		.counters = counters,
		.bits = bits,
		.output = output,
		.context = context,
	};
}

static struct hf_mark *mark_of(const struct hf_sharing *s, uint32_t bucket, uint32_t place)
{
	return &s->marks[bucket].mark[place];
}

/* Tells a pin from the one that stood there before, with all but certainty. */
static uint16_t print_of(uint64_t pin)
{
	uint64_t h = (pin >> 8) * 0x9e3779b97f4a7c15ULL;

	return h >> 48 | 1;
}

static uint16_t when_now(const struct hf_sharing *s)
{
	return s->now / 1000 % WHEN_RANGE + 1;
}

static uint32_t seconds_since(const struct hf_sharing *s, uint16_t when)
{
	return (when_now(s) + WHEN_RANGE - when) % WHEN_RANGE;
}

static bool is_shared(uint64_t pin)
{
	return hf_pin_state(pin) == HF_PIN_ESTABLISHED || hf_pin_state(pin) == HF_PIN_UDP;
}

bool hf_sharing_keeps(const struct hf_sharing *s, uint32_t bucket, uint32_t place, uint64_t pin)
{
	const struct hf_mark *mark = mark_of(s, bucket, place);

	return mark->print == print_of(pin) && mark->when >= WHEN_KEPT_AGAIN;
}

/* From now on any packet of the flow shows. Lost to one that comes just now: it shows already. */
static void watch(__u64 *cell, uint64_t pin)
{
	if ((pin & HF_PIN_IDLE_MASK) < IDLE_MARKED)
		hf_pin_swap(cell, pin, (pin & ~HF_PIN_IDLE_MASK) | IDLE_MARKED);
}

static bool export(struct hf_sharing *s, uint64_t digest, uint64_t pin, bool is_exception,
		   bool is_claim)
{
	const struct hf_record record = {
		.key = digest | hf_pin_state(pin) | (is_exception ? HF_RECORD_EXCEPTION : 0),
		.backend = s->output->name(s->context, hf_pin_backend(pin)),
		.stamp = is_claim ? HF_CLAIM_AGE : 0,
	};

	return record.backend && s->output->export(s->context, &record, is_exception);
}

/* Of a pin that is kept for others: it is this node's as soon as a packet has come. */
static void visit_kept(struct hf_sharing *s, struct hf_mark *mark, uint64_t digest, uint64_t pin)
{
	if ((pin & HF_PIN_IDLE_MASK) < IDLE_MARKED)
		mark->when = WHEN_SEEN;
	else if (mark->when == WHEN_KEPT_AGAIN && export(s, digest, pin, false, true))
		mark->when = WHEN_KEPT;
}

static void visit_own(struct hf_sharing *s, struct hf_mark *mark, uint64_t digest, __u64 *cell,
		      uint64_t pin)
{
	bool is_first = mark->when == WHEN_SEEN;
	bool is_silent = (pin & HF_PIN_IDLE_MASK) >= IDLE_MARKED;
	bool is_exception;

	if (!is_first && seconds_since(s, mark->when) < HF_REFRESH_MS / 1000)
		return;
	is_exception = s->output->is_exception(s->context, digest, hf_pin_backend(pin));
	if (!export(s, digest, pin, is_exception, is_silent))
		return;
	mark->when = when_now(s);
	watch(cell, pin);
	if (!is_first) {
		s->counters[HF_SHARING_RECORDS_REFRESHED]++;
		return;
	}
	s->counters[HF_SHARING_RECORDS_EXPORTED]++;
	s->counters[HF_SHARING_RECORDS_EXCEPTIONS] += is_exception;
}

void hf_sharing_visit(struct hf_sharing *s, uint32_t bucket, uint32_t place, int64_t now)
{
	struct hf_mark *mark = mark_of(s, bucket, place);
	__u64 *cell = &s->buckets[bucket].pin[place];
	uint64_t pin = hf_pin_read(cell), digest;
	bool is_known;

	if (!s->open || !is_shared(pin))
		return;
	s->now = now;
	digest = hf_pin_digest(pin, bucket, s->bits);
	is_known = mark->print == print_of(pin);
	if (!is_known)
		*mark = (struct hf_mark){ print_of(pin), WHEN_SEEN };
	if (mark->when >= WHEN_KEPT_AGAIN)
		visit_kept(s, mark, digest, pin);
	else if (is_known || s->output->is_exception(s->context, digest, hf_pin_backend(pin)))
		visit_own(s, mark, digest, cell, pin);
}

void hf_sharing_tables_changed(struct hf_sharing *s)
{
	s->urgent = true;
	s->urgent_next = 0;
}

/* True: there was no room for it. */
static bool export_exception(struct hf_sharing *s, uint32_t bucket, uint32_t place)
{
	uint64_t pin = hf_pin_read(&s->buckets[bucket].pin[place]);
	struct hf_mark *mark = mark_of(s, bucket, place);
	uint64_t digest;

	if (!is_shared(pin) || (mark->print == print_of(pin) && mark->when != WHEN_SEEN))
		return false;
	digest = hf_pin_digest(pin, bucket, s->bits);
	if (!s->output->is_exception(s->context, digest, hf_pin_backend(pin)))
		return false;
	*mark = (struct hf_mark){ print_of(pin), WHEN_SEEN };
	visit_own(s, mark, digest, &s->buckets[bucket].pin[place], pin);
	return mark->when == WHEN_SEEN && s->output->name(s->context, hf_pin_backend(pin));
}

bool hf_sharing_find_exceptions(struct hf_sharing *s, int64_t now)
{
	s->now = now;
	if (!s->open)
		return true;
	for (; s->urgent && s->urgent_next < 1U << s->bits; s->urgent_next++)
		for (uint32_t place = 0; place < HF_BUCKET_PINS; place++)
			if (export_exception(s, s->urgent_next, place))
				return false;
	s->urgent = false;
	return true;
}

/* Digests' top bits are their shard, and their bucket; away buckets are in the same page. */
#define PAGE_BUCKETS 64
void hf_sharing_again(struct hf_sharing *s, const struct hf_shard_set *shards)
{
	for (uint32_t bucket = 0; bucket < 1U << s->bits; bucket++) {
		uint32_t first = (bucket & ~(PAGE_BUCKETS - 1U)) >> (s->bits - HF_SHARD_BITS);
		uint32_t last = (bucket | (PAGE_BUCKETS - 1U)) >> (s->bits - HF_SHARD_BITS);

		while (first <= last && !hf_shard_in(shards, first))
			first++;
		if (first > last) {
			bucket |= PAGE_BUCKETS - 1U;
			continue;
		}
		for (uint32_t i = 0; i < HF_BUCKET_PINS; i++) {
			struct hf_mark *mark = mark_of(s, bucket, i);

			mark->when = mark->when >= WHEN_KEPT_AGAIN ? WHEN_KEPT_AGAIN : WHEN_SEEN;
		}
	}
}

static void mark_pin(struct hf_sharing *s, __u64 *cell, uint64_t pin, uint16_t when)
{
	uint64_t at = cell - &s->buckets[0].pin[0];

	*mark_of(s, at / HF_BUCKET_PINS, at % HF_BUCKET_PINS) =
		(struct hf_mark){ print_of(pin), when };
}

static uint64_t with_idle(uint64_t pin, uint64_t idle)
{
	return (pin & ~HF_PIN_IDLE_MASK) | idle;
}

/* False: there is no room. */
static bool insert(struct hf_sharing *s, uint64_t digest, uint64_t pin, uint16_t when)
{
	uint64_t found = 0;
	__u64 *cell;

	if (hf_flow_insert(digest, s->bits, pin) == HF_INSERTED_NOT) {
		s->counters[HF_SHARING_RECORDS_NO_ROOM]++;
		return false;
	}
	cell = hf_flow_find(digest, s->bits, (__u64 *)&found);
	if (cell)
		mark_pin(s, cell, found, when);
	return true;
}

static bool is_kept(const struct hf_sharing *s, const __u64 *cell, uint64_t pin)
{
	uint64_t at = cell - &s->buckets[0].pin[0];

	return hf_sharing_keeps(s, at / HF_BUCKET_PINS, at % HF_BUCKET_PINS, pin);
}

/* A record has nothing to say about a flow that this node itself sees the packets of. */
static bool is_ours(const struct hf_sharing *s, const __u64 *cell, uint64_t pin)
{
	enum hf_pin_state state = hf_pin_state(pin);

	if (is_kept(s, cell, pin))
		return false;
	return state != HF_PIN_ADOPTED && state != HF_PIN_UDP_NEW &&
	       (state == HF_PIN_EMBRYONIC || (pin & HF_PIN_IDLE_MASK) < IDLE_MARKED);
}

/* Finds whose backend it is; false: nothing can be made of the record. */
static bool read_record(struct hf_sharing *s, const struct hf_record *record, uint16_t *backend,
			enum hf_pin_state *state)
{
	*backend = s->output->backend(s->context, record->backend);
	*state = record->key & HF_RECORD_STATE;
	if (*backend == HF_NO_BACKEND)
		s->counters[HF_SHARING_RECORDS_STRANGE]++;
	return *backend && (*state == HF_PIN_ESTABLISHED || *state == HF_PIN_UDP);
}

void hf_sharing_keep(struct hf_sharing *s, const struct hf_record *record)
{
	uint64_t digest = hf_record_digest(record), pin = 0, next;
	enum hf_pin_state state;
	uint16_t backend;
	__u64 *cell;

	current_buckets = s->buckets;
	if (!read_record(s, record, &backend, &state))
		return;
	next = with_idle(hf_pin(digest, backend, state), IDLE_MARKED);
	cell = hf_flow_find(digest, s->bits, (__u64 *)&pin);
	if (!cell) {
		s->counters[HF_SHARING_RECORDS_KEPT] += insert(s, digest, next, WHEN_KEPT);
		return;
	}
	next |= pin & HF_PIN_AWAY;
	if (is_ours(s, cell, pin) || hf_pin_is_over(pin))
		return;
	/* The same backend's, and this node's own, if silent: as it is. */
	if (hf_pin_backend(pin) == backend && hf_pin_state(pin) == state && !is_kept(s, cell, pin))
		return;
	if (hf_pin_swap(cell, pin, next))
		mark_pin(s, cell, next, WHEN_KEPT);
}

void hf_sharing_told(struct hf_sharing *s, const struct hf_record *record)
{
	uint64_t digest = hf_record_digest(record), pin = 0, next;
	enum hf_pin_state state;
	uint16_t backend;
	__u64 *cell;

	current_buckets = s->buckets;
	s->counters[HF_SHARING_FLOWS_TOLD]++;
	if (!read_record(s, record, &backend, &state))
		return;
	next = with_idle(hf_pin(digest, backend, state), 0);
	cell = hf_flow_find(digest, s->bits, (__u64 *)&pin);
	if (!cell) {
		insert(s, digest, next, WHEN_SEEN);
		return;
	}
	next |= pin & HF_PIN_AWAY;
	if (!is_ours(s, cell, pin) && hf_pin_swap(cell, pin, next))
		mark_pin(s, cell, next, WHEN_SEEN);
}

void hf_sharing_guess(struct hf_sharing *s, uint64_t digest, uint16_t backend,
		      enum hf_pin_state state)
{
	uint64_t pin = 0;

	current_buckets = s->buckets;
	if (hf_flow_find(digest, s->bits, (__u64 *)&pin))
		return;
	s->counters[HF_SHARING_FLOWS_GUESSED]++;
	hf_flow_insert(digest, s->bits, hf_pin(digest, backend, state));
}
