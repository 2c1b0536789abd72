// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_arp.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

#define BUFFER	       32768 /* the kernel's own dumps use as much */
#define RECEIVE_BUFFER (4 << 20)

struct hf_netlink {
	struct mnl_socket *events;
	struct mnl_socket *queries;
	uint32_t sequence;
	char buffer[BUFFER];
};

static int open_socket(struct mnl_socket **socket, unsigned int groups)
{
	*socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!*socket || mnl_socket_bind(*socket, groups, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	return 0;
}

/* RTMGRP_* bits exist for the groups up to 32, rules among them. */
#define GROUPS                                                                  \
	(RTMGRP_LINK | RTMGRP_NEIGH | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | \
	 RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_RULE |             \
	 1U << (RTNLGRP_IPV6_RULE - 1) | 1U << (RTNLGRP_NEXTHOP - 1))

int hf_netlink_open(struct hf_netlink **netlink)
{
	struct hf_netlink *nl = calloc(1, sizeof(*nl));
	const int size = RECEIVE_BUFFER;
	int err;

	if (!nl)
		return -ENOMEM;
	err = open_socket(&nl->events, GROUPS);
	if (!err)
		err = open_socket(&nl->queries, 0);
	if (err) {
		hf_netlink_close(nl);
		return err;
	}
	/* A full routing table's worth of changes must fit; what does not is dumped anew. */
	if (setsockopt(hf_netlink_fd(nl), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(hf_netlink_fd(nl), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	*netlink = nl;
	return 0;
}

void hf_netlink_close(struct hf_netlink *nl)
{
	if (!nl)
		return;
	if (nl->events)
		mnl_socket_close(nl->events);
	if (nl->queries)
		mnl_socket_close(nl->queries);
	free(nl);
}

int hf_netlink_fd(const struct hf_netlink *nl)
{
	return mnl_socket_get_fd(nl->events);
}

/* Attributes by type, those above `max` left out. */
struct attributes {
	const struct nlattr **table;
	uint16_t max;
};

static int take_attribute(const struct nlattr *attribute, void *data)
{
	struct attributes *a = data;

	if (mnl_attr_get_type(attribute) <= a->max)
		a->table[mnl_attr_get_type(attribute)] = attribute;
	return MNL_CB_OK;
}

static void parse(const struct nlmsghdr *message, size_t header, const struct nlattr **table,
		  uint16_t max)
{
	struct attributes a = { table, max };

	mnl_attr_parse(message, header, take_attribute, &a);
}

static void parse_nested(const struct nlattr *nest, const struct nlattr **table, uint16_t max)
{
	struct attributes a = { table, max };

	mnl_attr_parse_nested(nest, take_attribute, &a);
}

static bool get_address(const struct nlattr *attribute, uint8_t af, struct hf_address *address)
{
	struct hf_address a = { .family = af == AF_INET ? 4 : 6 };

	if (!attribute || mnl_attr_get_payload_len(attribute) != hf_address_length(a.family))
		return false;
	memcpy(a.word, mnl_attr_get_payload(attribute), hf_address_length(a.family));
	*address = a;
	return true;
}

static void get_vlan(const struct nlattr *info, struct hf_link *link)
{
	const struct nlattr *kind[IFLA_INFO_MAX + 1] = { 0 }, *data[IFLA_VLAN_MAX + 1] = { 0 };

	parse_nested(info, kind, IFLA_INFO_MAX);
	if (!kind[IFLA_INFO_KIND] || !kind[IFLA_INFO_DATA] ||
	    strcmp(mnl_attr_get_str(kind[IFLA_INFO_KIND]), "vlan") != 0)
		return;
	parse_nested(kind[IFLA_INFO_DATA], data, IFLA_VLAN_MAX);
	if (data[IFLA_VLAN_ID])
		link->vlan_id = mnl_attr_get_u16(data[IFLA_VLAN_ID]);
	if (data[IFLA_VLAN_PROTOCOL])
		link->vlan_protocol = ntohs(mnl_attr_get_u16(data[IFLA_VLAN_PROTOCOL]));
}

static int take_link(const struct nlmsghdr *message, struct hf_network *network)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	const struct nlattr *a[IFLA_MAX + 1] = { 0 };
	struct hf_link link = {
		.ifindex = info->ifi_index,
		.up = (info->ifi_flags & IFF_UP) && (info->ifi_flags & IFF_RUNNING),
		.ethernet = info->ifi_type == ARPHRD_ETHER,
	};

	if (info->ifi_family == AF_BRIDGE) /* of a bridge's port, not of the link itself */
		return 0;
	if (message->nlmsg_type == RTM_DELLINK) {
		hf_network_remove_link(network, info->ifi_index);
		return 0;
	}
	parse(message, sizeof(*info), a, IFLA_MAX);
	if (a[IFLA_MTU])
		link.mtu = mnl_attr_get_u32(a[IFLA_MTU]);
	if (a[IFLA_LINK])
		link.parent = mnl_attr_get_u32(a[IFLA_LINK]);
	if (a[IFLA_ADDRESS] && mnl_attr_get_payload_len(a[IFLA_ADDRESS]) == sizeof(link.mac))
		memcpy(link.mac, mnl_attr_get_payload(a[IFLA_ADDRESS]), sizeof(link.mac));
	if (a[IFLA_LINKINFO])
		get_vlan(a[IFLA_LINKINFO], &link);
	return hf_network_set_link(network, &link);
}

#define NUD_USABLE (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY)

static int take_neighbour(const struct nlmsghdr *message, struct hf_network *network)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(message);
	const struct nlattr *a[NDA_MAX + 1] = { 0 };
	struct hf_neighbour neighbour = {
		.ifindex = nd->ndm_ifindex,
		.usable = (nd->ndm_state & NUD_USABLE) != 0,
		.permanent = (nd->ndm_state & (NUD_PERMANENT | NUD_NOARP)) != 0,
	};

	if (nd->ndm_family != AF_INET && nd->ndm_family != AF_INET6)
		return 0;
	parse(message, sizeof(*nd), a, NDA_MAX);
	if (!get_address(a[NDA_DST], nd->ndm_family, &neighbour.address))
		return 0;
	if (message->nlmsg_type == RTM_DELNEIGH) {
		hf_network_remove_neighbour(network, neighbour.ifindex, &neighbour.address);
		return 0;
	}
	if (a[NDA_LLADDR] && mnl_attr_get_payload_len(a[NDA_LLADDR]) == sizeof(neighbour.mac))
		memcpy(neighbour.mac, mnl_attr_get_payload(a[NDA_LLADDR]), sizeof(neighbour.mac));
	else
		neighbour.usable = false;
	if (a[NDA_FLAGS_EXT])
		neighbour.managed = mnl_attr_get_u32(a[NDA_FLAGS_EXT]) & NTF_EXT_MANAGED;
	return hf_network_set_neighbour(network, &neighbour);
}

struct intake {
	struct hf_network *network;
	struct hf_netlink_news news;
	int err;
};

static int take_message(const struct nlmsghdr *message, void *data)
{
	struct intake *in = data;
	int err = 0;

	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		in->news.links_or_neighbours = in->news.routes = true;
		err = take_link(message, in->network);
		break;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		in->news.links_or_neighbours = true;
		err = take_neighbour(message, in->network);
		break;
	default:
		in->news.routes = true;
		break;
	}
	if (err)
		in->err = err;
	return MNL_CB_OK;
}

/* Lets go of what is left of an answer that is of no use any more. */
static void drain(struct mnl_socket *socket, char *buffer)
{
	while (recv(mnl_socket_get_fd(socket), buffer, BUFFER, MSG_DONTWAIT) > 0)
		;
}

/* Sends a request and passes every answer to `take`. -EINTR: a dump that changed under way. */
static int ask(struct hf_netlink *nl, struct nlmsghdr *request, mnl_cb_t take, void *data)
{
	unsigned int port = mnl_socket_get_portid(nl->queries);
	ssize_t got;
	int more = 1;

	drain(nl->queries, nl->buffer);
	request->nlmsg_seq = ++nl->sequence;
	if (mnl_socket_sendto(nl->queries, request, request->nlmsg_len) < 0)
		return -errno;
	while (more > 0) {
		got = mnl_socket_recvfrom(nl->queries, nl->buffer, sizeof(nl->buffer));
		if (got < 0)
			return -errno;
		more = mnl_cb_run(nl->buffer, got, nl->sequence, port, take, data);
		if (more < 0)
			return -errno;
		/* A single answer to a request without NLM_F_ACK ends without a closing message. */
		if (!(request->nlmsg_flags & (NLM_F_DUMP | NLM_F_ACK)))
			break;
	}
	return 0;
}

static int dump(struct hf_netlink *nl, uint16_t type, uint8_t family, mnl_cb_t take, void *data)
{
	/* Large enough for ifinfomsg, ndmsg and rtmsg, whose first byte is the family. */
	char room[NLMSG_HDRLEN + sizeof(struct ifinfomsg)] __attribute__((aligned(8)));
	struct nlmsghdr *request = mnl_nlmsg_put_header(room);
	uint8_t *header;

	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header = mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	*header = family;
	return ask(nl, request, take, data);
}

/* While links or neighbours change under a dump, it is begun again. */
#define DUMP_TRIES 20

int hf_netlink_dump(struct hf_netlink *nl, struct hf_network *network)
{
	struct intake in = { .network = network };
	int err = -EINTR;

	for (int i = 0; i < DUMP_TRIES && err == -EINTR; i++) {
		hf_network_clear(network);
		err = dump(nl, RTM_GETLINK, AF_UNSPEC, take_message, &in);
		if (!err)
			err = dump(nl, RTM_GETNEIGH, AF_UNSPEC, take_message, &in);
	}
	return err ? err : in.err;
}

int hf_netlink_read(struct hf_netlink *nl, struct hf_network *network, struct hf_netlink_news *news)
{
	struct intake in = { .network = network };
	ssize_t got;

	for (;;) {
		got = recv(hf_netlink_fd(nl), nl->buffer, sizeof(nl->buffer), MSG_DONTWAIT);
		if (got <= 0)
			break;
		mnl_cb_run(nl->buffer, got, 0, 0, take_message, &in);
	}
	if (got < 0 && errno == ENOBUFS) {
		hf_warning(
			"the kernel reported more network changes than could be read: asking for "
			"all of them again");
		in.news = (struct hf_netlink_news){ true, true };
		/* What is still queued is older than the dump. */
		drain(nl->events, nl->buffer);
		in.err = hf_netlink_dump(nl, network);
	} else if (got < 0 && errno != EAGAIN && errno != EINTR) {
		in.err = -errno;
	}
	*news = in.news;
	return in.err;
}

static int take_route(const struct nlmsghdr *message, void *data)
{
	const struct rtmsg *rt = mnl_nlmsg_get_payload(message);
	const struct nlattr *a[RTA_MAX + 1] = { 0 }, *metrics[RTAX_MAX + 1] = { 0 };
	struct hf_route *route = data;

	if (rt->rtm_type != RTN_UNICAST)
		return MNL_CB_OK;
	parse(message, sizeof(*rt), a, RTA_MAX);
	if (a[RTA_OIF])
		route->ifindex = mnl_attr_get_u32(a[RTA_OIF]);
	get_address(a[RTA_GATEWAY], rt->rtm_family, &route->via);
	get_address(a[RTA_PREFSRC], rt->rtm_family, &route->source);
	if (a[RTA_VIA] && mnl_attr_get_payload_len(a[RTA_VIA]) >= 2 + sizeof(struct in6_addr)) {
		const struct rtvia *via = mnl_attr_get_payload(a[RTA_VIA]);

		route->via = (struct hf_address){ .family = 6 };
		memcpy(route->via.word, via->rtvia_addr, sizeof(route->via.word));
	}
	if (a[RTA_METRICS])
		parse_nested(a[RTA_METRICS], metrics, RTAX_MAX);
	if (metrics[RTAX_MTU])
		route->mtu = mnl_attr_get_u32(metrics[RTAX_MTU]);
	return MNL_CB_OK;
}

int hf_netlink_route(struct hf_netlink *nl, const struct hf_address *destination,
		     struct hf_route *route)
{
	char room[256] __attribute__((aligned(8)));
	struct nlmsghdr *request = mnl_nlmsg_put_header(room);
	uint32_t length = hf_address_length(destination->family);
	struct rtmsg *rt;
	int err;

	*route = (struct hf_route){ .via = *destination };
	request->nlmsg_type = RTM_GETROUTE;
	request->nlmsg_flags = NLM_F_REQUEST;
	rt = mnl_nlmsg_put_extra_header(request, sizeof(*rt));
	rt->rtm_family = destination->family == 4 ? AF_INET : AF_INET6;
	rt->rtm_dst_len = length * 8;
	mnl_attr_put(request, RTA_DST, length, destination->word);
	err = ask(nl, request, take_route, route);
	/* The kernel's ways to say that there is no way. */
	if (err == -ENETUNREACH || err == -EHOSTUNREACH || err == -EACCES || err == -EINVAL)
		return 0;
	return err;
}

int hf_netlink_manage(struct hf_netlink *nl, uint32_t ifindex, const struct hf_address *address,
		      bool known)
{
	char room[256] __attribute__((aligned(8)));
	struct nlmsghdr *request = mnl_nlmsg_put_header(room);
	struct ndmsg *nd;
	int err;

	request->nlmsg_type = RTM_NEWNEIGH;
	request->nlmsg_flags =
		NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | (known ? NLM_F_REPLACE : NLM_F_EXCL);
	nd = mnl_nlmsg_put_extra_header(request, sizeof(*nd));
	nd->ndm_family = address->family == 4 ? AF_INET : AF_INET6;
	nd->ndm_ifindex = ifindex;
	nd->ndm_state = NUD_NONE;
	mnl_attr_put(request, NDA_DST, hf_address_length(address->family), address->word);
	mnl_attr_put_u32(request, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
	err = ask(nl, request, NULL, NULL);
	return err == -EEXIST ? 0 : err;
}

struct interfaces {
	char (*names)[IF_NAMESIZE];
	uint32_t room, count;
};

static void add_interface(struct interfaces *in, uint32_t ifindex)
{
	char name[IF_NAMESIZE];

	if (!ifindex || in->count == in->room || !if_indextoname(ifindex, name))
		return;
	for (uint32_t i = 0; i < in->count; i++)
		if (strcmp(in->names[i], name) == 0)
			return;
	memcpy(in->names[in->count++], name, sizeof(name));
}

static int take_default_route(const struct nlmsghdr *message, void *data)
{
	const struct rtmsg *rt = mnl_nlmsg_get_payload(message);
	const struct nlattr *a[RTA_MAX + 1] = { 0 };

	if (rt->rtm_dst_len != 0 || rt->rtm_type != RTN_UNICAST)
		return MNL_CB_OK;
	parse(message, sizeof(*rt), a, RTA_MAX);
	if (a[RTA_OIF])
		add_interface(data, mnl_attr_get_u32(a[RTA_OIF]));
	if (a[RTA_MULTIPATH]) {
		const struct rtnexthop *hop = mnl_attr_get_payload(a[RTA_MULTIPATH]);
		int left = mnl_attr_get_payload_len(a[RTA_MULTIPATH]);

		for (; RTNH_OK(hop, left); left -= RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop))
			add_interface(data, hop->rtnh_ifindex);
	}
	return MNL_CB_OK;
}

int hf_netlink_default_interfaces(struct hf_netlink *nl, char (*names)[IF_NAMESIZE], uint32_t room)
{
	struct interfaces in = { names, room, 0 };
	int err = dump(nl, RTM_GETROUTE, AF_INET, take_default_route, &in);

	if (!err)
		err = dump(nl, RTM_GETROUTE, AF_INET6, take_default_route, &in);
	return err ? err : (int)in.count;
}
