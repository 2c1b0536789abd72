// SPDX-License-Identifier: BSD-2-Clause
#include "bgp/core/times.h"

#include <stdio.h>
#include <time.h>

int64_t hf_bird_time(const char *text)
{
	struct tm tm = { 0 };
	unsigned int ms = 0;
	const char *rest = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);

	if (!rest || sscanf(rest, ".%3u", &ms) != 1)
		return -1;
	return (int64_t)timegm(&tm) * 1000 + ms;
}
