/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which addresses a packet may come from. */
#ifndef HF_PACKET_SOURCE_H
#define HF_PACKET_SOURCE_H

#include "lib/packet/parse.h"

/* One host's, and no loopback: not this network (0/8), nor multicast and above, nor an IPv4 address
 * in IPv6's clothes (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5). */
HF_INLINE bool hf_is_host_address(const __u32 address[4], __u8 family)
{
	__u8 first = *(const __u8 *)address;

	if (family == 4)
		return first != 0 && first != 127 && first < 224;
	if (first == 0xff)
		return false;
	return address[0] || address[1] || (address[2] != 0 && address[2] != bpf_htonl(0xffff));
}

#endif
