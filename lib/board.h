/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The notice board: what all nodes are to know alike that is not about flows - verdicts on
 * backends, checkers' opinions, operators' overrides. A map of keys to notices, of which every node
 * has a copy.
 *
 * **Newest wins**, as with records: of two notices of one key the greater stays, by version, then
 * author, then expiry, then body. That is a total order, so merging - keeping the greater - is
 * commutative, associative and idempotent, and boards that have got the same notices, in whatever
 * order, are equal (tests/unit/board_test.c). What a key and a version mean is their user's
 * business.
 *
 * A notice is forgotten by all when it expires, by the cluster's clock (record.h).
 */
#ifndef HF_BOARD_H
#define HF_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HF_NOTICE_KEY_MAX  160
#define HF_NOTICE_BODY_MAX 512
#define HF_BOARD_MAX	   65536 /* notices */
#define HF_BOARD_GROUPS	   64	 /* compared as a whole */

struct hf_notice {
	const uint8_t *key, *body;
	uint16_t key_length, body_length;
	uint32_t expires; /* stamp; 0: never */
	uint64_t version, author;
};

enum hf_posted {
	HF_POSTED,	 /* it is the newest of its key */
	HF_POSTED_KNOWN, /* what is there is the same, or newer */
	HF_POSTED_FULL,	 /* no room, no memory, too long, or no key: not kept */
};

struct hf_board;

/* NULL: no memory. */
struct hf_board *hf_board_new(void);
void hf_board_delete(struct hf_board *board);

/* Copies the notice. */
enum hf_posted hf_board_post(struct hf_board *board, const struct hf_notice *notice);

/* NULL: there is none. Valid until the board changes. */
const struct hf_notice *hf_board_find(const struct hf_board *board, const uint8_t *key,
				      size_t length);

/* Each notice once: *cursor is 0 to begin. NULL: no more. What is posted meanwhile may be left out;
 * nothing may be posted or expire between two calls that go on. */
const struct hf_notice *hf_board_next(const struct hf_board *board, uint64_t *cursor);
/* Of one group, as above. */
const struct hf_notice *hf_board_next_of(const struct hf_board *board, uint32_t group,
					 uint64_t *cursor);

/* Forgets what expires before or at `now`; how many that were. */
uint32_t hf_board_expire(struct hf_board *board, uint32_t now);

/* Which group a key is of: 0 to HF_BOARD_GROUPS - 1. */
uint32_t hf_board_group(const uint8_t *key, size_t length);

uint32_t hf_board_count(const struct hf_board *board);
/* The same for equal boards, 0 for empty ones: of all, and of a group. */
uint64_t hf_board_digest(const struct hf_board *board);
uint64_t hf_board_group_digest(const struct hf_board *board, uint32_t group);

#endif
