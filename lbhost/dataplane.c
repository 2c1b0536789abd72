// SPDX-License-Identifier: BSD-2-Clause
#include "lbhost/dataplane.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lbhost/namespaces.h"
#include "lib/bpf_log.h"
#include "lib/bpffs.h"
#include "lib/log.h"
#include "lib/xdp_link.h"
#include "host.skel.h"

/* Our filter among an interface's others: first, for others may end the chain, and ours does not.
 */
#define TC_HANDLE   1
#define TC_PRIORITY 1

struct hf_host {
	const struct hf_host_settings *settings;
	struct host_bpf *bpf;
	struct hf_namespace namespace[HF_HOST_NAMESPACES_MAX];
};

static struct hf_host_address address_key(const void *bytes, uint32_t family)
{
	struct hf_host_address key = { .family = family };

	memcpy(key.word, bytes, hf_address_length(family));
	return key;
}

static int allow(struct hf_host *host, const struct hf_prefix *prefix)
{
	struct hf_host_prefix key = {
		.length = HF_HOST_FAMILY_BITS + prefix->length,
		.address = address_key(prefix->address.word, prefix->address.family),
	};
	uint8_t yes = 1;
	int err = bpf_map__update_elem(host->bpf->maps.allowed, &key, sizeof(key), &yes,
				       sizeof(yes), BPF_ANY);

	if (err)
		hf_error("can't allow a tunnel source: %s", strerror(-err));
	return err;
}

static int load(struct hf_host *host)
{
	int err;

	host->bpf = host_bpf__open();
	if (!host->bpf)
		return -errno;
	host->bpf->rodata->gue_port = host->settings->gue_port;
	host->bpf->rodata->tunnel_mtu = host->settings->mtu;
	err = host_bpf__load(host->bpf);
	if (err)
		hf_error("the kernel refuses the BPF programs: %s; run as root, with --debug for "
			 "its reasons",
			 strerror(-err));
	return err;
}

int hf_host_open(struct hf_host **host, const struct hf_host_settings *settings)
{
	struct hf_host *h = calloc(1, sizeof(*h));
	int err;

	if (!h)
		return -ENOMEM;
	hf_bpf_log_open();
	h->settings = settings;
	for (uint32_t i = 0; i < settings->namespace_count; i++)
		h->namespace[i] = (struct hf_namespace){ .name = settings->namespace[i] };
	err = hf_bpffs_prepare(settings->instance);
	if (!err)
		err = load(h);
	for (uint32_t i = 0; i < settings->allowed_count && !err; i++)
		err = allow(h, &settings->allowed[i]);
	if (!err)
		err = hf_host_refresh_addresses(h);
	if (!err)
		hf_host_refresh_namespaces(h);
	if (err) {
		hf_host_close(h);
		return err;
	}
	*host = h;
	return 0;
}

void hf_host_close(struct hf_host *host)
{
	if (!host)
		return;
	host_bpf__destroy(host->bpf);
	free(host);
}

static bool key_of(const struct sockaddr *address, struct hf_host_address *key)
{
	if (address && address->sa_family == AF_INET) {
		*key = address_key(&((const struct sockaddr_in *)address)->sin_addr, 4);
		return true;
	}
	if (address && address->sa_family == AF_INET6) {
		*key = address_key(&((const struct sockaddr_in6 *)address)->sin6_addr, 6);
		return true;
	}
	return false;
}

static bool is_listed(const struct ifaddrs *list, const struct hf_host_address *key)
{
	struct hf_host_address other;

	for (; list; list = list->ifa_next)
		if (key_of(list->ifa_addr, &other) && memcmp(&other, key, sizeof(other)) == 0)
			return true;
	return false;
}

static void remove_unlisted(int map, const struct ifaddrs *list)
{
	struct hf_host_address key, next;
	int err = bpf_map_get_next_key(map, NULL, &next);

	while (!err) {
		key = next;
		err = bpf_map_get_next_key(map, &key, &next);
		if (!is_listed(list, &key))
			bpf_map_delete_elem(map, &key);
	}
}

int hf_host_refresh_addresses(struct hf_host *host)
{
	int map = bpf_map__fd(host->bpf->maps.local_addresses), err = 0;
	struct hf_host_address key;
	struct ifaddrs *list;
	uint8_t yes = 1;

	if (getifaddrs(&list) < 0) {
		hf_error("can't list the host's addresses: %s", strerror(errno));
		return -errno;
	}
	for (struct ifaddrs *a = list; a && !err; a = a->ifa_next)
		if (key_of(a->ifa_addr, &key))
			err = bpf_map_update_elem(map, &key, &yes, BPF_ANY);
	if (err)
		hf_error("can't note the host's addresses: %s", strerror(-err));
	else
		remove_unlisted(map, list);
	freeifaddrs(list);
	return err;
}

void hf_host_refresh_namespaces(struct hf_host *host)
{
	int map = bpf_map__fd(host->bpf->maps.namespaces);

	for (uint32_t i = 0; i < host->settings->namespace_count; i++)
		hf_namespace_refresh(&host->namespace[i], i, map);
}

static int attach_clamp(struct hf_host *host, const char *interface)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = if_nametoindex(interface),
		    .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = TC_HANDLE, .priority = TC_PRIORITY,
		    .prog_fd = bpf_program__fd(host->bpf->progs.holdfast_out),
		    .flags = BPF_TC_F_REPLACE);
	int err = bpf_tc_hook_create(&hook);

	if (!err || err == -EEXIST)
		err = bpf_tc_attach(&hook, &options);
	if (err)
		hf_error("can't attach the MSS clamp to interface %s: %s", interface,
			 strerror(-err));
	return err;
}

/* Only our filter: the clsact qdisc, which does nothing by itself, may serve others by now. */
static void detach_clamp(const char *interface)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = if_nametoindex(interface),
		    .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = TC_HANDLE, .priority = TC_PRIORITY);

	if (hook.ifindex)
		bpf_tc_detach(&hook, &options);
}

static bool is_stale_link(void *context, const char *pin)
{
	const struct hf_host_settings *s = context;

	char interface[16];

	if (!hf_xdp_link_interface(pin, interface))
		return false;
	for (uint32_t i = 0; i < s->interface_count; i++)
		if (strcmp(interface, s->interface[i]) == 0)
			return false;
	detach_clamp(interface);
	return true;
}

int hf_host_attach(struct hf_host *host)
{
	const struct hf_host_settings *s = host->settings;
	int err = hf_bpffs_unpin(s->instance, is_stale_link, (void *)s);

	for (uint32_t i = 0; i < s->interface_count && !err; i++) {
		err = hf_xdp_attach(s->instance, s->interface[i],
				    bpf_program__fd(host->bpf->progs.holdfast_in), s->generic);
		if (!err)
			err = attach_clamp(host, s->interface[i]);
	}
	if (!err)
		err = hf_bpffs_pin(s->instance, "counters", bpf_map__fd(host->bpf->maps.counters));
	return err ? err
		   : hf_bpffs_pin(s->instance, "program",
				  bpf_program__fd(host->bpf->progs.holdfast_in));
}

static bool is_ours(void *context, const char *pin)
{
	char interface[16];

	(void)context;
	if (hf_xdp_link_interface(pin, interface))
		detach_clamp(interface);
	return true;
}

int hf_host_detach(const char *instance)
{
	int err = hf_bpffs_unpin(instance, is_ours, NULL);

	if (!err)
		hf_bpffs_remove(instance);
	return err;
}

bool hf_host_is_pinned(const char *instance)
{
	int program = hf_bpffs_open(instance, "program");

	if (program >= 0)
		close(program);
	return program >= 0;
}
