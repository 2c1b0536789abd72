// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/health/checking.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

#include "lib/stamp.h"

/* Turns are no closer, so that many targets don't make many turns. */
#define TURN_EVERY 5

int64_t hf_checking_now(void)
{
	return uv_hrtime() / 1000000;
}

static void on_answer(void *context, bool good, const char *cause)
{
	struct hf_checking_slot *slot = context;
	struct hf_checking *c = slot->checking;

	slot->probe = NULL;
	hf_health_ended(c->health, slot->target, good, cause, hf_checking_now());
	hf_checking_settle(c);
}

/* The socket is connected to the backend's own address, which there is a way to, though nothing is
 * sent there; or, if that is of another family than the VIP, to one that is nobody's (RFC 7600,
 * RFC 6666). */
static struct hf_address stand_in(const struct hf_address *backend, const struct hf_address *vip)
{
	struct hf_address nobody = { .family = vip->family };

	if (backend->family == vip->family)
		return *backend;
	hf_address_parse(vip->family == 4 ? "192.0.0.8" : "100::1", &nobody);
	return nobody;
}

static bool fill_target(const struct hf_checking *c, uint32_t number, struct hf_probe_target *to)
{
	const struct hf_health_target *t = hf_health_target(c->health, number);
	const struct hf_config_check *check = &t->pool->check;

	*to = (struct hf_probe_target){
		.check = check,
		.pool = t->pool->name,
		.backend = t->backend->name,
		.address = t->backend->address,
		.port = check->port,
	};
	if (check->through == HF_CONFIG_THROUGH_ADDRESS)
		return true;
	to->vip = &check->vip;
	to->address = stand_in(&t->backend->address, &check->vip);
	to->mark = c->calls.mark(c->calls.context, number, t->pool, t->backend);
	return to->mark;
}

static bool probe(void *context, uint32_t target)
{
	struct hf_checking *c = context;
	struct hf_checking_slot *slot = &c->slots[target];

	slot->checking = c;
	slot->target = target;
	if (!fill_target(c, target, &slot->to))
		return false;
	slot->probe = hf_probe_start(c->prober, &slot->to, on_answer, slot);
	return slot->probe;
}

static void give_up(void *context, uint32_t target)
{
	struct hf_checking *c = context;

	hf_probe_give_up(c->slots[target].probe);
	c->slots[target].probe = NULL;
}

static void post(void *context, const struct hf_notice *notice)
{
	struct hf_checking *c = context;

	c->calls.post(c->calls.context, notice);
}

static void changed(void *context)
{
	struct hf_checking *c = context;

	c->calls.changed(c->calls.context);
}

int hf_checking_open(struct hf_checking *c, const struct hf_checking_calls *calls)
{
	static const struct hf_health_output output = { probe, give_up, post, changed };
	uint64_t seed;

	randombytes_buf(&seed, sizeof(seed));
	c->calls = *calls;
	c->health = hf_health_new(&output, c, seed, hf_stamp_of_wall(), hf_checking_now());
	return c->health ? 0 : -ENOMEM;
}

void hf_checking_close(struct hf_checking *c)
{
	hf_health_delete(c->health);
	free(c->slots);
}

static void on_turn(uv_timer_t *timer)
{
	struct hf_checking *c = timer->data;

	hf_health_turn(c->health, hf_checking_now());
	hf_checking_settle(c);
}

void hf_checking_settle(struct hf_checking *c)
{
	int64_t wait = hf_health_deadline(c->health) - hf_checking_now();

	if (c->running)
		uv_timer_start(&c->timer, on_turn, wait < TURN_EVERY ? TURN_EVERY : wait, 0);
}

int hf_checking_start(struct hf_checking *c, uv_loop_t *loop)
{
	c->prober = hf_prober_new(loop);
	if (!c->prober)
		return -ENOMEM;
	c->loop = loop;
	uv_timer_init(loop, &c->timer);
	c->timer.data = c;
	c->running = true;
	hf_checking_settle(c);
	return 0;
}

void hf_checking_stop(struct hf_checking *c)
{
	if (!c->running)
		return;
	c->running = false;
	uv_close((uv_handle_t *)&c->timer, NULL);
	for (uint32_t i = 0; i < hf_health_target_count(c->health); i++)
		if (c->slots[i].probe)
			hf_probe_give_up(c->slots[i].probe);
	hf_prober_delete(c->prober);
}

int hf_checking_configure(struct hf_checking *c, const struct hf_config *config)
{
	static const struct hf_config nothing;
	struct hf_checking_slot *slots;
	uint32_t count = 1;
	int err;

	for (uint32_t i = 0; i < config->pool_count; i++)
		count += config->pools[i].backend_count;
	slots = calloc(count, sizeof(*slots));
	err = hf_health_configure(c->health, slots ? config : &nothing, hf_checking_now());
	/* All that was under way has been given up. */
	free(c->slots);
	c->slots = slots;
	hf_checking_settle(c);
	return slots ? err : -ENOMEM;
}
