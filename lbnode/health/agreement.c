// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/health/agreement.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* The first byte of a notice's key; then the backend's key and, of opinions, the checker's id. */
#define KIND_VERDICT 'v'
#define KIND_OPINION 'o'
#define VERDICT_KEY  9
#define OPINION_KEY  17

static uint64_t hash(const void *bytes, size_t length)
{
	static const unsigned char key[crypto_shorthash_KEYBYTES] = "holdfast health";
	uint64_t result;

	crypto_shorthash((unsigned char *)&result, bytes, length, key);
	return result;
}

uint64_t hf_health_key(const char *pool, uint64_t identity)
{
	unsigned char text[8 + 64];
	size_t length = strnlen(pool, 64);

	memcpy(text, &identity, 8);
	memcpy(text + 8, pool, length);
	return hash(text, 8 + length);
}

static uint64_t score(uint64_t node, uint64_t key)
{
	const uint64_t both[2] = { node, key };

	return hash(both, sizeof(both));
}

uint32_t hf_checkers(const uint64_t *nodes, uint32_t count, uint64_t key, uint64_t out[HF_CHECKERS])
{
	uint64_t scores[HF_CHECKERS];
	uint32_t found = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint64_t mine = score(nodes[i], key);
		uint32_t at = found < HF_CHECKERS ? found++ : HF_CHECKERS;

		for (; at && mine > scores[at - 1]; at--) {
			if (at == HF_CHECKERS)
				continue;
			scores[at] = scores[at - 1];
			out[at] = out[at - 1];
		}
		if (at == HF_CHECKERS)
			continue;
		scores[at] = mine;
		out[at] = nodes[i];
	}
	return found;
}

static uint16_t write_key(uint8_t out[OPINION_KEY], char kind, uint64_t key, uint64_t checker)
{
	out[0] = kind;
	memcpy(out + 1, &key, 8);
	if (kind == KIND_VERDICT)
		return VERDICT_KEY;
	memcpy(out + 9, &checker, 8);
	return OPINION_KEY;
}

static const struct hf_notice *find(const struct hf_board *board, char kind, uint64_t key,
				    uint64_t checker)
{
	uint8_t bytes[OPINION_KEY];

	return hf_board_find(board, bytes, write_key(bytes, kind, key, checker));
}

/* From another node, and for people's terminals. */
static void read_cause(char *cause, const struct hf_notice *n, uint16_t from)
{
	snprintf(cause, HF_CAUSE_MAX + 1, "%.*s", n->body_length - from, n->body + from);
	for (char *c = cause; *c; c++)
		if (!isprint((unsigned char)*c) || *c == '"' || *c == '\\')
			*c = '?';
}

/* Body: since when (4), cause. Version: incarnation, and when it was posted. */
struct hf_verdict hf_verdict_read(const struct hf_board *board, uint64_t key)
{
	const struct hf_notice *n = find(board, KIND_VERDICT, key, 0);
	struct hf_verdict verdict = { 0 };

	if (!n || n->body_length < 4)
		return verdict;
	verdict.incarnation = n->version >> 32;
	verdict.expires = n->expires;
	memcpy(&verdict.since, n->body, 4);
	read_cause(verdict.cause, n, 4);
	return verdict;
}

/* Body: 1 or 0 (1), cause. */
struct hf_opinion hf_opinion_read(const struct hf_board *board, uint64_t key, uint64_t checker)
{
	const struct hf_notice *n = find(board, KIND_OPINION, key, checker);
	struct hf_opinion opinion = { 0 };

	if (!n || n->body_length < 1)
		return opinion;
	opinion.known = true;
	opinion.up = n->body[0];
	opinion.expires = n->expires;
	opinion.version = n->version;
	read_cause(opinion.cause, n, 1);
	return opinion;
}

static void finish(struct hf_health_notice *out, uint16_t key_length, uint16_t head,
		   const char *cause)
{
	size_t length = strnlen(cause, HF_CAUSE_MAX);

	memcpy(out->body + head, cause, length);
	out->notice.key = out->key;
	out->notice.key_length = key_length;
	out->notice.body = out->body;
	out->notice.body_length = head + length;
}

bool hf_opinion_write(struct hf_health_notice *out, const struct hf_board *board, uint64_t key,
		      uint64_t self, bool up, const char *cause, uint32_t stamp, uint64_t version)
{
	struct hf_verdict verdict = hf_verdict_read(board, key);
	struct hf_opinion said = hf_opinion_read(board, key, self);
	bool dissents = up != hf_verdict_is_up(&verdict);

	/* To agree needs no words, but what was said otherwise must be taken back. */
	if (!dissents && (!said.known || said.up == up))
		return false;
	if (said.known && said.up == up &&
	    said.expires > stamp + HF_OPINION_LIFE - HF_OPINION_AGAIN)
		return false;
	memset(out, 0, sizeof(*out));
	out->notice.version = version > said.version ? version : said.version + 1;
	out->notice.author = self;
	out->notice.expires = stamp + HF_OPINION_LIFE;
	out->body[0] = up;
	finish(out, write_key(out->key, KIND_OPINION, key, self), 1, up ? "" : cause);
	return true;
}

bool hf_verdict_write(struct hf_health_notice *out, const struct hf_board *board, uint64_t key,
		      const uint64_t *checkers, uint32_t count, uint32_t stamp)
{
	struct hf_verdict verdict = hf_verdict_read(board, key);
	const char *cause = verdict.cause;
	struct hf_opinion opinion[HF_CHECKERS];
	uint32_t dissent = 0;
	bool flips;

	for (uint32_t i = 0; i < count; i++) {
		opinion[i] = hf_opinion_read(board, key, checkers[i]);
		if (!opinion[i].known || opinion[i].up == hf_verdict_is_up(&verdict))
			continue;
		dissent++;
		cause = opinion[i].cause;
	}
	flips = 2 * dissent > count;
	if (!flips &&
	    (!verdict.incarnation || verdict.expires > stamp + HF_VERDICT_LIFE - HF_VERDICT_AGAIN))
		return false;
	if (flips) {
		verdict.incarnation++;
		verdict.since = stamp;
	}
	memset(out, 0, sizeof(*out));
	out->notice.version = (uint64_t)verdict.incarnation << 32 | stamp;
	out->notice.expires = stamp + HF_VERDICT_LIFE;
	memcpy(out->body, &verdict.since, 4);
	finish(out, write_key(out->key, KIND_VERDICT, key, 0), 4, cause);
	return true;
}

bool hf_health_notice_key(const struct hf_notice *notice, uint64_t *key)
{
	bool verdict = notice->key[0] == KIND_VERDICT && notice->key_length == VERDICT_KEY;
	bool opinion = notice->key[0] == KIND_OPINION && notice->key_length == OPINION_KEY;

	if (verdict || opinion)
		memcpy(key, notice->key + 1, 8);
	return verdict || opinion;
}
