// SPDX-License-Identifier: BSD-2-Clause
/* How VIPs are announced, and with how many backends. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "lib/config_internal.h"

#define LEASE_DEFAULT 10000 /* ms, as all times */
#define LEASE_MIN     500
#define SYNC_DEFAULT  10000
#define HOLD_DEFAULT  500
#define DRAIN_DEFAULT 10000
#define TIME_MAX      3600000
#define PREPEND_MAX   10
#define SUFFIX	      ".conf"

static int check_times(struct hf_config_checker *c, struct hf_config_bgp *bgp)
{
	if (hf_config_seconds(c, bgp->written.lease_time, LEASE_DEFAULT, LEASE_MIN, TIME_MAX,
			      "bgp.lease_time", &bgp->lease_time) < 0 ||
	    hf_config_seconds(c, bgp->written.sync_timeout, SYNC_DEFAULT, 0, TIME_MAX,
			      "bgp.sync_timeout", &bgp->sync_timeout) < 0 ||
	    hf_config_seconds(c, bgp->written.hold_down, HOLD_DEFAULT, 0, TIME_MAX, "bgp.hold_down",
			      &bgp->hold_down) < 0)
		return -EINVAL;
	return hf_config_seconds(c, bgp->written.drain_time, DRAIN_DEFAULT, 0, TIME_MAX,
				 "bgp.drain_time", &bgp->drain_time);
}

static int check_drain(struct hf_config_checker *c, struct hf_config_bgp *bgp)
{
	uint32_t med;

	if (hf_config_number(c, bgp->written.drain_prepend, 0, 0, PREPEND_MAX, "bgp.drain_prepend",
			     &bgp->drain_prepend) < 0 ||
	    hf_config_number(c, bgp->written.drain_med, 0, 0, UINT32_MAX, "bgp.drain_med", &med) <
		    0)
		return -EINVAL;
	bgp->drain_med = bgp->written.drain_med ? (int64_t)med : -1;
	return 0;
}

/* BIRD reads it between quotes. */
static int check_path(struct hf_config_checker *c, const char *written, const char *otherwise,
		      const char *key, const char **path)
{
	*path = written ? written : otherwise;
	if ((*path)[0] == '/' && !strpbrk(*path, "\"\n*?[") && strlen(*path) < 100)
		return 0;
	return hf_config_fault(c, key,
			       "\"%.80s\" is no full path of less than 100 characters, without "
			       "quotes and wildcards",
			       *path);
}

static int check_device(struct hf_config_checker *c, struct hf_config_bgp *bgp)
{
	bgp->device = bgp->written.device ? bgp->written.device : HF_CONFIG_BGP_DEVICE;
	if (hf_config_name_is_good(bgp->device) && strlen(bgp->device) < IF_NAMESIZE)
		return 0;
	return hf_config_fault(c, "bgp.device",
			       "\"%.80s\" is no name for a network device; use 1 to %d letters, "
			       "digits, '.', '_' or '-'",
			       bgp->device, IF_NAMESIZE - 1);
}

static int check_peers(struct hf_config_checker *c, const struct hf_config_bgp *bgp)
{
	for (uint32_t i = 0; i < bgp->peer_count; i++)
		if (!hf_config_name_is_good(bgp->peers[i]))
			return hf_config_fault(c, hf_config_path("bgp.peers[%u]", i),
					       "\"%.80s\" is no name of a session in BIRD; `birdc "
					       "show protocols` lists them",
					       bgp->peers[i]);
	return 0;
}

static int check_pools(struct hf_config_checker *c)
{
	for (uint32_t i = 0; i < c->config->pool_count; i++) {
		struct hf_config_pool *pool = &c->config->pools[i];

		if (hf_config_number(c, pool->written.min_backends, 1, 1, HF_CONFIG_BACKENDS_MAX,
				     hf_config_path("pools[%u].min_backends", i),
				     &pool->min_backends) < 0)
			return -EINVAL;
	}
	return 0;
}

int hf_config_check_bgp(struct hf_config_checker *c)
{
	struct hf_config_bgp *bgp = &c->config->bgp;
	size_t length;

	if (check_pools(c) < 0)
		return -EINVAL;
	if (!bgp->written.local_as)
		return 0;
	if (hf_config_number(c, bgp->written.local_as, 0, 1, UINT32_MAX, "bgp.local_as",
			     &bgp->local_as) < 0)
		return -EINVAL;
	if (check_times(c, bgp) < 0 || check_drain(c, bgp) < 0 || check_peers(c, bgp) < 0 ||
	    check_device(c, bgp) < 0)
		return -EINVAL;
	if (check_path(c, bgp->written.bird_socket, HF_CONFIG_BIRD_SOCKET, "bgp.bird_socket",
		       &bgp->bird_socket) < 0)
		return -EINVAL;
	if (check_path(c, bgp->written.include, HF_CONFIG_BIRD_INCLUDE, "bgp.include",
		       &bgp->include) < 0)
		return -EINVAL;
	length = strlen(bgp->include);
	if (length > strlen(SUFFIX) && strcmp(bgp->include + length - strlen(SUFFIX), SUFFIX) == 0)
		return 0;
	return hf_config_fault(c, "bgp.include",
			       "\"%.80s\" does not end with " SUFFIX
			       ", and BIRD includes what does",
			       bgp->include);
}
