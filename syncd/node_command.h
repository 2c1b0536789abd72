/* SPDX-License-Identifier: BSD-2-Clause */
/* What operators' commands ask syncd for, beside its status. */
#ifndef HF_SYNCD_NODE_COMMAND_H
#define HF_SYNCD_NODE_COMMAND_H

#include "syncd/node_client.h"

/* Takes one packet (hf_node_take() said HF_NODE_OTHER), and answers it, some later. */
void hf_node_command(struct hf_node_client *client, const uint8_t *packet, size_t length);

#endif
