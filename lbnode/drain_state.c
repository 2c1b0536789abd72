// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/drain_state.h"

#include <stddef.h>

#define QUIET_MS 3000 /* ECMP's stragglers, and a client's retransmission or two */

const char *hf_drain_left(const Holdfast__NodeState *state)
{
	if (state->owner)
		return state->sharing ? "its records are being handed over"
				      : "it owns records, and its syncd does not run: start it, "
					"or they are lost";
	if (state->announced)
		return "lbbgp has routers take other ways, and then withdraws its VIPs";
	if (state->quiet_ms < QUIET_MS)
		return "packets still come: its VIPs must be withdrawn (by lbbgp, or in BIRD)";
	return NULL;
}

const char *hf_drain_risk(const Holdfast__NodeState *state)
{
	if (!state->sharing || (state->others && !state->gave_up))
		return NULL;
	return state->others
		       ? "its records were not all taken in time: stop this node, and flows "
			 "that only it knows may break"
		       : "no other node is ready to take its records: stop this node, and flows "
			 "that only it knows may break";
}
