/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands to the running lbbgp, over its socket. Failures are logged. */
#ifndef HF_BGP_STATUS_H
#define HF_BGP_STATUS_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/address.h"

/* 0: all is well; 1: there are problems, which it prints first; a negative errno: can't tell. */
int hf_show_bgp(FILE *out, const char *instance, bool json);

/* An operator's word for a VIP, or, if NULL, for all of this node. 0 or a negative errno. */
int hf_drain_vip(const char *instance, const struct hf_address *vip, bool drained);

#endif
