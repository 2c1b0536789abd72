/* SPDX-License-Identifier: BSD-2-Clause */
/* What operators say of backends, on all nodes: any of them tells the others. */
#ifndef HF_LBCTL_OVERRIDES_H
#define HF_LBCTL_OVERRIDES_H

#include "lbctl/command.h"

/* NAME: "POOL/BACKEND", or "BACKEND" for it in all pools. ACTION: as in control.proto. Both return
 * the exit status, and tell what became of it. */
int hf_override_set(const struct hf_context *context, const char *name, const char *action,
		    uint32_t weight);
/* There must be one, or a slip of the pen would look like success. */
int hf_override_end(const struct hf_context *context, const char *name);

#endif
