/* SPDX-License-Identifier: BSD-2-Clause */
/* lbbgp's life: start, loop, reload, hand-over, stop. The cores decide (core/announce.h,
 * core/driver.h), this carries out. */
#ifndef HF_BGP_DAEMON_H
#define HF_BGP_DAEMON_H

#include <uv.h>

#include "bgp/bird.h"
#include "bgp/core/announce.h"
#include "bgp/core/driver.h"
#include "bgp/problems.h"
#include "lib/config.h"
#include "lib/metrics_server.h"
#include "lib/seqpacket_server.h"

#define HF_BGP_DEFAULT_USER  "holdfast-bgp"
#define HF_BGP_DEFAULT_GROUP "bird" /* whom BIRD's socket belongs to */

struct hf_bgp_settings {
	const char *config_path;
	const char *instance;
	const char *user, *group; /* to become when started as root */
	bool replace;		  /* the lbbgp that runs, if one does */
};

struct hf_bgp {
	struct hf_bgp_settings settings;
	struct hf_config *config;
	int lock, device;
	int readers; /* inotify: who opens the include; -1: not watched */
	struct hf_announcer announcer;
	struct hf_driver driver;
	struct hf_bird bird;
	struct hf_seqpacket_server server;
	struct hf_vip_facts *draft; /* the lease whose packets are coming */
	uint32_t draft_count;
	char lbnode[64];   /* who sent the last lease */
	char why_not[128]; /* the node is not ready */
	struct hf_problems problems;
	bool carrier;	   /* the device's */
	uint64_t restored; /* times that the include was, as far as it was logged */
	struct hf_metrics_server metrics;
	bool handed_over;
	int err;
	uv_loop_t loop;
	uv_timer_t timer, watchdog;
	uv_signal_t hangup, terminate, interrupt;
};

/* Milliseconds, monotonic. */
static inline int64_t hf_bgp_now(void)
{
	return (int64_t)(uv_hrtime() / 1000000);
}

/* Lets all take the steps that are due; after anything has changed. */
void hf_bgp_settle(struct hf_bgp *bgp);

/* Takes the configuration as it stands in its file now; what was in force stays if it is not good,
 * which is logged. */
void hf_bgp_reload(struct hf_bgp *bgp);

/* surroundings.c: the driver's, whose context is a struct hf_bgp. */
extern const struct hf_driver_output hf_bgp_driver_output;

/* answers.c: see hf_seqpacket_take. */
void hf_bgp_answer(void *bgp, const uint8_t *message, size_t length,
		   struct hf_seqpacket_answer *answer);

/* Until SIGTERM or SIGINT, or a successor. 0, or a negative errno, logged; -EINVAL is a bad
 * configuration. */
int hf_bgp_run(const struct hf_bgp_settings *settings);

#endif
