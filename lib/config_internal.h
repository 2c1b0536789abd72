/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the configuration reader know of each other. */
#ifndef HF_CONFIG_INTERNAL_H
#define HF_CONFIG_INTERNAL_H

#include <cyaml/cyaml.h>

#include "lib/config.h"

extern const cyaml_schema_value_t hf_config_schema;

struct hf_config_text {
	const char *path;
	char *bytes;
	size_t length;
};

/*
 * The line, from 1, on which the value at `path` stands: "services[2].port". When a part of the
 * path is missing, the line of what encloses it; 1 at worst.
 */
unsigned long hf_config_locate(const struct hf_config_text *text, const char *path);

/* The line of the first mapping key named `key`, at or after line `from`; 0: none. */
unsigned long hf_config_locate_key(const struct hf_config_text *text, const char *key,
				   unsigned long from);

/* Completes what the schema read, and checks what no schema can. 0 or -EINVAL. */
int hf_config_check(struct hf_config *config, const struct hf_config_text *text,
		    struct hf_config_error *error);

#endif
