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

/* A check that is under way. */
struct hf_config_checker {
	const struct hf_config_text *text;
	struct hf_config_error *error;
	struct hf_config *config;
};

#define HF_CONFIG_PATH 96

/* Says what is wrong with the value at `path`, and on which line it stands: -EINVAL. */
int hf_config_fault(struct hf_config_checker *checker, const char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A path in a buffer that lasts until the next one. */
const char *hf_config_path(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Decimal digits and nothing else. */
bool hf_config_parse_number(const char *text, uint32_t *value);

/* *value: what was written, or the default; -EINVAL, said, unless it is within lowest..highest. */
int hf_config_number(struct hf_config_checker *checker, const char *written, uint32_t otherwise,
		     uint32_t lowest, uint32_t highest, const char *path, uint32_t *value);

/* The same of seconds, "2" or "0.25", as ms. */
int hf_config_seconds(struct hf_config_checker *checker, const char *written, uint32_t otherwise,
		      uint32_t lowest, uint32_t highest, const char *path, uint32_t *ms);

bool hf_config_name_is_good(const char *name);

/* config_check_health.c: how the pool's backends are checked; services must be good already. */
int hf_config_check_health(struct hf_config_checker *checker, uint32_t pool);
/* And where its members come from. */
int hf_config_check_discover(struct hf_config_checker *checker, uint32_t pool);

/* config_check_cluster.c: 0 or -EINVAL, as all of them. */
int hf_config_check_cluster(struct hf_config_checker *checker);

/* config_check_bgp.c: how VIPs are announced, if it says so. */
int hf_config_check_bgp(struct hf_config_checker *checker);

/* Completes what the schema read, and checks what no schema can. 0 or -EINVAL. */
int hf_config_check(struct hf_config *config, const struct hf_config_text *text,
		    struct hf_config_error *error);

#endif
