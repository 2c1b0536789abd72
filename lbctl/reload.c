// SPDX-License-Identifier: BSD-2-Clause
/* Having nodes take their files as they are now. */
#include <stdio.h>

#include "lbctl/change.h"
#include "lib/log.h"

static bool reload_at(const struct hf_context *c, const json_t *node, Holdfast__Program program)
{
	static struct hf_question_to q;
	Holdfast__ToNode to_node = HOLDFAST__TO_NODE__INIT;
	Holdfast__ToSync to_sync = HOLDFAST__TO_SYNC__INIT;
	Holdfast__ToBgp to_bgp = HOLDFAST__TO_BGP__INIT;
	Holdfast__Reload body = HOLDFAST__RELOAD__INIT;
	char about[128];
	const char *error;

	to_node.body_case = HOLDFAST__TO_NODE__BODY_RELOAD;
	to_sync.body_case = HOLDFAST__TO_SYNC__BODY_RELOAD;
	to_bgp.body_case = HOLDFAST__TO_BGP__BODY_RELOAD;
	to_node.reload = to_sync.reload = to_bgp.reload = &body;
	hf_cluster_address(node, &q);
	if (program == HOLDFAST__PROGRAM__PROGRAM_LBNODE)
		hf_ask_lbnode(&q, &to_node);
	else if (program == HOLDFAST__PROGRAM__PROGRAM_SYNCD)
		hf_ask_syncd(&q, &to_sync);
	else
		hf_ask_lbbgp(&q, &to_bgp);
	error = hf_change_ask(c, &q);
	snprintf(about, sizeof(about), "%s: %s", hf_text(node, "name"), hf_program_name(program));
	hf_change_tell(c, !error, about, "%s", error ? error : "reloaded");
	hf_ask_free(&q, 1);
	return !error;
}

int hf_command_reload(const struct hf_context *c)
{
	json_t *cluster = hf_cluster_gather(c->instance, HF_PART_FACTS, c->node), *node;
	bool all = true, any = false;
	size_t i;

	if (!hf_change_sees_all(c, cluster)) {
		json_decref(cluster);
		return HF_EXIT_FAILED;
	}
	json_array_foreach (json_object_get(cluster, "nodes"), i, node) {
		const json_t *facts = json_object_get(node, "lbnode");

		any = true;
		if (!hf_change_can(c, node)) {
			all = false;
			continue;
		}
		/* What lbnode refuses the others need not try. */
		if (!reload_at(c, node, HOLDFAST__PROGRAM__PROGRAM_LBNODE)) {
			all = false;
			continue;
		}
		if (!hf_text(cluster, "blind")[0])
			all &= reload_at(c, node, HOLDFAST__PROGRAM__PROGRAM_SYNCD);
		if (hf_flag(facts, "bgp"))
			all &= reload_at(c, node, HOLDFAST__PROGRAM__PROGRAM_LBBGP);
	}
	if (!any)
		hf_change_tell(c, false, c->node,
			       "there is no such node; `lbctl nodes` tells those that there are");
	json_decref(cluster);
	return all && any ? HF_EXIT_FINE : HF_EXIT_FAILED;
}
