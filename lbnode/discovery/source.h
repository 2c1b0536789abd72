/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kinds of sources have in common: for discovery.c, file.c and dns.c alone. */
#ifndef HF_LBNODE_DISCOVERY_SOURCE_H
#define HF_LBNODE_DISCOVERY_SOURCE_H

#include "lbnode/discovery/discovery.h"

struct hf_source {
	struct hf_discovery *discovery;
	const struct hf_config_pool *pool;
	uint32_t index; /* of the pool */
	bool complained;
};

/* It has something to say: taken if it is good and new. */
void hf_source_take(struct hf_source *source, const struct hf_found *members, uint32_t count);
/* It has not: logged when it begins to fail. */
void hf_source_fail(struct hf_source *source, const char *why);

struct hf_file_source;
struct hf_dns_source;

/* NULL: no memory. */
struct hf_file_source *hf_file_source_new(struct hf_source *source, uv_loop_t *loop);
void hf_file_source_delete(struct hf_file_source *file);
/* Reads it now, before there is a loop. */
void hf_file_source_read(struct hf_source *source);

struct hf_dns_source *hf_dns_source_new(struct hf_source *source, uv_loop_t *loop);
void hf_dns_source_delete(struct hf_dns_source *dns);

#endif
