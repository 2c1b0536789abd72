// SPDX-License-Identifier: BSD-2-Clause
#include "integration/load/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t answer_request(uint64_t number, char *text, size_t room)
{
	return snprintf(text, room, "GET /%lu HTTP/1.1\r\nHost: flowload\r\n\r\n",
			(unsigned long)number);
}

static enum answer_verdict same_backend(struct answer *a, const char *backend)
{
	if (!a->backend[0])
		snprintf(a->backend, sizeof(a->backend), "%s", backend);
	return strcmp(a->backend, backend) == 0 ? ANSWER_GOOD : ANSWER_OTHER_BACKEND;
}

/* An echo must repeat the request to the letter. */
static enum answer_verdict judge_echo(struct answer *a, uint64_t number)
{
	char expected[128];
	size_t length = answer_request(number, expected, sizeof(expected));

	if (strncmp(a->bytes, expected, a->length < length ? a->length : length) != 0)
		return ANSWER_OUT_OF_ORDER;
	if (a->length < length)
		return ANSWER_NOT_YET;
	return a->length == length ? same_backend(a, "echo") : ANSWER_NONSENSE;
}

static enum answer_verdict judge_http(struct answer *a, uint64_t number)
{
	char *body = strstr(a->bytes, "\r\n\r\n"), backend[BACKEND_NAME] = "";
	const char *length = strcasestr(a->bytes, "\r\nContent-Length: ");
	const char *request = strcasestr(a->bytes, "\r\nX-Request: /");
	size_t whole;

	if (!body)
		return ANSWER_NOT_YET;
	if (!length || !request)
		return ANSWER_NONSENSE;
	body += 4;
	whole = body - a->bytes + strtoul(length + strlen("\r\nContent-Length: "), NULL, 10);
	if (a->length < whole)
		return ANSWER_NOT_YET;
	if (a->length > whole || sscanf(body, "%63s", backend) != 1)
		return ANSWER_NONSENSE;
	if (strtoull(request + strlen("\r\nX-Request: /"), NULL, 10) != number)
		return ANSWER_OUT_OF_ORDER;
	return same_backend(a, backend);
}

enum answer_verdict answer_take(struct answer *a, uint64_t number, const char *bytes, size_t length)
{
	enum answer_verdict verdict;

	if (a->length + length >= sizeof(a->bytes))
		return ANSWER_NONSENSE;
	memcpy(a->bytes + a->length, bytes, length);
	a->length += length;
	a->bytes[a->length] = '\0';
	if (a->length < 4)
		return ANSWER_NOT_YET;
	if (strncmp(a->bytes, "HTTP", 4) == 0)
		verdict = judge_http(a, number);
	else
		verdict =
			strncmp(a->bytes, "GET ", 4) == 0 ? judge_echo(a, number) : ANSWER_NONSENSE;
	if (verdict == ANSWER_GOOD)
		a->length = 0;
	return verdict;
}
