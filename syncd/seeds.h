/* SPDX-License-Identifier: BSD-2-Clause */
/* Seeds by name: looked up at the start, after a reload, and each half minute, in a thread. What is
 * found goes to the core; a name that is not found keeps the addresses that it had. */
#ifndef HF_SYNCD_SEEDS_H
#define HF_SYNCD_SEEDS_H

#include "syncd/daemon.h"

/*
 * The way to the first seed that is another node: the address that packets to it leave from, and
 * how many bytes a datagram may have. Looks names up, and waits for it. 0; or -ENOENT: there is no
 * other node among them, or none has an address or a way.
 */
int hf_seeds_way(const struct hf_config *config, struct hf_address *source, uint32_t *datagram);

/* NULL: no memory. */
struct hf_seeds *hf_seeds_new(struct hf_daemon *daemon);
/* daemon->config has changed. */
void hf_seeds_reload(struct hf_seeds *seeds);
void hf_seeds_close(struct hf_seeds *seeds);

#endif
