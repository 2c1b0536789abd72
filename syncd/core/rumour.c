// SPDX-License-Identifier: BSD-2-Clause
/*
 * Rumours: what is known of a member, on its way to everyone, with pings and their answers.
 *
 * Each is told some 4 log10(n) times by each node that hears it for the first time, and then never
 * again (SWIM, section 4.1), so a flood of them is over in O(log n) rounds. There is one for each
 * member at most, always the latest. Deaths, farewells and returns come before all others, and go
 * to three members at once besides: that tells a hundred nodes in some five steps, not five pings.
 */
#include <math.h>

#include "syncd/core/core.h"

#define TELL_FACTOR 4
#define FANOUT	    3
#define COALESCE    HF_MS(1)

static struct hf_member **first_of(struct hf_sync *s, const struct hf_member *m)
{
	return &s->rumours.first[m->rumour_urgent ? 0 : 1];
}

static struct hf_member **last_of(struct hf_sync *s, const struct hf_member *m)
{
	return &s->rumours.last[m->rumour_urgent ? 0 : 1];
}

static void append(struct hf_sync *s, struct hf_member *m)
{
	m->rumour_next = NULL;
	m->rumour_previous = *last_of(s, m);
	if (m->rumour_previous)
		m->rumour_previous->rumour_next = m;
	else
		*first_of(s, m) = m;
	*last_of(s, m) = m;
}

static void detach(struct hf_sync *s, struct hf_member *m)
{
	if (m->rumour_previous)
		m->rumour_previous->rumour_next = m->rumour_next;
	else
		*first_of(s, m) = m->rumour_next;
	if (m->rumour_next)
		m->rumour_next->rumour_previous = m->rumour_previous;
	else
		*last_of(s, m) = m->rumour_previous;
}

void hf_rumour_stop(struct hf_sync *s, struct hf_member *about)
{
	if (about->rumour_left)
		detach(s, about);
	about->rumour_left = 0;
}

void hf_rumour_start(struct hf_sync *s, struct hf_member *about, bool urgent)
{
	hf_rumour_stop(s, about);
	about->rumour_urgent = urgent;
	about->rumour_left = TELL_FACTOR * (uint32_t)ceil(log10(s->members.live_count + 2));
	append(s, about);
	if (!urgent || s->rumours.at_once != HF_NEVER)
		return;
	s->rumours.at_once = s->now + COALESCE;
	hf_wake(s, s->rumours.at_once);
}

/* With its tag and length; false: no room. */
static bool add(struct hf_rumour_page *page, const struct hf_member *about, size_t *room)
{
	bool facts = about->state == HF_MEMBER_ALIVE;
	Holdfast__Member *m;
	size_t size;

	if (page->count == HF_RUMOURS_MOST)
		return false;
	m = &page->members[page->count];
	hf_claim_write(about, m, facts, page->addresses[page->count]);
	size = holdfast__member__get_packed_size(m) + 3;
	if (size > *room)
		return false;
	*room -= size;
	page->list[page->count++] = m;
	return true;
}

static void fill_from(struct hf_sync *s, int class, const struct hf_member *to,
		      struct hf_rumour_page *page, size_t *room)
{
	struct hf_member *m = s->rumours.first[class], *end = s->rumours.last[class], *next;
	bool last;

	for (; m; m = next) {
		next = m->rumour_next;
		last = m == end;
		if (m != to || m->state == HF_MEMBER_ALIVE) {
			if (!add(page, m, room))
				return;
			detach(s, m);
			if (--m->rumour_left)
				append(s, m);
		}
		if (last)
			return;
	}
}

void hf_rumour_fill(struct hf_sync *s, const struct hf_member *to, struct hf_rumour_page *page,
		    size_t room)
{
	page->count = 0;
	/* Whoever is thought to be suspect or dead is the first to hear it (Lifeguard's buddies).
	 */
	if (to->state != HF_MEMBER_ALIVE)
		add(page, to, &room);
	for (int class = 0; class < 2; class ++)
		fill_from(s, class, to, page, &room);
}

void hf_rumours_turn(struct hf_sync *s)
{
	Holdfast__Datagram empty = HOLDFAST__DATAGRAM__INIT;

	if (s->now >= s->rumours.at_once) {
		s->rumours.at_once = HF_NEVER;
		for (int i = 0; i < FANOUT && s->members.live_count; i++)
			hf_send(s,
				s->members.live[hf_random_below(&s->random, s->members.live_count)],
				&empty);
	}
	hf_wake(s, s->rumours.at_once);
}
