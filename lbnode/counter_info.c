// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/counter_info.h"

#include <ctype.h>
#include <stddef.h>

#define INFO(name, text) { #name, text },

const struct hf_counter_info hf_counter_info[HF_COUNTER_END] = { HF_COUNTERS(INFO) };
const struct hf_counter_info hf_sharing_info[HF_SHARING_COUNTER_END] = { HF_SHARING_COUNTERS(
	INFO) };

const char *const hf_pin_state_names[HF_PIN_STATES] = {
	[HF_PIN_NONE] = "free",	      [HF_PIN_EMBRYONIC] = "embryonic",
	[HF_PIN_ADOPTED] = "adopted", [HF_PIN_ESTABLISHED] = "established",
	[HF_PIN_CLOSING] = "closing", [HF_PIN_UDP_NEW] = "udp_new",
	[HF_PIN_UDP] = "udp",	      [HF_PIN_RESET] = "reset",
};

const char *hf_counter_name(const char *name, char text[HF_COUNTER_NAME])
{
	size_t i;

	for (i = 0; name[i] && i < HF_COUNTER_NAME - 1; i++)
		text[i] = (char)tolower((unsigned char)name[i]);
	text[i] = '\0';
	return text;
}
