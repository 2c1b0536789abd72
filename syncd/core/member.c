// SPDX-License-Identifier: BSD-2-Clause
#include "syncd/core/member.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/packet/siphash.h"
#include "syncd/core/random.h"

#define HASH_SIZE (2 * HF_MEMBERS_MAX)

uint64_t hf_member_id(const char *name)
{
	/* Public: ids need not be secret, but collide by design for nobody. */
	const struct hf_key key = { 0x646c6f4674736148ULL, 0x7265626d656d0000ULL };
	size_t length = strlen(name);
	struct hf_sip sip;
	uint64_t word = 0, id;

	hf_sip_start(&sip, key);
	for (size_t i = 0; i < length / 8 * 8; i += 8) {
		memcpy(&word, name + i, 8);
		hf_sip_word(&sip, word);
	}
	word = 0;
	memcpy(&word, name + length / 8 * 8, length % 8);
	hf_sip_word(&sip, word | (uint64_t)length << 56);
	id = hf_sip_end(&sip);
	return id ? id : 1;
}

const char *hf_member_state_name(enum hf_member_state state)
{
	static const char *const names[] = { "alive", "suspect", "dead", "left" };

	return names[state];
}

bool hf_endpoint_equal(const struct hf_endpoint *a, const struct hf_endpoint *b)
{
	return a->port == b->port && hf_address_equal(&a->address, &b->address);
}

/* The present life's, first of all from now on; NULL: no memory. */
static struct hf_life *present_life(struct hf_member *member)
{
	struct hf_life **lives = member->lives, *life = NULL;
	int i = 0;

	while (i < HF_MEMBER_LIVES - 1 && lives[i] && lives[i]->boot != member->party.boot)
		i++;
	life = lives[i];
	if (!life || life->boot != member->party.boot) {
		life = calloc(1, sizeof(*life));
		if (!life)
			return NULL;
		life->boot = member->party.boot;
		free(lives[i]);
	}
	memmove(lives + 1, lives, i * sizeof(struct hf_life *));
	lives[0] = life;
	return life;
}

bool hf_member_accept(struct hf_member *member, uint64_t counter)
{
	struct hf_life *life = present_life(member);

	return life && hf_replay_accept(&life->replay, counter);
}

bool hf_claim_counts(const struct hf_claim *claim, const struct hf_member *known)
{
	if (claim->incarnation != known->incarnation)
		return claim->incarnation > known->incarnation &&
		       claim->incarnation - known->incarnation < HF_INCARNATION_LEAP;
	if (claim->state != known->state)
		return claim->state > known->state;
	return claim->party.boot > known->party.boot;
}

uint64_t hf_member_digest(const struct hf_member *member)
{
	return hf_mix(member->party.id ^ hf_mix(member->party.boot ^ hf_mix(member->incarnation)));
}

int hf_members_init(struct hf_members *members)
{
	members->count = members->live_count = 0;
	members->digest = 0;
	members->by_id = calloc(HASH_SIZE, sizeof(*members->by_id));
	return members->by_id ? 0 : -ENOMEM;
}

static void free_member(struct hf_member *member)
{
	for (int i = 0; i < HF_MEMBER_LIVES; i++)
		free(member->lives[i]);
	free(member);
}

void hf_members_clear(struct hf_members *members)
{
	for (uint32_t i = 0; i < members->count; i++)
		free_member(members->all[i]);
	free(members->by_id);
	members->by_id = NULL;
	members->count = members->live_count = 0;
}

/* The id's place, or the free one where it would be. */
static uint32_t place_of(const struct hf_members *members, uint64_t id)
{
	uint32_t i = hf_mix(id) % HASH_SIZE;

	while (members->by_id[i] && members->all[members->by_id[i] - 1]->party.id != id)
		i = (i + 1) % HASH_SIZE;
	return i;
}

struct hf_member *hf_members_find(const struct hf_members *members, uint64_t id)
{
	uint16_t index = members->by_id[place_of(members, id)];

	return index ? members->all[index - 1] : NULL;
}

struct hf_member *hf_members_add(struct hf_members *members, uint64_t id)
{
	struct hf_member *member =
		members->count < HF_MEMBERS_MAX ? calloc(1, sizeof(*member)) : NULL;

	if (!member)
		return NULL;
	member->party.id = id;
	member->heard = HF_NEVER;
	member->live_index = UINT32_MAX;
	members->by_id[place_of(members, id)] = members->count + 1;
	members->all[members->count++] = member;
	return member;
}

static void rebuild_hash(struct hf_members *members)
{
	memset(members->by_id, 0, HASH_SIZE * sizeof(*members->by_id));
	for (uint32_t i = 0; i < members->count; i++)
		members->by_id[place_of(members, members->all[i]->party.id)] = i + 1;
}

void hf_members_remove(struct hf_members *members, struct hf_member *member)
{
	uint32_t index = members->by_id[place_of(members, member->party.id)] - 1U;

	hf_members_set_live(members, member, false);
	members->all[index] = members->all[--members->count];
	/* Rare, and simpler than to move entries up. */
	rebuild_hash(members);
	free_member(member);
}

void hf_members_set_live(struct hf_members *members, struct hf_member *member, bool live)
{
	if (live == (member->live_index != UINT32_MAX))
		return;
	if (live) {
		member->live_index = members->live_count;
		members->live[members->live_count++] = member;
		return;
	}
	members->live[member->live_index] = members->live[--members->live_count];
	members->live[member->live_index]->live_index = member->live_index;
	member->live_index = UINT32_MAX;
}
