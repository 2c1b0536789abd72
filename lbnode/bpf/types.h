/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the XDP program and its agent both read and write: the values of the maps. Fixed widths,
 * explicit padding; a change of any of these, or of a pin (pin.h), raises HF_LAYOUT.
 */
#ifndef HF_LBNODE_BPF_TYPES_H
#define HF_LBNODE_BPF_TYPES_H

#include <linux/types.h>

#define HF_LAYOUT 1 /* of what outlives the agent in bpffs */

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
	__u8 is_draining;   /* it has left the configuration: no new flows */
	__u64 identity;	    /* names this backend to the next agent (lbnode/backends.h) */
	__u64 reserved1;
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

/* What a pool's table says of a slot. Arrays round their values up to 8 bytes: the rest of them
 * is where a slot remembers what it was before. */
struct hf_slot {
	__u16 backend;
	__u16 reserved[3];
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
	__u8 reserved[3];
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

/* What a datagram's first fragment leaves for the others. */
struct hf_fragment {
	__u64 seen_us; /* hf_now_us() */
	__u16 backend;
	__u16 reserved[3];
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
_Static_assert(sizeof(struct hf_service) == 32, "two services a cache line");
_Static_assert(sizeof(struct hf_held) + 8 == 2048, "a held fragment and the ring's own header");

#endif
