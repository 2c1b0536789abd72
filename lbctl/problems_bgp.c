// SPDX-License-Identifier: BSD-2-Clause
/* What is wrong with announcements, by lbbgp's words. */
#include <string.h>

#include "lbctl/cluster.h"
#include "lbctl/problems_internal.h"
#include "lib/text.h"

static void find_of_bird(json_t *problems, const json_t *node)
{
	const json_t *bgp = json_object_get(node, "lbbgp");
	json_t *text;
	size_t i;

	json_array_foreach (json_object_get(bgp, "problems"), i, text) {
		/* That follows from others, which are told already. */
		if (hf_flag(json_object_get(node, "lbnode"), "draining") &&
		    strstr(json_string_value(text), "drain"))
			continue;
		hf_problem_add(problems, HF_FAULT, node, "lbctl bgp", "%s",
			       json_string_value(text));
	}
}

/* lbbgp calls neither a drain nor a hold-down a problem, for they are meant; whoever looks at the
 * whole wants to know. */
static void find_meant_vips(json_t *problems, const json_t *node)
{
	const json_t *bgp = json_object_get(node, "lbbgp");
	char remedy[160], left[HF_DURATION_TEXT];
	json_t *v;
	size_t i;

	if (hf_flag(json_object_get(node, "lbnode"), "draining"))
		return;
	if (hf_flag(bgp, "drained"))
		hf_problem_add(problems, HF_FAULT, node,
			       hf_problem_on_node(node, "lbbgp --undrain", remedy),
			       "all of its VIPs are drained, by an operator's word");
	json_array_foreach (json_object_get(bgp, "vips"), i, v) {
		snprintf(remedy, sizeof(remedy), "lbctl undrain service %s", hf_text(v, "address"));
		if (hf_flag(v, "drained"))
			hf_problem_add(problems, HF_FAULT, node, remedy,
				       "%s is drained by an operator's word",
				       hf_text(v, "address"));
		else if (hf_json_is(v, "state", "held"))
			hf_problem_add(
				problems, HF_FAULT, node, "lbctl events",
				"%s is held back for another %s: %s", hf_text(v, "address"),
				hf_duration_text((uint32_t)(hf_number(v, "left_ms") / 1000), left),
				hf_text(v, "why"));
	}
}

void hf_problems_of_bgp(json_t *problems, const json_t *node)
{
	find_of_bird(problems, node);
	find_meant_vips(problems, node);
}

/* Whether BIRD has what lbbgp wants, or at least tells somebody of a VIP. An lbbgp that has just
 * been started does not know its sessions yet. */
static bool announces(const json_t *bgp)
{
	int64_t exported = 0;
	bool any = !json_array_size(json_object_get(bgp, "sessions"));
	json_t *s, *count;
	size_t i, k;

	json_array_foreach (json_object_get(bgp, "sessions"), i, s) {
		any |= hf_json_is(s, "state", "Established");
		json_array_foreach (json_object_get(s, "exported"), k, count)
			exported += json_integer_value(count);
	}
	return hf_text(bgp, "bird")[0] && any && (hf_flag(bgp, "settled") || exported);
}

/* As far as can be told: a node that says nothing may announce them. */
void hf_problems_of_lost_vips(json_t *problems, const json_t *cluster)
{
	json_t *is_out, *node, *v, *known;
	const char *address;
	size_t i, k;

	/* Others, which were not asked, may announce them. */
	if (hf_text(cluster, "only")[0])
		return;
	is_out = json_object();
	json_array_foreach (json_object_get(cluster, "nodes"), i, node) {
		const json_t *bgp = json_object_get(node, "lbbgp");
		bool heard = announces(bgp);

		json_array_foreach (json_object_get(bgp, "vips"), k, v) {
			bool out = heard && (hf_json_is(v, "state", "announced") ||
					     hf_json_is(v, "state", "draining"));

			if (out || !json_object_get(is_out, hf_text(v, "address")))
				json_object_set_new(is_out, hf_text(v, "address"),
						    json_boolean(out));
		}
	}
	json_object_foreach (is_out, address, known)
		if (!json_is_true(known))
			hf_problem_add(problems, HF_OUTAGE, NULL, "lbctl bgp",
				       "%s is announced by no node that answers", address);
	json_decref(is_out);
}
