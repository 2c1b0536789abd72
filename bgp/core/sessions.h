/* SPDX-License-Identifier: BSD-2-Clause */
/* What BIRD says of its protocols (`show protocols`, with or without `all`): which BGP sessions
 * there are and how they are, and whether ours are there. No I/O. */
#ifndef HF_BGP_SESSIONS_H
#define HF_BGP_SESSIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "bgp/core/reply.h"

#define HF_SESSIONS_MAX	     256
#define HF_SESSION_NAME_SIZE 64

enum hf_family_index { HF_IPV4, HF_IPV6, HF_FAMILIES };

/* What a session has to do with routes of a family. */
struct hf_channel {
	bool there, up;
	bool told;	   /* `exported` is known */
	uint32_t exported; /* of our VIPs */
	uint32_t surplus;  /* routes of ours that should not be */
	char missing[44];  /* one that is not; empty: none */
};

struct hf_session {
	char name[HF_SESSION_NAME_SIZE];
	char neighbour[64];
	char state[32]; /* "Established", or BIRD's word for what else */
	bool established;
	bool dynamic; /* it stands for neighbours to come, each of which becomes a session */
	struct hf_channel channel[HF_FAMILIES];
};

struct hf_sessions {
	struct hf_session session[HF_SESSIONS_MAX];
	uint32_t count;
	bool ours[HF_FAMILIES];	   /* our static protocols are there */
	bool ours_up[HF_FAMILIES]; /* and not disabled */
	struct hf_session *now;	   /* whose lines come; NULL: nobody's */
	int channel;		   /* -1: none */
};

void hf_sessions_begin(struct hf_sessions *sessions);
/* Lines that it does not know it passes over, for every version has others. */
void hf_sessions_take(struct hf_sessions *sessions, const struct hf_reply_line *line);

#endif
