/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HF_BPF_LOG_H
#define HF_BPF_LOG_H

/* What libbpf says, the verifier's reasons among it, goes to our log as debug messages. */
void hf_bpf_log_open(void);

#endif
