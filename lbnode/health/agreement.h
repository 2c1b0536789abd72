/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How all nodes come to one verdict on each backend. No I/O: all there is to know is on the notice
 * board (lib/board.h), which every node has a copy of.
 *
 * Three nodes check a backend, those with the highest scores by rendezvous hashing. A **verdict**
 * is a number that only rises, its incarnation: even ones say that the backend is up, odd ones that
 * it is down, and 0, up, needs no notice. A checker that thinks otherwise says so on the board, its
 * **opinion**; when more than half of the checkers do, any node that sees it raises the number by
 * one. So
 *
 *  - merging is taking the greater number: no node has to be the one that decides;
 *  - a node that can't reach a backend alone changes nothing, and a tie changes nothing;
 *  - new checkers, who have no opinion yet, go along with what is in force;
 *  - after a partition the greater number wins, and whoever knows better says so at once, since
 *    opinions are about the backend, not about a number.
 *
 * Opinions that differ from the verdict are repeated while they last, and expire without: a checker
 * that died, or stopped checking, has none. Verdicts are posted again long before they expire.
 */
#ifndef HF_LBNODE_HEALTH_AGREEMENT_H
#define HF_LBNODE_HEALTH_AGREEMENT_H

#include "lib/board.h"

#define HF_CHECKERS  3
#define HF_CAUSE_MAX 80

/* In stamps (record.h). */
#define HF_OPINION_LIFE	 300
#define HF_OPINION_AGAIN 100 /* posted again when no more than this is left less than its life */
#define HF_VERDICT_LIFE	 (7U * 86400 * 10)
#define HF_VERDICT_AGAIN (86400U * 10)

struct hf_verdict {
	uint32_t incarnation;
	uint32_t since;	  /* stamp; 0: it was never down */
	uint32_t expires; /* stamp */
	char cause[HF_CAUSE_MAX + 1];
};

static inline bool hf_verdict_is_up(const struct hf_verdict *verdict)
{
	return verdict->incarnation % 2 == 0;
}

struct hf_opinion {
	bool known; /* it has one */
	bool up;
	uint32_t expires;
	uint64_t version;
	char cause[HF_CAUSE_MAX + 1];
};

/* A backend of a pool goes by this: the same on all nodes, whatever it is called. */
uint64_t hf_health_key(const char *pool, uint64_t identity);

/* Whose opinion counts: fills `out`, returns how many, fewer than HF_CHECKERS if there are. */
uint32_t hf_checkers(const uint64_t *nodes, uint32_t count, uint64_t key,
		     uint64_t out[HF_CHECKERS]);

struct hf_verdict hf_verdict_read(const struct hf_board *board, uint64_t key);
struct hf_opinion hf_opinion_read(const struct hf_board *board, uint64_t key, uint64_t checker);

/* A notice with room for what it points to. */
struct hf_health_notice {
	struct hf_notice notice;
	uint8_t key[17];
	uint8_t body[5 + HF_CAUSE_MAX];
};

/* What `self` should post of its opinion now, given what it thinks (`cause`: why it is down);
 * false: the board says it already. `version`: of the clock, in ms; raised above the former one's.
 */
bool hf_opinion_write(struct hf_health_notice *out, const struct hf_board *board, uint64_t key,
		      uint64_t self, bool up, const char *cause, uint32_t stamp, uint64_t version);

/* The verdict that follows from the opinions of these checkers; false: what is in force stays. Also
 * true when it must be posted again lest it expire. */
bool hf_verdict_write(struct hf_health_notice *out, const struct hf_board *board, uint64_t key,
		      const uint64_t *checkers, uint32_t count, uint32_t stamp);

/* Whether a notice is an opinion or a verdict, and the backend that it is about. */
bool hf_health_notice_key(const struct hf_notice *notice, uint64_t *key);

#endif
