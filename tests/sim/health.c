// SPDX-License-Identifier: BSD-2-Clause
/*
 * Verdicts in a simulated cluster: on each node syncd's core and health's, as they are, with a
 *lossy network between them, nodes that crash, partitions, backends that die and return, and one
 *node whose probes get lost.
 *
 *	sim_health --seeds A-B --nodes N [--minutes VIRTUAL]
 *
 * What must hold: whatever the bad node thinks, no backend that lives is called dead, but while,
 *and just after, the cluster is in parts; all nodes follow the truth soon after it has changed; and
 *no two differ for longer than a round of gossip.
 */
#include <getopt.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lbnode/backends.h"
#include "lbnode/health/health.h"
#include "tests/sim/sim.h"

#define BACKENDS 12
#define TICK	 HF_MS(5)
#define INTERVAL 1000
#define TIMEOUT	 300
#define FALL	 3
#define RISE	 2
/* From a change of the truth until all must know, in calm; and while all may differ. */
#define KNOWN_AFTER (HF_MS(INTERVAL) * FALL + HF_MS(500))
#define DIFFER_MOST HF_MS(500)
/* After a partition, crash or join: members must agree first. */
#define SETTLED_AFTER (HF_SECONDS(3) + KNOWN_AFTER)

struct pending {
	int64_t at; /* ms; 0: none */
	bool good;
};

struct checker {
	struct sim_node *node;
	uint32_t life;
	struct hf_health *health;
	struct pending pending[BACKENDS];
	bool news;
	uint64_t nodes[SIM_NODES_MAX];
	uint32_t node_count;
};

static struct {
	struct sim *sim;
	struct checker checkers[SIM_NODES_MAX];
	bool alive[BACKENDS];
	hf_time changed[BACKENDS]; /* the truth */
	uint32_t bad;		   /* whose probes get lost */
	double bad_loss;
	hf_time disturbed;	  /* when nodes were last at fault; HF_NEVER: they are in parts */
	hf_time differ[BACKENDS]; /* since when nodes differ; HF_NEVER: they don't */
	uint64_t flips;
} world;

static struct hf_config_backend backends[BACKENDS];
static struct hf_config_pool pool = {
	.name = "pool",
	.backends = backends,
	.backend_count = BACKENDS,
	.panic_threshold = 100,
	.check = { .type = HF_CONFIG_CHECK_TCP,
		   .interval = INTERVAL,
		   .timeout = TIMEOUT,
		   .fall = FALL,
		   .rise = RISE },
};
static const struct hf_config config = { .pools = &pool, .pool_count = 1 };

static int64_t ms(void)
{
	return world.sim->now / 1000;
}

static uint32_t backend_of(const struct checker *c, uint32_t target)
{
	return hf_health_target(c->health, target)->backend - backends;
}

static bool start_probe(void *context, uint32_t target)
{
	struct checker *c = context;
	uint32_t backend = backend_of(c, target);
	bool lost = c->node->index == world.bad && sim_chance(world.sim) < world.bad_loss;

	if (lost || !world.alive[backend])
		return true; /* no answer will come */
	c->pending[target] =
		(struct pending){ ms() + 1 + hf_random_below(&world.sim->random, 20), true };
	return true;
}

static void give_up(void *context, uint32_t target)
{
	((struct checker *)context)->pending[target].at = 0;
}

static void post(void *context, const struct hf_notice *notice)
{
	struct checker *c = context;

	hf_sync_post(c->node->sync, notice, 1, sim_local(c->node, world.sim->now));
	sim_schedule(c->node);
}

static void changed(void *context)
{
	(void)context;
}

static void note(struct sim_node *node, const struct hf_notice *notice)
{
	(void)notice;
	world.checkers[node->index].news = true;
}

static void begin(struct checker *c)
{
	static const struct hf_health_output output = { start_probe, give_up, post, changed };

	hf_health_delete(c->health);
	memset(c->pending, 0, sizeof(c->pending));
	c->health = hf_health_new(&output, c, hf_random_next(&world.sim->random), 1000000, ms());
	if (!c->health)
		abort();
	hf_health_configure(c->health, &config, ms());
	hf_health_set_connected(c->health, true, ms());
	c->life = c->node->life;
	c->node_count = 0;
	c->news = true;
}

/* As syncd tells lbnode: those that serve. */
static void follow_members(struct checker *c)
{
	const struct hf_members *members = hf_sync_members(c->node->sync);
	uint64_t nodes[SIM_NODES_MAX];
	uint32_t count = 0;

	for (uint32_t i = 0; i < members->count; i++)
		if (hf_member_lives(members->all[i]) && members->all[i]->facts.ready)
			nodes[count++] = members->all[i]->party.id;
	if (count == c->node_count && memcmp(nodes, c->nodes, count * sizeof(nodes[0])) == 0)
		return;
	memcpy(c->nodes, nodes, count * sizeof(nodes[0]));
	c->node_count = count;
	hf_health_set_clock(c->health,
			    hf_sync_stamp(c->node->sync, sim_local(c->node, world.sim->now)), ms());
	hf_health_set_nodes(c->health, hf_sync_self(c->node->sync)->party.id, nodes, count, ms());
}

/* A copy: what health makes of a notice is posted while they are read. */
struct copy {
	struct hf_notice notice;
	uint8_t key[HF_NOTICE_KEY_MAX], body[HF_NOTICE_BODY_MAX];
};

static void copy_notice(struct copy *to, const struct hf_notice *from)
{
	to->notice = *from;
	memcpy(to->key, from->key, from->key_length);
	memcpy(to->body, from->body, from->body_length);
	to->notice.key = to->key;
	to->notice.body = to->body;
}

static void follow_board(struct checker *c)
{
	const struct hf_board *board = hf_sync_board(c->node->sync);
	static struct copy copies[256];
	const struct hf_notice *notice;
	uint64_t cursor = 0;
	uint32_t count = 0;

	if (!c->news)
		return;
	c->news = false;
	while (count < 256 && (notice = hf_board_next(board, &cursor)))
		copy_notice(&copies[count++], notice);
	for (uint32_t i = 0; i < count; i++)
		hf_health_take(c->health, &copies[i].notice, 1, ms());
}

static void tick(struct checker *c)
{
	if (c->node->condition != SIM_UP)
		return;
	if (!c->health || c->life != c->node->life)
		begin(c);
	follow_members(c);
	follow_board(c);
	for (uint32_t t = 0; t < BACKENDS; t++) {
		if (!c->pending[t].at || ms() < c->pending[t].at)
			continue;
		c->pending[t].at = 0;
		hf_health_ended(c->health, t, true, NULL, ms());
	}
	if (ms() >= hf_health_deadline(c->health))
		hf_health_turn(c->health, ms());
}

static bool is_up_at(const struct checker *c, uint32_t backend)
{
	uint64_t key = hf_health_key(pool.name, hf_backend_identity(&pool, &backends[backend]));
	struct hf_verdict v = hf_verdict_read(hf_health_board(c->health), key);

	return hf_verdict_is_up(&v);
}

static void check_backend(uint32_t b)
{
	struct sim *sim = world.sim;
	bool calm = world.disturbed != HF_NEVER && sim->now - world.disturbed > SETTLED_AFTER;
	uint32_t up = 0, down = 0;

	for (uint32_t i = 0; i < sim->count; i++) {
		const struct checker *c = &world.checkers[i];

		if (c->node->condition != SIM_UP || !c->health)
			continue;
		if (is_up_at(c, b))
			up++;
		else
			down++;
	}
	if (!up || !down || !calm)
		world.differ[b] = HF_NEVER;
	else if (world.differ[b] == HF_NEVER)
		world.differ[b] = sim->now;
	if (world.differ[b] != HF_NEVER && sim->now - world.differ[b] > DIFFER_MOST)
		sim_break(sim, "nodes differ on backend %u for too long", b);
	if (!calm || sim->now - world.changed[b] <= KNOWN_AFTER)
		return;
	if (world.alive[b] && down)
		sim_break(sim, "backend %u lives, and %u nodes think it is dead", b, down);
	if (!world.alive[b] && up)
		sim_break(sim, "backend %u is dead, and %u nodes think it lives", b, up);
}

static void run(hf_time until)
{
	struct sim *sim = world.sim;

	while (sim->now < until && !sim->broken[0]) {
		sim_run(sim, sim->now + TICK);
		for (uint32_t i = 0; i < sim->count; i++)
			tick(&world.checkers[i]);
		for (uint32_t b = 0; b < BACKENDS; b++)
			check_backend(b);
	}
}

static uint32_t up_count(void)
{
	uint32_t up = 0;

	for (uint32_t i = 0; i < world.sim->count; i++)
		up += world.sim->nodes[i].condition == SIM_UP;
	return up;
}

static void one_fault(void)
{
	struct sim *sim = world.sim;
	uint32_t node = hf_random_below(&sim->random, sim->count);
	uint32_t b = hf_random_below(&sim->random, BACKENDS);

	switch (hf_random_below(&sim->random, 8)) {
	case 0:
		if (up_count() > 1)
			sim_crash(sim, node, true);
		world.disturbed = sim->now;
		return;
	case 1:
		sim_start(sim, node);
		world.disturbed = sim->now;
		return;
	case 2:
		for (uint32_t i = 0; i < sim->count; i++)
			sim->nodes[i].group = hf_random_below(&sim->random, 2);
		world.disturbed = HF_NEVER;
		run(sim->now + sim_between(sim, HF_SECONDS(1), HF_SECONDS(8)));
		sim_heal(sim);
		world.disturbed = sim->now;
		return;
	case 3:
		sim->network.loss = 0.2 * sim_chance(sim);
		return;
	default:
		world.alive[b] = !world.alive[b];
		world.changed[b] = sim->now;
		world.flips++;
		sim_note(sim, "backend %u %s", b, world.alive[b] ? "lives" : "is dead");
	}
}

static void simulate(unsigned long seed, uint32_t nodes, double minutes)
{
	struct sim *sim = sim_new(seed, nodes);

	memset(&world, 0, sizeof(world));
	world.sim = sim;
	sim->on_notice = note;
	for (uint32_t i = 0; i < nodes; i++) {
		world.checkers[i].node = &sim->nodes[i];
		sim_start(sim, i);
	}
	for (uint32_t b = 0; b < BACKENDS; b++) {
		world.alive[b] = true;
		world.differ[b] = HF_NEVER;
	}
	/* One node can't decide alone among three; of two it makes a tie. */
	world.bad = nodes > 2 ? hf_random_below(&sim->random, nodes) : nodes;
	while (sim->now < (hf_time)(minutes * 60e6) && !sim->broken[0]) {
		/* Nobody else is left who knows better. */
		world.bad_loss = up_count() > 2 ? sim_chance(sim) : 0;
		one_fault();
		run(sim->now + sim_between(sim, HF_MS(100), HF_SECONDS(10)));
	}
	printf("seed %lu: %u nodes, %.0f s, %lu deaths and returns of backends: %s%s\n", seed,
	       nodes, sim->now / 1e6, (unsigned long)world.flips,
	       sim->broken[0] ? "BROKEN: " : "good", sim->broken);
	for (uint32_t i = 0; i < nodes; i++)
		hf_health_delete(world.checkers[i].health);
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "seeds", required_argument, NULL, 's' },
						 { "nodes", required_argument, NULL, 'n' },
						 { "minutes", required_argument, NULL, 'm' },
						 { NULL, 0, NULL, 0 } };
	unsigned long first = 1, last = 10;
	uint32_t nodes = 5;
	double minutes = 5;
	bool broken = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's' && sscanf(optarg, "%lu-%lu", &first, &last) < 2)
			last = first;
		else if (option == 'n')
			nodes = strtoul(optarg, NULL, 10);
		else if (option == 'm')
			minutes = strtod(optarg, NULL);
		else if (option == '?')
			return 2;
	}
	if (sodium_init() < 0 || nodes < 1 || nodes > SIM_NODES_MAX)
		return 2;
	for (uint32_t b = 0; b < BACKENDS; b++) {
		static char names[BACKENDS][8];

		snprintf(names[b], sizeof(names[b]), "be%u", b);
		backends[b] = (struct hf_config_backend){ .name = names[b], .weight = 100 };
		backends[b].address = (struct hf_address){ .word = { b + 1 }, .family = 4 };
	}
	for (unsigned long seed = first; seed <= last; seed++) {
		simulate(seed, nodes, minutes);
		broken |= world.sim->broken[0];
		sim_delete(world.sim);
	}
	return broken;
}
