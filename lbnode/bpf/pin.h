/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A pin: 8 bytes, and eight of them a bucket, which is one cache line. For BPF and C alike.
 *
 * Invariant: a pin is one 64-bit word and is only ever replaced whole, by compare-and-swap. So no
 * reader can see one flow's digest with another's backend, whatever two CPUs do to a bucket.
 *
 *      63                                    24 23            8 7    5  4  3     0
 *     +----------------------------------------+---------------+------+---+-------+
 *     |  tag: bits 8..47 of the digest         |  backend id   | state| A | idle  |
 *     +----------------------------------------+---------------+------+---+-------+
 *
 * - The digest's top bits choose the home bucket. Tables have at least 2^16 buckets, so bucket and
 *   tag together hold bits 8..63 of the digest: two flows share a pin with probability 2^-40 a
 *   comparison, and a pin can be turned back into its digest (hf_pin_digest).
 * - A flow whose home bucket is full goes to its away bucket, marked A, in the same 4 KiB page: a
 *   look-up reads a second line only when the first says no. That lets a table that is half
 *   full of established pins keep all but 0.03 % of them (tests/unit/flow_table_test.c measures
 *   it); eight cells alone would lose 0.8 %, by the Poisson distribution.
 * - Idle is no clock: a packet sets it to 0, the agent's sweeper raises it in steps of about
 *   a fourteenth of the state's timeout, and takes away what reaches 15. So the fast path reads no
 *   time, writes a pin only once a step, and nothing ages while no agent runs.
 */
#ifndef HF_LBNODE_BPF_PIN_H
#define HF_LBNODE_BPF_PIN_H

#include "lib/packet/base.h"

#define HF_BUCKET_PINS	    8
#define HF_BUCKETS_MIN_BITS 16
#define HF_BUCKETS_MAX_BITS 24

struct hf_bucket {
	__u64 pin[HF_BUCKET_PINS];
} __attribute__((aligned(64)));

/*
 * What the agent knows of each cell of a bucket (lbnode/sharing.h): of whose pin, and when it was
 * last told to others. The data plane neither reads nor writes it.
 */
struct hf_mark {
	__u16 print; /* of the pin that it is about */
	__u16 when;
};

struct hf_marks {
	struct hf_mark mark[HF_BUCKET_PINS];
};

/*
 *           SYN                 packet without SYN                 FIN
 *   (none) -----> EMBRYONIC ------------------> ESTABLISHED ---------------> CLOSING
 *     |                                          ^    ^  |                      |
 *     |  packet of an unknown flow               |    |  | RST                  | SYN:
 *     +-------------> ADOPTED -------------------+    |  v                      | chosen anew,
 *     |                    seen again by the sweeper  RESET --------------------+--> EMBRYONIC
 *     |  datagram                                  other packet
 *     +-------------> UDP_NEW ---------------------> UDP
 *                          seen again by the sweeper
 *
 * Every TCP state goes to CLOSING by FIN, to RESET by RST, and all to none by their timeouts.
 * ESTABLISHED, CLOSING and UDP are firm: no newcomer takes their place. The others give way.
 *
 * A reset may be forged, or a stray: the flow's next packet takes it back.
 */
enum hf_pin_state {
	HF_PIN_NONE = 0,
	HF_PIN_EMBRYONIC,
	HF_PIN_ADOPTED,
	HF_PIN_ESTABLISHED,
	HF_PIN_CLOSING,
	HF_PIN_UDP_NEW,
	HF_PIN_UDP,
	HF_PIN_RESET,
	HF_PIN_STATES,
};

#define HF_FIRM_STATES (1U << HF_PIN_ESTABLISHED | 1U << HF_PIN_CLOSING | 1U << HF_PIN_UDP)

#define HF_PIN_AWAY	 0x10ULL
#define HF_PIN_IDLE_MASK 0x0fULL
/* A new pin starts at 1, and a packet writes only what stands above it: so a pin at 0 has been
 * seen again after a sweep, which tells a flow that lives from a packet of a flood. */
#define HF_PIN_IDLE_NEW	 1
#define HF_PIN_IDLE_GONE 15

HF_INLINE __u64 hf_pin(__u64 digest, __u16 backend, enum hf_pin_state state)
{
	return (digest << 16 & 0xffffffffff000000ULL) | (__u64)backend << 8 | (__u64)state << 5 |
	       HF_PIN_IDLE_NEW;
}

HF_INLINE __u64 hf_pin_tag(__u64 pin)
{
	return pin >> 24;
}

HF_INLINE __u16 hf_pin_backend(__u64 pin)
{
	return pin >> 8;
}

HF_INLINE enum hf_pin_state hf_pin_state(__u64 pin)
{
	return pin >> 5 & 7;
}

HF_INLINE __u64 hf_pin_with_state(__u64 pin, enum hf_pin_state state)
{
	return (pin & ~0xe0ULL) | (__u64)state << 5;
}

/* The flow is over, as far as one can tell: a SYN begins another one. */
HF_INLINE bool hf_pin_is_over(__u64 pin)
{
	return hf_pin_state(pin) == HF_PIN_CLOSING || hf_pin_state(pin) == HF_PIN_RESET;
}

HF_INLINE __u32 hf_home_bucket(__u64 digest, __u32 bits)
{
	return digest >> (64 - bits);
}

/* An odd distance below 64 keeps within the page (64 buckets) and leads back by itself. */
HF_INLINE __u32 hf_away_bucket(__u32 home, __u64 tag)
{
	return home ^ ((tag & 63) | 1);
}

/* The digest of a pin that stands in bucket `index`, but for its lowest 8 bits, which are 0. */
HF_INLINE __u64 hf_pin_digest(__u64 pin, __u32 index, __u32 bits)
{
	__u64 tag = hf_pin_tag(pin);
	__u64 home = pin & HF_PIN_AWAY ? hf_away_bucket(index, tag) : index;

	return home << (64 - bits) | tag << 8;
}

/* What a packet of its flow makes of a pin. A SYN changes no state: it may be forged. */
HF_INLINE __u64 hf_pin_after(__u64 pin, __u8 tcp_flags)
{
	enum hf_pin_state state = hf_pin_state(pin);

	if (tcp_flags & HF_TCP_RST)
		pin = hf_pin_with_state(pin, HF_PIN_RESET);
	else if (tcp_flags & HF_TCP_FIN)
		pin = hf_pin_with_state(pin, HF_PIN_CLOSING);
	else if ((state == HF_PIN_EMBRYONIC || state == HF_PIN_RESET) && !(tcp_flags & HF_TCP_SYN))
		pin = hf_pin_with_state(pin, HF_PIN_ESTABLISHED);
	return (pin & HF_PIN_IDLE_MASK) > HF_PIN_IDLE_NEW ? pin & ~HF_PIN_IDLE_MASK : pin;
}

HF_INLINE __u64 hf_pin_read(const __u64 *cell)
{
	return *(const volatile __u64 *)cell;
}

HF_INLINE bool hf_pin_swap(__u64 *cell, __u64 old, __u64 new)
{
	return __sync_val_compare_and_swap(cell, old, new) == old;
}

#endif
