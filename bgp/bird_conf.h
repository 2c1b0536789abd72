/* SPDX-License-Identifier: BSD-2-Clause */
/* A configuration of BIRD's to begin with. */
#ifndef HF_BGP_BIRD_CONF_H
#define HF_BGP_BIRD_CONF_H

#include <stdio.h>

#include "lib/config.h"

/* "NAME=ADDRESS@AS": a session with a router; the name may be left out. */
struct hf_neighbour_word {
	char name[64];
	struct hf_address address;
	uint32_t as;
};

/* `number`: for the name, where it says none. False: it is no such word. */
bool hf_neighbour_read(const char *text, uint32_t number, struct hf_neighbour_word *neighbour);

void hf_print_bird_conf(FILE *out, const struct hf_config *config,
			const struct hf_neighbour_word *neighbours, uint32_t count);

#endif
