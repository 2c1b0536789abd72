/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What comes back on one connection, checked: each answer must be to the request that was sent, and
 * from the backend that answered first. Two kinds of server are understood: HTTP/1.1 with
 * Content-Length, whose body is the backend's name and whose X-Request header repeats the path;
 * and an echo server, which names no backend.
 *
 * Bytes in, verdicts out: no I/O.
 */
#ifndef HF_LOAD_ANSWER_H
#define HF_LOAD_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#define ANSWER_MAX   1024
#define BACKEND_NAME 64

enum answer_verdict {
	ANSWER_NOT_YET,	      /* more bytes are needed */
	ANSWER_GOOD,	      /* the answer to the request that was asked */
	ANSWER_OUT_OF_ORDER,  /* the answer to another request */
	ANSWER_OTHER_BACKEND, /* from another backend than before */
	ANSWER_NONSENSE,      /* not an answer at all */
};

struct answer {
	char backend[BACKEND_NAME]; /* "" until the first answer; "echo" of an echo server */
	size_t length;
	char bytes[ANSWER_MAX];
};

/* Writes request `number`; returns its length. */
size_t answer_request(uint64_t number, char *text, size_t room);

/* Takes in what came in answer to request `number`. */
enum answer_verdict answer_take(struct answer *a, uint64_t number, const char *bytes,
				size_t length);

#endif
