/* SPDX-License-Identifier: BSD-2-Clause */
/* Where operators' commands reach lbnode, to speak proto/control.proto. */
#ifndef HF_CONTROL_PROTOCOL_H
#define HF_CONTROL_PROTOCOL_H

#include <stdio.h>

#include "lib/preflight.h"

/* The socket's path. Returns `path`. */
static inline const char *hf_control_path(const char *instance, char *path, size_t size)
{
	snprintf(path, size, HF_RUN_DIRECTORY "/%s.control", instance);
	return path;
}

#endif
