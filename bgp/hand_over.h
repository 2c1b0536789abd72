/* SPDX-License-Identifier: BSD-2-Clause */
/* An lbbgp takes the place of another without a withdrawal: it asks the one that runs for the
 * device's descriptor, which then ends. */
#ifndef HF_BGP_HAND_OVER_H
#define HF_BGP_HAND_OVER_H

/* *device: the descriptor, or -1 if none runs. 0 or a negative errno, logged. */
int hf_hand_over_ask(const char *instance, int *device);

#endif
