/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rtnetlink: brings facts of links and neighbours into a struct hf_network, says when routes may
 * have changed, asks the kernel for its way to an address, and has it keep neighbours resolved.
 *
 * Functions return 0 or a negative errno, not logged but where said.
 */
#ifndef HF_LBNODE_NETLINK_H
#define HF_LBNODE_NETLINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "lbnode/network.h"

struct hf_netlink;

/* What happened since the last look. */
struct hf_netlink_news {
	bool links_or_neighbours;
	bool routes; /* or addresses, or rules: every way may have changed */
};

int hf_netlink_open(struct hf_netlink **netlink);
void hf_netlink_close(struct hf_netlink *netlink);

/* The descriptor that becomes readable when there is news. */
int hf_netlink_fd(const struct hf_netlink *netlink);

/* Fills the network with all that the kernel knows now. */
int hf_netlink_dump(struct hf_netlink *netlink, struct hf_network *network);

/* Takes in all that has been reported. When the kernel had to drop reports (logged), it dumps. */
int hf_netlink_read(struct hf_netlink *netlink, struct hf_network *network,
		    struct hf_netlink_news *news);

/* The kernel's way to the address; route->ifindex 0 when it has none. */
int hf_netlink_route(struct hf_netlink *netlink, const struct hf_address *destination,
		     struct hf_route *route);

/*
 * Asks the kernel to resolve the neighbour and to keep it so (NTF_EXT_MANAGED, Linux 5.16): our
 * packets bypass its stack, which would else think the neighbour unused and forget it. A permanent
 * entry would lose its MAC by that: of a neighbour that is not `known`, one that the kernel turns
 * out to have is left as it is, and its news awaited.
 */
int hf_netlink_manage(struct hf_netlink *netlink, uint32_t ifindex,
		      const struct hf_address *address, bool known);

/* Names of the interfaces that default routes leave by, `room` at most; returns how many. */
int hf_netlink_default_interfaces(struct hf_netlink *netlink, char (*names)[IF_NAMESIZE],
				  uint32_t room);

#endif
