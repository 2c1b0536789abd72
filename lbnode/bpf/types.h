/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the XDP program and its agent both read and write: the values of the maps. Fixed widths,
 * explicit padding; a change of any of these, or of a pin (pin.h), raises HF_LAYOUT.
 */
#ifndef HF_LBNODE_BPF_TYPES_H
#define HF_LBNODE_BPF_TYPES_H

#include "lib/packet/shard.h"

#define HF_LAYOUT 2 /* of what outlives the agent in bpffs */

#define HF_MAX_SERVICES 4096
#define HF_MAX_POOLS \
	8192 /* twice the configuration's limit: old and new ones overlap in a reload */
#define HF_MAX_BACKENDS 65536 /* ids; id 0 is never a backend, which leaves 65,535 */
#define HF_NO_BACKEND	0
#define HF_LIMIT_CELLS	65536

/* Which outer header a backend's packets get. */
enum hf_encapsulation {
	HF_ENCAP_NONE = 0, /* no such backend */
	HF_ENCAP_IPIP_OVER_IPV4,
	HF_ENCAP_IPIP_OVER_IPV6,
	HF_ENCAP_GUE_OVER_IPV4,
	HF_ENCAP_GUE_OVER_IPV6,
};

/* One cache line: all that is needed to write a backend's outer header. */
struct hf_backend {
	__u32 address[4]; /* network order, an IPv4 address in word 0 */
	__u32 source[4];  /* the outer source's fixed bits */
	__u32 entropy;	  /* network order: which bits of its last word the digest fills */
	__u32 checksum;	  /* sum of the outer IPv4 header's constant words, not folded */
	__u32 nexthop;	  /* index into `nexthops` */
	__be16 gue_port;
	__u8 encapsulation; /* enum hf_encapsulation */
	__u8 is_draining;   /* it has left the pools' tables: no new flows */
	__u64 identity;	    /* names this backend to the next agent (lbnode/backends.h) */
	__u8 is_down;	    /* UDP flows are not kept, either: nobody tells their clients */
	__u8 reserved1[7];
};

/* ifindex 0: the way is not known at present. */
struct hf_nexthop {
	__u32 ifindex;
	__u16 mtu;
	__u8 vlan_tags;
	__u8 reserved0;
	__u8 macs[12]; /* destination, source: as they stand in the frame */
	struct {
		__be16 protocol;
		__be16 tci;
	} vlan[2];
	__u32 reserved1;
};

/* What a pool's table says of a slot, and remembers of it. */
struct hf_slot {
	__u16 backend;
	__u16 previous; /* the choice before this one; HF_NO_BACKEND: it has not changed */
	__u16 is_fresh; /* it has changed a moment ago: even UDP flows may not be its choice's */
	__u16 reserved;
};

/*
 * The service table: open addressing with linear probing, from hf_service_hash() on. It is the
 * single value of its map: one look-up finds it, and a whole table is swapped for the next one.
 * Protocol 0 marks an address as a VIP's, so that a fragment for it is known as ours.
 */
#define HF_SERVICE_CELLS  32768
#define HF_SERVICE_PROBES 16 /* the builder picks a seed that keeps within it */

struct hf_service {
	__u32 address[4];
	__be16 port;   /* 0: all ports */
	__u8 protocol; /* IPPROTO_TCP, IPPROTO_UDP, or 0: just a VIP */
	__u8 family;   /* 4 or 6; 0: the cell is empty */
	__u16 id;
	__u16 pool;
	__u32 table_size;  /* slots of the pool's table */
	__u8 is_stateless; /* its packets go by their slots' choice, and leave no pins */
	__u8 has_last_chance;
	__u8 reserved[2];
};

/* The addresses that the node's tunnels come from; an all-zero mask: none. Network order. */
struct hf_own {
	__u32 address[4];
	__u32 mask[4];
};

struct hf_service_table {
	__u64 seed;
	struct hf_own own4, own6;
	struct hf_service cell[HF_SERVICE_CELLS];
};

/*
 * The cluster: its other nodes, and whom to ask for which flow. The single value of its map, made
 * by the agent and swapped as a whole (lbnode/cluster.h); without one the node is alone.
 */
#define HF_MAX_PEERS	  256 /* index 0 is nobody */
#define HF_PEER_CELLS	  1024
#define HF_PEER_PROBES	  16
#define HF_CANDIDATES_MAX 4
#define HF_HOP_KEYS_MAX	  8

/* Those that may know the shard's flows, in the order in which to ask; 0: no more. */
struct hf_shard {
	__u16 candidate[HF_CANDIDATES_MAX];
};

struct hf_cluster {
	__u32 self;	     /* this node's id */
	__u32 epoch;	     /* of its owners */
	__u32 hop_key_count; /* the first is in force, the others are understood */
	__u32 own_family;    /* of own_address, which envelopes come to and from: 4 or 6 */
	__u32 own_address[4];
	struct {
		__u64 k0, k1;
	} hop_key[HF_HOP_KEYS_MAX];
	/* Open addressing with linear probing, from hf_peer_hash() of the address on. */
	__u16 by_address[HF_PEER_CELLS];
	struct hf_backend peer[HF_MAX_PEERS]; /* identity: its id */
	struct hf_shard shard[HF_SHARDS];
};

/* Whose is this flow? From the data plane to the agent, which asks syncd and pins what it hears. */
struct hf_question {
	__u64 digest;
	__u16 pool;
	__u8 state; /* enum hf_pin_state, of a pin if nobody knows the flow */
	__u8 reserved[5];
};

/* What a datagram's first fragment leaves for the others: its backend, or the node that knows it.
 */
struct hf_fragment {
	__u64 seen_us; /* hf_now_us() */
	__u16 backend;
	__u16 peer; /* 0: none */
	__u16 reserved[2];
};

/* A fragment that came before its datagram's first one: the agent keeps it for a while. */
#define HF_HELD_BYTES_MAX 2024
struct hf_held {
	__u64 datagram; /* its key in `fragments` */
	__u32 ifindex;	/* that it came by */
	__u32 length;
	__u8 frame[HF_HELD_BYTES_MAX];
};

/* Per CPU, per service or backend. Bytes are those of the clients' IP packets. */
struct hf_traffic {
	__u64 packets;
	__u64 bytes;
	__u64 flows;
};

/* Says what the pinned flow table means; one that says otherwise is not used. */
struct hf_layout {
	__u32 version; /* HF_LAYOUT */
	__u32 buckets;
	__u64 key_fingerprint; /* digest of nothing under the flow key */
};

_Static_assert(sizeof(struct hf_backend) == 64, "a backend fills one cache line");
_Static_assert(sizeof(struct hf_nexthop) == 32, "two next hops a cache line");
_Static_assert(sizeof(struct hf_slot) == 8, "array maps round up to 8");
_Static_assert(sizeof(struct hf_shard) == 8, "eight shards a cache line");
_Static_assert(sizeof(struct hf_question) == 16, "no padding that could hold anything");
_Static_assert(sizeof(struct hf_service) == 32, "two services a cache line");
_Static_assert(sizeof(struct hf_held) + 8 == 2048, "a held fragment and the ring's own header");

#endif
