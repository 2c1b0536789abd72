/* SPDX-License-Identifier: BSD-2-Clause */
/* What commands that change something share. */
#ifndef HF_LBCTL_CHANGE_H
#define HF_LBCTL_CHANGE_H

#include "lbctl/cluster.h"
#include "lbctl/command.h"

/* Asks one, and says what failed: the error that the answer told, NULL for none, or why there is no
 * answer. It lives as long as the answer, which is the caller's to free (hf_ask_free). */
const char *hf_change_ask(const struct hf_context *context, struct hf_question_to *question);

/* Tells what became of it: a line, or with --json an object in a line; what was not done is said on
 * standard error in any case. */
__attribute__((format(printf, 4, 5))) void hf_change_tell(const struct hf_context *context,
							  bool done, const char *about,
							  const char *format, ...);

/* Whether the node can be asked; said, if not. */
bool hf_change_can(const struct hf_context *context, const json_t *node);

/* False, said so: this would be about all nodes, of which nothing is known. */
bool hf_change_sees_all(const struct hf_context *context, const json_t *cluster);

#endif
