/* SPDX-License-Identifier: BSD-2-Clause */
/* All that an agent has: for the files that make it up, agent.c and reload.c. */
#ifndef HF_LBNODE_AGENT_STATE_H
#define HF_LBNODE_AGENT_STATE_H

#include <net/if.h>
#include <uv.h>

#include "lbnode/control.h"
#include "lbnode/discovery/discovery.h"
#include "lbnode/dataplane.h"
#include "lbnode/forwarding.h"
#include "lbnode/health/checking.h"
#include "lbnode/holding.h"
#include "lbnode/lease_client.h"
#include "lbnode/listener.h"
#include "lbnode/netlink.h"
#include "lbnode/plan.h"
#include "lbnode/probe_tunnel.h"
#include "lbnode/sharing.h"
#include "lbnode/sweeper.h"
#include "lbnode/sync_client.h"
#include "lib/config.h"
#include "lib/keys.h"
#include "lib/metrics_server.h"

#define HF_INTERFACES_MAX 64

struct hf_explainer;

struct agent {
	const char *config_path;
	const char *instance;
	int lock;
	struct hf_config *config;
	struct hf_key_ring keys;
	char interface_names[HF_INTERFACES_MAX][IF_NAMESIZE];
	char *interfaces[HF_INTERFACES_MAX];
	uint32_t attached[HF_INTERFACES_MAX]; /* ifindex; 0: the interface is not there */
	uint32_t interface_count;
	struct hf_backends *backends;
	struct hf_netlink *netlink;
	struct hf_dataplane *dataplane;
	struct hf_forwarding *forwarding;
	struct hf_sweeper sweeper;
	struct hf_sharing sharing;
	struct hf_sync_client sync;
	struct hf_holding holding;
	struct hf_listener listener;
	struct hf_control control;
	struct hf_explainer *explainer; /* NULL: nobody has asked for a while */
	struct hf_checking checking;
	struct hf_probe_tunnel *tunnel; /* NULL: no check goes through one */
	struct hf_discovery *discovery; /* of the configuration */
	struct hf_config *members;	/* the configuration, and whom discovery found */
	struct hf_plan *plan;		/* in force */
	int64_t replanned;		/* when it was made */
	uint64_t plans;			/* that were put in force */
	bool members_changed;		/* since the plan was made */
	bool running;			/* the loop */
	bool took_over;			/* a former agent's flow table, and its backends' ids */
	bool draining;
	bool synced; /* ready, once and for all, as far as records go */
	struct hf_lease_client lease;
	struct hf_lease_vip *vips; /* the last lease's */
	struct hf_metrics_server metrics;
	struct {
		int counters, backends, services;
	} metric_maps;
	int64_t started;
	int64_t reloaded;	/* when the configuration in force was taken */
	char reload_error[512]; /* of the last reload; empty: it went well */
	uint64_t forwarded;	/* packets, when last looked at */
	int64_t quiet_since;
	uv_loop_t loop;
	uv_signal_t hangup, terminate, interrupt;
	uv_poll_t network, questions;
	uv_timer_t sweep, replan;
};

/* Monotonic. */
static inline int64_t hf_agent_now(void)
{
	return uv_hrtime() / 1000000;
}

/* -EINVAL: the configuration is not good; logged, as all errors are. */
int hf_agent_load_config(const char *path, struct hf_config **config);
int hf_agent_read_keys(const struct hf_config *config, struct hf_key_ring *keys);

void hf_agent_set_timeouts(struct agent *agent);

/* replan.c: puts what follows from the configuration in force; if that fails, what was stays. The
 * discovery is the configuration's. */
int hf_agent_apply(struct agent *agent, const struct hf_config *config,
		   struct hf_discovery *discovery);
void hf_agent_members_changed(void *agent);
/* The same is due, soon. */
void hf_agent_health_changed(void *agent);

/* agent_health.c: what is known of backends' health, before there is a loop; and syncd's part in
 * it. */
int hf_agent_open_health(struct agent *agent);
void hf_agent_watch_syncd(struct agent *agent);
/* The configuration, or what is attached, has changed. */
void hf_agent_watch_tunnels(struct agent *agent);

/* agent_lease.c: has lbbgp be told what this node can serve; also when the configuration has
 * changed. */
void hf_agent_watch_bgp(struct agent *agent);
/* NULL: it is. A node that was once stays so: a syncd that is started anew does not change what the
 * data plane knows. */
const char *hf_agent_why_not_ready(struct agent *agent);

/* agent_metrics.c: between them metrics are served; see lib/metrics_server.h. */
void hf_agent_start_metrics(struct agent *agent);
void hf_agent_stop_metrics(struct agent *agent);

/* Whether packets have been forwarded since the last time. */
void hf_agent_look_for_packets(struct agent *agent);
/* By whom, and why, is for the log. */
void hf_agent_set_draining(struct agent *agent, bool draining, const char *author,
			   const char *reason);

/* answers.c: see hf_control_answer. */
size_t hf_agent_answer(void *agent, const Holdfast__ToNode *message, uint8_t *out, size_t size);

/* Gives syncd what could not be given before, exceptions first. */
void hf_agent_share(struct agent *agent);

/* Tells syncd, and so the others, of this node's configuration, and whether it serves. */
void hf_agent_tell_state(struct agent *agent);

void hf_agent_log_config(const struct agent *agent, const char *what);

/* On SIGHUP: takes configuration and keys as they stand in their files now, or goes on as before.
 */
void hf_agent_reload(struct agent *agent);

#endif
