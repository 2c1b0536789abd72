/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HF_BENCH_LRU_H
#define HF_BENCH_LRU_H

#include <stdint.h>

struct lru_bpf;

/* The baseline with the kernel's tables (bpf/lru.bpf.c), with room for so many flows and a TCP
 * service 203.0.113.10:80. NULL: no memory for it. */
struct lru_bpf *lru_start(uint32_t flows);
int lru_program(const struct lru_bpf *lru);
int lru_flows(const struct lru_bpf *lru); /* its flow table's descriptor */
void lru_stop(struct lru_bpf *lru);

#endif
