// SPDX-License-Identifier: BSD-2-Clause
/* What must hold whatever happens, and what must hold again some time after the last fault. */
#include <string.h>

#include "syncd/core/channel.h"
#include "tests/sim/sim.h"

/* How long after the last fault all must agree again, and all owners hold all records. */
#define AGREE_AFTER  HF_SECONDS(5)
#define RECORD_AFTER HF_SECONDS(15)
/* What wall clocks may differ by: where a partition heals, one side of which has started anew, the
 * clock of the other may leap, and records age. */
#define LEAP HF_SECONDS(125)

/* One view, one table: views seen so far, and a digest of the table. */
static struct {
	uint64_t view, table;
	uint64_t seed;
} tables[4096];

static uint64_t table_digest(const struct hf_owners *owners)
{
	uint64_t digest = 0;

	for (uint32_t shard = 0; shard < HF_SHARDS; shard++)
		for (uint32_t rank = 0; rank < owners->replicas; rank++)
			digest = hf_mix(digest ^ owners->owner[shard][rank]);
	return digest;
}

static void check_table(struct sim_node *node)
{
	const struct hf_owners *owners = hf_sync_owners(node->sync);
	uint64_t digest = table_digest(owners);
	uint32_t i = hf_mix(owners->view ^ node->sim->seed) % 4096;

	if (tables[i].view == owners->view && tables[i].seed == node->sim->seed &&
	    tables[i].table != digest)
		sim_break(node->sim, "%s has another table than others for the same view",
			  node->name);
	tables[i].view = owners->view;
	tables[i].table = digest;
	tables[i].seed = node->sim->seed;
}

void sim_check_node(struct sim_node *node)
{
	uint32_t epoch = hf_sync_epoch(node->sync);

	if (epoch < node->epoch)
		sim_break(node->sim, "%s went from epoch %u back to %u", node->name, node->epoch,
			  epoch);
	node->epoch = epoch;
	if (node->owners_changed)
		check_table(node);
	node->owners_changed = false;
}

static void check_queues(struct sim_node *node)
{
	const struct hf_members *members = hf_sync_members(node->sync);
	const uint32_t most = 2 * HF_CHANNEL_QUEUE + HF_CHANNEL_WINDOW * HF_CHANNEL_BATCH_MAX;

	for (uint32_t i = 0; i < members->count; i++)
		if (hf_sync_queue(members->all[i]) > most)
			sim_break(node->sim, "%s has %u records queued", node->name,
				  hf_sync_queue(members->all[i]));
}

static bool is_in(const struct sim_node *node)
{
	return node->condition == SIM_UP && hf_sync_readiness(node->sync) < HF_LEAVING;
}

static bool knows_truth(const struct sim_node *node, char *why, size_t size)
{
	const struct sim *sim = node->sim;
	const struct hf_members *members = hf_sync_members(node->sync);
	uint32_t up = 0;

	for (uint32_t i = 0; i < sim->count; i++) {
		const struct sim_node *other = &sim->nodes[i];
		const struct hf_member *m = hf_members_find(members, hf_member_id(other->name));

		up += is_in(other);
		if (is_in(other) && (!m || m->state != HF_MEMBER_ALIVE)) {
			snprintf(why, size, "%s thinks that %s is %s", node->name, other->name,
				 m ? hf_member_state_name(m->state) : "unknown");
			/* Suspicion comes and goes where datagrams get lost. */
			if (!m || m->state != HF_MEMBER_SUSPECT)
				return false;
		}
		if (other->condition == SIM_OFF && m && hf_member_lives(m)) {
			snprintf(why, size, "%s thinks that %s lives", node->name, other->name);
			return false;
		}
	}
	if (hf_sync_owners(node->sync)->count != up) {
		snprintf(why, size, "%s has %u owners of %u nodes", node->name,
			 hf_sync_owners(node->sync)->count, up);
		return false;
	}
	return true;
}

static bool all_agree(struct sim *sim, char *why, size_t size)
{
	for (uint32_t i = 0; i < sim->count; i++)
		if (is_in(&sim->nodes[i]) && !knows_truth(&sim->nodes[i], why, size))
			return false;
	return true;
}

bool sim_members_agree(struct sim *sim, void *unused)
{
	char why[128];

	(void)unused;
	return all_agree(sim, why, sizeof(why));
}

static const struct sim_node *owner_of(const struct sim *sim, const struct hf_owners *owners,
				       uint32_t shard, uint32_t rank)
{
	for (uint32_t i = 0; i < sim->count; i++)
		if (owners->owner[shard][rank] == hf_member_id(sim->nodes[i].name))
			return &sim->nodes[i];
	return NULL;
}

static bool has(const struct sim_node *node, const struct sim_flow *flow)
{
	const struct hf_record *held =
		node->sync ? hf_sync_find(node->sync, hf_record_digest(&flow->record)) : NULL;

	return held && held->backend == flow->record.backend;
}

/* Or something that counts as newer, see above. */
static bool has_this_or_newer(const struct sim_node *node, const struct sim_flow *flow)
{
	const struct hf_record *held =
		node->sync ? hf_sync_find(node->sync, hf_record_digest(&flow->record)) : NULL;

	return held && (held->backend == flow->record.backend || held->stamp >= flow->record.stamp);
}

static void note_holders(struct sim *sim, const struct sim_flow *flow)
{
	sim_note(sim, "  should be backend %u, stamp %u, exported by n%u at %.3f",
		 flow->record.backend, flow->record.stamp, flow->holder, flow->exported / 1e6);
	for (uint32_t i = 0; i < sim->count; i++) {
		const struct sim_node *n = &sim->nodes[i];
		const struct hf_record *held =
			n->sync ? hf_sync_find(n->sync, hf_record_digest(&flow->record)) : NULL;

		if (held)
			sim_note(sim, "  %s has backend %u, stamp %u", n->name, held->backend,
				 held->stamp);
	}
}

static const struct sim_node *any_up(const struct sim *sim)
{
	for (uint32_t i = 0; i < sim->count; i++)
		if (is_in(&sim->nodes[i]))
			return &sim->nodes[i];
	return NULL;
}

uint32_t sim_missing_records(struct sim *sim, hf_time before)
{
	const struct sim_node *reference = any_up(sim);
	uint32_t missing = 0;

	for (uint32_t i = 0; reference && i < sim->flow_count; i++) {
		const struct sim_flow *flow = &sim->flows[i];
		const struct hf_owners *owners = hf_sync_owners(reference->sync);

		/* What a dead machine exported its owners may all have taken with them. */
		if (flow->exported > before || flow->holder == SIM_NODES_MAX ||
		    sim->nodes[flow->holder].condition != SIM_UP || flow->exported == 0)
			continue;
		for (uint32_t rank = 0; rank < owners->replicas; rank++) {
			const struct sim_node *owner =
				owner_of(sim, owners, hf_shard(flow->record.key), rank);

			if (!owner || has(owner, flow))
				continue;
			missing++;
			sim_note(sim, "%s lacks %016lx", owner->name,
				 (unsigned long)flow->record.key);
			note_holders(sim, flow);
		}
	}
	return missing;
}

/* The syncd that held it at the last look is still there, and has not left. */
static bool holder_lives(const struct sim *sim, const struct sim_flow *flow)
{
	const struct sim_node *n = &sim->nodes[flow->seen_at];

	return flow->seen_at < sim->count && n->condition != SIM_OFF &&
	       n->life == flow->seen_life && hf_sync_readiness(n->sync) != HF_GONE;
}

static void note_seen(struct sim *sim, struct sim_flow *flow, uint32_t node)
{
	const struct sim_node *n = &sim->nodes[node];
	const struct hf_record *held = hf_sync_find(n->sync, hf_record_digest(&flow->record));
	int64_t left = (int64_t)held->stamp + HF_RECORD_LIFE -
		       hf_sync_stamp(n->sync, sim_local(n, sim->now));

	flow->seen_at = node;
	flow->seen_life = n->life;
	flow->seen_until = sim->now + left * (HF_SECONDS(1) / HF_STAMPS_SECOND) - LEAP;
}

/* While a node that holds a record lives on, somebody holds it, until its life is over. */
static void check_holders(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->flow_count; i++) {
		struct sim_flow *flow = &sim->flows[i];
		bool should = holder_lives(sim, flow) && sim->now < flow->seen_until;
		bool held = false, same = false;

		/* Still the same one, mostly. */
		for (uint32_t j = 0; j < sim->count && !held; j++) {
			uint32_t k = (j + flow->seen_at) % sim->count;

			same = has(&sim->nodes[k], flow);
			held = same || has_this_or_newer(&sim->nodes[k], flow);
			if (same)
				note_seen(sim, flow, k);
		}
		if (should && !held) {
			note_holders(sim, flow);
			sim_break(sim, "nobody has record %016lx any more; n%u had",
				  (unsigned long)flow->record.key, flow->seen_at);
		}
		if (!same)
			flow->seen_at = SIM_NODES_MAX;
	}
}

void sim_check_all(struct sim *sim)
{
	hf_time calm = sim->disturbed == HF_NEVER ? 0 : sim->now - sim->disturbed;
	hf_time slack = sim->count > 100 ? HF_SECONDS(5) : 0;
	char why[128];
	uint32_t missing;

	for (uint32_t i = 0; i < sim->count; i++)
		if (sim->nodes[i].condition == SIM_UP)
			check_queues(&sim->nodes[i]);
	check_holders(sim);
	if (calm >= AGREE_AFTER + slack && !all_agree(sim, why, sizeof(why)))
		sim_break(sim, "%.1f s after the last fault %s", calm / 1e6, why);
	if (calm >= AGREE_AFTER + slack)
		sim_check_notices(sim, is_in);
	if (calm < RECORD_AFTER + slack)
		return;
	missing = sim_missing_records(sim, sim->now - HF_SECONDS(3));
	if (missing)
		sim_break(sim, "%.1f s after the last fault owners lack %u records", calm / 1e6,
			  missing);
}
