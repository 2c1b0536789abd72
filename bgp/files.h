/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of lbbgp: the include, for BIRD; and for the next lbbgp what operators have drained,
 * and how long the lease lasts. All are replaced as a whole. */
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
/* 0 or a negative errno, logged. */
int hf_drains_save(const char *instance, const struct hf_announcer *announcer);

/* Until when the last lease holds, in hf_bgp_now()'s milliseconds, for the next lbbgp: it must not
 * grant lbnode another whole one. The former returns 0 if nothing was noted. */
int64_t hf_lease_noted(const char *instance);
void hf_lease_note(const char *instance, int64_t until);

#endif
