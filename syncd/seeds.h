/* SPDX-License-Identifier: BSD-2-Clause */
/* Seeds by name: looked up at the start, after a reload, and each half minute, in a thread. What is
 * found goes to the core; a name that is not found keeps the addresses that it had. */
#ifndef HF_SYNCD_SEEDS_H
#define HF_SYNCD_SEEDS_H

#include "syncd/daemon.h"

/* Looks up at once, and waits for it: the first that has an address, for the way to it. 0, -ENOENT
 * when there is no seed at all, or another negative errno, logged. */
int hf_seeds_first(const struct hf_config *config, struct hf_endpoint *endpoint);

/* NULL: no memory. */
struct hf_seeds *hf_seeds_new(struct hf_daemon *daemon);
/* daemon->config has changed. */
void hf_seeds_reload(struct hf_seeds *seeds);
void hf_seeds_close(struct hf_seeds *seeds);

#endif
