/* SPDX-License-Identifier: BSD-2-Clause */
/* What a running syncd says of itself and the cluster. */
#ifndef HF_SYNCD_STATUS_H
#define HF_SYNCD_STATUS_H

#include <stdbool.h>
#include <stdio.h>

/* Asks the instance and prints: 0 all is well, 1 something is not, or a negative errno, said on
 * standard error: it can't be told. */
int hf_show_status(FILE *out, const char *instance, bool json);

#endif
