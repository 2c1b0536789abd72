/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What goes around every datagram, so that nothing is readable, nothing can be forged, and nothing
 * that was recorded can be sent again to any effect:
 *
 *      0       1        2         4          12         20         28
 *      | ver:4 | key id | cluster | sender   | boot id  | counter  | sealed: a Datagram | tag (16)
 *      |  :4 o |        | tag     |          |          |          | of gossip.proto    |
 *
 * The 24 bytes from 4 on are the nonce: sender, the random number that it drew when it started, and
 * a counter from 1 on, so it never repeats (DESIGN 5.2). Beside the plaintext are authenticated the
 * first four bytes, the cluster's id, and the *recipient's* id and boot id: a datagram is worth
 * nothing to anyone else, nor to the recipient's next life. Only where the sender doesn't know
 * those yet are both 0 and bit o (open) set; all that an open datagram may do is say hello.
 */
#ifndef HF_SYNC_SEAL_H
#define HF_SYNC_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "syncd/core/cipher.h"

#define HF_SEAL_VERSION	 1
#define HF_SEAL_HEADER	 28
#define HF_SEAL_OVERHEAD (HF_SEAL_HEADER + HF_CIPHER_TAG)
#define HF_KEYS_MAX	 8

/* One key of the ring. `id` tells the ring's keys apart on the wire. */
struct hf_seal_key {
	uint8_t id;
	uint8_t bytes[HF_CIPHER_KEY];
};

/* The first one seals, all open. */
struct hf_seal_keys {
	struct hf_seal_key key[HF_KEYS_MAX];
	uint32_t count;
};

/* A node in one of its lives. */
struct hf_party {
	uint64_t id;
	uint64_t boot;
};

struct hf_sealed {
	struct hf_party sender;
	uint64_t counter;
	bool open;
	const struct hf_seal_key *key; /* that opened it */
};

enum hf_seal_fault {
	HF_SEAL_GOOD,
	HF_SEAL_MALFORMED, /* too short or too long, another version */
	HF_SEAL_CLUSTER,   /* another cluster's */
	HF_SEAL_KEY,	   /* a key that is not in the ring */
	HF_SEAL_FORGED,	   /* not authentic, or not for this recipient */
};

/* Seals length bytes into `out`, of HF_SEAL_OVERHEAD bytes more; their number. Recipient NULL:
 * open. The counter must be a new one each time. */
size_t hf_seal(const struct hf_seal_keys *keys, uint64_t cluster, const struct hf_party *sender,
	       uint64_t counter, const struct hf_party *recipient, const uint8_t *plain,
	       size_t length, uint8_t *out);

/* Opens a datagram for `self`. `plain` has room for length bytes; *plain_length those in use. */
enum hf_seal_fault hf_seal_open(const struct hf_seal_keys *keys, uint64_t cluster,
				const struct hf_party *self, const uint8_t *bytes, size_t length,
				struct hf_sealed *sealed, uint8_t *plain, size_t *plain_length);

#endif
