/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gossip protocol's core: who is alive, and who owns which flows. It has no socket, no clock
 * and no randomness of its own: bytes, times and a seed go in; bytes, events and a deadline come
 * out. syncd is this with libuv around it, the simulator of tests/sim is a thousand of them in a
 * thread.
 *
 * Reading order: member.h (who counts as alive), probe.c (how that is found out), seal.h (what goes
 * on the wire), owners.h and view.c (who owns what), record.h and store.h (what is owned),
 * channel.h (how records travel), notices.c (what all are to know), exchange.c (how replicas come
 * to be equal), snapshot.c (how a new one is filled). docs/syncd.md has the whole of it in prose.
 *
 * Each call takes `now`, which never goes back. After each call of any function with `now` the
 * caller asks hf_sync_deadline() when to call hf_sync_turn() at the latest.
 */
#ifndef HF_SYNC_SYNC_H
#define HF_SYNC_SYNC_H

#include <stddef.h>

#include "syncd/core/cipher.h"
#include "syncd/core/member.h"
#include "syncd/core/owners.h"
#include "lib/board.h"
#include "lib/record.h"

#define HF_SYNC_PROTOCOL     1
#define HF_SYNC_SEEDS_MAX    64
#define HF_SYNC_LOOKUP_MAX   128  /* digests in one look-up */
#define HF_SYNC_DATAGRAM_MIN 1232 /* what IPv6 carries anywhere */
#define HF_SYNC_DATAGRAM_MAX 8952

struct hf_sync;
struct hf_snapshot;
struct hf_call;

struct hf_sync_settings {
	const char *name;	     /* copied, as all texts */
	const char *version;	     /* of the program */
	struct hf_endpoint endpoint; /* where others reach this node */
	uint64_t cluster;	     /* hf_sync_cluster_id() */
	uint64_t boot;		     /* random, new with each start, not 0 */
	uint64_t seed;		     /* random */
	uint64_t token_key[2];	     /* random and secret */
	uint32_t replicas; /* owners of a shard: 1 to HF_REPLICAS_MAX, the same on all nodes */
	uint32_t weight;
	uint32_t datagram;	  /* bytes of a datagram at most: the path's MTU less the headers */
	uint64_t records;	  /* held at most */
	uint32_t stamp;		  /* what the wall clock says now, as record.h counts */
	hf_time join_timeout;	  /* how long seeds may be silent before the node goes on alone */
	hf_time snapshot_timeout; /* how long the snapshot may take before the node goes on without
				   */
};

/* Why the node is ready to own records, or not yet. */
enum hf_readiness {
	HF_JOINING,	   /* no answer from a seed yet */
	HF_FETCHING,	   /* the snapshot is on its way */
	HF_READY_FIRST,	   /* nobody has anything to fetch */
	HF_READY_SNAPSHOT, /* all fetched */
	HF_READY_TIMEOUT,  /* the snapshot took too long: some records may be missing */
	HF_LEAVING,
	HF_GONE, /* has left; nothing is sent any more */
};

enum hf_event_kind {
	HF_EVENT_JOINED,    /* a member that was not known */
	HF_EVENT_MEMBER,    /* its state has changed from `before` */
	HF_EVENT_RESTART,   /* it has started anew */
	HF_EVENT_CONFLICT,  /* its name is claimed from `rival`, too; member may be this node */
	HF_EVENT_REFUTED,   /* this node was called `before` by `accuser`, and says it lives */
	HF_EVENT_READINESS, /* hf_sync_readiness() has changed */
	HF_EVENT_VIEW,	    /* who owns what has changed */
	HF_EVENT_SETTLED,   /* the former view's records are handed over, or its time is up */
	HF_EVENT_FETCH,	    /* a snapshot's stream failed: `why` */
	HF_EVENT_CLOCK,	    /* a member's clock is too far off to be followed */
	HF_EVENT_PROTOCOL,  /* a node of an incompatible version said hello, and was refused */
};

struct hf_event {
	enum hf_event_kind kind;
	const struct hf_member *member; /* NULL: this node */
	enum hf_member_state before;
	uint64_t accuser;
	const char *why; /* a text that lasts, or NULL */
};

/* What the core has to say. All may be called during any call with `now`, and must not call back.
 */
struct hf_sync_output {
	void (*datagram)(void *context, const struct hf_endpoint *to, const uint8_t *bytes,
			 size_t length);
	void (*event)(void *context, const struct hf_event *event);
	/* A look-up is over: the records that were found. `all`: everyone who was asked has
	 * answered, so what was not found is known to nobody. */
	void (*told)(void *context, uint32_t ticket, const struct hf_record *records,
		     uint32_t count, bool all);
	/* A record that this node keeps is new, or newer: what its data plane must know. May be
	 * NULL. */
	void (*record)(void *context, const struct hf_record *record);
	/* Another node's notice is news. May be NULL. */
	void (*notice)(void *context, const struct hf_notice *notice);
	/* hf_sync_owners() or hf_sync_previous_owners() has changed. */
	void (*owners)(void *context);
	/* Members that held these shards' records are gone: export them again. */
	void (*export_again)(void *context, const struct hf_shard_set *shards);
	/* Open a stream to `from`, and send it these bytes; what comes back goes to
	 * hf_sync_fetched(). Another stream that may still be open is to be closed. */
	void (*fetch)(void *context, const struct hf_endpoint *from, const uint8_t *request,
		      size_t length);
};

/* What has been counted since the start. Names are their documentation: docs/syncd.md. */
/* clang-format off */
#define HF_SYNC_COUNTERS(X) \
	X(datagrams_sent) X(datagrams_received) X(bytes_sent) X(bytes_received) \
	X(drop_malformed) X(drop_cluster) X(drop_key) X(drop_forged) X(drop_replayed) \
	X(drop_protocol) X(drop_unknown_boot) X(drop_undecodable) X(drop_limited) \
	X(probes) X(probes_failed) X(suspicions) X(deaths) X(refutations) X(conflicts) \
	X(records_exported) X(records_sent) X(records_resent) X(records_received) \
	X(records_applied) X(records_expired) X(records_refused) X(records_overflowed) X(lookups) \
	X(lookups_found) X(lookups_timed_out) X(lookups_answered) X(exchanges) \
	X(exchanges_differing) X(records_handed_on) X(snapshots_served) \
	X(snapshot_records) X(snapshots_refused) X(requests_refused) X(notices_sent) X(notices_received) \
	X(notices_refused) X(notices_pulls)
/* clang-format on */

struct hf_sync_counters {
#define HF_SYNC_COUNTER(name) uint64_t name;
	HF_SYNC_COUNTERS(HF_SYNC_COUNTER)
#undef HF_SYNC_COUNTER
};

uint64_t hf_sync_cluster_id(const char *name);

/* NULL: no memory. `keys` has one key at least. Nothing is sent before the first turn. */
struct hf_sync *hf_sync_new(const struct hf_sync_settings *settings,
			    const struct hf_seal_keys *keys, const struct hf_sync_output *output,
			    void *context, hf_time now);
void hf_sync_delete(struct hf_sync *sync);

/* What came by UDP. */
void hf_sync_receive(struct hf_sync *sync, const struct hf_endpoint *from, const uint8_t *bytes,
		     size_t length, hf_time now);

void hf_sync_turn(struct hf_sync *sync, hf_time now);
hf_time hf_sync_deadline(const struct hf_sync *sync);

/* From now on seals by keys->key[0] and opens by all of them. */
void hf_sync_set_keys(struct hf_sync *sync, const struct hf_seal_keys *keys);

/* Whom to ask for the cluster, this node's own endpoint left out. None: the node may be alone. */
void hf_sync_set_seeds(struct hf_sync *sync, const struct hf_endpoint *seeds, uint32_t count);

/* What this node says of itself. `serving`: its data plane can do an owner's part. */
void hf_sync_set_self(struct hf_sync *sync, uint64_t config, uint64_t tables, uint32_t weight,
		      bool serving, hf_time now);

/* Hands all records on, and says farewell: HF_GONE when that is done, or after 5 s. */
void hf_sync_leave(struct hf_sync *sync, hf_time now);

/* Sends records to their owners. Beyond hf_sync_room() records that are no exceptions are lost, and
 * counted. */
void hf_sync_export(struct hf_sync *sync, const struct hf_record *records, uint32_t count,
		    hf_time now);
uint32_t hf_sync_room(const struct hf_sync *sync);

/* Asks the owners for the records of at most HF_SYNC_LOOKUP_MAX digests: output->told() says the
 * ticket, once. 0, or -EAGAIN when too many look-ups are open: told() is not called. */
int hf_sync_lookup(struct hf_sync *sync, const uint64_t *digests, uint32_t count, uint32_t ticket,
		   hf_time now);

/* Puts notices on the board and tells all members, of those that are news. At most
 * HF_SYNC_POST_MAX; what has expired or finds no room is counted, and left out. */
#define HF_SYNC_POST_MAX 256
void hf_sync_post(struct hf_sync *sync, const struct hf_notice *notices, uint32_t count,
		  hf_time now);
const struct hf_board *hf_sync_board(const struct hf_sync *sync);

/* What this node itself holds; NULL: nothing. */
const struct hf_record *hf_sync_find(const struct hf_sync *sync, uint64_t digest);

/* The records of a shard that this node holds, as hf_store_read() gives them. */
uint32_t hf_sync_read(const struct hf_sync *sync, uint32_t shard, uint32_t *cursor,
		      struct hf_record *records, uint32_t most);

/* The stream that output->fetch() asked for brought bytes, or ended (`bytes` NULL). False: close
 * it, nothing more is wanted of it. */
bool hf_sync_fetched(struct hf_sync *sync, const uint8_t *bytes, size_t length, hf_time now);

/* What another node wants that has opened a stream: how long the request is, once its first 2 bytes
 * are there (0: no request); and what it says. False: refused and counted, close the stream. */
enum hf_request_kind { HF_REQUEST_SNAPSHOT, HF_REQUEST_CALL };
struct hf_request {
	enum hf_request_kind kind;
	uint8_t key[HF_CIPHER_KEY]; /* of the answer */
	struct hf_shard_set shards; /* HF_REQUEST_SNAPSHOT */
	uint32_t program;	    /* HF_REQUEST_CALL: who is asked */
	const uint8_t *message;	    /* what; the core's, until the next call of it */
	size_t length;
};
size_t hf_request_length(const uint8_t *bytes);
bool hf_request_open(struct hf_sync *sync, const uint8_t *bytes, size_t length, hf_time now,
		     struct hf_request *request);

/* The source of a snapshot's answer; NULL: refused and counted, close the stream. */
struct hf_snapshot *hf_snapshot_new(struct hf_sync *sync, const struct hf_request *request);
#define HF_SNAPSHOT_CHUNK 16384
/* The next bytes of the answer, in `out` of HF_SNAPSHOT_CHUNK bytes; 0: that was all. */
size_t hf_snapshot_next(struct hf_snapshot *snapshot, uint8_t *out);
void hf_snapshot_delete(struct hf_snapshot *snapshot);

/* A call's answer, in `out` of HF_CALL_REPLY bytes; how many. `length` up to HF_CALL_ANSWER. */
#define HF_CALL_MESSAGE 4096
#define HF_CALL_ANSWER	65536
#define HF_CALL_REPLY	(HF_CALL_ANSWER + HF_SNAPSHOT_CHUNK)
size_t hf_call_reply(const struct hf_request *request, const uint8_t *answer, size_t length,
		     uint8_t *out);

/* Asks a program of another node: what is to be sent to it by TCP. 0; -ENOENT: it is not known, or
 * does not live; -EMSGSIZE: the message has more than HF_CALL_MESSAGE bytes; -ENOMEM. */
struct hf_call_request {
	struct hf_endpoint to;
	uint8_t bytes[2 + HF_SYNC_DATAGRAM_MAX];
	size_t length;
};
int hf_call_new(struct hf_sync *sync, uint64_t node, uint32_t program, const uint8_t *message,
		size_t length, hf_time now, struct hf_call **call, struct hf_call_request *request);
void hf_call_delete(struct hf_call *call);
/* Takes what comes back. 1: that was all of the answer, 0: there will be more, -EBADMSG. */
int hf_call_take(struct hf_call *call, const uint8_t *bytes, size_t length);
const uint8_t *hf_call_answer(const struct hf_call *call, size_t *length);

/* For displays, the data plane's tables and tests. */
const struct hf_member *hf_sync_self(const struct hf_sync *sync);
const struct hf_members *hf_sync_members(const struct hf_sync *sync);
const struct hf_owners *hf_sync_owners(const struct hf_sync *sync);
/* Whether the last hand-over was ended by its time, before all had confirmed it. */
bool hf_sync_gave_up(const struct hf_sync *sync);
const struct hf_owners *hf_sync_previous_owners(const struct hf_sync *sync); /* NULL: handed over */
enum hf_readiness hf_sync_readiness(const struct hf_sync *sync);
hf_time hf_sync_readiness_since(const struct hf_sync *sync);
/* When a datagram under a key that is not in the ring last came; 0: never. */
hf_time hf_sync_key_refused_at(const struct hf_sync *sync);
const char *hf_readiness_name(enum hf_readiness readiness);
uint32_t hf_sync_epoch(const struct hf_sync *sync);
uint32_t hf_sync_stamp(const struct hf_sync *sync, hf_time now);
uint64_t hf_sync_record_count(const struct hf_sync *sync);
const struct hf_sync_counters *hf_sync_counters(const struct hf_sync *sync);
/* Records that wait for the member. */
uint32_t hf_sync_queue(const struct hf_member *member);

#endif
