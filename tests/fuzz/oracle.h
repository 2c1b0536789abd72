/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the data plane must do with a frame, worked out from the RFCs byte by byte. Shares no line
 * and no header with it. What depends on the past, a flow's backend and a datagram's note, is the
 * caller's to compare.
 */
#ifndef HF_TESTS_ORACLE_H
#define HF_TESTS_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The configuration that frames are made for. */
#define ORACLE_MTU 1500

struct oracle_service {
	int family;
	uint8_t address[16];
	uint8_t protocol;
	uint16_t port; /* 0: all */
	size_t outer;  /* bytes of outer header */
	bool stateless;
};

struct oracle_world {
	struct oracle_service service[8];
	int services;
	/* The node's own tunnel sources, /28 and /64. */
	uint8_t own4[4], own6[16];
};

enum oracle_verdict {
	ORACLE_PASS,
	ORACLE_DROP,
	ORACLE_FORWARD, /* to the flow's backend */
	ORACLE_ECHO,	/* answered */
	ORACLE_TOO_BIG, /* answered, or dropped when the source has had its share */
	ORACLE_ERROR,	/* forwarded to the backend of the flow it is about, or dropped likewise */
	ORACLE_FOLLOW,	/* a fragment: where its datagram's first one went, or held, or dropped */
};

struct oracle_flow {
	uint8_t bytes[40]; /* family, protocol, ports, addresses */
};

struct oracle_answer {
	enum oracle_verdict verdict;
	size_t l3, length; /* of the packet in the frame */
	bool fits;	   /* with its outer header, of what is forwarded */
	const struct oracle_service *service;
	struct oracle_flow flow; /* of what is forwarded, but for fragments that follow */
	bool reached;		 /* it is a flow's, and a backend was found for it */
	bool pins;		 /* a pin must be there after it */
	bool is_fragment;
	bool is_first;		     /* it leaves a note */
	struct oracle_flow datagram; /* of a fragment: what tells it apart */
};

void oracle_ask(const struct oracle_world *world, const uint8_t *frame, size_t length,
		struct oracle_answer *answer);

/* NULL, or what is wrong with an answer to the frame. */
const char *oracle_check_echo(const uint8_t *frame, const struct oracle_answer *answer,
			      const uint8_t *out, size_t out_length);
const char *oracle_check_too_big(const uint8_t *frame, const struct oracle_answer *answer,
				 const uint8_t *out, size_t out_length);

#endif
