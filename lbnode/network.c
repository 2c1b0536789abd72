// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct hf_network {
	struct hf_link *links;
	uint32_t link_count, link_room;
	struct hf_neighbour *neighbours;
	uint32_t neighbour_count, neighbour_room;
};

struct hf_network *hf_network_new(void)
{
	return calloc(1, sizeof(struct hf_network));
}

void hf_network_delete(struct hf_network *network)
{
	if (!network)
		return;
	free(network->links);
	free(network->neighbours);
	free(network);
}

/* Room for one more; false without memory. */
static bool reserve(void **array, uint32_t count, uint32_t *room, size_t size)
{
	uint32_t more = *room ? *room * 2 : 16;
	void *grown;

	if (count < *room)
		return true;
	grown = realloc(*array, more * size);
	if (!grown)
		return false;
	*array = grown;
	*room = more;
	return true;
}

static struct hf_link *find_link(const struct hf_network *network, uint32_t ifindex)
{
	for (uint32_t i = 0; i < network->link_count; i++)
		if (network->links[i].ifindex == ifindex)
			return &network->links[i];
	return NULL;
}

static struct hf_neighbour *find_neighbour(const struct hf_network *network, uint32_t ifindex,
					   const struct hf_address *address)
{
	for (uint32_t i = 0; i < network->neighbour_count; i++)
		if (network->neighbours[i].ifindex == ifindex &&
		    hf_address_equal(&network->neighbours[i].address, address))
			return &network->neighbours[i];
	return NULL;
}

int hf_network_set_link(struct hf_network *network, const struct hf_link *link)
{
	struct hf_link *known = find_link(network, link->ifindex);

	if (!known) {
		if (!reserve((void **)&network->links, network->link_count, &network->link_room,
			     sizeof(*link)))
			return -ENOMEM;
		known = &network->links[network->link_count++];
	}
	*known = *link;
	return 0;
}

void hf_network_remove_link(struct hf_network *network, uint32_t ifindex)
{
	struct hf_link *link = find_link(network, ifindex);

	if (link)
		*link = network->links[--network->link_count];
}

int hf_network_set_neighbour(struct hf_network *network, const struct hf_neighbour *neighbour)
{
	struct hf_neighbour *known =
		find_neighbour(network, neighbour->ifindex, &neighbour->address);

	if (!known) {
		if (!reserve((void **)&network->neighbours, network->neighbour_count,
			     &network->neighbour_room, sizeof(*neighbour)))
			return -ENOMEM;
		known = &network->neighbours[network->neighbour_count++];
	}
	*known = *neighbour;
	return 0;
}

void hf_network_remove_neighbour(struct hf_network *network, uint32_t ifindex,
				 const struct hf_address *address)
{
	struct hf_neighbour *neighbour = find_neighbour(network, ifindex, address);

	if (neighbour)
		*neighbour = network->neighbours[--network->neighbour_count];
}

void hf_network_clear(struct hf_network *network)
{
	network->link_count = 0;
	network->neighbour_count = 0;
}

const struct hf_neighbour *hf_network_neighbour(const struct hf_network *network, uint32_t ifindex,
						const struct hf_address *address)
{
	return find_neighbour(network, ifindex, address);
}

/* Outermost tag first. Tags are collected from the inside out, on the way down to the device. */
static void push_tag(struct hf_nexthop *nexthop, const struct hf_link *vlan)
{
	nexthop->vlan[1] = nexthop->vlan[0];
	nexthop->vlan[0].protocol = htons(vlan->vlan_protocol);
	nexthop->vlan[0].tci = htons(vlan->vlan_id);
	nexthop->vlan_tags++;
}

struct hf_nexthop hf_network_nexthop(const struct hf_network *network, const struct hf_route *route)
{
	const struct hf_link *link = find_link(network, route->ifindex);
	const struct hf_neighbour *neighbour = find_neighbour(network, route->ifindex, &route->via);
	const struct hf_nexthop unknown = { 0 };
	struct hf_nexthop nexthop = { 0 };
	uint32_t mtu;

	if (!link || !link->up || !link->ethernet || !neighbour || !neighbour->usable)
		return unknown;
	memcpy(nexthop.macs, neighbour->mac, 6);
	memcpy(nexthop.macs + 6, link->mac, 6);
	mtu = route->mtu && route->mtu < link->mtu ? route->mtu : link->mtu;
	while (link->vlan_id && link->parent) {
		if (nexthop.vlan_tags == 2)
			return unknown;
		push_tag(&nexthop, link);
		link = find_link(network, link->parent);
		if (!link || !link->up)
			return unknown;
	}
	nexthop.ifindex = link->ifindex;
	nexthop.mtu = mtu > UINT16_MAX ? UINT16_MAX : mtu;
	return nexthop;
}
