// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/peers.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

struct hf_peers {
	struct hf_dataplane *dataplane;
	struct hf_netlink *netlink;
	struct hf_cluster wanted, written;
	struct hf_route route[HF_MAX_PEERS];
};

struct hf_peers *hf_peers_new(struct hf_dataplane *dataplane, struct hf_netlink *netlink)
{
	struct hf_peers *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->dataplane = dataplane;
	p->netlink = netlink;
	return p;
}

void hf_peers_delete(struct hf_peers *p)
{
	if (!p)
		return;
	sodium_memzero(p, sizeof(*p));
	free(p);
}

static void put_keys(struct hf_cluster *to, const struct hf_cluster *from)
{
	memcpy(to->hop_key, from->hop_key, sizeof(to->hop_key));
	to->hop_key_count = from->hop_key_count;
}

void hf_peers_set_keys(struct hf_peers *p, const struct hf_key_ring *keys)
{
	_Static_assert(HF_KEY_RING_MAX == HF_HOP_KEYS_MAX, "as many hop keys as cluster keys");

	memset(p->wanted.hop_key, 0, sizeof(p->wanted.hop_key));
	p->wanted.hop_key_count = keys->count;
	for (uint32_t i = 0; i < keys->count; i++)
		hf_key_derive(&keys->key[i], HF_KEY_HOP, &p->wanted.hop_key[i],
			      sizeof(p->wanted.hop_key[i]));
}

int hf_peers_set(struct hf_peers *p, const struct hf_cluster_news *news)
{
	struct hf_cluster *next = malloc(sizeof(*next));
	int err = next ? hf_cluster_build(next, news) : -ENOMEM;

	if (err) {
		hf_error("can't take syncd's view of the cluster: %s; the former one stays in "
			 "force",
			 err == -ENOENT ? "it does not name this node" : strerror(-err));
	} else {
		put_keys(next, &p->wanted);
		p->wanted = *next;
	}
	free(next);
	return err ? err : hf_peers_query(p);
}

void hf_peers_adopt(struct hf_peers *p, const struct hf_cluster *former)
{
	struct hf_cluster keys = p->wanted;

	p->wanted = *former;
	put_keys(&p->wanted, &keys);
}

static bool is_peer(const struct hf_peers *p, uint32_t i)
{
	return p->wanted.peer[i].encapsulation != HF_ENCAP_NONE;
}

int hf_peers_query(struct hf_peers *p)
{
	for (uint32_t i = 1; i < HF_MAX_PEERS; i++) {
		struct hf_address address = { .family = p->wanted.own_family };
		int err;

		if (!is_peer(p, i))
			continue;
		memcpy(address.word, p->wanted.peer[i].address, sizeof(address.word));
		err = hf_netlink_route(p->netlink, &address, &p->route[i]);
		if (err) {
			hf_error("can't ask the kernel for routes: %s", strerror(-err));
			return err;
		}
	}
	return 0;
}

void hf_peers_claim(struct hf_peers *p, struct hf_ways *ways)
{
	for (uint32_t i = 1; i < HF_MAX_PEERS; i++)
		if (is_peer(p, i))
			p->wanted.peer[i].nexthop =
				p->route[i].ifindex ? hf_ways_claim(ways, &p->route[i]) : HF_NO_WAY;
}

int hf_peers_write(struct hf_peers *p)
{
	int err;

	if (!p->wanted.self || memcmp(&p->wanted, &p->written, sizeof(p->wanted)) == 0)
		return 0;
	err = hf_dataplane_set_cluster(p->dataplane, &p->wanted);
	if (!err)
		p->written = p->wanted;
	return err;
}

const struct hf_cluster *hf_peers_cluster(const struct hf_peers *p)
{
	return &p->written;
}
