// SPDX-License-Identifier: BSD-2-Clause
/* The agent's configuration and keys: read at the start, and again on SIGHUP. */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "lbnode/agent_state.h"
#include "lbnode/history.h"
#include "lbnode/tables.h"
#include "lib/log.h"

int hf_agent_load_config(const char *path, struct hf_config **config)
{
	struct hf_config_error error;
	int err = hf_config_load(path, config, &error);

	if (err)
		hf_error("%s", error.text);
	return err ? -EINVAL : 0;
}

int hf_agent_read_keys(const struct hf_config *config, struct hf_key_ring *keys)
{
	char why[512];
	int err = 0;

	if (config->cluster.insecure) {
		hf_warning("cluster.insecure: the flow key is public, and anyone can choose flows "
			   "that meet in one bucket; for trials only");
		hf_key_ring_insecure(keys);
		return 0;
	}
	err = hf_key_ring_read(config->cluster.key_file, keys, why, sizeof(why));
	if (err)
		hf_error("%s", why);
	return err;
}

void hf_agent_set_timeouts(struct agent *a)
{
	const struct hf_config *c = a->config;
	uint64_t *timeout = a->sweeper.timeout_ms;

	timeout[HF_PIN_EMBRYONIC] = c->timeouts.tcp_embryonic * 1000ULL;
	/* An adopted flow may be one that speaks once an hour; its pin gives way to others anyway.
	 */
	timeout[HF_PIN_ESTABLISHED] = timeout[HF_PIN_ADOPTED] =
		c->timeouts.tcp_established * 1000ULL;
	timeout[HF_PIN_CLOSING] = timeout[HF_PIN_RESET] = c->timeouts.tcp_closing * 1000ULL;
	timeout[HF_PIN_UDP_NEW] = c->timeouts.udp_new * 1000ULL;
	timeout[HF_PIN_UDP] = c->timeouts.udp * 1000ULL;
	timeout[HF_SWEEP_KEPT] = HF_KEPT_MS;
}

static bool same_text(const char *a, const char *b)
{
	return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

/* What a reload can't change: the first key that differs, or NULL. */
static const char *needs_restart(const struct hf_config *now, const struct hf_config *next)
{
	const struct hf_config_node *a = &now->node, *b = &next->node;

	if (!same_text(now->cluster.key_file, next->cluster.key_file) ||
	    now->cluster.insecure != next->cluster.insecure)
		return "cluster";
	if (hf_flow_table_bits(now->flows) != hf_flow_table_bits(next->flows))
		return "tables.flows";
	if (now->metrics.port != next->metrics.port ||
	    !hf_address_equal(&now->metrics.address, &next->metrics.address))
		return "metrics";
	if (a->xdp_mode != b->xdp_mode)
		return "node.xdp_mode";
	if (a->interface_count != b->interface_count)
		return "node.interfaces";
	for (uint32_t i = 0; i < a->interface_count; i++)
		if (strcmp(a->interfaces[i], b->interfaces[i]) != 0)
			return "node.interfaces";
	return NULL;
}

void hf_agent_share(struct agent *a)
{
	hf_sharing_find_exceptions(&a->sharing, hf_agent_now());
	hf_sync_client_flush(&a->sync);
}

void hf_agent_tell_state(struct agent *a)
{
	hf_sync_client_set_state(&a->sync, hf_config_digest(a->config), a->plan->digest,
				 !a->draining);
}

static int take_config(struct agent *a, struct hf_config *next)
{
	const char *key = needs_restart(a->config, next);
	struct hf_discovery *discovery;
	int err;

	if (key) {
		hf_error("%s: %s has changed, which needs a restart", a->config_path, key);
		return -EINVAL;
	}
	discovery = hf_discovery_new(next, a->instance, hf_agent_members_changed, a);
	err = discovery ? hf_agent_apply(a, next, discovery) : -ENOMEM;
	if (err) {
		hf_discovery_delete(discovery);
		return err;
	}
	hf_discovery_delete(a->discovery);
	a->discovery = discovery;
	hf_discovery_start(discovery, &a->loop);
	/* Their texts live in the configuration, and have not changed. */
	for (uint32_t i = 0; i < next->node.interface_count; i++)
		a->interfaces[i] = next->node.interfaces[i];
	hf_config_free(a->config);
	a->config = next;
	hf_agent_set_timeouts(a);
	hf_agent_watch_tunnels(a);
	hf_agent_watch_bgp(a);
	hf_agent_tell_state(a);
	return 0;
}

/* The ring may have been rotated; but what the flow table was filled under must stay. */
static int reread_keys(const struct agent *a, struct hf_key_ring *next)
{
	char why[512];
	int err;

	*next = a->keys;
	if (a->config->cluster.insecure)
		return 0;
	err = hf_key_ring_read(a->config->cluster.key_file, next, why, sizeof(why));
	if (!err && sodium_memcmp(&next->flow, &a->keys.flow, sizeof(next->flow)) != 0) {
		snprintf(why, sizeof(why),
			 "the key file %s has another flow key, which needs a restart",
			 a->config->cluster.key_file);
		err = -EINVAL;
	}
	if (err)
		hf_error("%s", why);
	return err;
}

void hf_agent_log_config(const struct agent *a, const char *what)
{
	uint32_t backends = 0;

	for (uint32_t i = 0; i < a->config->pool_count; i++)
		backends += a->members->pools[i].backend_count;
	hf_notice("%s: %u services, %u pools, %u backends", what, a->config->service_count,
		  a->config->pool_count, backends);
}

void hf_agent_reload(struct agent *a)
{
	struct hf_config *next = NULL;
	struct hf_key_ring keys;
	uint64_t before = hf_log_last();
	int err;

	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lu", (unsigned long)(uv_hrtime() / 1000));
	err = hf_agent_load_config(a->config_path, &next);
	if (!err)
		err = reread_keys(a, &keys);
	if (!err)
		err = take_config(a, next);
	if (err) {
		hf_config_free(next);
		snprintf(a->reload_error, sizeof(a->reload_error), "%s",
			 hf_log_error_since(before)[0] ? hf_log_error_since(before)
						       : strerror(-err));
		hf_error("reload refused; the running configuration stays in force");
	} else {
		a->keys = keys;
		a->reload_error[0] = '\0';
		a->reloaded = hf_agent_now();
		hf_forwarding_set_keys(a->forwarding, &a->keys);
		hf_history_save(a->instance, a->config_path);
		hf_agent_log_config(a, "reloaded");
	}
	sodium_memzero(&keys, sizeof(keys));
	sd_notify(0, "READY=1");
}
