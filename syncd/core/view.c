// SPDX-License-Identifier: BSD-2-Clause
/*
 * The view: which members own records now, and who did before.
 *
 * When members come or go, the table of owners follows at once, and the former one is kept, for
 * look-ups and second chances, until every live member says that it has handed on what it held (it
 * is *settled* in this view), or 30 s have passed. Records of shards that this node does not own
 * are kept as long.
 */
#include <stdlib.h>
#include <string.h>

#include "syncd/core/core.h"

/* Changes come in swarms: a crash of two, the start of all. */
#define COALESCE      HF_MS(10)
#define PREVIOUS_KEPT HF_SECONDS(30)

void hf_view_changes(struct hf_sync *s)
{
	if (s->view.dirty == HF_NEVER)
		s->view.dirty = s->now + COALESCE;
	hf_wake(s, s->view.dirty);
}

static bool belongs(const struct hf_member *m)
{
	return hf_member_lives(m) && m->facts.ready;
}

/* All of a lost owner's shards are exported again, by all whose flows they are: whether somebody
 * else still holds them would be hard to know, and merging costs little. A former owner's, too, for
 * it may have been about to hand them on. */
void hf_view_loses(struct hf_sync *s, const struct hf_member *owner)
{
	const struct hf_owners *previous = s->view.previous;
	uint64_t id = owner->party.id;

	for (uint32_t shard = 0; shard < HF_SHARDS; shard++)
		if (hf_owners_owns(&s->view.now, shard, id) ||
		    (previous && hf_owners_owns(previous, shard, id)))
			hf_shard_add(&s->view.lost, shard);
	hf_view_changes(s);
}

static void ask_for_lost(struct hf_sync *s)
{
	if (hf_shard_next(&s->view.lost, 0) == HF_SHARDS)
		return;
	s->output.export_again(s->context, &s->view.lost);
	memset(&s->view.lost, 0, sizeof(s->view.lost));
}

/* Whether the set of owners has changed. */
static bool follow_members(struct hf_sync *s)
{
	struct hf_view *v = &s->view;
	uint64_t before = v->now.view;

	for (uint32_t i = v->now.count; i-- > 0;) {
		const struct hf_member *m = hf_members_find(&s->members, v->now.members[i]);

		if (!m || !belongs(m))
			hf_owners_remove(&v->now, v->now.members[i]);
	}
	for (uint32_t i = 0; i < s->members.count; i++)
		if (belongs(s->members.all[i]))
			hf_owners_add(&v->now, s->members.all[i]->party.id);
	return v->now.view != before;
}

static void change(struct hf_sync *s)
{
	struct hf_view *v = &s->view;
	struct hf_owners *former = malloc(sizeof(*former));

	v->dirty = HF_NEVER;
	if (!former) {
		hf_view_changes(s); /* again, when there may be memory */
		return;
	}
	*former = v->now;
	if (!follow_members(s)) {
		free(former);
		ask_for_lost(s);
		return;
	}
	if (!former->count)
		v->lost = hf_all_shards;
	ask_for_lost(s);
	if (v->highest < v->epoch)
		v->highest = v->epoch;
	v->epoch = ++v->highest;
	v->since = s->now;
	v->gave_up = false;
	if (v->previous || !former->count)
		free(former);
	else
		v->previous = former;
	hf_exchanges_restart(s);
	s->output.owners(s->context);
	hf_tell(s, HF_EVENT_VIEW, NULL, HF_MEMBER_ALIVE, 0, NULL);
}

static bool all_are_settled(const struct hf_sync *s)
{
	for (uint32_t i = 0; i < s->members.live_count; i++) {
		const struct hf_member *m = s->members.live[i];

		/* Who leaves is no owner now, and hands on most. */
		bool holds = m->facts.ready || hf_owners_has(s->view.previous, m->party.id);

		if (holds && (m->view != s->view.now.view || !m->settled))
			return false;
	}
	return s->view.settled;
}

/* All of the shard's owners have what this node has. */
static bool is_handed_on(struct hf_sync *s, uint32_t shard)
{
	const struct hf_owners *owners = &s->view.now;

	for (uint32_t rank = 0; rank < owners->replicas && owners->owner[shard][rank]; rank++) {
		const struct hf_member *m =
			hf_members_find(&s->members, owners->owner[shard][rank]);

		if (!m || !m->exchange || !m->exchange->confirmed)
			return false;
	}
	return owners->owner[shard][0];
}

static void drop_foreign(struct hf_sync *s)
{
	/* A joiner's are the ones that it will own. */
	if (!hf_owners_has(&s->view.now, s->self->party.id) && s->joiner.readiness < HF_LEAVING)
		return;
	s->view.foreign = false;
	for (uint32_t shard = 0; shard < HF_SHARDS; shard++) {
		if (!hf_store_shard_count(s->store, shard) ||
		    hf_owners_owns(&s->view.now, shard, s->self->party.id))
			continue;
		if (is_handed_on(s, shard))
			hf_store_drop(s->store, shard);
		else
			s->view.foreign = true;
	}
}

static void end_previous(struct hf_sync *s, const char *why)
{
	struct hf_view *v = &s->view;

	free(v->previous);
	v->previous = NULL;
	v->gave_up = why != NULL;
	drop_foreign(s);
	s->output.owners(s->context);
	hf_tell(s, HF_EVENT_SETTLED, NULL, HF_MEMBER_ALIVE, 0, why);
}

void hf_view_turn(struct hf_sync *s)
{
	struct hf_view *v = &s->view;

	if (s->now >= v->dirty)
		change(s);
	hf_wake(s, v->dirty);
	v->settled = hf_exchanges_are_confirmed(s);
	if (!v->previous && v->foreign && v->settled)
		drop_foreign(s);
	if (!v->previous)
		return;
	if (all_are_settled(s))
		end_previous(s, NULL);
	else if (s->now - v->since >= PREVIOUS_KEPT)
		end_previous(s, "its time was up");
	else
		hf_wake(s, v->since + PREVIOUS_KEPT);
}
