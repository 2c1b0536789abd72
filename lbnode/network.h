/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel says of links and neighbours, and what follows from it: the next hop that
 * a route leads to. No I/O: netlink.c brings the facts.
 */
#ifndef HF_LBNODE_NETWORK_H
#define HF_LBNODE_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "lbnode/bpf/types.h"
#include "lib/address.h"

struct hf_link {
	uint32_t ifindex;
	uint32_t parent; /* of a VLAN device; else 0 */
	uint32_t mtu;
	uint16_t vlan_protocol; /* ETH_P_8021Q or ETH_P_8021AD, host order */
	uint16_t vlan_id;
	uint8_t mac[6];
	bool up;       /* administratively, and with a carrier */
	bool ethernet; /* it has MAC addresses */
};

struct hf_neighbour {
	uint32_t ifindex;
	struct hf_address address;
	uint8_t mac[6];
	bool usable;	/* the kernel itself would send to this MAC now */
	bool permanent; /* an operator's entry, not to be touched */
	bool managed;	/* the kernel keeps it resolved by itself */
};

/* The kernel's answer to "which way to this address?". ifindex 0: no way. */
struct hf_route {
	uint32_t ifindex;
	struct hf_address via;	  /* the router, or the address itself when it is on the link */
	struct hf_address source; /* the address that the kernel would send from */
	uint32_t mtu;		  /* the route's own; 0: the link's */
};

struct hf_network;

/* NULL: no memory. */
struct hf_network *hf_network_new(void);
void hf_network_delete(struct hf_network *network);

/* A new fact replaces the former one on the same link or neighbour. 0 or -ENOMEM. */
int hf_network_set_link(struct hf_network *network, const struct hf_link *link);
void hf_network_remove_link(struct hf_network *network, uint32_t ifindex);
int hf_network_set_neighbour(struct hf_network *network, const struct hf_neighbour *neighbour);
void hf_network_remove_neighbour(struct hf_network *network, uint32_t ifindex,
				 const struct hf_address *address);

/* Forgets everything, before a full dump. */
void hf_network_clear(struct hf_network *network);

/* NULL: not known. Valid until the network changes. */
const struct hf_neighbour *hf_network_neighbour(const struct hf_network *network, uint32_t ifindex,
						const struct hf_address *address);

/*
 * The data plane's entry for a route: the device below its VLANs, their tags, both MACs and the
 * smaller of the route's MTU and the link's. ifindex 0 when a link is down or gone, or the
 * neighbour not resolved.
 */
struct hf_nexthop hf_network_nexthop(const struct hf_network *network,
				     const struct hf_route *route);

#endif
