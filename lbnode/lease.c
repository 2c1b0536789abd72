// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/lease.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void count_pool(const struct hf_plan *plan, uint32_t p, hf_lease_reaches reaches,
		       void *context, struct hf_lease_vip *counts)
{
	const struct hf_config_pool *pool = &plan->config.pools[p];

	*counts = (struct hf_lease_vip){ .needed = pool->min_backends };
	for (uint32_t b = 0; b < pool->backend_count; b++) {
		const struct hf_usable *u = &plan->pools[p].backends[b];

		counts->open += u->state != HF_USABLE_DISABLED;
		if (u->state != HF_USABLE_UP && u->state != HF_USABLE_STARTING)
			continue;
		counts->usable++;
		counts->reachable += reaches(context, pool, &pool->backends[b], u);
	}
}

/* What a VIP lacks is known first by that it has nothing, then by the fewest spare backends. */
static int64_t spare(const struct hf_lease_vip *vip)
{
	uint32_t have = vip->usable < vip->reachable ? vip->usable : vip->reachable;

	return vip->open ? (int64_t)have - vip->needed : INT64_MIN;
}

static int order(const void *a, const void *b)
{
	const struct hf_lease_vip *left = a, *right = b;
	int64_t l = spare(left), r = spare(right);
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

int hf_lease_fill(const struct hf_plan *plan, hf_lease_reaches reaches, void *context,
		  struct hf_lease_vip *vips)
{
	const struct hf_config *config = &plan->config;
	struct hf_lease_vip *counts = calloc(config->pool_count + 1, sizeof(*counts));
	int count = 0;

	if (!counts)
		return -ENOMEM;
	for (uint32_t p = 0; p < config->pool_count; p++)
		count_pool(plan, p, reaches, context, &counts[p]);
	for (uint32_t i = 0; i < config->service_count; i++) {
		vips[i] = counts[config->services[i].pool];
		vips[i].address = config->services[i].address;
		name_service(&config->services[i], vips[i].service, sizeof(vips[i].service));
	}
	free(counts);
	qsort(vips, config->service_count, sizeof(*vips), order);
	for (uint32_t i = 0; i < config->service_count; i++)
		if (!count || !hf_address_equal(&vips[i].address, &vips[count - 1].address))
			vips[count++] = vips[i];
	return count;
}
