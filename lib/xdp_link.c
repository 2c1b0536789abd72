// SPDX-License-Identifier: BSD-2-Clause
#include "lib/xdp_link.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/bpffs.h"
#include "lib/log.h"

static void exchange(char *text, char from, char to)
{
	for (; *text; text++)
		if (*text == from)
			*text = to;
}

const char *hf_xdp_link_pin(const char *interface, char pin[HF_XDP_LINK_SIZE])
{
	snprintf(pin, HF_XDP_LINK_SIZE, HF_XDP_LINK "%.15s", interface);
	exchange(pin, '.', ':');
	return pin;
}

bool hf_xdp_link_interface(const char *pin, char interface[16])
{
	if (strncmp(pin, HF_XDP_LINK, strlen(HF_XDP_LINK)) != 0)
		return false;
	snprintf(interface, 16, "%.15s", pin + strlen(HF_XDP_LINK));
	exchange(interface, ':', '.');
	return true;
}

static bool link_is_of(int link, uint32_t ifindex)
{
	struct bpf_link_info info = { 0 };
	__u32 length = sizeof(info);

	return bpf_obj_get_info_by_fd(link, &info, &length) == 0 && info.xdp.ifindex == ifindex;
}

static bool is_generic(uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	return bpf_xdp_query(ifindex, 0, &query) == 0 && query.attach_mode == XDP_ATTACHED_SKB;
}

static int program_of(int link)
{
	struct bpf_link_info info = { 0 };
	__u32 length = sizeof(info);

	if (bpf_obj_get_info_by_fd(link, &info, &length))
		return -1;
	return bpf_prog_get_fd_by_id(info.prog_id);
}

/* 0 when a former agent's link now runs our program; -ENOENT: there is none that could. One of the
 * other mode has to go: *former is its program, to be closed, else -1. */
static int take_over(const char *instance, const char *pin, uint32_t ifindex, int program,
		     bool generic, int *former)
{
	int link = hf_bpffs_open(instance, pin), err = -ENOENT;

	if (link < 0)
		return -ENOENT;
	/* A link outlives its interface, bound to nothing; and it can't change its mode. */
	if (link_is_of(link, ifindex) && is_generic(ifindex) == generic) {
		err = bpf_link_update(link, program, NULL);
	} else {
		*former = link_is_of(link, ifindex) ? program_of(link) : -1;
		bpf_link_detach(link);
	}
	close(link);
	return err;
}

static void explain_occupied(const char *interface, uint32_t ifindex)
{
	struct bpf_prog_info info = { 0 };
	__u32 id = 0, length = sizeof(info);
	int fd = -1;

	if (bpf_xdp_query_id(ifindex, 0, &id) == 0 && id)
		fd = bpf_prog_get_fd_by_id(id);
	if (fd >= 0) {
		bpf_obj_get_info_by_fd(fd, &info, &length);
		close(fd);
	}
	/* Ours hold on by a link, which iproute2 can't take off. */
	if (strncmp(info.name, "holdfast", strlen("holdfast")) == 0)
		hf_error("interface %s already has an XDP program, \"%s\" (id %u), of another "
			 "instance; stop that, and end it by --detach --instance NAME (`ls %s`)",
			 interface, info.name, id, HF_BPFFS_ROOT);
	else
		hf_error("interface %s already has an XDP program, \"%s\" (id %u); stop what "
			 "attached it, or `ip link set dev %s xdp off`",
			 interface, info.name[0] ? info.name : "unknown", id, interface);
}

static int explain(const char *interface, uint32_t ifindex, bool generic, int err)
{
	if (err == -EBUSY || err == -EEXIST)
		explain_occupied(interface, ifindex);
	else if (!generic && (err == -EOPNOTSUPP || err == -EINVAL))
		hf_error(
			"interface %s takes no native XDP program: %s; if its driver has none, ask "
			"for generic mode, which is much slower",
			interface, strerror(-err));
	else
		hf_error("can't attach to interface %s: %s", interface, strerror(-err));
	return err;
}

/* Opens a link that is bound to an interface: its descriptor and what it says, else -1. */
static int open_live(const char *instance, const char *pin, struct bpf_link_info *info)
{
	__u32 length = sizeof(*info);
	char interface[16];
	int link;

	if (!hf_xdp_link_interface(pin, interface))
		return -1;
	link = hf_bpffs_open(instance, pin);
	memset(info, 0, sizeof(*info));
	if (link >= 0 && bpf_obj_get_info_by_fd(link, info, &length) == 0 && info->xdp.ifindex)
		return link;
	if (link >= 0)
		close(link);
	return -1;
}

struct search {
	const char *instance;
	uint32_t id;
	bool found;
};

static void find_program(void *context, const char *pin)
{
	struct search *search = context;
	struct bpf_link_info info;
	int link = open_live(search->instance, pin, &info);

	if (link >= 0) {
		search->found |= info.prog_id == search->id;
		close(link);
	}
}

bool hf_xdp_runs(const char *instance, uint32_t id)
{
	struct search search = { .instance = instance, .id = id };

	hf_bpffs_each(instance, find_program, &search);
	return search.found;
}

bool hf_xdp_is_on(uint32_t ifindex)
{
	uint32_t id = 0;

	return bpf_xdp_query_id((int)ifindex, 0, &id) < 0 || id;
}

struct update {
	const char *instance;
	int program;
	bool failed;
};

static void update_link(void *context, const char *pin)
{
	struct update *update = context;
	struct bpf_link_info info;
	int link = open_live(update->instance, pin, &info);

	if (link >= 0) {
		update->failed |= bpf_link_update(link, update->program, NULL) != 0;
		close(link);
	}
}

bool hf_xdp_update_all(const char *instance, int program)
{
	struct update update = { .instance = instance, .program = program };

	return hf_bpffs_each(instance, update_link, &update) == 0 && !update.failed;
}

static int make_link(const char *instance, const char *pin, uint32_t ifindex, int program,
		     bool generic)
{
	LIBBPF_OPTS(bpf_link_create_opts, options,
		    .flags = generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
	int link = bpf_link_create(program, ifindex, BPF_XDP, &options), err;

	if (link < 0)
		return link;
	err = hf_bpffs_pin(instance, pin, link);
	close(link);
	return err;
}

int hf_xdp_attach(const char *instance, const char *interface, int program, bool generic)
{
	uint32_t ifindex = if_nametoindex(interface);
	char pin[HF_XDP_LINK_SIZE];
	int err, former = -1;

	if (!ifindex) {
		hf_error("there is no interface %s; `ip link` lists them", interface);
		return -ENODEV;
	}
	hf_xdp_link_pin(interface, pin);
	err = take_over(instance, pin, ifindex, program, generic, &former);
	if (err == -ENOENT)
		err = make_link(instance, pin, ifindex, program, generic);
	/* What took the other mode's place and failed gives it back. */
	if (err && former >= 0)
		make_link(instance, pin, ifindex, former, !generic);
	if (former >= 0)
		close(former);
	return err ? explain(interface, ifindex, generic, err) : 0;
}
