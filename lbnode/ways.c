// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/ways.h"

#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

struct way {
	uint32_t ifindex;
	struct hf_address via;
	uint32_t mtu;
	bool used;    /* a backend's entry may name it */
	bool claimed; /* in the round that is going on */
	bool missed;  /* it did not answer when it was written last */
	struct hf_nexthop written;
};

struct hf_ways {
	struct hf_dataplane *dataplane;
	struct hf_netlink *netlink;
	const struct hf_network *network;
	uint32_t count; /* the highest entry that was ever used, and one more */
	struct way way[HF_MAX_BACKENDS];
};

struct hf_ways *hf_ways_new(struct hf_dataplane *dataplane, struct hf_netlink *netlink,
			    const struct hf_network *network)
{
	struct hf_ways *ways = calloc(1, sizeof(*ways));

	if (!ways)
		return NULL;
	ways->dataplane = dataplane;
	ways->netlink = netlink;
	ways->network = network;
	ways->count = HF_NO_WAY + 1;
	return ways;
}

void hf_ways_delete(struct hf_ways *ways)
{
	free(ways);
}

uint32_t hf_ways_claim(struct hf_ways *ways, const struct hf_route *route)
{
	uint32_t vacant = 0;

	for (uint32_t i = 1; i < ways->count; i++) {
		struct way *way = &ways->way[i];

		if (way->ifindex == route->ifindex && way->mtu == route->mtu &&
		    hf_address_equal(&way->via, &route->via)) {
			way->claimed = true;
			return i;
		}
		if (!way->used && !way->claimed && !vacant)
			vacant = i;
	}
	if (!vacant) {
		if (ways->count == HF_MAX_BACKENDS)
			return 0;
		vacant = ways->count++;
	}
	ways->way[vacant] = (struct way){
		.ifindex = route->ifindex,
		.via = route->via,
		.mtu = route->mtu,
		.claimed = true,
		.written = ways->way[vacant].written,
	};
	return vacant;
}

static void log_way(const struct way *way, bool resolved)
{
	char text[HF_ADDRESS_TEXT];

	hf_address_format(&way->via, text);
	if (resolved)
		hf_notice("next hop %s is resolved", text);
	else
		hf_warning(
			"next hop %s does not answer, or its link is down: packets that go by it "
			"are dropped",
			text);
}

static int write_way(struct hf_ways *ways, uint32_t id)
{
	struct way *way = &ways->way[id];
	const struct hf_route route = { .ifindex = way->ifindex, .via = way->via, .mtu = way->mtu };
	const struct hf_neighbour *neighbour =
		hf_network_neighbour(ways->network, way->ifindex, &way->via);
	struct hf_nexthop nexthop = hf_network_nexthop(ways->network, &route);
	int err = 0;

	if (!neighbour || (!neighbour->managed && !neighbour->permanent))
		hf_netlink_manage(ways->netlink, way->ifindex, &way->via, neighbour != NULL);
	if (nexthop.ifindex ? way->missed : way->written.ifindex != 0)
		log_way(way, nexthop.ifindex != 0);
	way->missed = !nexthop.ifindex;
	if (memcmp(&nexthop, &way->written, sizeof(nexthop)) == 0)
		return 0;
	if (nexthop.ifindex)
		err = hf_dataplane_add_device(ways->dataplane, nexthop.ifindex);
	if (!err)
		err = hf_dataplane_set_nexthop(ways->dataplane, id, &nexthop);
	if (!err)
		way->written = nexthop;
	return err;
}

int hf_ways_write(struct hf_ways *ways)
{
	int err = 0;

	for (uint32_t id = 1; id < ways->count && !err; id++)
		if (ways->way[id].claimed)
			err = write_way(ways, id);
	return err;
}

int hf_ways_release(struct hf_ways *ways)
{
	const struct hf_nexthop none = { 0 };
	int err = 0;

	for (uint32_t id = 1; id < ways->count; id++) {
		struct way *way = &ways->way[id];

		if (way->used && !way->claimed && !err) {
			err = hf_dataplane_set_nexthop(ways->dataplane, id, &none);
			*way = (struct way){ 0 };
		}
		way->used = way->claimed;
		way->claimed = false;
	}
	return err;
}

uint32_t hf_ways_mtu(const struct hf_ways *ways, uint32_t id)
{
	return ways->way[id].written.mtu;
}

uint32_t hf_ways_unresolved(const struct hf_ways *ways)
{
	uint32_t count = 0;

	for (uint32_t id = 1; id < ways->count; id++)
		count += ways->way[id].used && !ways->way[id].written.ifindex;
	return count;
}
