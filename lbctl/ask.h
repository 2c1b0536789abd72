/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions to programs: those of this node by their sockets, those of others by this node's syncd,
 * which passes them on. Many are asked at once, and none is waited for longer than all of them.
 */
#ifndef HF_LBCTL_ASK_H
#define HF_LBCTL_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/bgp.pb-c.h"
#include "proto/control.pb-c.h"
#include "proto/node.pb-c.h"

#define HF_QUESTION_MAX 4096
#define HF_WHY_MAX	160

struct hf_question_to {
	bool local;
	uint64_t node; /* its id, if not local */
	Holdfast__Program program;
	uint8_t message[HF_QUESTION_MAX]; /* packed */
	size_t length;			  /* 0: it was too long */
	/* What came of it: a FromSync, FromNode or FromBgp, the asker's to free, or why not. */
	ProtobufCMessage *answer;
	char why[HF_WHY_MAX];
	int fd; /* asked by it; -1: none */
	bool over;
};

/* Asks all, and waits for the answers, for so many milliseconds at most; longer if there are
 * hundreds. */
void hf_ask(const char *instance, struct hf_question_to *questions, uint32_t count,
	    uint32_t patience_ms);
void hf_ask_free(struct hf_question_to *questions, uint32_t count);

/* Fills in what is asked. */
void hf_ask_syncd(struct hf_question_to *question, const Holdfast__ToSync *message);
void hf_ask_lbnode(struct hf_question_to *question, const Holdfast__ToNode *message);
void hf_ask_lbbgp(struct hf_question_to *question, const Holdfast__ToBgp *message);

const char *hf_program_name(Holdfast__Program program);

#endif
