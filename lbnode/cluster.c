// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/cluster.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "lbnode/bpf/cluster.h"
#include "lbnode/tables.h"
#include "lib/packet/base.h"

static int find_self(const struct hf_cluster_news *news)
{
	for (uint32_t i = 0; i < news->member_count; i++)
		if (news->member[i].id == news->self)
			return i;
	return -ENOENT;
}

static bool index_address(struct hf_cluster *c, uint16_t peer)
{
	uint32_t at = hf_peer_hash(c->peer[peer].address);

	for (uint32_t i = 0; i < HF_PEER_PROBES; i++) {
		uint16_t *cell = &c->by_address[(at + i) % HF_PEER_CELLS];

		if (*cell)
			continue;
		*cell = peer;
		return true;
	}
	return false;
}

/* A peer is reached as a backend is, by GUE, but from this node's own address. */
static void fill_peer(struct hf_backend *peer, const struct hf_cluster_member *m,
		      const struct hf_address *self)
{
	const struct hf_backend_record record = {
		.state = HF_BACKEND_SERVING,
		.identity = m->id,
		.address = m->address,
		.encapsulation = HF_CONFIG_GUE,
		.gue_port = HF_GUE_PORT,
	};
	const struct hf_prefix source = { *self, hf_address_length(self->family) * 8 };

	*peer = hf_backend_entry(&record, &source, 0);
}

/* The owners' list that is being made for a shard. */
struct list {
	const struct hf_cluster_news *news;
	struct hf_shard *shard;
	uint32_t count;
	uint32_t self;
};

static void add(struct list *l, uint16_t member)
{
	if (member == l->self || l->count == HF_CANDIDATES_MAX)
		return;
	for (uint32_t i = 0; i < l->count; i++)
		if (l->shard->candidate[i] == member + 1)
			return;
	l->shard->candidate[l->count++] = member + 1;
}

static void add_owners(struct list *l, const uint16_t *owners, bool ready)
{
	for (uint32_t i = 0; owners && i < l->news->replicas; i++)
		if (owners[i] < l->news->member_count && !l->news->member[owners[i]].gone &&
		    l->news->member[owners[i]].ready == ready)
			add(l, owners[i]);
}

static bool is_among(const uint16_t *owners, uint32_t count, uint32_t member)
{
	for (uint32_t i = 0; i < count; i++)
		if (owners[i] == member)
			return true;
	return false;
}

static void fill_shard(struct hf_shard *shard, const struct hf_cluster_news *news, uint32_t self,
		       uint32_t number)
{
	const uint16_t *now = news->now + number * news->replicas;
	const uint16_t *previous = news->previous ? news->previous + number * news->replicas : NULL;
	struct list l = { .news = news, .shard = shard, .self = self };
	bool owns = is_among(now, news->replicas, self);

	for (int ready = 1; ready >= 0; ready--) {
		add_owners(&l, owns ? previous : now, ready);
		add_owners(&l, owns ? now : previous, ready);
	}
}

int hf_cluster_build(struct hf_cluster *c, const struct hf_cluster_news *news)
{
	int self = find_self(news);
	const struct hf_address *own;

	memset(c, 0, sizeof(*c));
	if (self < 0)
		return self;
	own = &news->member[self].address;
	c->self = news->self;
	c->epoch = news->epoch;
	c->own_family = own->family;
	memcpy(c->own_address, own->word, sizeof(c->own_address));
	for (uint32_t i = 0; i < news->member_count && i < HF_MAX_PEERS - 1; i++) {
		const struct hf_cluster_member *m = &news->member[i];

		if (i == (uint32_t)self || m->address.family != own->family)
			continue;
		fill_peer(&c->peer[i + 1], m, own);
		if (!index_address(c, i + 1))
			return -ENOSPC;
	}
	for (uint32_t shard = 0; shard < HF_SHARDS; shard++)
		fill_shard(&c->shard[shard], news, self, shard);
	return 0;
}

bool hf_cluster_owns(const struct hf_cluster_news *news)
{
	const uint32_t count = HF_SHARDS * news->replicas;
	int self = find_self(news);

	return self >= 0 && (is_among(news->now, count, self) ||
			     (news->previous && is_among(news->previous, count, self)));
}

bool hf_cluster_has_others(const struct hf_cluster_news *news)
{
	const int self = find_self(news);

	for (uint32_t i = 0; i < HF_SHARDS * news->replicas; i++)
		if (news->now[i] < news->member_count && news->now[i] != self)
			return true;
	return false;
}
