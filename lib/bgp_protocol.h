/* SPDX-License-Identifier: BSD-2-Clause */
/* Where lbbgp and the node's other programs meet, to speak proto/bgp.proto. */
#ifndef HF_BGP_PROTOCOL_H
#define HF_BGP_PROTOCOL_H

#include <stdio.h>

#include "lib/preflight.h"

#define HF_BGP_DIRECTORY  HF_RUN_DIRECTORY "/bgp"
#define HF_BGP_LEASE_VIPS 512 /* in a packet at most */

/* The socket's path. Returns `path`. */
static inline const char *hf_bgp_socket_path(const char *instance, char *path, size_t size)
{
	snprintf(path, size, HF_BGP_DIRECTORY "/%s.control", instance);
	return path;
}

/* Of the file that tells until when the last lease holds, be there an lbbgp or not: a number of ms
 * of CLOCK_MONOTONIC, which the next lbbgp, and who ends a data plane, go by. */
static inline const char *hf_bgp_lease_path(const char *instance, char *path, size_t size)
{
	snprintf(path, size, HF_BGP_DIRECTORY "/%s.lease", instance);
	return path;
}

#endif
