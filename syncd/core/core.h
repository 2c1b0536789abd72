/* SPDX-License-Identifier: BSD-2-Clause */
/* What the core's parts know of each other. Each part's functions stand under its file's name; they
 * are called with s->now set to the time of the call that is under way. */
#ifndef HF_SYNC_CORE_H
#define HF_SYNC_CORE_H

#include "lib/board.h"
#include "lib/packet/siphash.h"
#include "proto/gossip.pb-c.h"
#include "syncd/core/channel.h"
#include "syncd/core/exchange.h"
#include "syncd/core/health.h"
#include "syncd/core/random.h"
#include "syncd/core/store.h"
#include "syncd/core/sync.h"

#define HF_ARENA_BYTES 65536

/* Pings that this node sends for others (probe.c). */
#define HF_RELAYS 64
struct hf_relay {
	uint64_t asker, member;
	uint32_t asked; /* the asker's sequence; 0: free */
	uint32_t sequence;
	hf_time until;
};

struct hf_prober {
	hf_time next;	   /* when the next probe begins */
	uint32_t position; /* in members.live */
	uint32_t sequence;
	struct hf_member *active[64]; /* whose probes are open */
	uint32_t active_count;
	struct hf_relay relays[HF_RELAYS];
};

/* First in, first out: of two classes, news of deaths and returns before the rest. */
struct hf_rumours {
	struct hf_member *first[2], *last[2];
	hf_time at_once; /* when urgent ones go out by themselves; HF_NEVER: none */
};

#define HF_ANSWERED 256
struct hf_joiner {
	enum hf_readiness readiness;
	hf_time readiness_since;
	struct hf_endpoint seeds[HF_SYNC_SEEDS_MAX];
	uint32_t seed_count;
	hf_time began, next_hello, next_revival;
	hf_time contact;    /* with the first member; HF_NEVER: none yet */
	bool in_step;	    /* has known what a member knew */
	hf_time next_pull;  /* of the state, at the earliest */
	hf_time in_step_at; /* when another was last seen to know the same */
	hf_time changed_at; /* when what is known last changed */
	hf_time leave_until;
	uint32_t answers_left; /* to strangers, in this second */
	hf_time answers_since;
	/* Whom the last answers went to, by hash, and when. */
	struct {
		uint64_t who;
		hf_time when;
	} answered[HF_ANSWERED];
	hf_time protocol_told;
};

struct hf_view {
	struct hf_owners now;
	struct hf_owners *previous; /* NULL: handed over */
	uint32_t epoch, highest;    /* highest: that was heard of */
	hf_time since;
	hf_time dirty; /* when the change is to be taken up; HF_NEVER: none */
	bool settled;
	bool gave_up;		  /* the last `previous` was dropped before all had confirmed */
	struct hf_shard_set lost; /* to be exported again */
	bool foreign;		  /* records of others' shards came since they were last dropped */
};

#define HF_LOOKUPS 64
struct hf_lookup {
	uint32_t ticket;  /* the caller's */
	uint32_t left;	  /* digests without an answer */
	uint32_t attempt; /* which owners are being asked */
	uint32_t awaited; /* answers of this attempt */
	hf_time until;
	bool silence;			      /* somebody has not answered */
	uint32_t count, found;		      /* count 0: free */
	uint64_t digests[HF_SYNC_LOOKUP_MAX]; /* 0: answered */
	struct hf_record records[HF_SYNC_LOOKUP_MAX];
};

struct hf_fetch; /* snapshot.c */

struct hf_sync {
	struct hf_sync_settings settings;
	struct hf_seal_keys keys;
	struct hf_sync_output output;
	void *context;
	hf_time now, deadline;
	struct hf_random random;
	struct hf_key token_key;
	uint64_t counter;
	uint32_t stamp_base; /* the cluster's clock at stamp_at */
	hf_time stamp_at;
	bool stamp_known; /* it has been set by another member's */

	struct hf_member *self;
	bool serving;
	struct hf_members members;
	struct hf_health health;
	struct hf_rumours rumours;
	struct hf_prober prober;
	struct hf_joiner joiner;
	struct hf_view view;
	struct hf_store *store;
	hf_time next_forget;
	uint32_t expired; /* second of the cluster's clock up to which it was looked for */
	struct hf_lookup lookups[HF_LOOKUPS];
	struct hf_fetch *fetch;
	uint32_t snapshots; /* being served */
	struct hf_board *board;
	hf_time board_changed, board_pull, board_expiry; /* last; at the earliest; next */
	struct hf_sync_counters counters;
	hf_time key_refused_at;

	uint8_t plain[HF_SYNC_DATAGRAM_MAX];
	uint8_t sealed[2 + HF_SYNC_DATAGRAM_MAX + HF_SEAL_OVERHEAD];
	_Alignas(16) uint8_t arena[HF_ARENA_BYTES];
	size_t arena_used;
};

/* Lowers the deadline: to now at the least, or it would look as if the timers ran late. */
static inline void hf_wake(struct hf_sync *s, hf_time at)
{
	if (at < s->now)
		at = s->now;
	if (at < s->deadline)
		s->deadline = at;
}

static inline uint32_t hf_stamp_now(const struct hf_sync *s)
{
	return hf_sync_stamp(s, s->now);
}

void hf_tell(struct hf_sync *s, enum hf_event_kind kind, const struct hf_member *member,
	     enum hf_member_state before, uint64_t accuser, const char *why);

/* message.c: between structures and sealed bytes. */
/* To a member, with what it should know and, of those that have room, rumours. */
void hf_send(struct hf_sync *s, struct hf_member *to, Holdfast__Datagram *datagram);
/* To an endpoint, at first contact: recipient NULL if unknown. */
void hf_send_hello(struct hf_sync *s, const struct hf_endpoint *to,
		   const struct hf_party *recipient, Holdfast__Hello *hello);
/* NULL: not decodable. Valid until the next one is decoded. */
Holdfast__Datagram *hf_decode(struct hf_sync *s, const uint8_t *bytes, size_t length);
/* Whether the message is a claim within all limits; sets *claim. */
bool hf_claim_read(const Holdfast__Member *message, struct hf_claim *claim);
/* `address` has 16 bytes, which the message points to. */
void hf_claim_write(const struct hf_member *member, Holdfast__Member *message, bool facts,
		    uint8_t *address);
/* Seals the datagram into s->sealed; its length. */
size_t hf_seal_message(struct hf_sync *s, const struct hf_party *recipient,
		       Holdfast__Datagram *datagram);
/* Bytes that a message may have, whatever else is in its datagram. */
uint32_t hf_body_room(const struct hf_sync *s);

/* membership.c: what claims do. */
/* `heard`: it was said by the member itself, just now. */
void hf_claim_apply(struct hf_sync *s, const struct hf_claim *claim, uint64_t teller);
/* This node calls another one suspect, or dead. */
void hf_accuse(struct hf_sync *s, struct hf_member *member, enum hf_member_state state,
	       const char *why);
/* This node's facts or incarnation have changed. */
void hf_self_changed(struct hf_sync *s);
/* It has left; HF_FAREWELLS members are to be told by the caller. */
#define HF_FAREWELLS 16
void hf_self_leaves(struct hf_sync *s);
void hf_about_apply(struct hf_sync *s, struct hf_member *from, const Holdfast__About *about);
void hf_membership_turn(struct hf_sync *s);

/* rumour.c */
void hf_rumour_start(struct hf_sync *s, struct hf_member *about, bool urgent);
void hf_rumour_stop(struct hf_sync *s, struct hf_member *about);
/* Adds rumours to a datagram, up to `room` bytes. */
#define HF_RUMOURS_MOST 64
struct hf_rumour_page {
	Holdfast__Member members[HF_RUMOURS_MOST];
	Holdfast__Member *list[HF_RUMOURS_MOST];
	uint8_t addresses[HF_RUMOURS_MOST][16];
	uint32_t count;
};
void hf_rumour_fill(struct hf_sync *s, const struct hf_member *to, struct hf_rumour_page *page,
		    size_t room);
void hf_rumours_turn(struct hf_sync *s);

/* probe.c */
void hf_probe_start(struct hf_sync *s, struct hf_member *member);
void hf_probe_end(struct hf_sync *s, struct hf_member *member);
void hf_probe_accused(struct hf_sync *s, struct hf_member *member, uint64_t accuser);
void hf_probe_take_ping(struct hf_sync *s, struct hf_member *from, const Holdfast__Ping *ping);
void hf_probe_take_ack(struct hf_sync *s, struct hf_member *from, const Holdfast__Ack *ack);
void hf_probe_take_relay(struct hf_sync *s, struct hf_member *from, const Holdfast__Relay *relay);
void hf_probe_take_nack(struct hf_sync *s, const Holdfast__Nack *nack);
void hf_prober_turn(struct hf_sync *s);
/* The timers ran late: nothing may be concluded from silence so far. */
void hf_prober_forgive(struct hf_sync *s);

/* join.c */
/* True: the sender is a member in this life, and has proved that it is alive now. */
bool hf_join_take_hello(struct hf_sync *s, const struct hf_endpoint *from,
			const struct hf_sealed *sealed, const Holdfast__Hello *hello);
/* Something authentic came from a life that is not known: it may say hello. */
void hf_join_challenge(struct hf_sync *s, const struct hf_endpoint *from,
		       const struct hf_party *party);
void hf_join_pull(struct hf_sync *s, struct hf_member *from);
void hf_join_take_pull(struct hf_sync *s, struct hf_member *from);
void hf_join_set_readiness(struct hf_sync *s, enum hf_readiness readiness);
void hf_join_turn(struct hf_sync *s);

/* view.c */
void hf_view_changes(struct hf_sync *s); /* soon: a member lives, dies, or got ready */
/* A member, perhaps an owner, dies, leaves, or has started anew. */
void hf_view_loses(struct hf_sync *s, const struct hf_member *owner);
void hf_view_turn(struct hf_sync *s);

/* records.c: exports, batches that come in, expiry. */
void hf_records_take(struct hf_sync *s, struct hf_member *from, const Holdfast__Records *records);
void hf_records_turn(struct hf_sync *s);
/* Merges what another member told. */
void hf_records_apply(struct hf_sync *s, const struct hf_record *records, uint32_t count);

/* notices.c */
void hf_notices_take(struct hf_sync *s, const Holdfast__Notices *notices);
void hf_notices_take_pull(struct hf_sync *s, struct hf_member *from,
			  const Holdfast__NoticesPull *pull);
/* The member's board has this digest. */
void hf_notices_follow(struct hf_sync *s, struct hf_member *from, uint64_t digest);
void hf_notices_turn(struct hf_sync *s);

/* lookup.c */
void hf_lookup_take(struct hf_sync *s, struct hf_member *from, const Holdfast__Lookup *lookup);
void hf_lookup_take_answer(struct hf_sync *s, const Holdfast__Answer *answer);
void hf_lookups_turn(struct hf_sync *s);

/* request.c */
#define HF_FRAMES_SNAPSHOT "snapshot"
#define HF_FRAMES_CALL	   "\0\0\0\0call"
void hf_request_nonce(struct hf_sync *s, uint64_t nonce[4]);
/* Seals a request into s->sealed, with its length before it; how many bytes. */
size_t hf_request_seal(struct hf_sync *s, const struct hf_member *to, Holdfast__Datagram *datagram);

/* snapshot.c */
/* Begins to fetch what this node will own: 0, or -ENOENT when there is nobody to fetch from. */
int hf_fetch_start(struct hf_sync *s);
void hf_fetch_turn(struct hf_sync *s);
void hf_fetch_delete(struct hf_sync *s);

#endif
