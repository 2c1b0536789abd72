// SPDX-License-Identifier: BSD-2-Clause
#include "lbhost/namespaces.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <limits.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"

static int open_namespace(const char *name)
{
	char path[PATH_MAX];

	if (strchr(name, '/'))
		return open(name, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/run/netns/%s", name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int take_attribute(const struct nlattr *attribute, void *id)
{
	if (mnl_attr_get_type(attribute) == NETNSA_NSID)
		*(int32_t *)id = mnl_attr_get_u32(attribute);
	return MNL_CB_OK;
}

static int take_reply(const struct nlmsghdr *reply, void *id)
{
	return mnl_attr_parse(reply, sizeof(struct rtgenmsg), take_attribute, id);
}

/* Asks for `type`, of the namespace `fd`. */
static int ask(struct mnl_socket *socket, uint16_t type, int fd, int32_t *id)
{
	char room[8192] __attribute__((aligned(8)));
	struct nlmsghdr *request = mnl_nlmsg_put_header(room);
	struct rtgenmsg *header;
	ssize_t got;

	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	request->nlmsg_seq = type;
	header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
	header->rtgen_family = AF_UNSPEC;
	mnl_attr_put_u32(request, NETNSA_FD, fd);
	if (type == RTM_NEWNSID)
		mnl_attr_put_u32(request, NETNSA_NSID, (uint32_t)-1); /* any */
	if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		return -errno;
	do {
		got = mnl_socket_recvfrom(socket, room, sizeof(room));
		if (got < 0)
			return -errno;
		got = mnl_cb_run(room, got, type, mnl_socket_get_portid(socket), take_reply, id);
	} while (got > MNL_CB_STOP);
	return got < 0 ? -errno : 0;
}

/* The id of the namespace in ours, which it is given if it has none; or a negative errno. */
static int id_of(int fd)
{
	struct mnl_socket *socket = mnl_socket_open(NETLINK_ROUTE);
	int32_t id = -1;
	int err = 0;

	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
		err = -errno;
	if (!err)
		err = ask(socket, RTM_NEWNSID, fd, &id);
	if (!err || err == -EEXIST)
		err = ask(socket, RTM_GETNSID, fd, &id);
	if (socket)
		mnl_socket_close(socket);
	if (!err && id < 0)
		err = -ENOENT;
	return err ? err : id;
}

/* By its id, since inode numbers are used again. */
static struct hf_host_namespace look(const char *name, const char **why)
{
	struct hf_host_namespace found = { .is_set = 0 };
	int fd = open_namespace(name), id = fd < 0 ? -errno : id_of(fd);

	if (fd >= 0)
		close(fd);
	if (id >= 0)
		found = (struct hf_host_namespace){ .is_set = 1, .id = id };
	else
		*why = strerror(-id);
	return found;
}

void hf_namespace_refresh(struct hf_namespace *ns, uint32_t i, int map)
{
	const char *why = NULL;
	struct hf_host_namespace now = look(ns->name, &why);

	if (ns->looked && now.is_set == ns->last.is_set && now.id == ns->last.id)
		return;
	if (bpf_map_update_elem(map, &i, &now, BPF_ANY) < 0) {
		hf_error("can't note network namespace %s: %s", ns->name, strerror(errno));
		return;
	}
	if (now.is_set)
		hf_notice("looking for connections in network namespace %s, too", ns->name);
	else
		hf_warning("network namespace %s: %s; its connections are not known until it is "
			   "there",
			   ns->name, why);
	ns->last = now;
	ns->looked = true;
}
