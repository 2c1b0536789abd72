/* SPDX-License-Identifier: BSD-2-Clause */
/* A command's talk with the running agent (control.h). Failures are logged. */
#ifndef HF_LBNODE_CONTROL_CLIENT_H
#define HF_LBNODE_CONTROL_CLIENT_H

#include "proto/control.pb-c.h"

/* A descriptor, the caller's to close, or a negative errno. */
int hf_control_connect(const char *instance);

/* Says it, and waits for an answer of this kind, to be freed with
 * holdfast__from_node__free_unpacked(). NULL: there was none. */
Holdfast__FromNode *hf_control_ask(int fd, const Holdfast__ToNode *message,
				   Holdfast__FromNode__BodyCase expected);

#endif
