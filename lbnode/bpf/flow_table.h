/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The flow table's two operations, look-up and insertion, for BPF and C alike. pin.h says
 * what a pin is and where it belongs.
 *
 * The includer says how to reach a bucket: hf_flow_bucket(index), NULL if there is none.
 */
#ifndef HF_LBNODE_BPF_FLOW_TABLE_H
#define HF_LBNODE_BPF_FLOW_TABLE_H

#include "lbnode/bpf/pin.h"

static struct hf_bucket *hf_flow_bucket(__u32 index);

HF_INLINE __u64 *hf_bucket_find(struct hf_bucket *bucket, __u64 tag, __u64 *pin)
{
	HF_UNROLL
	for (int i = 0; i < HF_BUCKET_PINS; i++) {
		*pin = hf_pin_read(&bucket->pin[i]);
		if (hf_pin_tag(*pin) == tag && hf_pin_state(*pin) != HF_PIN_NONE)
			return &bucket->pin[i];
	}
	return NULL;
}

/* The cell of the digest's pin, and the pin as it was read; NULL: the flow is not known. */
HF_INLINE __u64 *hf_flow_find(__u64 digest, __u32 bits, __u64 *pin)
{
	__u32 home = hf_home_bucket(digest, bits);
	__u64 tag = hf_pin_tag(hf_pin(digest, 0, HF_PIN_NONE));
	struct hf_bucket *bucket = hf_flow_bucket(home);
	__u64 *cell;

	if (!bucket)
		return NULL;
	cell = hf_bucket_find(bucket, tag, pin);
	if (cell)
		return cell;
	bucket = hf_flow_bucket(hf_away_bucket(home, tag));
	return bucket ? hf_bucket_find(bucket, tag, pin) : NULL;
}

#define HF_PRICE_FIRM 17

/* How dear a cell is to a newcomer: 0 is free, the longest idle is cheap, a firm one not for sale.
 * Without branches, which a processor could not predict, and the verifier would follow one by one.
 */
HF_INLINE __u64 hf_pin_price(__u64 pin)
{
	__u64 taken = (pin | -pin) >> 63, firm = HF_FIRM_STATES >> hf_pin_state(pin) & 1;

	return taken * (16 + firm - (pin & HF_PIN_IDLE_MASK) * (1 - firm));
}

/* The place of the bucket's cheapest cell, and in *price its price. Of several the newcomer's tag
 * chooses, so that those of a flood don't all take the same, and with it the last newcomer's. */
HF_INLINE __u32 hf_bucket_cheapest(const struct hf_bucket *bucket, __u64 tag, __u32 *price)
{
	__s64 best = (__s64)(HF_PRICE_FIRM + 1) << 8;

	HF_UNROLL
	for (int i = 0; i < HF_BUCKET_PINS; i++) {
		__u64 rank = i ^ (tag & (HF_BUCKET_PINS - 1));
		__s64 less = (__s64)(hf_pin_price(hf_pin_read(&bucket->pin[i])) << 8 | rank) - best;

		HF_OPAQUE(less); /* or it would see through this, and make branches of it */
		best += less & less >> 63; /* the smaller one */
	}
	*price = best >> 8;
	return (best ^ tag) & (HF_BUCKET_PINS - 1);
}

enum hf_inserted {
	HF_INSERTED,
	HF_INSERTED_DISPLACING, /* in the place of a weak pin */
	HF_INSERTED_NOT,	/* both buckets are full of firm pins, or other CPUs were faster */
};

/* Puts `pin`, which has hf_pin()'s form, where the digest belongs. */
HF_INLINE enum hf_inserted hf_flow_insert(__u64 digest, __u32 bits, __u64 pin)
{
	__u32 home = hf_home_bucket(digest, bits), price, away_price, place, away_place;
	struct hf_bucket *bucket = hf_flow_bucket(home), *away;
	__u64 *cell, old;

	if (!bucket)
		return HF_INSERTED_NOT;
	place = hf_bucket_cheapest(bucket, hf_pin_tag(pin), &price);
	if (price > 0) {
		away = hf_flow_bucket(hf_away_bucket(home, hf_pin_tag(pin)));
		if (!away)
			return HF_INSERTED_NOT;
		away_place = hf_bucket_cheapest(away, hf_pin_tag(pin), &away_price);
		if (away_price < price) {
			bucket = away;
			place = away_place;
			price = away_price;
			pin |= HF_PIN_AWAY;
		}
	}
	cell = &bucket->pin[place];
	/* Read once more: it may be another one's by now, and then its price counts. */
	old = hf_pin_read(cell);
	if (hf_pin_price(old) > price || price >= HF_PRICE_FIRM || !hf_pin_swap(cell, old, pin))
		return HF_INSERTED_NOT;
	return old ? HF_INSERTED_DISPLACING : HF_INSERTED;
}

#endif
