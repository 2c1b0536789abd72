// SPDX-License-Identifier: BSD-2-Clause
/* Any bytes as a frame: what the parser calls a flow lies within the frame and within its packet.
 * The verifier proves the first for BPF; AddressSanitizer watches it here. */
#include <stdlib.h>
#include <string.h>

#include "lib/packet/digest.h"
#include "lib/packet/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

#define NET_IP_ALIGN 2

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void check_flow(const struct hf_packet *p, void *frame, void *end)
{
	const size_t l4_header =
		p->protocol == IPPROTO_TCP ? sizeof(struct tcphdr) : sizeof(struct udphdr);

	must(p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP);
	must(p->family == 4 || p->family == 6);
	must(p->l3 == frame + p->l2_length && p->l3 + p->length <= end);
	must(p->l4 >= p->l3 + (p->family == 4 ? 20 : 40));
	must(p->l4 + l4_header <= p->l3 + p->length);
	must(memcmp(p->l4, &p->source_port, 2) == 0);
	must(memcmp(p->l4 + 2, &p->destination_port, 2) == 0);
	if (p->family == 4)
		must(!p->source[1] && !p->source[2] && !p->source[3] && !p->destination[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const struct hf_key key = { 1, 2 };
	struct hf_packet p;
	/* A copy of the exact size, so that a byte too far is seen, and placed so that IP headers
	 * are aligned, as drivers do (NET_IP_ALIGN): C minds what BPF does not. */
	char *room = malloc(NET_IP_ALIGN + length);
	void *frame = room + NET_IP_ALIGN;

	must(room != NULL);
	memcpy(frame, bytes, length);
	if (hf_parse(frame, frame + length, &p) == HF_PARSED_FLOW) {
		check_flow(&p, frame, frame + length);
		must(hf_slot(hf_digest(&p, key), 65537) < 65537);
	}
	free(room);
	return 0;
}
