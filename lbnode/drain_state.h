/* SPDX-License-Identifier: BSD-2-Clause */
/* How far a node's drain has come, in words: for `lbctl drain node`. No I/O. */
#ifndef HF_LBNODE_DRAIN_STATE_H
#define HF_LBNODE_DRAIN_STATE_H

#include "proto/control.pb-c.h"

/* What there is to wait for; NULL: nothing. One text of each kind, so pointers can be compared. */
const char *hf_drain_left(const Holdfast__NodeState *state);

/* Why flows may break if the node is stopped, though there is nothing more to wait for; NULL: they
 * don't. */
const char *hf_drain_risk(const Holdfast__NodeState *state);

#endif
