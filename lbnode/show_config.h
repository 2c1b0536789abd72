/* SPDX-License-Identifier: BSD-2-Clause */
/* `lbnode --check`: what the configuration was understood to say. */
#ifndef HF_LBNODE_SHOW_CONFIG_H
#define HF_LBNODE_SHOW_CONFIG_H

#include <stdio.h>

#include "lib/config.h"

void hf_show_config(FILE *out, const char *path, const struct hf_config *config);

#endif
