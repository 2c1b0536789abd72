// SPDX-License-Identifier: BSD-2-Clause
/* What claims about members do, and what a member says in passing with every datagram. */
#include <stdlib.h>
#include <string.h>

#include "syncd/core/core.h"

/* How long the dead may still return with their old life, and farewells are remembered; and how
 * long the packets of a data plane that forwards on without its syncd are known as a node's. */
#define GONE_KEPT    HF_SECONDS(24 * 3600)
#define FORGET_EVERY HF_SECONDS(10)

/* Clocks may differ by so much: a day, in stamps. Beyond, a wrong clock is more likely. */
#define CLOCK_LEAP (86400U * HF_STAMPS_SECOND)
#define WARN_EVERY HF_SECONDS(60)
#define CLOCK_JUMP HF_STAMPS_SECOND
#define EPOCH_LEAP (1U << 20)

static void count_in(struct hf_sync *s, const struct hf_member *m)
{
	if (hf_member_lives(m))
		s->members.digest += hf_member_digest(m);
}

static void count_out(struct hf_sync *s, const struct hf_member *m)
{
	if (hf_member_lives(m))
		s->members.digest -= hf_member_digest(m);
}

static void raise_incarnation(struct hf_sync *s, uint32_t above, bool urgent)
{
	count_out(s, s->self);
	s->self->incarnation = above + 1;
	count_in(s, s->self);
	s->joiner.changed_at = s->now;
	hf_rumour_start(s, s->self, urgent);
}

void hf_self_changed(struct hf_sync *s)
{
	raise_incarnation(s, s->self->incarnation, true);
}

void hf_self_leaves(struct hf_sync *s)
{
	hf_self_changed(s);
	count_out(s, s->self);
	s->self->state = HF_MEMBER_LEFT;
	s->self->rumour_left = HF_FAREWELLS;
}

/* Nobody raises it so far: whoever claims so lies, and believed, would leave no higher one to
 * refute with. A former life's may be any, but for the last. */
static bool is_incredible(const struct hf_sync *s, const struct hf_claim *claim)
{
	if (claim->party.boot != s->self->party.boot)
		return claim->incarnation > UINT32_MAX - HF_INCARNATION_LEAP;
	return claim->incarnation - s->self->incarnation >= HF_INCARNATION_LEAP;
}

static void claim_about_self(struct hf_sync *s, const struct hf_claim *claim)
{
	bool same = claim->party.boot == s->self->party.boot;

	if (claim->incarnation < s->self->incarnation || is_incredible(s, claim) ||
	    s->self->state == HF_MEMBER_LEFT)
		return;
	if (same && claim->state == HF_MEMBER_ALIVE)
		return;
	raise_incarnation(s, claim->incarnation, claim->state != HF_MEMBER_SUSPECT);
	if (!same || claim->state == HF_MEMBER_ALIVE)
		return;
	s->counters.refutations++;
	hf_health_bad(&s->health, 1);
	hf_tell(s, HF_EVENT_REFUTED, NULL, claim->state, claim->accuser, NULL);
}

/* All that is under way with it. What it has not acknowledged nobody else may have. */
static void end_dealings(struct hf_sync *s, struct hf_member *m)
{
	struct hf_shard_set lost = { { 0 } };

	hf_probe_end(s, m);
	if (m->channel && hf_channel_shards(m->channel, &lost))
		s->output.export_again(s->context, &lost);
	hf_channel_delete(m->channel);
	m->channel = NULL;
	free(m->exchange);
	m->exchange = NULL;
}

static void forget_life(struct hf_sync *s, struct hf_member *m)
{
	end_dealings(s, m);
	m->heard = HF_NEVER;
}

/* Makes the claim what is known. */
static void take(struct hf_sync *s, struct hf_member *m, const struct hf_claim *claim,
		 const char *why)
{
	bool is_new = !m->party.boot, restarted = !is_new && claim->party.boot != m->party.boot;
	bool owned = hf_member_lives(m) && m->facts.ready && !is_new;
	enum hf_member_state before = is_new ? HF_MEMBER_LEFT : m->state;
	bool returned = !is_new && !hf_member_lives(m) && claim->state == HF_MEMBER_ALIVE;
	bool changes_view;

	if (!is_new)
		count_out(s, m);
	if (!is_new && (restarted || claim->state >= HF_MEMBER_DEAD))
		hf_view_loses(s, m);
	if (restarted)
		forget_life(s, m);
	m->party = claim->party;
	m->incarnation = claim->incarnation;
	m->accuser = claim->accuser;
	if (claim->has_facts)
		m->facts = claim->facts;
	if (before != claim->state || is_new)
		m->since = s->now;
	m->state = claim->state;
	count_in(s, m);
	hf_members_set_live(&s->members, m, hf_member_lives(m));
	s->joiner.changed_at = s->now;

	/* It has refuted. Other news of it say nothing about whether it lives now. */
	if (m->state == HF_MEMBER_ALIVE && before == HF_MEMBER_SUSPECT)
		hf_probe_end(s, m);
	if (!hf_member_lives(m))
		end_dealings(s, m);
	changes_view = restarted || owned != (hf_member_lives(m) && m->facts.ready);
	hf_rumour_start(s, m, !hf_member_lives(m) || returned || changes_view);
	if (changes_view)
		hf_view_changes(s);
	if (restarted)
		hf_tell(s, HF_EVENT_RESTART, m, before, 0, NULL);
	if (is_new)
		hf_tell(s, HF_EVENT_JOINED, m, m->state, m->accuser, NULL);
	else if (before != m->state)
		hf_tell(s, HF_EVENT_MEMBER, m, before, m->accuser, why);
}

void hf_claim_apply(struct hf_sync *s, const struct hf_claim *claim, uint64_t teller)
{
	struct hf_claim c = *claim;
	struct hf_member *m;

	if (c.party.id == s->self->party.id) {
		claim_about_self(s, &c);
		return;
	}
	m = hf_members_find(&s->members, c.party.id);
	if (!m) {
		/* Of the unknown dead only those are worth knowing that may be asked to return. */
		if (!c.has_facts || c.state == HF_MEMBER_LEFT)
			return;
		m = hf_members_add(&s->members, c.party.id);
		if (m)
			take(s, m, &c, NULL);
		return;
	}
	/* With facts it is no news but what the teller came to believe, perhaps on the other side
	 * of a partition: whom we know to live is given the chance to refute, and probed at once.
	 */
	if (c.state == HF_MEMBER_DEAD && c.has_facts && hf_member_lives(m)) {
		c.state = HF_MEMBER_SUSPECT;
		c.accuser = teller;
		hf_probe_start(s, m);
	}
	if (hf_claim_counts(&c, m))
		take(s, m, &c, NULL);
	if (c.state == HF_MEMBER_SUSPECT && c.incarnation == m->incarnation)
		hf_probe_accused(s, m, c.accuser);
}

void hf_accuse(struct hf_sync *s, struct hf_member *member, enum hf_member_state state,
	       const char *why)
{
	struct hf_claim claim = {
		.party = member->party,
		.incarnation = member->incarnation,
		.state = state,
		.accuser = s->self->party.id,
	};

	if (state == HF_MEMBER_SUSPECT)
		s->counters.suspicions++;
	else
		s->counters.deaths++;
	take(s, member, &claim, why);
}

/* The cluster's clock is the furthest of all (record.h), but a newcomer takes what it finds,
 * whatever its own says, or each start of a node with a fast clock would age all records. */
static void follow_clock(struct hf_sync *s, struct hf_member *from, uint32_t clock)
{
	int64_t ahead = (int64_t)clock - hf_stamp_now(s);

	if (ahead > CLOCK_LEAP && s->stamp_known) {
		if (from->warned && s->now - from->warned < WARN_EVERY)
			return;
		from->warned = s->now;
		hf_tell(s, HF_EVENT_CLOCK, from, from->state, 0, NULL);
		return;
	}
	if (ahead > 0 || !s->stamp_known) {
		s->stamp_base = clock;
		s->stamp_at = s->now;
	}
	/* What was exported until now looks older than it is. */
	if (ahead > CLOCK_JUMP && s->stamp_known)
		s->output.export_again(s->context, &hf_all_shards);
	s->stamp_known = true;
}

static void follow_epoch(struct hf_sync *s, const Holdfast__About *about)
{
	struct hf_view *v = &s->view;

	if (about->epoch > v->highest && about->epoch - v->highest < EPOCH_LEAP)
		v->highest = about->epoch;
	/* The same view goes by the same number in the end, the highest. */
	if (about->view == v->now.view && about->epoch > v->epoch && v->highest == about->epoch)
		v->epoch = about->epoch;
}

#define PULL_STEADY HF_MS(250)
#define PULL_ANYWAY HF_SECONDS(3)

/* Rumours do most of it; who still knows something else when they should have ended asks for all.
 */
static void follow_members(struct hf_sync *s, struct hf_member *from, uint64_t digest)
{
	struct hf_joiner *j = &s->joiner;

	if (digest == s->members.digest) {
		j->in_step = true;
		j->in_step_at = s->now;
		return;
	}
	if (s->now - j->changed_at >= PULL_STEADY || s->now - j->in_step_at >= PULL_ANYWAY)
		hf_join_pull(s, from);
}

void hf_about_apply(struct hf_sync *s, struct hf_member *from, const Holdfast__About *about)
{
	bool differs = from->view != about->view || from->settled != about->settled;

	follow_clock(s, from, about->clock);
	follow_epoch(s, about);
	from->epoch = about->epoch;
	from->view = about->view;
	from->settled = about->settled;
	if (differs)
		hf_wake(s, s->now);
	follow_members(s, from, about->members);
	hf_notices_follow(s, from, about->board);
}

static bool is_forgotten(const struct hf_sync *s, const struct hf_member *m)
{
	return !hf_member_lives(m) && m != s->self && s->now - m->since > GONE_KEPT;
}

void hf_membership_turn(struct hf_sync *s)
{
	if (s->now >= s->next_forget) {
		s->next_forget = s->now + FORGET_EVERY;
		for (uint32_t i = 0; i < s->members.count;) {
			struct hf_member *m = s->members.all[i];

			if (!is_forgotten(s, m)) {
				i++;
				continue;
			}
			hf_rumour_stop(s, m);
			end_dealings(s, m);
			hf_members_remove(&s->members, m);
		}
	}
	hf_wake(s, s->next_forget);
}
