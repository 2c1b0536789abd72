/* SPDX-License-Identifier: BSD-2-Clause */
/* What the commands that show what programs say have in common: show.c, flows.c. */
#ifndef HF_LBCTL_SHOW_H
#define HF_LBCTL_SHOW_H

#include "lbctl/cluster.h"
#include "lbctl/command.h"
#include "lbctl/table.h"

/* Gathered, filtered by --pool, --backend and --state, and not yet shown as JSON; NULL: it is. */
json_t *hf_show_gather(const struct hf_context *context, unsigned int parts, int *status);

/* Why the program said nothing. */
const char *hf_show_error_of(const json_t *node, const char *program);

/* By which entries of services and of backends are the same on all nodes; and the values of these,
 * as one text. */
extern const char *const hf_service_keys[], *const hf_backend_keys[];
#define HF_SHOW_KEY 256
const char *hf_show_key(const json_t *entry, const char *const *keys, char text[HF_SHOW_KEY]);
/* The first node's list, by which rows are made. */
const json_t *hf_show_first_list(const json_t *cluster, const char *key);
/* All nodes' sums of what entries have: a new object, and an entry's part of it. */
json_t *hf_show_sums(const json_t *cluster, const char *list, const char *const *keys,
		     const char *what);
int64_t hf_show_sum(const json_t *sums, const json_t *entry, const char *const *keys);

/* Cells. */
void hf_show_state(struct hf_table *table, const json_t *object, const char *key);
void hf_show_name(struct hf_table *table, const json_t *node);
void hf_show_number(struct hf_table *table, int64_t number);
/* ">=" before what is not the whole: a node that lives did not answer. */
void hf_show_sum_cell(struct hf_table *table, double sum, bool whole);
void hf_show_duration(struct hf_table *table, int64_t ms);
/* The rest of a row of which nothing is known. */
void hf_show_unknown(struct hf_table *table, int count, const char *why);

/* Goes on in a text, as far as there is room. */
void hf_show_append(char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
