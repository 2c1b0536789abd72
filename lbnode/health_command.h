/* SPDX-License-Identifier: BSD-2-Clause */
/* The operator's commands about backends: --backends, --override, --overrides. They speak to the
 * running agent (control.h). Failures are logged, and negative errnos. */
#ifndef HF_LBNODE_HEALTH_COMMAND_H
#define HF_LBNODE_HEALTH_COMMAND_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

int hf_show_backends(FILE *out, const char *instance, bool json);
int hf_show_overrides(FILE *out, const char *instance, bool json);

/* "POOL/BACKEND=ACTION", ACTION being drain, disable, weight:N or none. `author` NULL: whoever runs
 * the command. `seconds` 0: until it is taken back. -EINVAL: not well formed, or refused. */
int hf_override_backend(const char *instance, const char *words, const char *author,
			const char *reason, uint32_t seconds);

#endif
