// SPDX-License-Identifier: BSD-2-Clause
/* The daemons, what they hear of each other, and BIRD. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lbctl/cluster.h"
#include "lbctl/doctor.h"

static void look_at_daemons(json_t *findings, const struct hf_config *config, const json_t *node)
{
	static const char *const programs[] = { "lbnode", "syncd", "lbbgp" };
	bool bgp =
		hf_flag(json_object_get(node, "lbnode"), "bgp") || (config && config->bgp.local_as);
	char remedy[64];

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		const char *why = hf_text(json_object_get(node, "errors"), programs[i]);

		if (json_object_get(node, programs[i])) {
			hf_finding_add(findings, HF_FINDING_GOOD, programs[i], "", "it answers");
			continue;
		}
		if (strcmp(programs[i], "lbbgp") == 0 && !bgp)
			continue;
		snprintf(remedy, sizeof(remedy), "systemctl status %s", programs[i]);
		hf_finding_add(findings, HF_FINDING_BAD, programs[i], remedy, "%s",
			       why[0] ? why : "it can't be asked");
	}
}

/* Gossip goes by UDP, calls and snapshots by TCP: who is heard by one and not by the other is
 * behind a firewall. */
static void look_at_member(json_t *findings, const json_t *cluster, const json_t *status,
			   const json_t *m)
{
	const json_t *node = hf_cluster_node(cluster, hf_text(m, "name"));
	bool lives = strcmp(hf_text(m, "state"), "alive") == 0;
	bool heard = hf_cluster_is_heard(status, m);
	const char *why = hf_text(json_object_get(node, "errors"), "syncd");
	char remedy[120];

	snprintf(remedy, sizeof(remedy), "open UDP and TCP port %ld between the nodes",
		 (long)hf_number(m, "port"));
	if (strcmp(hf_text(m, "state"), "left") == 0)
		return;
	if (lives && heard && json_object_get(node, "syncd"))
		hf_finding_add(findings, HF_FINDING_GOOD, hf_text(m, "name"), "",
			       "heard by UDP, and answers by TCP");
	else if (lives && json_object_get(node, "syncd"))
		hf_finding_add(findings, HF_FINDING_BAD, hf_text(m, "name"), remedy,
			       "answers by TCP, but has not been heard by UDP for long");
	else if (lives && !heard)
		hf_finding_add(findings, HF_FINDING_BAD, hf_text(m, "name"), remedy,
			       "lives, as other nodes say, but this one neither hears it by UDP, "
			       "nor does it answer by TCP");
	else if (lives)
		hf_finding_add(findings, HF_FINDING_BAD, hf_text(m, "name"), remedy,
			       "is heard by UDP, but does not answer by TCP: %s", why);
	else
		hf_finding_add(findings, HF_FINDING_BAD, hf_text(m, "name"),
			       "look at the node; then at the firewall, and the ways in between",
			       "is %s, as far as this node can tell", hf_text(m, "state"));
}

static void look_at_keys(json_t *findings, const json_t *cluster, const json_t *local)
{
	const char *ours = hf_text(json_object_get(local, "syncd"), "key_ids");
	json_t *node;
	size_t i;

	json_array_foreach (json_object_get(cluster, "nodes"), i, node) {
		const json_t *s = json_object_get(node, "syncd");

		if (s && strcmp(hf_text(s, "key_ids"), ours) != 0)
			hf_finding_add(
				findings, HF_FINDING_DOUBTFUL, "keys",
				"copy the key file to it, and lbctl reload; fine in the midst "
				"of a change of keys",
				"%s has other keys in force than this node", hf_text(node, "name"));
	}
}

static void look_at_bgp(json_t *findings, const json_t *node)
{
	const json_t *bgp = json_object_get(node, "lbbgp");
	json_t *x;
	size_t i;

	if (!bgp)
		return;
	hf_finding_add(findings, hf_text(bgp, "bird")[0] ? HF_FINDING_GOOD : HF_FINDING_BAD, "BIRD",
		       hf_text(bgp, "bird")[0] ? "" : "systemctl status bird", "%s %s",
		       hf_text(bgp, "bird")[0] ? "version" : "lbbgp can't reach it",
		       hf_text(bgp, "bird"));
	json_array_foreach (json_object_get(bgp, "problems"), i, x)
		hf_finding_add(findings, HF_FINDING_BAD, "BGP", "lbctl bgp", "%s",
			       json_string_value(x));
	json_array_foreach (json_object_get(bgp, "sessions"), i, x)
		if (strcmp(hf_text(x, "state"), "Established") == 0)
			hf_finding_add(findings, HF_FINDING_GOOD, hf_text(x, "name"), "",
				       "BGP is up with %s", hf_text(x, "neighbour"));
}

/* As BIRD tells it; without BFD the death of a node is noticed by BGP's hold time alone. */
void hf_doctor_bfd(json_t *findings, const struct hf_config *config)
{
	char command[300], line[300], address[64], interface[32], state[16];
	uint32_t up = 0, other = 0;
	bool answers = false;
	FILE *pipe;

	if (!config || !config->bgp.local_as || strchr(config->bgp.bird_socket, '\''))
		return;
	snprintf(command, sizeof(command),
		 "timeout 2 birdc -r -s '%s' show bfd sessions 2>/dev/null </dev/null",
		 config->bgp.bird_socket);
	pipe = popen(command, "r");
	while (pipe && fgets(line, sizeof(line), pipe)) {
		answers |= strncmp(line, "BIRD ", 5) == 0;
		if (sscanf(line, "%63s %31s %15s", address, interface, state) != 3 ||
		    !strpbrk(address, ".:"))
			continue;
		up += strcmp(state, "Up") == 0;
		if (strcmp(state, "Up") == 0)
			continue;
		other++;
		hf_finding_add(findings, HF_FINDING_BAD, "BFD", "birdc show bfd sessions",
			       "the session with %s by %s is %s", address, interface, state);
	}
	if (pipe)
		pclose(pipe);
	if (up)
		hf_finding_add(findings, HF_FINDING_GOOD, "BFD", "", "%u session%s up", up,
			       up == 1 ? " is" : "s are");
	else if (!other && answers)
		hf_finding_add(
			findings, HF_FINDING_DOUBTFUL, "BFD",
			"`bfd on` in BIRD's sessions, and at the routers: docs/bgp.md",
			"BIRD has no sessions: routers notice a dead node by BGP's hold time "
			"alone");
}

void hf_doctor_cluster(json_t *findings, const struct hf_config *config, const json_t *cluster)
{
	const json_t *local = hf_cluster_local(cluster), *status = json_object_get(local, "syncd");
	json_t *m;
	size_t i;

	look_at_daemons(findings, config, local);
	json_array_foreach (json_object_get(status, "members"), i, m)
		if (strcmp(hf_text(m, "name"), hf_text(local, "name")) != 0)
			look_at_member(findings, cluster, status, m);
	look_at_keys(findings, cluster, local);
	look_at_bgp(findings, local);
}
