/* SPDX-License-Identifier: BSD-2-Clause */
/* What the doctor looks at, in rooms of their own: the host (doctor_host.c), its network
 * (doctor_network.c), the cluster (doctor_cluster.c). */
#ifndef HF_LBCTL_DOCTOR_H
#define HF_LBCTL_DOCTOR_H

#include <jansson.h>

#include "lbctl/command.h"
#include "lib/config.h"

enum hf_finding { HF_FINDING_GOOD, HF_FINDING_DOUBTFUL, HF_FINDING_BAD };

/* Adds {"about", "state": "good", "doubtful" or "bad", "text", "remedy"}; `remedy` may be "". */
void hf_finding_add(json_t *findings, enum hf_finding state, const char *about, const char *remedy,
		    const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The number that a file holds; -1: there is none. */
long hf_doctor_number(const char *path);

void hf_doctor_host(json_t *findings, const struct hf_config *config);
/* `config` NULL: there is no good one; `facts`: lbnode's NodeFacts, NULL: it says nothing. */
void hf_doctor_network(json_t *findings, const struct hf_config *config, const json_t *facts);
void hf_doctor_bfd(json_t *findings, const struct hf_config *config);
void hf_doctor_keys(json_t *findings, const struct hf_config *config);
void hf_doctor_cluster(json_t *findings, const struct hf_config *config, const json_t *cluster);

#endif
