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
 */
HF_INLINE __u32 hf_pin_price(__u64 pin)
{
	if (!pin)
		return 0;
	return hf_pin_is_firm(pin) ? HF_PRICE_FIRM : 16 - (pin & HF_PIN_IDLE_MASK);
}

/* The bucket's cheapest cell below *price, which it lowers; NULL: none. */
HF_INLINE __u64 *hf_bucket_cheapest(struct hf_bucket *bucket, __u64 *pin, __u32 *price)
{
	__u64 *best = NULL;

	HF_UNROLL
	for (int i = 0; i < HF_BUCKET_PINS; i++) {
		__u64 p = hf_pin_read(&bucket->pin[i]);
		__u32 asked = hf_pin_price(p);

		if (asked < *price) {
			best = &bucket->pin[i];
			*price = asked;
			*pin = p;
		}
	}
	return best;
}

enum hf_inserted {
	HF_INSERTED,
	HF_INSERTED_DISPLACING, /* in the place of a weak pin */
	HF_INSERTED_NOT,	/* both buckets are full of firm pins, or other CPUs were faster */
};

/* Puts `pin`, which has hf_pin()'s form, where the digest belongs. */
HF_INLINE enum hf_inserted hf_flow_insert(__u64 digest, __u32 bits, __u64 pin)
{
	__u32 home = hf_home_bucket(digest, bits);
	struct hf_bucket *bucket = hf_flow_bucket(home);
	__u64 *cell, *away, old = 0;
	__u32 price = HF_PRICE_FIRM;

	if (!bucket)
		return HF_INSERTED_NOT;
	cell = hf_bucket_cheapest(bucket, &old, &price);
	if (price > 0) {
		bucket = hf_flow_bucket(hf_away_bucket(home, hf_pin_tag(pin)));
		if (!bucket)
			return HF_INSERTED_NOT;
		away = hf_bucket_cheapest(bucket, &old, &price);
		if (away) {
			cell = away;
			pin |= HF_PIN_AWAY;
		}
	}
	if (!cell || !hf_pin_swap(cell, old, pin))
		return HF_INSERTED_NOT;
	return old ? HF_INSERTED_DISPLACING : HF_INSERTED;
}

#endif
