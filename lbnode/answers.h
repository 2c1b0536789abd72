/* SPDX-License-Identifier: BSD-2-Clause */
/* What the agent answers: for the files that make it up, answers.c, answers_facts.c and explain.c.
 * Each packs one FromNode into `out`; its length, 0 when it does not fit. */
#ifndef HF_LBNODE_ANSWERS_H
#define HF_LBNODE_ANSWERS_H

#include "lbnode/agent_state.h"

size_t hf_answer_pack(const Holdfast__FromNode *message, uint8_t *out, size_t size);
size_t hf_answer_facts(struct agent *agent, uint8_t *out, size_t size);
size_t hf_answer_services(struct agent *agent, uint32_t from, uint8_t *out, size_t size);
size_t hf_answer_log(uint64_t after, uint8_t *out, size_t size);
size_t hf_answer_reload(struct agent *agent, uint8_t *out, size_t size);

const char *hf_pool_state_name(enum hf_pool_state state);

#endif
