/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemon's life: start, loop, reload, leave; and what its parts share. */
#ifndef HF_SYNCD_DAEMON_H
#define HF_SYNCD_DAEMON_H

#include <uv.h>

#include "lib/config.h"
#include "lib/metrics_server.h"
#include "syncd/core/sync.h"

#define HF_SYNCD_DEFAULT_USER "holdfast"

struct hf_daemon_settings {
	const char *config_path;
	const char *instance;
	const char *user; /* to become when started as root */
};

/* Runs until it has left the cluster after SIGTERM or SIGINT, or at once at a second one. 0, or a
 * negative errno, logged; -EINVAL is a bad configuration. */
int hf_daemon_run(const struct hf_daemon_settings *settings);

/* For its parts, udp.c, streams.c, node_socket.c, seeds.c: */

struct hf_udp;
struct hf_streams;
struct hf_node_socket;
struct hf_seeds;
struct hf_calling;

struct hf_daemon {
	struct hf_daemon_settings settings;
	struct hf_config *config;
	uv_loop_t loop;
	uv_signal_t hangup, terminate, interrupt;
	uv_timer_t timer;
	struct hf_sync *sync;
	struct hf_endpoint endpoint;
	struct hf_udp *udp;
	struct hf_streams *streams;
	struct hf_node_socket *nodes;
	struct hf_seeds *seeds;
	struct hf_calling *calls; /* that are under way */
	uint32_t call_count;
	struct hf_metrics_server metrics;
	uint8_t key_ids[HF_KEYS_MAX];
	uint32_t key_count;
	bool stopping;
	hf_time started;
};

/* Now, as the core wants it. */
static inline hf_time hf_daemon_now(void)
{
	return (hf_time)(uv_hrtime() / 1000);
}

/* After any call into the core: sets the timer, and serves what the core asked for meanwhile. */
void hf_daemon_settle(struct hf_daemon *daemon);

/* Takes configuration, keys and seeds as they stand in their files now; what was in force stays if
 * they are not good, which is logged. */
void hf_daemon_reload(struct hf_daemon *daemon);

#endif
