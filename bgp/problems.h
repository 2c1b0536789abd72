/* SPDX-License-Identifier: BSD-2-Clause */
/* What is not as it should be between this node and its peers, in words: what, and what to do. */
#ifndef HF_BGP_PROBLEMS_H
#define HF_BGP_PROBLEMS_H

#include "bgp/core/announce.h"
#include "bgp/core/driver.h"
#include "lib/config.h"

#define HF_PROBLEMS_MAX 32
#define HF_PROBLEM_SIZE 320

struct hf_problems {
	char text[HF_PROBLEMS_MAX][HF_PROBLEM_SIZE];
	uint32_t count;
};

/* Whether VIPs must be exported to this session. */
bool hf_session_is_expected(const struct hf_config_bgp *config, const char *name);

void hf_problems_add(struct hf_problems *problems, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Of the talk with BIRD and of what it exports; without the device it exports nothing. */
void hf_problems_of_bird(struct hf_problems *problems, const struct hf_config_bgp *config,
			 const struct hf_driver *driver, bool device_is_up);

/* Adds those of the lease and of VIPs. */
void hf_problems_of_vips(struct hf_problems *problems, const struct hf_announcer *announcer,
			 const char *why_not, int64_t now);

/* Logs those of `now` that `before` had not, and when there are none any more. */
void hf_problems_log(const struct hf_problems *before, const struct hf_problems *now);

#endif
