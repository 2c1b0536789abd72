// SPDX-License-Identifier: BSD-2-Clause
/* Between health and the agent's other parts: what it has to say goes to syncd, what syncd is told
 * comes to it, and what was known before a restart is known again. */
#include "lbnode/agent_state.h"
#include "lbnode/notices_file.h"

static void post(void *context, const struct hf_notice *notice)
{
	struct agent *a = context;

	if (a->running)
		hf_sync_client_post(&a->sync, notice);
}

static uint32_t mark(void *context, uint32_t number, const struct hf_config_pool *pool,
		     const struct hf_config_backend *backend)
{
	struct agent *a = context;
	uint16_t id = hf_backends_id(a->backends, hf_backend_identity(pool, backend));

	return a->tunnel ? hf_probe_tunnel_mark(a->tunnel, number, id, &pool->check.vip) : 0;
}

/* Only where a check asks for it: it costs each packet that the kernel gets a look-up. */
void hf_agent_watch_tunnels(struct agent *a)
{
	bool needed = false;

	for (uint32_t i = 0; i < a->config->pool_count; i++)
		needed |= a->config->pools[i].check.type &&
			  a->config->pools[i].check.through == HF_CONFIG_THROUGH_TUNNEL;
	if (!needed) {
		hf_probe_tunnel_close(a->tunnel);
		a->tunnel = NULL;
	} else if (!a->tunnel) {
		hf_probe_tunnel_open(&a->tunnel, a->dataplane);
	}
}

static void take_kept(void *context, const struct hf_notice *notice)
{
	struct agent *a = context;

	hf_health_take(a->checking.health, notice, 1, hf_agent_now());
}

int hf_agent_open_health(struct agent *a)
{
	const struct hf_checking_calls calls = { post, hf_agent_health_changed, mark, a };
	int err = hf_checking_open(&a->checking, &calls);

	if (err)
		return err;
	hf_notices_load(a->instance, take_kept, a);
	a->discovery = hf_discovery_new(a->config, a->instance, hf_agent_members_changed, a);
	return a->discovery ? 0 : -ENOMEM;
}

static void on_connected(void *context, bool connected)
{
	struct agent *a = context;

	hf_health_set_connected(a->checking.health, connected, hf_agent_now());
	hf_checking_settle(&a->checking);
}

static void on_nodes(void *context, uint32_t clock, uint64_t self, const uint64_t *nodes,
		     uint32_t count)
{
	struct agent *a = context;

	hf_health_set_clock(a->checking.health, clock, hf_agent_now());
	hf_health_set_nodes(a->checking.health, self, nodes, count, hf_agent_now());
	hf_checking_settle(&a->checking);
}

static void on_board(void *context, uint32_t clock, const struct hf_notice *notices, uint32_t count)
{
	struct agent *a = context;

	hf_health_set_clock(a->checking.health, clock, hf_agent_now());
	hf_health_take(a->checking.health, notices, count, hf_agent_now());
	hf_checking_settle(&a->checking);
}

static const struct hf_board *whole_board(void *context)
{
	struct agent *a = context;

	return hf_health_board(a->checking.health);
}

void hf_agent_watch_syncd(struct agent *a)
{
	const struct hf_sync_client_calls calls = { on_connected, on_nodes, on_board, whole_board,
						    a };

	hf_sync_client_start(&a->sync, &a->loop, a->instance, a->forwarding, &a->sharing, &calls);
}
