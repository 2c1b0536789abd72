/* SPDX-License-Identifier: BSD-2-Clause */
/* Members of JSON objects, as C values; "", 0 and false where there is none. */
#ifndef HF_LBCTL_JSON_H
#define HF_LBCTL_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

const char *hf_text(const json_t *object, const char *key);
int64_t hf_number(const json_t *object, const char *key);
bool hf_flag(const json_t *object, const char *key);

/* A text that may hold anything, as one that JSON and terminals take: with ? for what they don't. A
 * new value. */
json_t *hf_json_clean(const char *text);

/* A node of what was gathered (cluster.h), by its name: NULL if there is none. */
json_t *hf_cluster_node(const json_t *cluster, const char *name);
/* This one; NULL: it is not among them. */
json_t *hf_cluster_local(const json_t *cluster);

#endif
