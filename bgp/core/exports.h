/* SPDX-License-Identifier: BSD-2-Clause */
/* Which of the VIPs that the include announces BIRD exports to a peer (`show route export ...`). No
 * I/O. */
#ifndef HF_BGP_EXPORTS_H
#define HF_BGP_EXPORTS_H

#include "bgp/core/reply.h"
#include "bgp/core/sessions.h"
#include "lib/address.h"

struct hf_exports {
	struct hf_address *vips; /* in the order of their addresses */
	bool *seen;
	uint32_t count, room;
	uint32_t surplus; /* routes of ours that are not expected */
};

/* Which VIPs are to be expected: those of an include's text. 0 or -ENOMEM. */
int hf_exports_expect(struct hf_exports *exports, const char *include);
void hf_exports_free(struct hf_exports *exports);

/* Before the lines of another reply, each of which goes to hf_exports_take(). */
void hf_exports_begin(struct hf_exports *exports);
void hf_exports_take(struct hf_exports *exports, const struct hf_reply_line *line);

/* What the reply has told of a family. */
void hf_exports_tell(const struct hf_exports *exports, enum hf_family_index family,
		     struct hf_channel *channel);

uint32_t hf_exports_expected(const struct hf_exports *exports, enum hf_family_index family);

#endif
