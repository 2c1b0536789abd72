// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/held.h"

#include <stddef.h>
#include <string.h>

static void copy(struct hf_held *to, const struct hf_held *from)
{
	memcpy(to, from, offsetof(struct hf_held, frame) + from->length);
}

bool hf_hold_add(struct hf_hold *hold, const struct hf_held *fragment, int64_t now)
{
	if (hold->count == HF_HOLD_MAX || fragment->length > sizeof(fragment->frame))
		return false;
	copy(&hold->waiting[hold->count].fragment, fragment);
	hold->waiting[hold->count++].until = now + HF_HOLD_MS;
	return true;
}

/* Those that stay close up, in the order in which they came. */
void hf_hold_turn(struct hf_hold *hold, int64_t now,
		  bool (*is_known)(void *context, uint64_t datagram),
		  void (*run)(void *context, const struct hf_held *fragment), void *context)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < hold->count; i++) {
		const struct hf_held *fragment = &hold->waiting[i].fragment;

		if (now >= hold->waiting[i].until || is_known(context, fragment->datagram)) {
			run(context, fragment);
			continue;
		}
		if (kept != i) {
			copy(&hold->waiting[kept].fragment, fragment);
			hold->waiting[kept].until = hold->waiting[i].until;
		}
		kept++;
	}
	hold->count = kept;
}
