// SPDX-License-Identifier: BSD-2-Clause
#include "syncd/seeds.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "syncd/endpoint.h"
#include "syncd/udp.h"

#define EVERY_MS      30000
#define ADDRESSES_MAX 4 /* of one name */

struct name {
	struct hf_config_seed seed;
	struct hf_endpoint found[ADDRESSES_MAX];
	uint32_t count;
	bool complained;
};

struct hf_seeds {
	struct hf_daemon *daemon;
	uv_timer_t timer;
	uv_getaddrinfo_t request;
	bool busy, closing, closed;
	struct name names[HF_CONFIG_SEEDS_MAX];
	uint32_t count;
	uint32_t next;		    /* to be looked up in this turn */
	uint32_t generation, asked; /* of the list: now, and when the look-up began */
};

static const struct addrinfo datagrams = { .ai_socktype = SOCK_DGRAM };

static bool is_other(const struct hf_config *config, const struct hf_endpoint *seed,
		     const struct hf_address *source)
{
	return !hf_address_equal(&seed->address, source) &&
	       !hf_address_equal(&seed->address, &config->node.gossip_address);
}

/* The way to one of a seed's addresses, if that is another node's. */
static int way_to(const struct hf_config *config, const struct hf_config_seed *seed, int flags,
		  struct hf_address *source, uint32_t *datagram)
{
	struct addrinfo hints = datagrams, *list;
	struct hf_endpoint endpoint;
	int err = -ENOENT;
	char port[8];

	hints.ai_flags = flags;
	snprintf(port, sizeof(port), "%u", seed->port);
	err = getaddrinfo(seed->host, port, &hints, &list);
	if (err)
		return err == EAI_AGAIN ? -EAGAIN : -ENOENT;
	err = -ENOENT;
	for (struct addrinfo *at = list; at && err; at = at->ai_next)
		if (hf_endpoint_get(at->ai_addr, &endpoint) &&
		    hf_udp_way(&endpoint, source, datagram) == 0 &&
		    hf_address_is_routable(source) && is_other(config, &endpoint, source))
			err = 0;
	freeaddrinfo(list);
	return err;
}

/* Names last, and only where they must tell what nothing else does: their look-up may take long. */
int hf_seeds_way(const struct hf_config *config, struct hf_address *source, uint32_t *datagram)
{
	const struct hf_config_cluster *cluster = &config->cluster;
	int err = -ENOENT;

	for (uint32_t i = 0; i < cluster->seed_count && err; i++)
		err = way_to(config, &cluster->seeds[i], AI_NUMERICHOST, source, datagram);
	if (!err || config->node.gossip_address.family)
		return err;
	for (uint32_t i = 0; i < cluster->seed_count && err && err != -EAGAIN; i++)
		err = way_to(config, &cluster->seeds[i], 0, source, datagram);
	return err;
}

static void tell_core(struct hf_seeds *s)
{
	struct hf_endpoint all[HF_SYNC_SEEDS_MAX];
	uint32_t count = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		/* A seed that nobody has an address of is a seed: the node is not alone. */
		if (!s->names[i].count)
			all[count++] = (struct hf_endpoint){ .port = 0 };
		for (uint32_t j = 0; j < s->names[i].count && count < HF_SYNC_SEEDS_MAX; j++)
			all[count++] = s->names[i].found[j];
	}
	hf_sync_set_seeds(s->daemon->sync, all, count);
}

static void look_up_next(struct hf_seeds *s);

static void take_addresses(struct name *name, const struct addrinfo *list)
{
	name->count = 0;
	for (; list && name->count < ADDRESSES_MAX; list = list->ai_next)
		name->count += hf_endpoint_get(list->ai_addr, &name->found[name->count]);
}

static void free_if_done(struct hf_seeds *s)
{
	if (s->closed && !s->busy)
		free(s);
}

static void on_addresses(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
	struct hf_seeds *s = request->data;
	struct name *name = &s->names[s->next];

	s->busy = false;
	if (s->closing) {
		uv_freeaddrinfo(list);
		free_if_done(s);
		return;
	}
	if (s->asked != s->generation) {
		uv_freeaddrinfo(list);
		look_up_next(s);
		return;
	}
	if (status == 0) {
		take_addresses(name, list);
		name->complained = false;
		tell_core(s);
	} else if (!name->complained) {
		hf_warning("seed %s has no address: %s; is tried again each half minute",
			   name->seed.host, uv_strerror(status));
		name->complained = true;
	}
	uv_freeaddrinfo(list);
	s->next++;
	look_up_next(s);
}

/* One after the other, so that one request is enough. */
static void look_up_next(struct hf_seeds *s)
{
	const struct hf_config_seed *seed;
	char port[8];

	if (s->busy || s->next >= s->count)
		return;
	seed = &s->names[s->next].seed;
	snprintf(port, sizeof(port), "%u", seed->port);
	s->request.data = s;
	s->asked = s->generation;
	s->busy = uv_getaddrinfo(&s->daemon->loop, &s->request, on_addresses, seed->host, port,
				 &datagrams) == 0;
}

static void on_timer(uv_timer_t *timer)
{
	struct hf_seeds *s = timer->data;

	if (s->busy)
		return;
	s->next = 0;
	look_up_next(s);
}

/* Addresses need no look-up. */
static void take_literal(struct name *name)
{
	if (hf_address_parse(name->seed.host, &name->found[0].address) < 0)
		return;
	name->found[0].port = name->seed.port;
	name->count = 1;
}

/* What is known of a seed that was there before. */
static void carry_over(struct name *name, const struct name *before, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (strcmp(before[i].seed.host, name->seed.host) == 0 &&
		    before[i].seed.port == name->seed.port)
			*name = before[i];
}

void hf_seeds_reload(struct hf_seeds *s)
{
	const struct hf_config_cluster *cluster = &s->daemon->config->cluster;
	struct name before[HF_CONFIG_SEEDS_MAX];
	uint32_t before_count = s->count;

	memcpy(before, s->names, sizeof(before));
	memset(s->names, 0, sizeof(s->names));
	s->count = cluster->seed_count;
	for (uint32_t i = 0; i < s->count; i++) {
		s->names[i].seed = cluster->seeds[i];
		carry_over(&s->names[i], before, before_count);
		take_literal(&s->names[i]);
	}
	s->generation++;
	s->next = 0;
	tell_core(s);
	look_up_next(s);
}

struct hf_seeds *hf_seeds_new(struct hf_daemon *daemon)
{
	struct hf_seeds *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->daemon = daemon;
	uv_timer_init(&daemon->loop, &s->timer);
	s->timer.data = s;
	uv_timer_start(&s->timer, on_timer, EVERY_MS, EVERY_MS);
	hf_seeds_reload(s);
	return s;
}

static void on_closed(uv_handle_t *handle)
{
	struct hf_seeds *s = handle->data;

	s->closed = true;
	free_if_done(s);
}

void hf_seeds_close(struct hf_seeds *s)
{
	if (!s)
		return;
	s->closing = true;
	uv_close((uv_handle_t *)&s->timer, on_closed);
}
