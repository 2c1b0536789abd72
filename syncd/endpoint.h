/* SPDX-License-Identifier: BSD-2-Clause */
/* Between addresses of sockets and ours. */
#ifndef HF_SYNCD_ENDPOINT_H
#define HF_SYNCD_ENDPOINT_H

#include <sys/socket.h>

#include "syncd/core/member.h"

/* The length; 0 for none. */
socklen_t hf_endpoint_set(const struct hf_endpoint *endpoint, struct sockaddr_storage *address);

/* False of what is neither IPv4 nor IPv6. */
bool hf_endpoint_get(const struct sockaddr *address, struct hf_endpoint *endpoint);

#endif
