/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What BIRD says on its control socket (its doc/reply_codes; nest/cli.c), line by line:
 *
 *	NNNN-text	more of this reply follows
 *	 text		as before, with the code of the line before
 *	NNNN text	the last line of the reply
 *	+text		nothing that was asked for: an echoed message
 *
 * No I/O: bytes come in as they were read, cut wherever they were.
 */
#ifndef HF_BGP_REPLY_H
#define HF_BGP_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#define HF_REPLY_LINE_MAX 2048 /* what is longer is cut: only paths and attributes are */

/* Codes that the driver tells apart. Hundreds of others are rows of tables. */
enum hf_reply_code {
	HF_REPLY_OK = 0,
	HF_REPLY_WELCOME = 1,
	HF_REPLY_RECONFIGURED = 3,
	HF_REPLY_IN_PROGRESS = 4,   /* sessions have to restart first */
	HF_REPLY_QUEUED = 5,	    /* another reconfiguration is in progress */
	HF_REPLY_SHUTTING_DOWN = 6, /* and ignores it */
	HF_REPLY_CONFIRMED = 18,    /* 19: there was nothing to confirm */
	HF_REPLY_CHECKED = 20,	    /* the configuration is good */
	HF_REPLY_UNCONFIRMED = 22, /* a configuration that will be taken back, in so many seconds */
	HF_REPLY_VERSION = 1000,
	HF_REPLY_PROTOCOL = 1002,      /* a row of `show protocols` */
	HF_REPLY_PROTOCOL_MORE = 1006, /* what `show protocols all` adds to it */
	HF_REPLY_ROUTE = 1007,
	HF_REPLY_STATUS = 1011,
	HF_REPLY_REFUSED = 8002, /* the configuration has a fault, which the text names */
	HF_REPLY_ERROR = 8000,	 /* and above: it did not do it */
};

struct hf_reply_line {
	int code;
	bool last; /* of its reply */
	const char *text;
};

struct hf_reply_reader {
	char line[HF_REPLY_LINE_MAX];
	size_t length;
	int code; /* of the line before; -1: none in this reply yet */
};

/* False: stop reading; the reader may be gone. */
typedef bool (*hf_reply_take)(void *context, const struct hf_reply_line *line);

void hf_reply_begin(struct hf_reply_reader *reader);

/* Calls `take` for each line that the bytes complete. 0, or -EPROTO: this is not BIRD. */
int hf_reply_read(struct hf_reply_reader *reader, const char *bytes, size_t count,
		  hf_reply_take take, void *context);

#endif
