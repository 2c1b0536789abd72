/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network namespaces in which this host's services live: the data plane looks for their sockets by
 * the ids that namespaces have in this one (rtnetlink's RTM_NEWNSID).
 */
#ifndef HF_LBHOST_NAMESPACES_H
#define HF_LBHOST_NAMESPACES_H

#include <stdbool.h>
#include <stdint.h>

#include "lbhost/bpf/types.h"

/* A name of `ip netns`, or a path; ownership stays with the caller. */
struct hf_namespace {
	const char *name;
	struct hf_host_namespace last; /* what was written last */
	bool looked;
};

/* Looks at what stands there now. Writes it to element `i` of the map if that is another namespace
 * than before, or none any more, and logs it. */
void hf_namespace_refresh(struct hf_namespace *ns, uint32_t i, int map);

#endif
