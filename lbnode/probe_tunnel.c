// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/probe_tunnel.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "lbnode/bpf/probe_types.h"
#include "lib/log.h"
#include "probe.skel.h"

/* Ours among an interface's filters. */
#define TC_HANDLE   0x4846
#define TC_PRIORITY 1

#define INTERFACES 256

struct hf_probe_tunnel {
	struct probe_bpf *bpf;
	uint32_t attached[INTERFACES]; /* ifindexes */
	uint32_t count;
};

static int attach(uint32_t interface, enum bpf_tc_attach_point point, int program)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = interface, .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = TC_HANDLE, .priority = TC_PRIORITY,
		    .prog_fd = program, .flags = BPF_TC_F_REPLACE);
	int err = bpf_tc_hook_create(&hook);

	if (!err || err == -EEXIST)
		err = bpf_tc_attach(&hook, &options);
	return err;
}

/* Only our filter: the clsact qdisc, which does nothing by itself, may serve others by now. */
static void detach(uint32_t interface, enum bpf_tc_attach_point point)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = interface, .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = TC_HANDLE, .priority = TC_PRIORITY);

	bpf_tc_detach(&hook, &options);
}

static bool is_attached(const struct hf_probe_tunnel *t, uint32_t interface)
{
	for (uint32_t i = 0; i < t->count; i++)
		if (t->attached[i] == interface)
			return true;
	return false;
}

static void attach_both(struct hf_probe_tunnel *t, const struct if_nameindex *interface)
{
	int err = attach(interface->if_index, BPF_TC_EGRESS,
			 bpf_program__fd(t->bpf->progs.holdfast_probe_out));

	if (!err)
		err = attach(interface->if_index, BPF_TC_INGRESS,
			     bpf_program__fd(t->bpf->progs.holdfast_probe_in));
	if (err)
		hf_warning(
			"can't attach the programs of probes through tunnels to interface %s: %s; "
			"does it have an `ingress` qdisc in place of `clsact`?",
			interface->if_name, strerror(-err));
}

void hf_probe_tunnel_follow(struct hf_probe_tunnel *t)
{
	struct if_nameindex *all = if_nameindex();

	for (uint32_t i = 0; all && all[i].if_index; i++) {
		if (strcmp(all[i].if_name, "lo") == 0 || is_attached(t, all[i].if_index) ||
		    t->count == INTERFACES)
			continue;
		t->attached[t->count++] = all[i].if_index;
		attach_both(t, &all[i]);
	}
	if_freenameindex(all);
}

void hf_probe_tunnel_close(struct hf_probe_tunnel *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; i < t->count; i++) {
		detach(t->attached[i], BPF_TC_EGRESS);
		detach(t->attached[i], BPF_TC_INGRESS);
	}
	probe_bpf__destroy(t->bpf);
	free(t);
}

int hf_probe_tunnel_open(struct hf_probe_tunnel **tunnel, struct hf_dataplane *dataplane)
{
	struct hf_probe_tunnel *t = calloc(1, sizeof(*t));
	int err = -ENOMEM;

	if (!t)
		return err;
	t->bpf = probe_bpf__open();
	if (t->bpf)
		err = hf_dataplane_lend(dataplane, t->bpf->maps.backends, t->bpf->maps.nexthops);
	if (!err)
		err = probe_bpf__load(t->bpf);
	if (err) {
		hf_error("the kernel refuses the programs of probes through tunnels: %s; with "
			 "--debug it says why",
			 strerror(-err));
		hf_probe_tunnel_close(t);
		return err;
	}
	hf_probe_tunnel_follow(t);
	*tunnel = t;
	return 0;
}

uint32_t hf_probe_tunnel_mark(struct hf_probe_tunnel *t, uint32_t number, uint16_t backend,
			      const struct hf_address *vip)
{
	struct hf_probe_way way = { .backend = backend, .family = vip->family };

	if (backend == HF_NO_BACKEND || number >= HF_PROBE_WAYS)
		return 0;
	memcpy(way.vip, vip->word, hf_address_length(vip->family));
	if (bpf_map__update_elem(t->bpf->maps.ways, &number, sizeof(number), &way, sizeof(way),
				 BPF_ANY) < 0)
		return 0;
	return HF_PROBE_MARK << 16 | number;
}
