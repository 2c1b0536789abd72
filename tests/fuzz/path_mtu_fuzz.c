// SPDX-License-Identifier: BSD-2-Clause
/* Any bytes as an ICMP message: what is read from it is within bounds, and about its receiver. */
#include <stdlib.h>
#include <string.h>

#include "lbnode/path_mtu.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void read_as(uint32_t family, const uint8_t *bytes, size_t length)
{
	struct hf_address receiver = { .family = family };
	struct hf_path_news news;
	/* Of the exact size, so that AddressSanitizer sees a byte too far. */
	void *message = malloc(length);

	must(message || !length);
	if (length)
		memcpy(message, bytes, length);
	if (length >= 24) /* an IPv6 quote's source, where it would be */
		memcpy(receiver.word, bytes + length - 16, 16);
	if (hf_path_mtu_read(family, message, length, &receiver, &news)) {
		must(news.mtu % 4 == 0);
		must(news.mtu >= (family == 4 ? HF_PATH_MTU_LEAST4 : HF_PATH_MTU_LEAST6));
		must(news.source.family == family && news.destination.family == family);
		must(family == 4 || memcmp(&news.source, &receiver, sizeof(receiver)) == 0);
	}
	free(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	read_as(4, bytes, length);
	read_as(6, bytes, length);
	return 0;
}
