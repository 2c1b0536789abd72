// SPDX-License-Identifier: BSD-2-Clause
/*
 * How nodes come to know each other, and when this one is ready.
 *
 *    JOINING ----> FETCHING ----> READY (snapshot, or timeout) ----> LEAVING ----> GONE
 *       |                           ^                                  all handed on, or 5 s
 *       +---------------------------+  first: nobody has anything to fetch
 *
 * Two that don't know each other's boot ids greet in three steps, each of which proves that its
 * sender is alive now, since it echoes a token that is some seconds old at most:
 *
 *    A -> B   hello(A), token a                     open: A doesn't know who B is
 *    B -> A   hello(B), echo a, token b             sealed for A; A now knows B
 *    A -> B   hello(A), echo b                      sealed for B; B now knows A
 *
 * If A's name is that of a member that lives at another address, the second says so instead, A
 * joins nothing, and the third lets B note the rival: both show it.
 *
 * All others learn A's boot id by rumour, and greet nobody. An authentic datagram of a life that is
 * not known - just started, or long over and recorded - changes nothing and is answered by a hello
 * with a token. Seeds, and members that are dead, are greeted for ever, so that a partition heals
 * without anyone's doing; who is greeted as dead refutes it in the answer.
 */
#include <errno.h>

#include "syncd/core/core.h"

#define HELLO_EVERY    HF_MS(200)
#define REVIVE_EVERY   HF_MS(250)
#define PULL_EVERY     HF_MS(250)
#define STEP_WAIT      HF_SECONDS(2)
#define LEAVE_MOST     HF_SECONDS(5)
#define TOKEN_LIFE     HF_SECONDS(10)
#define ANSWERS_SECOND 1000
#define ANSWER_EVERY   HF_MS(20)
#define RIVAL_EVERY    HF_SECONDS(60)

static uint64_t token_at(const struct hf_sync *s, hf_time when)
{
	struct hf_sip sip;
	uint64_t token;

	hf_sip_start(&sip, s->token_key);
	hf_sip_word(&sip, when / TOKEN_LIFE);
	hf_sip_word(&sip, s->self->party.boot);
	token = hf_sip_end(&sip);
	return token ? token : 1;
}

static bool is_my_token(const struct hf_sync *s, uint64_t token)
{
	return token == token_at(s, s->now) || token == token_at(s, s->now - TOKEN_LIFE);
}

/* A stranger's datagram may be a recording. So many are answered a second, and one sender's life
 * only now and then, so that whoever replays them neither uses up others' share nor finds an
 * amplifier. */
static bool may_answer(struct hf_sync *s, const struct hf_party *party)
{
	struct hf_joiner *j = &s->joiner;
	uint64_t who = hf_mix(party->id ^ hf_mix(party->boot)) | 1;
	uint32_t slot = who / 2 % HF_ANSWERED;

	if (s->now - j->answers_since >= HF_SECONDS(1)) {
		j->answers_since = s->now;
		j->answers_left = ANSWERS_SECOND;
	}
	if (!j->answers_left ||
	    (j->answered[slot].who == who && s->now - j->answered[slot].when < ANSWER_EVERY)) {
		s->counters.drop_limited++;
		return false;
	}
	j->answered[slot].who = who;
	j->answered[slot].when = s->now;
	j->answers_left--;
	return true;
}

struct greeting {
	uint64_t token, echo;
	const struct hf_member *receiver;
	bool conflict;
};

static void greet(struct hf_sync *s, const struct hf_endpoint *to, const struct hf_party *party,
		  const struct greeting *g)
{
	Holdfast__Hello hello = HOLDFAST__HELLO__INIT;
	Holdfast__Member self, receiver;
	uint8_t address[16], unused[16];

	hf_claim_write(s->self, &self, true, address);
	hello.self = &self;
	hello.token = g->token;
	hello.echo = g->echo;
	hello.conflict = g->conflict;
	if (g->receiver) {
		hf_claim_write(g->receiver, &receiver, true, unused);
		hello.receiver = &receiver;
	}
	hf_send_hello(s, to, party, &hello);
}

void hf_join_challenge(struct hf_sync *s, const struct hf_endpoint *from,
		       const struct hf_party *party)
{
	if (may_answer(s, party))
		greet(s, from, party, &(struct greeting){ .token = token_at(s, s->now) });
}

static void note_rival(struct hf_sync *s, struct hf_member *m, const struct hf_endpoint *rival)
{
	bool news = !m->rival.address.family || s->now - m->rival_seen > RIVAL_EVERY;

	m->rival = *rival;
	s->counters.conflicts++;
	if (!news)
		return;
	m->rival_seen = s->now;
	hf_tell(s, HF_EVENT_CONFLICT, m == s->self ? NULL : m, m->state, 0, NULL);
}

static void refuse_protocol(struct hf_sync *s)
{
	struct hf_joiner *j = &s->joiner;

	s->counters.drop_protocol++;
	if (j->protocol_told != HF_NEVER && s->now - j->protocol_told < RIVAL_EVERY)
		return;
	j->protocol_told = s->now;
	hf_tell(s, HF_EVENT_PROTOCOL, NULL, HF_MEMBER_ALIVE, 0, NULL);
}

/* A name that is alive elsewhere is taken. */
static bool is_rival(const struct hf_sync *s, const struct hf_member *m,
		     const struct hf_claim *claim)
{
	if (m == s->self)
		return true;
	return m && m->party.boot != claim->party.boot && hf_member_lives(m) &&
	       !hf_endpoint_equal(&m->facts.endpoint, &claim->facts.endpoint);
}

static void admit(struct hf_sync *s, const struct hf_claim *claim)
{
	struct hf_member *m;

	hf_claim_apply(s, claim, claim->party.id);
	m = hf_members_find(&s->members, claim->party.id);
	if (!m || m->party.boot != claim->party.boot)
		return;
	if (s->joiner.contact == HF_NEVER) {
		s->joiner.contact = s->now;
		s->joiner.next_pull = s->now;
		hf_wake(s, s->now);
	}
	hf_join_pull(s, m);
}

/* What the sender should hear of itself: that it is not thought alive, or another life. */
static const struct hf_member *worth_telling(const struct hf_member *m,
					     const struct hf_party *party)
{
	return m && (m->state != HF_MEMBER_ALIVE || m->party.boot != party->boot) ? m : NULL;
}

/* A hello that has come. */
struct visit {
	const struct hf_endpoint *from;
	const struct hf_sealed *sealed;
	const Holdfast__Hello *hello;
	struct hf_claim claim;
	struct hf_member *m; /* of the sender's id; NULL: none */
	bool fresh;	     /* it echoes a token of this node's */
	bool known;	     /* the sender is a member in this very life */
};

static void look_up(struct hf_sync *s, struct visit *v)
{
	v->m = hf_members_find(&s->members, v->sealed->sender.id);
	v->known = v->m && v->m != s->self && v->m->party.boot == v->sealed->sender.boot;
}

static bool read_visit(struct hf_sync *s, struct visit *v)
{
	if (!v->hello->self || !hf_claim_read(v->hello->self, &v->claim) || !v->claim.has_facts ||
	    v->claim.party.id != v->sealed->sender.id ||
	    v->claim.party.boot != v->sealed->sender.boot) {
		s->counters.drop_undecodable++;
		return false;
	}
	if (v->claim.facts.protocol_least > HF_SYNC_PROTOCOL ||
	    v->claim.facts.protocol_most < HF_SYNC_PROTOCOL) {
		refuse_protocol(s);
		return false;
	}
	v->fresh = v->hello->echo && is_my_token(s, v->hello->echo);
	look_up(s, v);
	return true;
}

/* This node's name is another's, the receiver of the message: nothing may be begun under it. The
 * other side should know, too. */
static void hear_conflict(struct hf_sync *s, const struct visit *v)
{
	struct hf_claim holder;

	if (v->hello->receiver && hf_claim_read(v->hello->receiver, &holder) && holder.has_facts)
		note_rival(s, s->self, &holder.facts.endpoint);
	if (v->hello->token)
		greet(s, v->from, &v->sealed->sender,
		      &(struct greeting){ .echo = v->hello->token });
}

/* The sender's name is another's. Only one that has proved to live is noted; it has been told. */
static void refuse_rival(struct hf_sync *s, const struct visit *v)
{
	if (v->fresh)
		note_rival(s, v->m, &v->claim.facts.endpoint);
	else if (may_answer(s, &v->sealed->sender))
		greet(s, v->from, &v->sealed->sender,
		      &(struct greeting){ .token = token_at(s, s->now),
					  .echo = v->hello->token,
					  .receiver = v->m,
					  .conflict = true });
}

/* What the sender thinks of this node, if that is not that it lives. */
static void hear_of_self(struct hf_sync *s, const struct visit *v)
{
	struct hf_claim claim;

	if ((v->fresh || v->known) && v->hello->receiver &&
	    hf_claim_read(v->hello->receiver, &claim) && claim.party.id == s->self->party.id)
		hf_claim_apply(s, &claim, v->sealed->sender.id);
}

/* Where everything has been said there is no answer, or there would be no end. */
static void answer(struct hf_sync *s, const struct visit *v, bool refuted)
{
	struct greeting g = {
		.token = v->known ? 0 : token_at(s, s->now),
		.echo = v->hello->token,
		.receiver = worth_telling(v->m, &v->sealed->sender),
	};

	if (!g.echo && !g.receiver && (v->fresh || v->known) && !refuted)
		return;
	if (v->fresh || may_answer(s, &v->sealed->sender))
		greet(s, v->from, &v->sealed->sender, &g);
}

bool hf_join_take_hello(struct hf_sync *s, const struct hf_endpoint *from,
			const struct hf_sealed *sealed, const Holdfast__Hello *hello)
{
	struct visit v = { .from = from, .sealed = sealed, .hello = hello };
	uint32_t incarnation = s->self->incarnation;

	if (!read_visit(s, &v))
		return false;
	if (v.fresh && hello->conflict) {
		hear_conflict(s, &v);
		return false;
	}
	if (is_rival(s, v.m, &v.claim)) {
		refuse_rival(s, &v);
		return false;
	}
	hear_of_self(s, &v);
	if (v.fresh)
		admit(s, &v.claim);
	look_up(s, &v);
	answer(s, &v, incarnation != s->self->incarnation);
	return v.fresh && v.known;
}

void hf_join_pull(struct hf_sync *s, struct hf_member *from)
{
	Holdfast__Datagram d = HOLDFAST__DATAGRAM__INIT;
	Holdfast__StatePull pull = HOLDFAST__STATE_PULL__INIT;

	if (s->now < s->joiner.next_pull)
		return;
	s->joiner.next_pull = s->now + PULL_EVERY;
	d.body_case = HOLDFAST__DATAGRAM__BODY_STATE_PULL;
	d.state_pull = &pull;
	hf_send(s, from, &d);
}

/* All members with all facts, in as many datagrams as it takes. */
void hf_join_take_pull(struct hf_sync *s, struct hf_member *from)
{
	size_t room = hf_body_room(s);
	uint32_t i = 0;

	if (s->now - from->pulled < PULL_EVERY / 2 && from->pulled)
		return;
	from->pulled = s->now;
	while (i < s->members.count) {
		Holdfast__Datagram d = HOLDFAST__DATAGRAM__INIT;
		struct hf_rumour_page page = { .count = 0 };
		size_t used = 0;

		for (; i < s->members.count && page.count < HF_RUMOURS_MOST; i++) {
			Holdfast__Member *m = &page.members[page.count];
			size_t size;

			hf_claim_write(s->members.all[i], m, true, page.addresses[page.count]);
			size = holdfast__member__get_packed_size(m) + 3;
			if (used + size > room)
				break;
			used += size;
			page.list[page.count++] = m;
		}
		d.n_rumours = page.count;
		d.rumours = page.list;
		hf_send(s, from, &d);
	}
}

void hf_join_set_readiness(struct hf_sync *s, enum hf_readiness readiness)
{
	bool ready = readiness >= HF_READY_FIRST && readiness <= HF_READY_TIMEOUT && s->serving;

	if (readiness != s->joiner.readiness) {
		s->joiner.readiness = readiness;
		s->joiner.readiness_since = s->now;
		hf_tell(s, HF_EVENT_READINESS, NULL, HF_MEMBER_ALIVE, 0, NULL);
	}
	s->stamp_known |= ready;
	if (ready == s->self->facts.ready)
		return;
	s->self->facts.ready = ready;
	hf_self_changed(s);
	hf_view_changes(s);
}

static const struct hf_member *member_at(const struct hf_sync *s,
					 const struct hf_endpoint *endpoint)
{
	for (uint32_t i = 0; i < s->members.count; i++)
		if (hf_member_lives(s->members.all[i]) &&
		    hf_endpoint_equal(&s->members.all[i]->facts.endpoint, endpoint))
			return s->members.all[i];
	return NULL;
}

static void hello_to_seed(struct hf_sync *s, const struct hf_endpoint *seed)
{
	if (!member_at(s, seed))
		greet(s, seed, NULL, &(struct greeting){ .token = token_at(s, s->now) });
}

static void hello_to_seeds(struct hf_sync *s)
{
	if (s->joiner.contact != HF_NEVER || s->now < s->joiner.next_hello)
		return;
	for (uint32_t i = 0; i < s->joiner.seed_count; i++)
		hello_to_seed(s, &s->joiner.seeds[i]);
	s->joiner.next_hello = s->now + HELLO_EVERY;
}

static struct hf_member *some_dead(struct hf_sync *s)
{
	uint32_t n = s->members.count, start = hf_random_below(&s->random, n);

	for (uint32_t i = 0; i < n; i++) {
		struct hf_member *m = s->members.all[(start + i) % n];

		if (m->state == HF_MEMBER_DEAD)
			return m;
	}
	return NULL;
}

/* One that is dead, and one seed that is not among the living. */
static void revive(struct hf_sync *s)
{
	struct hf_joiner *j = &s->joiner;
	struct hf_member *dead;

	if (s->now < j->next_revival)
		return;
	j->next_revival = s->now + REVIVE_EVERY;
	dead = some_dead(s);
	if (dead)
		greet(s, &dead->facts.endpoint, NULL,
		      &(struct greeting){ .token = token_at(s, s->now), .receiver = dead });
	if (j->contact != HF_NEVER && j->seed_count)
		hello_to_seed(s, &j->seeds[hf_random_below(&s->random, j->seed_count)]);
}

static bool seeds_have_answered(const struct hf_sync *s)
{
	for (uint32_t i = 0; i < s->joiner.seed_count; i++)
		if (!member_at(s, &s->joiner.seeds[i]))
			return false;
	return true;
}

static void joining_turn(struct hf_sync *s)
{
	struct hf_joiner *j = &s->joiner;
	int err;

	if (j->contact == HF_NEVER) {
		if (j->seed_count && s->now - j->began < s->settings.join_timeout)
			return;
	} else if (!j->in_step && s->now - j->contact < STEP_WAIT) {
		hf_wake(s, j->contact + STEP_WAIT);
		return;
	}
	err = hf_fetch_start(s);
	if (err == -ENOMEM)
		return;
	/* Others that have just started, too, know no more than this node: the cluster may be
	 * elsewhere. */
	if (err == -ENOENT && s->now - j->began < s->settings.join_timeout &&
	    !seeds_have_answered(s)) {
		hf_wake(s, j->began + s->settings.join_timeout);
		return;
	}
	hf_join_set_readiness(s, err ? HF_READY_FIRST : HF_FETCHING);
}

/* Records of this node's own flows may still be on their way. */
static bool all_is_sent(const struct hf_sync *s)
{
	for (uint32_t i = 0; i < s->members.live_count; i++)
		if (hf_sync_queue(s->members.live[i]))
			return false;
	return hf_exchanges_are_confirmed(s);
}

static void leaving_turn(struct hf_sync *s)
{
	struct hf_joiner *j = &s->joiner;
	Holdfast__Datagram farewell = HOLDFAST__DATAGRAM__INIT;

	if (s->now < j->leave_until && !all_is_sent(s)) {
		hf_wake(s, j->leave_until);
		return;
	}
	hf_self_leaves(s);
	/* To more than the usual three: nobody will repeat it here. */
	for (uint32_t i = 0; i < s->members.live_count && i < HF_FAREWELLS; i++)
		hf_send(s, s->members.live[i], &farewell);
	hf_join_set_readiness(s, HF_GONE);
}

void hf_join_turn(struct hf_sync *s)
{
	struct hf_joiner *j = &s->joiner;

	if (j->readiness == HF_GONE)
		return;
	hello_to_seeds(s);
	revive(s);
	hf_wake(s, j->next_revival);
	if (j->contact == HF_NEVER && j->seed_count)
		hf_wake(s, j->next_hello);
	if (j->readiness == HF_JOINING)
		joining_turn(s);
	if (j->readiness == HF_LEAVING)
		leaving_turn(s);
}

void hf_sync_leave(struct hf_sync *s, hf_time now)
{
	s->now = now;
	if (s->joiner.readiness >= HF_LEAVING)
		return;
	hf_fetch_delete(s);
	s->joiner.leave_until = now + LEAVE_MOST;
	hf_join_set_readiness(s, HF_LEAVING);
	hf_wake(s, now);
}

void hf_sync_set_seeds(struct hf_sync *s, const struct hf_endpoint *seeds, uint32_t count)
{
	s->joiner.seed_count = 0;
	for (uint32_t i = 0; i < count && s->joiner.seed_count < HF_SYNC_SEEDS_MAX; i++)
		if (!hf_endpoint_equal(&seeds[i], &s->settings.endpoint))
			s->joiner.seeds[s->joiner.seed_count++] = seeds[i];
}
