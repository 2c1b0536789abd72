/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What routers say of the tunnels' own packets: ICMP "fragmentation needed" (RFC 1191) and ICMPv6
 * "packet too big" (RFC 8201), sent to the addresses that tunnels come from. No I/O.
 */
#ifndef HF_LBNODE_PATH_MTU_H
#define HF_LBNODE_PATH_MTU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/address.h"

/* RFC 1191 section 6.3 and RFC 8201 section 4 say ten minutes: then a larger size may be tried. */
#define HF_PATH_MTU_MS 600000
/* What nobody makes us go below: IPv6 clients must be able to send 1,280 bytes (RFC 8200 section
 * 5), to which the largest tunnel header adds 32 over IPv4 and 52 over IPv6. */
#define HF_PATH_MTU_LEAST4 1312
#define HF_PATH_MTU_LEAST6 1332

struct hf_path_news {
	struct hf_address source;      /* of the tunnel's packet: this node */
	struct hf_address destination; /* the tunnel's other end */
	uint16_t gue_port;	       /* 0: IPIP */
	uint16_t mtu;		       /* a multiple of 4, so that there are not too many of them */
};

/*
 * Reads a message, aligned to 4 bytes, as raw sockets give it: with its IPv4 header, but without
 * its IPv6 header, and then `receiver` is the address that it was sent to. False: it is no such
 * message, is damaged, or quotes no tunnel's packet that its receiver sent.
 */
bool hf_path_mtu_read(uint32_t family, const void *message, size_t length,
		      const struct hf_address *receiver, struct hf_path_news *news);

#endif
