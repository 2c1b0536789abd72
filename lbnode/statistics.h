/* SPDX-License-Identifier: BSD-2-Clause */
/* `lbnode --stats`: an instance's counters, read from its pinned maps; the agent need not run. */
#ifndef HF_LBNODE_STATISTICS_H
#define HF_LBNODE_STATISTICS_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Prints a text for people, or one JSON object: {"instance", "flows": {state: n},
 * "counters": {name: n}, "services": [{"protocol", "address", "port", "packets", "bytes",
 * "flows"}], "backends": [{"address", "encapsulation", "packets", "bytes", "flows"}]}; a service on
 * all ports has port 0. 0 or a negative errno, logged.
 */
int hf_show_statistics(FILE *out, const char *instance, bool json);

#endif
