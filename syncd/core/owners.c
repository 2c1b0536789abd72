// SPDX-License-Identifier: BSD-2-Clause
#include "syncd/core/owners.h"

#include <string.h>

#include "syncd/core/random.h"

static uint64_t score(uint32_t shard, uint64_t id)
{
	return hf_mix(id ^ hf_mix(shard + 1));
}

/* Equal scores are as good as impossible, but every node must agree about them, too. */
static bool is_better(uint32_t shard, uint64_t a, uint64_t b)
{
	uint64_t score_a = score(shard, a), score_b = b ? score(shard, b) : 0;

	return !b || score_a > score_b || (score_a == score_b && a > b);
}

void hf_owners_init(struct hf_owners *owners, uint32_t replicas)
{
	memset(owners, 0, sizeof(*owners));
	owners->replicas = replicas;
}

bool hf_owners_has(const struct hf_owners *owners, uint64_t id)
{
	for (uint32_t i = 0; i < owners->count; i++)
		if (owners->members[i] == id)
			return true;
	return false;
}

static void consider(struct hf_owners *owners, uint32_t shard, uint64_t id)
{
	uint64_t *owner = owners->owner[shard];
	uint32_t rank = owners->replicas;

	while (rank > 0 && is_better(shard, id, owner[rank - 1]))
		rank--;
	for (uint32_t i = owners->replicas - 1; i > rank; i--)
		owner[i] = owner[i - 1];
	if (rank < owners->replicas)
		owner[rank] = id;
}

void hf_owners_add(struct hf_owners *owners, uint64_t id)
{
	if (owners->count == HF_MEMBERS_MAX || hf_owners_has(owners, id))
		return;
	owners->members[owners->count++] = id;
	owners->view += hf_mix(id);
	for (uint32_t shard = 0; shard < HF_SHARDS; shard++)
		consider(owners, shard, id);
}

void hf_owners_remove(struct hf_owners *owners, uint64_t id)
{
	uint32_t i = 0;

	while (i < owners->count && owners->members[i] != id)
		i++;
	if (i == owners->count)
		return;
	owners->members[i] = owners->members[--owners->count];
	owners->view -= hf_mix(id);
	for (uint32_t shard = 0; shard < HF_SHARDS; shard++) {
		if (!hf_owners_owns(owners, shard, id))
			continue;
		memset(owners->owner[shard], 0, sizeof(owners->owner[shard]));
		for (i = 0; i < owners->count; i++)
			consider(owners, shard, owners->members[i]);
	}
}

bool hf_owners_owns(const struct hf_owners *owners, uint32_t shard, uint64_t id)
{
	for (uint32_t i = 0; i < owners->replicas; i++)
		if (owners->owner[shard][i] == id)
			return true;
	return false;
}
