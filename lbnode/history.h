/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration that was in force last, kept over a reboot: a node that comes back with an
 * empty flow table then still knows what its pools were, so that each slot knows its previous
 * backend.
 */
#ifndef HF_LBNODE_HISTORY_H
#define HF_LBNODE_HISTORY_H

#include "lib/config.h"

#define HF_STATE_DIRECTORY "/var/lib/holdfast"

/* Keeps a copy of the file that was read just now. A failure is logged, once, and does no harm. */
void hf_history_save(const char *instance, const char *config_path);

/* Of the former agent, on whichever boot; NULL: there is none, or it is no good any more. To be
 * freed with hf_config_free(). */
struct hf_config *hf_history_load(const char *instance);

#endif
