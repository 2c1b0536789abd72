/* SPDX-License-Identifier: BSD-2-Clause */
/* Gossip's datagrams. */
#ifndef HF_SYNCD_UDP_H
#define HF_SYNCD_UDP_H

#include "syncd/daemon.h"

/* Binds the node's endpoint. 0, with *udp, or a negative errno, logged. */
int hf_udp_open(struct hf_udp **udp, const struct hf_endpoint *endpoint);
void hf_udp_start(struct hf_udp *udp, struct hf_daemon *daemon);
void hf_udp_send(struct hf_udp *udp, const struct hf_endpoint *to, const uint8_t *bytes,
		 size_t length);
/* What is freed only when the loop has run once more. */
void hf_udp_close(struct hf_udp *udp);

/* The address that packets to `to` leave from, and how many bytes a datagram to it may have. 0 or a
 * negative errno: there is no way. */
int hf_udp_way(const struct hf_endpoint *to, struct hf_address *source, uint32_t *datagram);

#endif
