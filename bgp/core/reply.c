// SPDX-License-Identifier: BSD-2-Clause
#include "bgp/core/reply.h"

#include <ctype.h>
#include <errno.h>

#define CODE_DIGITS 4

void hf_reply_begin(struct hf_reply_reader *r)
{
	r->length = 0;
	r->code = -1;
}

/* The number that four digits are, or -1. */
static int read_code(const char *text)
{
	int code = 0;

	for (int i = 0; i < CODE_DIGITS; i++) {
		if (!isdigit((unsigned char)text[i]))
			return -1;
		code = code * 10 + text[i] - '0';
	}
	return code;
}

/* 0, or -EPROTO; *more: go on reading. */
static int take_line(struct hf_reply_reader *r, hf_reply_take take, void *context, bool *more)
{
	struct hf_reply_line line = { .code = r->code };
	int code;

	r->line[r->length] = '\0';
	if (r->line[0] == '+')
		return 0;
	if (r->line[0] == ' ') {
		if (r->code < 0)
			return -EPROTO;
		line.text = r->line + 1;
		*more = take(context, &line);
		return 0;
	}
	code = read_code(r->line);
	if (code < 0 || (r->line[CODE_DIGITS] != ' ' && r->line[CODE_DIGITS] != '-'))
		return -EPROTO;
	line.code = code;
	line.last = r->line[CODE_DIGITS] == ' ';
	line.text = r->line + CODE_DIGITS + 1;
	r->code = line.last ? -1 : code;
	*more = take(context, &line);
	return 0;
}

int hf_reply_read(struct hf_reply_reader *r, const char *bytes, size_t count, hf_reply_take take,
		  void *context)
{
	bool more = true;

	for (size_t i = 0; i < count && more; i++) {
		int err;

		if (!bytes[i])
			return -EPROTO;
		if (bytes[i] != '\n') {
			if (bytes[i] != '\r' && r->length < sizeof(r->line) - 1)
				r->line[r->length++] = bytes[i];
			continue;
		}
		err = take_line(r, take, context, &more);
		if (!more)
			return err;
		r->length = 0;
		if (err)
			return err;
	}
	return 0;
}
