/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Members of the cluster as this node knows them, and which of two claims about one counts.
 *
 *                     accused               not refuted in time
 *          +-> ALIVE ----------> SUSPECT ----------------------> DEAD
 *          |     | ^                |                             |
 *          |     | +----------------+                             |
 *          |     |      refuted                                   |
 *          |     | says so                                        |
 *          |     +-----------------> LEFT                         |
 *          |                          |                           |
 *          +--------------------------+---------------------------+
 *             refuted, or started anew: with a higher incarnation
 *
 * A claim counts if its incarnation is higher; of equal ones if its state is further right: ALIVE,
 * SUSPECT, DEAD, LEFT (SWIM, section 4.2); of equal states if its boot id is greater. So all who
 * have heard the same claims, in whatever order, know the same. Only the member itself raises its
 * incarnation: to refute, to tell new facts, and when it starts again - it then has a new boot id,
 * which tells a restart, after which it holds no records, from a resurrection, after which it does.
 */
#ifndef HF_SYNC_MEMBER_H
#define HF_SYNC_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/address.h"
#include "syncd/core/clock.h"
#include "syncd/core/replay.h"
#include "syncd/core/seal.h"

#define HF_MEMBERS_MAX	   4096
#define HF_MEMBER_NAME_MAX 63
#define HF_MEMBER_ACCUSERS 3
/* A claim that leaps further is a lie: a member refutes a few times a second at worst. */
#define HF_INCARNATION_LEAP (1U << 24)

struct hf_endpoint {
	struct hf_address address;
	uint16_t port;
};

enum hf_member_state { HF_MEMBER_ALIVE, HF_MEMBER_SUSPECT, HF_MEMBER_DEAD, HF_MEMBER_LEFT };

/* What a member says of itself. */
struct hf_member_facts {
	char name[HF_MEMBER_NAME_MAX + 1];
	char version[24];
	struct hf_endpoint endpoint;
	uint32_t protocol_least, protocol_most;
	uint32_t weight;
	bool ready; /* to own records */
	uint64_t config, tables;
};

/* What is claimed of a member. */
struct hf_claim {
	struct hf_party party;
	uint32_t incarnation;
	enum hf_member_state state;
	uint64_t accuser; /* who says that it is suspect or dead; 0: nobody */
	bool has_facts;
	struct hf_member_facts facts;
};

/* A member that is being probed and has not answered yet (probe.c). */
struct hf_probe {
	bool active;
	uint32_t first, last; /* sequences of the pings so far */
	hf_time began, sent, round_ends;
	uint32_t rounds;	/* that ended without an answer */
	uint32_t relays, nacks; /* of this round */
	double evidence;	/* against it, in powers of ten */
	uint64_t accusers[HF_MEMBER_ACCUSERS];
};

/* Which of a life's counters have been accepted. It is kept when another life takes over: where
 * news of two lives cross, this node may take the former for the present one for a while, and then
 * the other again. */
#define HF_MEMBER_LIVES 3
struct hf_life {
	uint64_t boot;
	struct hf_replay replay;
};

struct hf_channel;
struct hf_exchange;

struct hf_member {
	struct hf_party party;
	uint32_t incarnation;
	enum hf_member_state state;
	uint64_t accuser;
	struct hf_member_facts facts;

	hf_time since; /* its state */
	hf_time heard; /* HF_NEVER: never */
	/* As it last said. */
	uint32_t epoch;
	uint64_t view;
	bool settled;

	struct hf_life *lives[HF_MEMBER_LIVES]; /* in which it was heard; NULL: no more */
	struct hf_probe probe;
	struct hf_channel *channel;   /* NULL: no records for it yet */
	struct hf_exchange *exchange; /* the same */
	struct hf_endpoint rival;     /* claims its name from elsewhere; family 0: none */
	hf_time rival_seen;
	hf_time pulled; /* all that this node knows; 0: never */
	hf_time warned; /* of its clock; 0: never */

	uint32_t live_index; /* in hf_members.live */
	/* Rumours about it (rumour.c). */
	uint32_t rumour_left;
	bool rumour_urgent;
	struct hf_member *rumour_next, *rumour_previous;
};

struct hf_members {
	struct hf_member *all[HF_MEMBERS_MAX];
	uint32_t count;
	struct hf_member *live[HF_MEMBERS_MAX]; /* others, alive or suspect */
	uint32_t live_count;
	uint16_t *by_id; /* hash table of indices into `all`, plus 1 */
	uint64_t digest; /* of all live members, this node included */
};

/* 0 or -ENOMEM. */
int hf_members_init(struct hf_members *members);
void hf_members_clear(struct hf_members *members);

struct hf_member *hf_members_find(const struct hf_members *members, uint64_t id);

/* A new member that is in no list yet, all zero but for its id; NULL: no memory, or too many. */
struct hf_member *hf_members_add(struct hf_members *members, uint64_t id);
void hf_members_remove(struct hf_members *members, struct hf_member *member);

/* Puts it into, or takes it out of, the list of others that live. */
void hf_members_set_live(struct hf_members *members, struct hf_member *member, bool live);

static inline bool hf_member_lives(const struct hf_member *member)
{
	return member->state == HF_MEMBER_ALIVE || member->state == HF_MEMBER_SUSPECT;
}

/* As hf_replay_accept() of the member's present life; false, too, when there is no memory. */
bool hf_member_accept(struct hf_member *member, uint64_t counter);

/* Whether the claim counts against what is known of the member. */
bool hf_claim_counts(const struct hf_claim *claim, const struct hf_member *known);

/* A member's share in the digest of all. */
uint64_t hf_member_digest(const struct hf_member *member);

/* The id that goes with a name: never 0. */
uint64_t hf_member_id(const char *name);

const char *hf_member_state_name(enum hf_member_state state);

bool hf_endpoint_equal(const struct hf_endpoint *a, const struct hf_endpoint *b);

#endif
