/* SPDX-License-Identifier: BSD-2-Clause */
/* The operator's commands --drain and --undrain: they speak to the running agent (control.h). */
#ifndef HF_LBNODE_DRAIN_H
#define HF_LBNODE_DRAIN_H

#include <stdint.h>
#include <stdio.h>

/* Takes the node out of service, and waits until its records are handed over and no packet comes
 * any more, telling on `out` what it waits for. -ETIMEDOUT: not within so many seconds; it goes on
 * being drained. -ENODATA: it is drained, but nobody took all of its records. -ECANCELED: it is in
 * service again. Others: the agent can't be reached. All are logged. */
int hf_drain(FILE *out, const char *instance, uint32_t timeout_s);

/* Puts it back. */
int hf_undrain(const char *instance);

#endif
