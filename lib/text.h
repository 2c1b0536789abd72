/* SPDX-License-Identifier: BSD-2-Clause */
/* How commands print what programs say. */
#ifndef HF_TEXT_H
#define HF_TEXT_H

#include <stdint.h>
#include <stdio.h>

#define HF_DURATION_TEXT 24

/* "90 s", "5 min", "3 h": writes to and returns `text`. */
const char *hf_duration_text(uint32_t seconds, char text[HF_DURATION_TEXT]);

/* `"key": "text"`, with what JSON wants escaped; no key: the text alone. */
void hf_json_text(FILE *out, const char *key, const char *text);

#endif
