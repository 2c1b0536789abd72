/* SPDX-License-Identifier: BSD-2-Clause */
/* The agent's life: start, loop, reload, stop. */
#ifndef HF_LBNODE_AGENT_H
#define HF_LBNODE_AGENT_H

/* Runs until SIGTERM or SIGINT; the data plane goes on forwarding after it. 0, or a negative
 * errno, logged, when it could not start; -EINVAL is a bad configuration. */
int hf_agent_run(const char *config_path, const char *instance);

/* Takes an instance's data plane away: no XDP program, no pins. 0 or a negative errno, logged. */
int hf_agent_detach(const char *instance);

#endif
