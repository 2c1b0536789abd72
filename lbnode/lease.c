// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/lease.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void count_pool(const struct hf_plan *plan, uint32_t p, hf_lease_look look, void *context,
		       struct hf_lease_vip *counts)
{
	const struct hf_config_pool *pool = &plan->config.pools[p];

	*counts = (struct hf_lease_vip){ .needed = pool->min_backends };
	for (uint32_t b = 0; b < pool->backend_count; b++) {
		enum hf_usable_state state = plan->pools[p].backends[b].state;
		bool way, good;

		if (state == HF_USABLE_DISABLED)
			continue;
		look(context, pool, &pool->backends[b], &way, &good);
		counts->open++;
		counts->ways += way;
		if (state != HF_USABLE_UP && state != HF_USABLE_STARTING)
			continue;
		counts->usable++;
		counts->reachable += way && good;
	}
}

/* By how much a service has more than it needs: that with the least speaks for its VIP. One
 * whose backends all look dead is announced all the same, unless the configuration says otherwise,
 * so it must not speak for another that lacks something. */
static int64_t spare(const struct hf_lease_vip *vip, bool announce_all_down)
{
	uint32_t have = vip->usable < vip->reachable ? vip->usable : vip->reachable;

	if (!vip->open)
		return INT64_MIN;
	if (!vip->usable && vip->ways && announce_all_down)
		return INT64_MAX;
	return (int64_t)have - vip->needed;
}

static int order(const void *a, const void *b)
{
	const struct hf_lease_vip *left = a, *right = b;
	int64_t l = left->spare, r = right->spare;
	int by_address = memcmp(&left->address, &right->address, sizeof(left->address));

	if (by_address)
		return by_address;
	return (l > r) - (l < r);
}

static void name_service(const struct hf_config_service *service, char *text, size_t size)
{
	if (service->port)
		snprintf(text, size, "%s/%u", hf_config_protocol_name(service->protocol),
			 service->port);
	else
		snprintf(text, size, "%s/all", hf_config_protocol_name(service->protocol));
}

int hf_lease_fill(const struct hf_plan *plan, hf_lease_look look, void *context,
		  struct hf_lease_vip *vips)
{
	const struct hf_config *config = &plan->config;
	struct hf_lease_vip *counts = calloc(config->pool_count + 1, sizeof(*counts));
	int count = 0;

	if (!counts)
		return -ENOMEM;
	for (uint32_t p = 0; p < config->pool_count; p++)
		count_pool(plan, p, look, context, &counts[p]);
	for (uint32_t i = 0; i < config->service_count; i++) {
		vips[i] = counts[config->services[i].pool];
		vips[i].address = config->services[i].address;
		vips[i].spare =
			spare(&vips[i], config->bgp.on_all_down == HF_CONFIG_ON_ALL_DOWN_ANNOUNCE);
		name_service(&config->services[i], vips[i].service, sizeof(vips[i].service));
	}
	free(counts);
	qsort(vips, config->service_count, sizeof(*vips), order);
	for (uint32_t i = 0; i < config->service_count; i++)
		if (!count || !hf_address_equal(&vips[i].address, &vips[count - 1].address))
			vips[count++] = vips[i];
	return count;
}
