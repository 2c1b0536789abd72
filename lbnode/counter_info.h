/* SPDX-License-Identifier: BSD-2-Clause */
/* Names and explanations of the data plane's counters and of pins' states, for who is shown them.
 */
#ifndef HF_LBNODE_COUNTER_INFO_H
#define HF_LBNODE_COUNTER_INFO_H

#include "lbnode/bpf/counters.h"
#include "lbnode/bpf/pin.h"

#define HF_COUNTER_NAME 64

struct hf_counter_info {
	const char *name; /* in capitals, as in the code */
	const char *text;
};

extern const struct hf_counter_info hf_counter_info[HF_COUNTER_END];
extern const struct hf_counter_info hf_sharing_info[HF_SHARING_COUNTER_END];
extern const char *const hf_pin_state_names[HF_PIN_STATES];

/* In small letters, as it is shown: writes to and returns `text`. */
const char *hf_counter_name(const char *name, char text[HF_COUNTER_NAME]);

#endif
