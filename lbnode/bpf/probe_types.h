/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Between the agent and the programs that send its probes through tunnels (probe.bpf.c). */
#ifndef HF_LBNODE_BPF_PROBE_TYPES_H
#define HF_LBNODE_BPF_PROBE_TYPES_H

#include <linux/types.h>

/* The upper half of a probe's mark; the lower one is its place in `ways`. */
#define HF_PROBE_MARK 0x4846
#define HF_PROBE_WAYS 65536

/* Which backend's tunnel, and which VIP is behind it. */
struct hf_probe_way {
	__u32 vip[4];
	__u16 backend;
	__u8 family; /* the VIP's */
	__u8 reserved;
};

/* Of an answer: from whom, and to which port of ours. */
struct hf_probe_answer {
	__u32 vip[4];
	__be16 vip_port, own_port;
	__u8 family, protocol;
	__u8 reserved[2];
};

/* The address that the probe's socket believes it talks to. */
struct hf_probe_peer {
	__u32 address[4];
};

#endif
