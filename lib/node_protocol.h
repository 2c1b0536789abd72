/* SPDX-License-Identifier: BSD-2-Clause */
/* Where syncd and the node's other programs meet, to speak proto/node.proto. */
#ifndef HF_NODE_PROTOCOL_H
#define HF_NODE_PROTOCOL_H

#include <stdio.h>

#include "lib/preflight.h"

#define HF_NODE_PROTOCOL   1
#define HF_NODE_PACKET	   65536 /* bytes at most */
#define HF_SYNCD_DIRECTORY HF_RUN_DIRECTORY "/syncd"

/* The socket's path: /run/holdfast/syncd/INSTANCE.sock. Returns `path`. */
static inline const char *hf_node_socket_path(const char *instance, char *path, size_t size)
{
	snprintf(path, size, HF_SYNCD_DIRECTORY "/%s.sock", instance);
	return path;
}

#endif
