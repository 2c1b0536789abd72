// SPDX-License-Identifier: BSD-2-Clause
#include "lib/board.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define CHAINS 64 /* of each group */

struct entry {
	struct entry *next;
	struct hf_notice notice;
	uint64_t digest;
	uint8_t bytes[]; /* key, then body */
};

struct hf_board {
	struct entry *chain[HF_BOARD_GROUPS][CHAINS];
	uint64_t digest[HF_BOARD_GROUPS];
	uint32_t count;
};

struct hf_board *hf_board_new(void)
{
	return calloc(1, sizeof(struct hf_board));
}

void hf_board_delete(struct hf_board *board)
{
	struct entry *next;

	if (!board)
		return;
	for (uint32_t i = 0; i < HF_BOARD_GROUPS * CHAINS; i++) {
		for (struct entry *e = board->chain[i / CHAINS][i % CHAINS]; e; e = next) {
			next = e->next;
			free(e);
		}
	}
	free(board);
}

/* Nodes must agree on both hashes: never change them. */
static uint64_t hash_key(const uint8_t *key, size_t length)
{
	static const unsigned char hash_key[crypto_shorthash_KEYBYTES] = "holdfast board.";
	uint64_t hash;

	crypto_shorthash((unsigned char *)&hash, key, length, hash_key);
	return hash;
}

static uint64_t digest_of(const struct hf_notice *n)
{
	static const unsigned char key[crypto_shorthash_KEYBYTES] = "holdfast notice";
	unsigned char text[24 + HF_NOTICE_KEY_MAX + HF_NOTICE_BODY_MAX] = { 0 };
	uint64_t digest;

	memcpy(text, &n->version, 8);
	memcpy(text + 8, &n->author, 8);
	memcpy(text + 16, &n->expires, 4);
	memcpy(text + 20, &n->key_length, 2);
	memcpy(text + 24, n->key, n->key_length);
	memcpy(text + 24 + n->key_length, n->body, n->body_length);
	crypto_shorthash((unsigned char *)&digest, text, 24 + n->key_length + n->body_length, key);
	return digest ? digest : 1;
}

static struct entry **find(struct hf_board *b, const uint8_t *key, size_t length)
{
	uint64_t hash = hash_key(key, length);
	struct entry **at = &b->chain[hash % HF_BOARD_GROUPS][hash / HF_BOARD_GROUPS % CHAINS];

	while (*at &&
	       ((*at)->notice.key_length != length || memcmp((*at)->notice.key, key, length) != 0))
		at = &(*at)->next;
	return at;
}

static uint64_t *group_digest(struct hf_board *b, const struct hf_notice *n)
{
	return &b->digest[hash_key(n->key, n->key_length) % HF_BOARD_GROUPS];
}

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static bool is_newer(const struct hf_notice *a, const struct hf_notice *b)
{
	uint16_t both = a->body_length < b->body_length ? a->body_length : b->body_length;
	int order = compare(a->version, b->version);

	if (!order)
		order = compare(a->author, b->author);
	if (!order)
		order = compare(a->expires, b->expires);
	if (!order)
		order = memcmp(a->body, b->body, both);
	if (!order)
		order = compare(a->body_length, b->body_length);
	return order > 0;
}

static struct entry *make_entry(const struct hf_notice *notice)
{
	struct entry *e = malloc(sizeof(*e) + notice->key_length + notice->body_length);

	if (!e)
		return NULL;
	memcpy(e->bytes, notice->key, notice->key_length);
	if (notice->body_length)
		memcpy(e->bytes + notice->key_length, notice->body, notice->body_length);
	e->notice = *notice;
	e->notice.key = e->bytes;
	e->notice.body = e->bytes + notice->key_length;
	e->digest = digest_of(&e->notice);
	return e;
}

static void take_out(struct hf_board *b, struct entry **at)
{
	struct entry *e = *at;

	*group_digest(b, &e->notice) -= e->digest;
	b->count--;
	*at = e->next;
	free(e);
}

enum hf_posted hf_board_post(struct hf_board *b, const struct hf_notice *notice)
{
	struct entry **at, *e;

	if (!notice->key_length || notice->key_length > HF_NOTICE_KEY_MAX ||
	    notice->body_length > HF_NOTICE_BODY_MAX)
		return HF_POSTED_FULL;
	at = find(b, notice->key, notice->key_length);
	if (*at && !is_newer(notice, &(*at)->notice))
		return HF_POSTED_KNOWN;
	e = *at || b->count < HF_BOARD_MAX ? make_entry(notice) : NULL;
	if (!e)
		return HF_POSTED_FULL;
	if (*at)
		take_out(b, at);
	e->next = *at;
	*at = e;
	b->count++;
	*group_digest(b, &e->notice) += e->digest;
	return HF_POSTED;
}

const struct hf_notice *hf_board_find(const struct hf_board *b, const uint8_t *key, size_t length)
{
	struct entry *const *at = find((struct hf_board *)b, key, length);

	return *at ? &(*at)->notice : NULL;
}

/* A cursor is the chain's number and how many of it have been given out. */
static const struct hf_notice *next_in(const struct hf_board *b, uint32_t end, uint64_t *cursor)
{
	for (uint32_t i = *cursor >> 32; i < end; i++) {
		const struct entry *e = b->chain[i / CHAINS][i % CHAINS];

		for (uint32_t given = *cursor & UINT32_MAX; e && given; given--)
			e = e->next;
		if (e) {
			++*cursor;
			return &e->notice;
		}
		*cursor = (uint64_t)(i + 1) << 32;
	}
	return NULL;
}

const struct hf_notice *hf_board_next(const struct hf_board *b, uint64_t *cursor)
{
	return next_in(b, HF_BOARD_GROUPS * CHAINS, cursor);
}

const struct hf_notice *hf_board_next_of(const struct hf_board *b, uint32_t group, uint64_t *cursor)
{
	if (!*cursor)
		*cursor = (uint64_t)group * CHAINS << 32;
	return next_in(b, (group + 1) * CHAINS, cursor);
}

uint32_t hf_board_expire(struct hf_board *b, uint32_t now)
{
	uint32_t before = b->count;

	for (uint32_t i = 0; i < HF_BOARD_GROUPS * CHAINS; i++) {
		for (struct entry **at = &b->chain[i / CHAINS][i % CHAINS]; *at;) {
			uint32_t expires = (*at)->notice.expires;

			if (expires && expires <= now)
				take_out(b, at);
			else
				at = &(*at)->next;
		}
	}
	return before - b->count;
}

uint32_t hf_board_group(const uint8_t *key, size_t length)
{
	return hash_key(key, length) % HF_BOARD_GROUPS;
}

uint32_t hf_board_count(const struct hf_board *b)
{
	return b->count;
}

uint64_t hf_board_digest(const struct hf_board *b)
{
	uint64_t digest = 0;

	for (uint32_t i = 0; i < HF_BOARD_GROUPS; i++)
		digest += b->digest[i];
	return digest;
}

uint64_t hf_board_group_digest(const struct hf_board *b, uint32_t group)
{
	return b->digest[group];
}
