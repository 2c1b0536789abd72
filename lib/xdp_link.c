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

/* True when a former agent's link now runs our program. */
static bool take_over(const char *instance, const char *pin, uint32_t ifindex, int program,
		      bool generic)
{
	int link = hf_bpffs_open(instance, pin);
	bool taken;

	if (link < 0)
		return false;
	/* A link outlives its interface, bound to nothing; and it can't change its mode. */
	taken = link_is_of(link, ifindex) && is_generic(ifindex) == generic &&
		bpf_link_update(link, program, NULL) == 0;
	if (!taken)
		bpf_link_detach(link);
	close(link);
	return taken;
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

struct running {
	const char *instance;
	uint32_t program;
};

static bool find_running(void *context, const char *pin)
{
	struct running *running = context;
	struct bpf_link_info info = { 0 };
	__u32 length = sizeof(info);
	char interface[16];
	int link;

	if (running->program || !hf_xdp_link_interface(pin, interface))
		return false;
	link = hf_bpffs_open(running->instance, pin);
	if (link < 0)
		return false;
	if (bpf_obj_get_info_by_fd(link, &info, &length) == 0)
		running->program = info.prog_id;
	close(link);
	return false;
}

uint32_t hf_xdp_running(const char *instance)
{
	struct running running = { .instance = instance };

	hf_bpffs_unpin(instance, find_running, &running); /* which unpins none */
	return running.program;
}

int hf_xdp_attach(const char *instance, const char *interface, int program, bool generic)
{
	LIBBPF_OPTS(bpf_link_create_opts, options,
		    .flags = generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
	uint32_t ifindex = if_nametoindex(interface);
	char pin[HF_XDP_LINK_SIZE];
	int link, err;

	if (!ifindex) {
		hf_error("there is no interface %s; `ip link` lists them", interface);
		return -ENODEV;
	}
	hf_xdp_link_pin(interface, pin);
	if (take_over(instance, pin, ifindex, program, generic))
		return 0;
	link = bpf_link_create(program, ifindex, BPF_XDP, &options);
	if (link < 0)
		return explain(interface, ifindex, generic, link);
	err = hf_bpffs_pin(instance, pin, link);
	close(link);
	return err;
}
