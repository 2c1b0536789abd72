// SPDX-License-Identifier: BSD-2-Clause
#include "syncd/metrics.h"

#include <string.h>

#include "lib/metrics.h"
#include "syncd/daemon.h"
#include "syncd/node_socket.h"

static void fill_counters(const struct hf_sync *sync, FILE *out)
{
	static const char *const names[] = {
#define HF_SYNC_COUNTER(name) #name,
		HF_SYNC_COUNTERS(HF_SYNC_COUNTER)
#undef HF_SYNC_COUNTER
	};
	const uint64_t *values = (const uint64_t *)hf_sync_counters(sync);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char name[80], help[80];

		snprintf(name, sizeof(name), "holdfast_sync_%s_total", names[i]);
		snprintf(help, sizeof(help), "%s, as `syncd --status` counts them", names[i]);
		hf_metric(out, name, HF_METRIC_COUNTER, help, values[i]);
	}
}

static void fill_members(const struct hf_sync *sync, FILE *out)
{
	const struct hf_members *members = hf_sync_members(sync);
	const struct hf_member_facts *self = &hf_sync_self(sync)->facts;

	hf_metric_head(out, "holdfast_member_alive", HF_METRIC_GAUGE,
		       "1: as this node finds; state tells what else");
	for (uint32_t i = 0; i < members->count; i++)
		hf_metric_value(out, "holdfast_member_alive",
				members->all[i]->state == HF_MEMBER_ALIVE, "member",
				members->all[i]->facts.name, "state",
				hf_member_state_name(members->all[i]->state), (char *)NULL);
	hf_metric_head(out, "holdfast_member_config_differs", HF_METRIC_GAUGE,
		       "1: that member has another configuration than this node");
	for (uint32_t i = 0; i < members->count; i++)
		hf_metric_value(out, "holdfast_member_config_differs",
				members->all[i]->state == HF_MEMBER_ALIVE &&
					members->all[i]->facts.config && self->config &&
					members->all[i]->facts.config != self->config,
				"member", members->all[i]->facts.name, (char *)NULL);
	hf_metric_head(out, "holdfast_member_queued_records", HF_METRIC_GAUGE,
		       "records that wait to be sent to that member");
	for (uint32_t i = 0; i < members->count; i++)
		hf_metric_value(out, "holdfast_member_queued_records",
				hf_sync_queue(members->all[i]), "member",
				members->all[i]->facts.name, (char *)NULL);
}

void hf_daemon_metrics(void *context, FILE *out)
{
	struct hf_daemon *d = context;

	hf_metric_head(out, "holdfast_syncd_info", HF_METRIC_GAUGE, "always 1; its labels tell");
	hf_metric_value(out, "holdfast_syncd_info", 1, "node", d->config->node.name, "cluster",
			d->config->cluster.name, "version", HF_VERSION, (char *)NULL);
	hf_metric(out, "holdfast_syncd_ready", HF_METRIC_GAUGE,
		  "1: this node owns records, or could", hf_sync_self(d->sync)->facts.ready);
	hf_metric(out, "holdfast_syncd_insecure", HF_METRIC_GAUGE,
		  "1: without a key, anyone can read and forge gossip",
		  d->config->cluster.insecure);
	hf_metric(out, "holdfast_syncd_lbnode_serving", HF_METRIC_GAUGE,
		  "1: lbnode does, or has until ten seconds ago; 0: drained, too",
		  hf_node_socket_is_serving(d->nodes));
	hf_metric(out, "holdfast_sync_records", HF_METRIC_GAUGE,
		  "that this node holds for the cluster", hf_sync_record_count(d->sync));
	hf_metric(out, "holdfast_sync_handing_over", HF_METRIC_GAUGE,
		  "1: after a change of membership, until all records are with their owners",
		  hf_sync_previous_owners(d->sync) != NULL);
	fill_members(d->sync, out);
	fill_counters(d->sync, out);
}
