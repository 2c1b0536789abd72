/* SPDX-License-Identifier: BSD-2-Clause */
/* The two files of lbbgp: the include, for BIRD, and what operators have drained, for the next
 * lbbgp. Both are replaced as a whole. */
#ifndef HF_BGP_FILES_H
#define HF_BGP_FILES_H

#include <stdbool.h>

#include "bgp/core/announce.h"

#define HF_BGP_STATE_PARENT    "/var/lib/holdfast"
#define HF_BGP_STATE_DIRECTORY HF_BGP_STATE_PARENT "/bgp"

/* All of a file, to be freed by free(); NULL with errno set. */
char *hf_file_read(const char *path);
bool hf_file_holds(const char *path, const char *text);
/* Of a full path. 0, also if it holds the text already, or a negative errno. */
int hf_file_write(const char *path, const char *text);

/* Has the announcer know what was drained before. */
void hf_drains_load(const char *instance, struct hf_announcer *announcer, int64_t now);
/* What fails is logged. */
void hf_drains_save(const char *instance, const struct hf_announcer *announcer);

#endif
