/* SPDX-License-Identifier: BSD-2-Clause */
/* Notices of the board as messages, which borrow their bytes, and back. */
#ifndef HF_PROTO_NOTICE_H
#define HF_PROTO_NOTICE_H

#include "lib/board.h"
#include "proto/notice.pb-c.h"

/* Of key, value and numbers in a message: their tags and lengths. */
#define HF_NOTICE_OVERHEAD 40

static inline void hf_notice_write(Holdfast__Notice *to, const struct hf_notice *from)
{
	holdfast__notice__init(to);
	to->key.data = (uint8_t *)from->key;
	to->key.len = from->key_length;
	to->body.data = (uint8_t *)from->body;
	to->body.len = from->body_length;
	to->version = from->version;
	to->author = from->author;
	to->expires = from->expires;
}

/* False: it is none. */
static inline bool hf_notice_read(const Holdfast__Notice *from, struct hf_notice *to)
{
	if (!from->key.len || from->key.len > HF_NOTICE_KEY_MAX ||
	    from->body.len > HF_NOTICE_BODY_MAX)
		return false;
	*to = (struct hf_notice){
		.key = from->key.data,
		.key_length = from->key.len,
		.body = from->body.data,
		.body_length = from->body.len,
		.version = from->version,
		.author = from->author,
		.expires = from->expires,
	};
	return true;
}

#endif
