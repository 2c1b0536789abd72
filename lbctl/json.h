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
/* Whether it is this text. */
bool hf_json_is(const json_t *object, const char *key, const char *text);

/* A text that may hold anything, as one that JSON and terminals take: with ? for what they don't. A
 * new value. */
json_t *hf_json_clean(const char *text);

/* Whether what lbbgp says is announced is so: BIRD is there, and has it in force. */
bool hf_bgp_is_known(const json_t *bgp);

/* A node of what was gathered (cluster.h), by its name: NULL if there is none. */
json_t *hf_cluster_node(const json_t *cluster, const char *name);
/* This one; NULL: it is not among them. */
json_t *hf_cluster_local(const json_t *cluster);

/* Whether a node, by its syncd's status, has heard a member itself of late. */
bool hf_cluster_is_heard(const json_t *status, const json_t *member);

#endif
