// SPDX-License-Identifier: BSD-2-Clause
/*
 * The notice board's way to all nodes. What this node posts goes to every live member at once, and
 * is not repeated. Each datagram carries its sender's digest of the board: who still has another
 * one when that should be over sends the digests of its groups, and is sent the notices of those
 * that differ. So what gets lost, and what a newcomer or the other side of a partition lacks, comes
 * by the same way.
 */
#include <string.h>

#include "proto/notice.h"
#include "syncd/core/core.h"

#define PULL_EVERY   HF_MS(40)
#define STEADY	     HF_MS(20) /* of a board: what has just changed is on its way */
#define ANSWER_BYTES (96 * 1024)

struct page {
	Holdfast__Notice notice[64];
	Holdfast__Notice *list[64];
	uint32_t count;
	size_t bytes;
};

static void send_page(struct hf_sync *s, struct hf_member *to, struct page *page)
{
	Holdfast__Datagram datagram = HOLDFAST__DATAGRAM__INIT;
	Holdfast__Notices body = HOLDFAST__NOTICES__INIT;

	if (!page->count)
		return;
	body.n_notices = page->count;
	body.notices = page->list;
	datagram.body_case = HOLDFAST__DATAGRAM__BODY_NOTICES;
	datagram.notices = &body;
	s->counters.notices_sent += page->count;
	hf_send(s, to, &datagram);
	page->count = 0;
	page->bytes = 0;
}

/* Sends the page first if there is no room. */
static void add(struct hf_sync *s, struct hf_member *to, struct page *page,
		const struct hf_notice *notice)
{
	size_t bytes = HF_NOTICE_OVERHEAD + notice->key_length + notice->body_length;

	if (page->count == 64 || page->bytes + bytes > hf_body_room(s))
		send_page(s, to, page);
	hf_notice_write(&page->notice[page->count], notice);
	page->list[page->count] = &page->notice[page->count];
	page->count++;
	page->bytes += bytes;
}

static bool is_over(const struct hf_sync *s, const struct hf_notice *notice)
{
	return notice->expires && notice->expires <= hf_stamp_now(s);
}

/* Whether it is news. */
static bool merge(struct hf_sync *s, const struct hf_notice *notice)
{
	enum hf_posted posted =
		is_over(s, notice) ? HF_POSTED_FULL : hf_board_post(s->board, notice);

	if (posted == HF_POSTED_FULL)
		s->counters.notices_refused++;
	if (posted == HF_POSTED)
		s->board_changed = s->now;
	return posted == HF_POSTED;
}

void hf_sync_post(struct hf_sync *s, const struct hf_notice *notices, uint32_t count, hf_time now)
{
	bool news[HF_SYNC_POST_MAX];

	s->now = now;
	for (uint32_t i = 0; i < count; i++)
		news[i] = merge(s, &notices[i]);
	for (uint32_t i = 0; i < s->members.live_count; i++) {
		struct page page = { .count = 0 };

		for (uint32_t j = 0; j < count; j++)
			if (news[j])
				add(s, s->members.live[i], &page, &notices[j]);
		send_page(s, s->members.live[i], &page);
	}
}

void hf_notices_take(struct hf_sync *s, const Holdfast__Notices *message)
{
	struct hf_notice notice;

	for (size_t i = 0; i < message->n_notices; i++) {
		if (!hf_notice_read(message->notices[i], &notice)) {
			s->counters.drop_undecodable++;
			continue;
		}
		s->counters.notices_received++;
		if (merge(s, &notice) && s->output.notice)
			s->output.notice(s->context, &notice);
	}
}

/* Of what differs, from a group on that chance chooses: what does not fit comes next time. */
void hf_notices_take_pull(struct hf_sync *s, struct hf_member *from,
			  const Holdfast__NoticesPull *pull)
{
	uint32_t first = hf_random_below(&s->random, HF_BOARD_GROUPS);
	struct page page = { .count = 0 };
	size_t bytes = 0;

	if (pull->groups.len != HF_BOARD_GROUPS * sizeof(uint64_t)) {
		s->counters.drop_undecodable++;
		return;
	}
	for (uint32_t i = 0; i < HF_BOARD_GROUPS; i++) {
		uint32_t group = (first + i) % HF_BOARD_GROUPS;
		const struct hf_notice *notice;
		uint64_t theirs, cursor = 0;

		memcpy(&theirs, pull->groups.data + group * sizeof(theirs), sizeof(theirs));
		if (theirs == hf_board_group_digest(s->board, group))
			continue;
		while (bytes < ANSWER_BYTES &&
		       (notice = hf_board_next_of(s->board, group, &cursor))) {
			bytes += HF_NOTICE_OVERHEAD + notice->key_length + notice->body_length;
			add(s, from, &page, notice);
		}
	}
	send_page(s, from, &page);
}

void hf_notices_follow(struct hf_sync *s, struct hf_member *from, uint64_t digest)
{
	Holdfast__Datagram datagram = HOLDFAST__DATAGRAM__INIT;
	Holdfast__NoticesPull body = HOLDFAST__NOTICES_PULL__INIT;
	uint64_t groups[HF_BOARD_GROUPS];

	/* 0: it has none, or is of a version that knows none. */
	if (!digest || digest == hf_board_digest(s->board) || s->now < s->board_pull ||
	    s->now - s->board_changed < STEADY)
		return;
	s->board_pull = s->now + PULL_EVERY;
	s->counters.notices_pulls++;
	for (uint32_t i = 0; i < HF_BOARD_GROUPS; i++)
		groups[i] = hf_board_group_digest(s->board, i);
	body.groups.data = (uint8_t *)groups;
	body.groups.len = sizeof(groups);
	datagram.body_case = HOLDFAST__DATAGRAM__BODY_NOTICES_PULL;
	datagram.notices_pull = &body;
	hf_send(s, from, &datagram);
}

void hf_notices_turn(struct hf_sync *s)
{
	if (s->now >= s->board_expiry) {
		s->board_expiry = s->now + HF_SECONDS(1);
		hf_board_expire(s->board, hf_stamp_now(s));
	}
	if (hf_board_count(s->board))
		hf_wake(s, s->board_expiry);
}

const struct hf_board *hf_sync_board(const struct hf_sync *s)
{
	return s->board;
}
