// SPDX-License-Identifier: BSD-2-Clause
/* Whether this node is ready, and which backends it reaches: what lbbgp is told. */
#include <stdlib.h>
#include <string.h>

#include "lbnode/agent_state.h"
#include "lib/xdp_link.h"

#define RENEW_MS 1000
#define RENEWALS 4 /* in a lease's life: three may get lost */

/* A check that is this node's own counts only where it dissents from the verdict. */
static void look(void *context, const struct hf_config_pool *pool,
		 const struct hf_config_backend *backend, bool *way, bool *good)
{
	struct agent *a = context;
	uint64_t identity = hf_backend_identity(pool, backend);
	const struct hf_health_target *t =
		hf_health_find(a->checking.health, hf_health_key(pool->name, identity));

	*way = hf_forwarding_reaches(a->forwarding, hf_backends_id(a->backends, identity));
	*good = !t || !t->mine || hf_check_is_up(&t->check);
}

const char *hf_agent_why_not_ready(struct agent *a)
{
	uint32_t attached = 0;

	for (uint32_t i = 0; i < a->interface_count; i++) {
		bool runs = a->attached[i] && hf_xdp_is_on(a->attached[i]);

		attached += runs;
		if (!runs && if_nametoindex(a->interfaces[i]))
			return "an interface has no XDP program; the log of lbnode tells why";
	}
	if (!attached)
		return "all of its interfaces are gone";
	a->synced |= a->took_over || a->sync.ready ||
		     hf_agent_now() - a->started >= a->config->bgp.sync_timeout;
	return a->synced ? NULL : "syncd has not fetched the other nodes' records yet";
}

static bool fill(void *context, struct hf_lease *lease)
{
	struct agent *a = context;
	uint32_t services = a->plan->config.service_count;
	struct hf_lease_vip *vips = realloc(a->vips, (services + 1) * sizeof(*vips));
	const char *why_not = hf_agent_why_not_ready(a);
	int count;

	if (!vips)
		return false;
	a->vips = vips;
	count = hf_lease_fill(a->plan, look, a, vips);
	*lease = (struct hf_lease){
		.ready = !why_not,
		.draining = a->draining,
		.why_not = why_not ? why_not : "",
		.vips = vips,
		.count = count < 0 ? 0 : (uint32_t)count,
	};
	return count >= 0;
}

static uint32_t renewal(const struct hf_config_bgp *bgp)
{
	uint32_t ms = bgp->lease_time / RENEWALS;

	if (!bgp->local_as)
		return 0;
	return ms < RENEW_MS ? ms : RENEW_MS;
}

void hf_agent_watch_bgp(struct agent *a)
{
	if (!a->lease.started)
		hf_lease_client_start(&a->lease, &a->loop, a->instance, fill, a);
	hf_lease_client_set_renewal(&a->lease, renewal(&a->config->bgp));
}
