/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What goes with a packet of an unknown flow from program to program, and from node to node. */
#ifndef HF_LBNODE_BPF_UNKNOWN_H
#define HF_LBNODE_BPF_UNKNOWN_H

#include <linux/types.h>
#include <stdbool.h>

/* What of the packet its outer header needs, once the packet itself has moved. */
struct hf_inner {
	__u32 entropy;
	__u16 length;
	__u8 tos;
	__u8 family;
	__u8 l2_length;
	__u8 option_words; /* of private data behind the GUE header */
};

enum hf_met {
	HF_MET_NOTHING, /* that has a flow */
	HF_MET_FLOW,
	HF_MET_ICMP,
	HF_MET_FIRST_FRAGMENT,
	HF_MET_OTHER_FRAGMENT,
};

/* All that is known of a packet whose flow is not known: no pointers, so that one program can leave
 * it for the next, and a function fill it that the verifier looks at by itself. */
struct hf_stranger {
	__u64 digest;	/* of its flow; of another fragment: as datagram */
	__u64 datagram; /* of fragments: their key in `fragments` */
	struct hf_inner inner;
	__u32 source[4];
	__u32 service; /* its cell in the service table */
	__u32 origin;  /* id of the node that the spine chose */
	__u8 hops;     /* nodes that it has been sent to */
	__u8 met;      /* enum hf_met */
	__u8 flags;    /* of its envelope */
	__u8 protocol;
	__u8 tcp_flags;
	bool is_tunnel;	 /* by its port */
	bool begins_one; /* a flow, although it looks like a stranger's */
	bool has_pin;	 /* maybe */
};

#endif
