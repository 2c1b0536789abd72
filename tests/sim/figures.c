// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the protocol does in numbers, as a table for docs/syncd.md. Virtual times, so the same on
 * any machine. Exits 1 when one misses its aim.
 */
#include <argp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "syncd/core/channel.h"
#include "tests/sim/sim.h"

static bool missed;
static double hours = 2;
static uint32_t records = 100000;
static bool large;
static const char *only = "";

static bool wanted(const char *row)
{
	return strstr(row, only) != NULL;
}

static void row(const char *what, const char *setting, const char *figure, const char *aim,
		bool good)
{
	printf("| %s | %s | %s | %s%s |\n", what, setting, figure, aim, good ? "" : " **missed**");
	fflush(stdout);
	missed |= !good;
}

static struct sim *cluster(uint64_t seed, uint32_t nodes, double loss)
{
	struct sim *sim = sim_new(seed, nodes);

	for (uint32_t i = 0; i < nodes; i++)
		sim_start(sim, i);
	if (!sim_wait(sim, HF_SECONDS(60), sim_members_agree, NULL)) {
		fprintf(stderr, "figures: %u nodes did not come together: %s\n", nodes,
			sim->broken);
		exit(1);
	}
	sim->network.loss = loss;
	sim_run(sim, sim->now + HF_SECONDS(3));
	return sim;
}

static int by_value(const void *a, const void *b)
{
	hf_time x = *(const hf_time *)a, y = *(const hf_time *)b;

	return (x > y) - (x < y);
}

static bool is_known_dead(struct sim *sim, void *who)
{
	uint64_t id = hf_member_id(sim->nodes[*(uint32_t *)who].name);

	for (uint32_t i = 0; i < sim->count; i++) {
		const struct sim_node *n = &sim->nodes[i];
		const struct hf_member *m = n->condition == SIM_UP
						    ? hf_members_find(hf_sync_members(n->sync), id)
						    : NULL;

		if (m && hf_member_lives(m))
			return false;
	}
	return true;
}

/* How long until all know of a crash. */
static void crash_row(uint32_t nodes, double loss, int rounds, double aim50, double aim99)
{
	struct sim *sim = cluster(1, nodes, loss);
	hf_time *took = calloc(rounds, sizeof(*took));
	char setting[64], figure[64], aim[64];
	double p50, p99;

	for (int i = 0; i < rounds; i++) {
		uint32_t who = hf_random_below(&sim->random, nodes);
		hf_time began;

		sim_run(sim, sim->now + sim_between(sim, 0, HF_SECONDS(1)));
		began = sim->now;
		sim_crash(sim, who, false);
		took[i] = sim_wait(sim, HF_SECONDS(20), is_known_dead, &who) ? sim->now - began
									     : HF_SECONDS(20);
		sim_start(sim, who);
		sim_wait(sim, HF_SECONDS(20), sim_members_agree, NULL);
		sim_run(sim, sim->now + HF_SECONDS(1));
	}
	qsort(took, rounds, sizeof(*took), by_value);
	p50 = took[rounds / 2] / 1e3;
	p99 = took[rounds * 99 / 100] / 1e3;
	snprintf(setting, sizeof(setting), "%u nodes, %.0f %% loss, %d crashes", nodes, loss * 100,
		 rounds);
	snprintf(figure, sizeof(figure), "p50 %.0f ms, p99 %.0f ms", p50, p99);
	snprintf(aim, sizeof(aim), "p50 %.0f ms, p99 %.0f ms", aim50, aim99);
	row("a crash is known everywhere", setting, figure, aim, p50 <= aim50 && p99 <= aim99);
	free(took);
	sim_delete(sim);
}

static uint64_t suspicions, deaths;

/* Of a healthy node by a healthy one. */
static void count_accusations(struct sim_node *node, const struct hf_event *event)
{
	struct sim *sim = node->sim;

	if (event->kind != HF_EVENT_MEMBER || event->accuser != hf_sync_self(node->sync)->party.id)
		return;
	for (uint32_t i = 0; i < sim->count; i++) {
		if (strcmp(sim->nodes[i].name, event->member->facts.name) != 0)
			continue;
		/* One that has just come back may still be judged by its silence. */
		if (sim->nodes[i].condition != SIM_UP || sim->nodes[i].up_since > sim->now ||
		    node->up_since > sim->now)
			return;
	}
	if (event->member->state == HF_MEMBER_SUSPECT)
		suspicions++;
	else if (event->member->state == HF_MEMBER_DEAD)
		deaths++;
}

static void false_positive_row(uint32_t nodes, double loss, double node_hours, uint64_t most)
{
	struct sim *sim = cluster(2, nodes, loss);
	char setting[80], figure[64], aim[64];

	suspicions = deaths = 0;
	sim->on_event = count_accusations;
	sim_run(sim, sim->now + (hf_time)(node_hours * 3600e6 / nodes));
	snprintf(setting, sizeof(setting), "%u nodes, %.0f %% loss, %.0f node-hours", nodes,
		 loss * 100, node_hours);
	snprintf(figure, sizeof(figure), "%lu dead (%lu suspect, refuted)", (unsigned long)deaths,
		 (unsigned long)suspicions);
	snprintf(aim, sizeof(aim), "%lu in 10,000", (unsigned long)most);
	row("false positives", setting, figure, aim, deaths <= most);
	sim_delete(sim);
}

static void stall_row(uint32_t nodes)
{
	struct sim *sim = cluster(3, nodes, 0);
	char setting[80], figure[64];

	suspicions = deaths = 0;
	sim->on_event = count_accusations;
	for (int round = 0; round < 60; round++) {
		for (uint32_t i = 0; i < nodes / 4; i++)
			sim_pause(sim, (round * 7 + i * 4) % nodes);
		sim_run(sim, sim->now + sim_between(sim, HF_SECONDS(1), HF_SECONDS(10)));
		for (uint32_t i = 0; i < nodes; i++) {
			/* Not healthy until what waited is read, and refuted. */
			if (sim->nodes[i].condition == SIM_PAUSED)
				sim->nodes[i].up_since = sim->now + HF_SECONDS(1);
			sim_resume(sim, i);
		}
		sim_run(sim, sim->now + HF_SECONDS(3));
	}
	snprintf(setting, sizeof(setting), "%u nodes, a quarter stalls 1 to 10 s, 60 times", nodes);
	snprintf(figure, sizeof(figure), "%lu suspect, %lu dead", (unsigned long)suspicions,
		 (unsigned long)deaths);
	row("healthy accused by healthy", setting, figure, "0", !suspicions && !deaths);
	sim_delete(sim);
}

static void traffic_row(uint32_t nodes)
{
	struct sim *sim = cluster(4, nodes, 0);
	uint64_t before, most = 0, total = 0;
	uint64_t *sent = calloc(nodes, sizeof(*sent));
	char setting[64], figure[64];
	const int seconds = 30;

	sim_run(sim, sim->now + HF_SECONDS(20));
	for (uint32_t i = 0; i < nodes; i++)
		sent[i] = sim->nodes[i].bytes_sent;
	sim_run(sim, sim->now + HF_SECONDS(seconds));
	for (uint32_t i = 0; i < nodes; i++) {
		before = sent[i];
		total += sim->nodes[i].bytes_sent - before;
		if (sim->nodes[i].bytes_sent - before > most)
			most = sim->nodes[i].bytes_sent - before;
	}
	snprintf(setting, sizeof(setting), "%u nodes, IP and UDP headers included", nodes);
	snprintf(figure, sizeof(figure), "%.1f kB/s a node, %.1f at most",
		 total / 1e3 / nodes / seconds, most / 1e3 / seconds);
	row("membership traffic, idle", setting, figure, "8 kB/s", most / seconds < 8000);
	free(sent);
	sim_delete(sim);
}

static bool records_agree(struct sim *sim, void *before)
{
	return sim_members_agree(sim, NULL) && !sim_missing_records(sim, *(hf_time *)before);
}

static void heal_row(uint32_t nodes, uint32_t count)
{
	struct sim *sim = cluster(5, nodes, 0);
	char setting[80], figure[64];
	hf_time healed, before, members;
	bool good;

	sim->network.bandwidth = 125000000; /* 1 Gbit/s */
	for (uint32_t i = 0; i < nodes; i++)
		sim_add_flows(sim, i, count / nodes / 2, HF_SECONDS(1000));
	sim_run(sim, sim->now + HF_SECONDS(5));
	for (uint32_t i = 0; i < nodes; i++)
		sim->nodes[i].group = i % 2;
	sim_run(sim, sim->now + HF_SECONDS(5));
	/* Half of them came while neither side knew of the other. */
	for (uint32_t i = 0; i < nodes; i++)
		sim_add_flows(sim, i, count / nodes / 2, HF_SECONDS(1000));
	sim_run(sim, sim->now + HF_SECONDS(5));
	before = healed = sim->now;
	sim_heal(sim);
	good = sim_wait(sim, HF_SECONDS(10), sim_members_agree, NULL);
	members = sim->now - healed;
	snprintf(setting, sizeof(setting), "%u nodes, split in halves for 10 s", nodes);
	snprintf(figure, sizeof(figure), "%.0f ms", members / 1e3);
	row("membership equal after a partition heals", setting, figure, "2 s",
	    good && members <= HF_SECONDS(2));
	good = false;
	while (!good && sim->now - healed < HF_SECONDS(20)) {
		sim_run(sim, sim->now + HF_MS(250));
		good = records_agree(sim, &before);
	}
	snprintf(setting, sizeof(setting), "%u nodes, %u records, 1 Gbit/s", nodes, count);
	snprintf(figure, sizeof(figure), "%.2f s", (sim->now - healed) / 1e6);
	row("records equal after it", setting, figure, "5 s",
	    good && sim->now - healed <= HF_SECONDS(5));
	sim_delete(sim);
}

static void rotation_row(uint32_t nodes)
{
	struct sim *sim = cluster(6, nodes, 0.02);
	char setting[80], figure[96];
	uint64_t refused = 0;
	hf_time before;

	suspicions = deaths = 0;
	sim->on_event = count_accusations;
	for (int round = 0; round < 5; round++) {
		/* Known everywhere, then in force everywhere, then the old one goes. */
		sim->key_newest++;
		for (int step = 0; step < 3; step++) {
			if (step == 2)
				sim->key_oldest = sim->key_newest;
			for (uint32_t i = 0; i < nodes; i++) {
				sim_load_ring(sim, i, step == 0);
				sim_add_flows(sim, i, 200, HF_SECONDS(600));
				sim_run(sim, sim->now + HF_MS(100));
			}
		}
	}
	before = sim->now;
	sim_run(sim, sim->now + HF_SECONDS(2));
	for (uint32_t i = 0; i < nodes; i++)
		refused += hf_sync_counters(sim->nodes[i].sync)->drop_key;
	snprintf(setting, sizeof(setting), "%u nodes, 5 rotations under %u records", nodes,
		 sim->flow_count);
	snprintf(figure, sizeof(figure), "%u records lost, %lu dead, %lu datagrams refused",
		 sim_missing_records(sim, before), (unsigned long)deaths, (unsigned long)refused);
	row("key rotation", setting, figure, "0, 0",
	    !sim_missing_records(sim, before) && !deaths && !refused);
	sim_delete(sim);
}

static void replay_row(void)
{
	struct sim *sim = sim_new(7, 5);
	char figure[400];

	sim->network.replay = 0.02;
	sim_random_faults(sim, HF_SECONDS(600));
	snprintf(figure, sizeof(figure), "%lu of %lu%s", (unsigned long)sim->accepted_wrongly,
		 (unsigned long)sim->replays_sent, sim->broken);
	row("replayed, misdirected, forged datagrams accepted",
	    "5 nodes, 10 min of faults and restarts", figure, "0",
	    !sim->accepted_wrongly && !sim->broken[0]);
	sim_delete(sim);
}

static void bytes_row(void)
{
	uint32_t full =
		(1500 - 28 - HF_SEAL_OVERHEAD - 56 - 16 - HF_PACKED_HEADER) / HF_PACKED_RECORD;
	struct sim *sim = cluster(8, 3, 0);
	uint64_t before, bytes, sent;
	char figure[64], setting[64];

	/* Counted at one node that exports, as bytes sent beyond what it sends when idle. */
	sim_run(sim, sim->now + HF_SECONDS(1));
	before = sim->nodes[0].bytes_sent;
	sim_run(sim, sim->now + HF_SECONDS(1));
	bytes = sim->nodes[0].bytes_sent - before;
	before = sim->nodes[0].bytes_sent;
	sent = hf_sync_counters(sim->nodes[0].sync)->records_sent;
	sim_add_flows(sim, 0, 60000, HF_SECONDS(100));
	sim_run(sim, sim->now + HF_SECONDS(1));
	sent = hf_sync_counters(sim->nodes[0].sync)->records_sent - sent;
	bytes = sim->nodes[0].bytes_sent - before - bytes;
	snprintf(setting, sizeof(setting), "%lu records to owners; %u fit 1,500 bytes",
		 (unsigned long)sent, full);
	snprintf(figure, sizeof(figure), "%.1f", (double)bytes / (double)sent);
	row("bytes a record on the wire, all headers", setting, figure, "16",
	    (double)bytes / (double)sent <= 16);
	sim_delete(sim);
}

static void snapshot_row(uint32_t count)
{
	struct sim *sim = cluster(9, 3, 0);
	char setting[64], figure[64];
	hf_time began;

	sim_leave(sim, 2);
	sim_run(sim, sim->now + HF_SECONDS(3));
	sim_crash(sim, 2, true);
	sim_add_flows(sim, 0, count / 2, HF_SECONDS(1000));
	sim_add_flows(sim, 1, count / 2, HF_SECONDS(1000));
	sim_run(sim, sim->now + HF_SECONDS(8));
	began = sim->now;
	sim_start(sim, 2);
	while (sim->now - began < HF_SECONDS(30) &&
	       hf_sync_readiness(sim->nodes[2].sync) < HF_READY_FIRST)
		sim_run(sim, sim->now + HF_MS(1));
	snprintf(setting, sizeof(setting), "third node, %u records in the cluster", count);
	snprintf(figure, sizeof(figure), "%.2f s, %s", (sim->now - began) / 1e6,
		 hf_sync_readiness(sim->nodes[2].sync) == HF_READY_SNAPSHOT ? "whole"
									    : "not whole");
	row("a joiner has its snapshot (1.6 Gbit/s)", setting, figure, "5 s",
	    hf_sync_readiness(sim->nodes[2].sync) == HF_READY_SNAPSHOT &&
		    sim->now - began <= HF_SECONDS(5));
	sim_delete(sim);
}

static error_t take_option(int key, char *argument, struct argp_state *state)
{
	(void)state;
	switch (key) {
	case 'H':
		hours = strtod(argument, NULL);
		return 0;
	case 'r':
		records = strtoul(argument, NULL, 10);
		return 0;
	case 'l':
		large = true;
		return 0;
	case 'o':
		only = argument;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "hours", 'H', "N", 0, "Node-hours for false positives (default: 2)", 0 },
		{ "records", 'r', "N", 0, "Records to heal and to fetch (default: 100000)", 0 },
		{ "large", 'l', NULL, 0, "Also 1,000 nodes: some minutes more", 0 },
		{ "only", 'o', "ROW", 0,
		  "One of crash, false, stall, traffic, heal, snapshot, bytes, replay, rotation",
		  0 },
		{ 0 },
	};
	static const struct argp parser = {
		options,
		take_option,
		NULL,
		"Prints what syncd's protocol does in the simulator, beside its aims.\v"
		"Exit status: 0 all reached, 1 one missed.",
		NULL,
		NULL,
		NULL
	};

	argp_parse(&parser, argc, argv, 0, NULL, NULL);
	if (sodium_init() < 0)
		return 1;
	printf("| what | setting | figure | aim |\n|---|---|---|---|\n");
	if (wanted("crash")) {
		crash_row(3, 0, 200, 500, 1000);
		crash_row(3, 0.05, 200, 500, 1000);
		crash_row(16, 0.05, 200, 500, 1000);
		crash_row(64, 0, 200, 500, 1000);
		crash_row(64, 0.05, 200, 500, 1000);
		if (large)
			crash_row(1000, 0.01, 5, 2000, 2000);
	}
	if (wanted("false")) {
		false_positive_row(16, 0.05, hours, 0);
		false_positive_row(16, 0.2, hours, 1);
		false_positive_row(3, 0.2, hours, 1);
	}
	if (wanted("stall"))
		stall_row(16);
	if (wanted("traffic")) {
		traffic_row(3);
		traffic_row(64);
		if (large)
			traffic_row(1000);
	}
	if (wanted("heal"))
		heal_row(6, records);
	if (wanted("snapshot"))
		snapshot_row(records);
	if (wanted("bytes"))
		bytes_row();
	if (wanted("replay"))
		replay_row();
	if (wanted("rotation"))
		rotation_row(5);
	return missed;
}
