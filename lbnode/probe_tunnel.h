/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tc programs by which probes go through the tunnels (bpf/probe.bpf.c). They are on all
 * interfaces but the loopback, since the kernel may send a probe by any, and what would leave
 * without them would prove something else. They use the data plane's backends and next hops, and go
 * with the agent: without one nobody probes.
 */
#ifndef HF_LBNODE_PROBE_TUNNEL_H
#define HF_LBNODE_PROBE_TUNNEL_H

#include "lbnode/dataplane.h"

struct hf_probe_tunnel;

/* Loads the programs, and attaches them, in place of a former agent's. 0 or a negative errno,
 * logged. */
int hf_probe_tunnel_open(struct hf_probe_tunnel **tunnel, struct hf_dataplane *dataplane);
/* There may be other interfaces than before. */
void hf_probe_tunnel_follow(struct hf_probe_tunnel *tunnel);
/* Takes them off again; NULL is fine. */
void hf_probe_tunnel_close(struct hf_probe_tunnel *tunnel);

/* The mark of packets that are to go to `vip` by the backend's tunnel, `way` being a number below
 * HF_PROBE_WAYS that means this until it is given again; 0: there is no such backend. */
uint32_t hf_probe_tunnel_mark(struct hf_probe_tunnel *tunnel, uint32_t way, uint16_t backend,
			      const struct hf_address *vip);

#endif
