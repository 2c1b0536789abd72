// SPDX-License-Identifier: BSD-2-Clause
/*
 * Everything is opened as root, if it is started so; then syncd becomes a user without rights, for
 * it is the one program that reads bytes from the network. The core decides, this carries out.
 */
#include "syncd/daemon.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "lib/keys.h"
#include "lib/log.h"
#include "lib/node_protocol.h"
#include "lib/preflight.h"
#include "lib/stamp.h"
#include "lib/user.h"
#include "syncd/calls.h"
#include "syncd/events.h"
#include "syncd/metrics.h"
#include "syncd/node_socket.h"
#include "syncd/seeds.h"
#include "syncd/streams.h"
#include "syncd/udp.h"

#define CLOSING_TURNS	 100
#define JOIN_TIMEOUT	 HF_SECONDS(5)
#define SNAPSHOT_TIMEOUT HF_SECONDS(30)
/* A node holds its share of all nodes' flows: R of n, whatever its own; so twice its own flow
 * table's, and room to spare while others are down. */
#define RECORDS_A_FLOW 4
/* Of Ethernet, over IPv6. */
#define DATAGRAM_USUAL 1452
/* Anything routable: only the way there is asked for, nothing is sent (RFC 5737). */
static const struct hf_endpoint somewhere = { { .word = { 0x010200c0 }, .family = 4 }, 9 };

static int load_config(const char *path, struct hf_config **config)
{
	struct hf_config_error error;
	int err = hf_config_load(path, config, &error);

	if (err)
		hf_error("%s", error.text);
	return err ? -EINVAL : 0;
}

static int read_keys(struct hf_daemon *d, const struct hf_config *config, struct hf_seal_keys *keys)
{
	struct hf_key_ring ring;
	char why[512];
	int err;

	if (config->cluster.insecure) {
		hf_warning("cluster.insecure: anyone can read and forge what nodes say to each "
			   "other; for trials only");
		hf_key_ring_insecure(&ring);
	} else {
		err = hf_key_ring_read(config->cluster.key_file, &ring, why, sizeof(why));
		if (err) {
			hf_error("%s", why);
			return err;
		}
	}
	keys->count = d->key_count = ring.count;
	for (uint32_t i = 0; i < ring.count; i++) {
		uint8_t id[16];

		hf_key_derive(&ring.key[i], HF_KEY_GOSSIP, keys->key[i].bytes,
			      sizeof(keys->key[i].bytes));
		hf_key_derive(&ring.key[i], HF_KEY_ID, id, sizeof(id));
		keys->key[i].id = d->key_ids[i] = id[0];
	}
	sodium_memzero(&ring, sizeof(ring));
	return 0;
}

/* Where others reach this node: as configured, or as the way to a seed, or anywhere, says. */
static int find_endpoint(struct hf_daemon *d, uint32_t *datagram)
{
	struct hf_address source;
	int err = hf_seeds_way(d->config, &source, datagram);

	if (err) {
		err = hf_udp_way(&somewhere, &source, datagram);
		*datagram = DATAGRAM_USUAL;
	}
	d->endpoint.port = d->config->cluster.port;
	d->endpoint.address = d->config->node.gossip_address;
	if (d->endpoint.address.family)
		return 0;
	if (err || !hf_address_is_routable(&source)) {
		hf_error("can't tell at which address others reach this node: %s; set "
			 "node.gossip_address",
			 err ? strerror(-err) : "there is no route that says");
		return err ? err : -EADDRNOTAVAIL;
	}
	d->endpoint.address = source;
	return 0;
}

/* syncd's user must be able to read the files again. */
static void check_files(const struct hf_daemon *d)
{
	const char *path = d->config->cluster.key_file;

	if (path && access(path, R_OK) < 0)
		hf_warning("%s can't be read by syncd's user, and so not again on a reload; "
			   "`chgrp` it to that user's group and `chmod 640` it",
			   path);
	if (access(d->settings.config_path, R_OK) < 0)
		hf_warning("%s can't be read by syncd's user, and so not again on a reload",
			   d->settings.config_path);
}

static void send_datagram(void *context, const struct hf_endpoint *to, const uint8_t *bytes,
			  size_t length)
{
	hf_udp_send(((struct hf_daemon *)context)->udp, to, bytes, length);
}

static void take_event(void *context, const struct hf_event *event)
{
	struct hf_daemon *d = context;

	hf_log_event(d->sync, event);
	/* Whom the data plane may ask, and whose packets it takes. */
	if ((event->member || event->kind == HF_EVENT_READINESS) && d->nodes)
		hf_node_socket_owners(d->nodes);
}

static void take_record(void *context, const struct hf_record *record)
{
	hf_node_socket_record(((struct hf_daemon *)context)->nodes, record);
}

static void take_notice(void *context, const struct hf_notice *notice)
{
	hf_node_socket_notice(((struct hf_daemon *)context)->nodes, notice);
}

static void take_told(void *context, uint32_t ticket, const struct hf_record *records,
		      uint32_t count, bool all)
{
	hf_node_socket_told(((struct hf_daemon *)context)->nodes, ticket, records, count, all);
}

static void take_owners(void *context)
{
	hf_node_socket_owners(((struct hf_daemon *)context)->nodes);
}

static void take_export_again(void *context, const struct hf_shard_set *shards)
{
	hf_node_socket_export_again(((struct hf_daemon *)context)->nodes, shards);
}

static void take_fetch(void *context, const struct hf_endpoint *from, const uint8_t *request,
		       size_t length)
{
	hf_streams_fetch(((struct hf_daemon *)context)->streams, from, request, length);
}

static int make_core(struct hf_daemon *d, const struct hf_seal_keys *keys, uint32_t datagram)
{
	static const struct hf_sync_output output = {
		.datagram = send_datagram,
		.event = take_event,
		.told = take_told,
		.record = take_record,
		.notice = take_notice,
		.owners = take_owners,
		.export_again = take_export_again,
		.fetch = take_fetch,
	};
	struct hf_sync_settings settings = {
		.name = d->config->node.name,
		.version = HF_VERSION,
		.endpoint = d->endpoint,
		.cluster = hf_sync_cluster_id(d->config->cluster.name),
		.replicas = d->config->cluster.owners,
		.weight = d->config->node.weight,
		.datagram = datagram,
		.records = (uint64_t)d->config->flows * RECORDS_A_FLOW,
		.stamp = hf_stamp_of_wall(),
		.join_timeout = JOIN_TIMEOUT,
		.snapshot_timeout = SNAPSHOT_TIMEOUT,
	};

	randombytes_buf(&settings.boot, sizeof(settings.boot));
	randombytes_buf(&settings.seed, sizeof(settings.seed));
	randombytes_buf(settings.token_key, sizeof(settings.token_key));
	settings.boot |= 1; /* not 0 */
	d->sync = hf_sync_new(&settings, keys, &output, d, hf_daemon_now());
	if (!d->sync)
		hf_error("out of memory");
	return d->sync ? 0 : -ENOMEM;
}

static void set_timer(struct hf_daemon *d);

static void on_timer(uv_timer_t *timer)
{
	struct hf_daemon *d = timer->data;

	hf_sync_turn(d->sync, hf_daemon_now());
	hf_daemon_settle(d);
}

static void set_timer(struct hf_daemon *d)
{
	hf_time deadline = hf_sync_deadline(d->sync), now = hf_daemon_now();
	hf_time wait = deadline > now ? (deadline - now + 999) / 1000 : 0;

	if (deadline == HF_NEVER)
		uv_timer_stop(&d->timer);
	else
		uv_timer_start(&d->timer, on_timer, wait, 0);
}

void hf_daemon_settle(struct hf_daemon *d)
{
	hf_streams_settle(d->streams);
	hf_node_socket_settle(d->nodes);
	if (d->stopping && hf_sync_readiness(d->sync) == HF_GONE)
		uv_stop(&d->loop);
	uv_update_time(&d->loop);
	set_timer(d);
}

static bool same_text(const char *a, const char *b)
{
	return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

/* What a reload can't change: the first key that differs, or NULL. */
static const char *needs_restart(const struct hf_config *now, const struct hf_config *next)
{
	if (strcmp(now->cluster.name, next->cluster.name) != 0)
		return "cluster.name";
	if (now->cluster.port != next->cluster.port)
		return "cluster.port";
	if (now->cluster.owners != next->cluster.owners)
		return "cluster.owners";
	if (strcmp(now->node.name, next->node.name) != 0)
		return "node.name";
	if (!same_text(now->node.written.gossip_address, next->node.written.gossip_address))
		return "node.gossip_address";
	if (now->flows != next->flows)
		return "tables.flows";
	if (now->metrics.port != next->metrics.port ||
	    !hf_address_equal(&now->metrics.address, &next->metrics.address))
		return "metrics";
	return NULL;
}

static int reload(struct hf_daemon *d)
{
	const struct hf_member_facts *f = &hf_sync_self(d->sync)->facts;
	struct hf_config *next = NULL;
	struct hf_seal_keys keys;
	const char *key;
	int err = load_config(d->settings.config_path, &next);

	if (err)
		return err;
	key = needs_restart(d->config, next);
	if (key) {
		hf_error("%s: %s has changed, which needs a restart", d->settings.config_path, key);
		err = -EINVAL;
	}
	if (!err)
		err = read_keys(d, next, &keys);
	if (err) {
		hf_config_free(next);
		return err;
	}
	hf_config_free(d->config);
	d->config = next;
	hf_sync_set_keys(d->sync, &keys);
	sodium_memzero(&keys, sizeof(keys));
	hf_seeds_reload(d->seeds);
	hf_sync_set_self(d->sync, f->config, f->tables, next->node.weight,
			 hf_node_socket_is_serving(d->nodes), hf_daemon_now());
	hf_notice("reloaded: %u keys, %u seeds", d->key_count, next->cluster.seed_count);
	return 0;
}

void hf_daemon_reload(struct hf_daemon *d)
{
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lu", (unsigned long)(uv_hrtime() / 1000));
	if (reload(d) < 0)
		hf_error("reload refused; what was in force stays so");
	sd_notify(0, "READY=1");
}

static void on_hangup(uv_signal_t *handle, int signum)
{
	(void)signum;
	hf_daemon_reload(handle->data);
	hf_daemon_settle(handle->data);
}

static void on_terminate(uv_signal_t *handle, int signum)
{
	struct hf_daemon *d = handle->data;

	(void)signum;
	if (d->stopping) {
		hf_warning("stopped before all records were handed on");
		uv_stop(&d->loop);
		return;
	}
	sd_notify(0, "STOPPING=1");
	d->stopping = true;
	hf_sync_leave(d->sync, hf_daemon_now());
	hf_daemon_settle(d);
}

static void start_signal(struct hf_daemon *d, uv_signal_t *handle, uv_signal_cb callback,
			 int signum)
{
	uv_signal_init(&d->loop, handle);
	handle->data = d;
	uv_signal_start(handle, callback, signum);
}

static void close_signal(uv_signal_t *handle)
{
	if (handle->data)
		uv_close((uv_handle_t *)handle, NULL);
}

static int start_loop(struct hf_daemon *d)
{
	int err = hf_streams_open(&d->streams, d);

	if (err)
		return err;
	uv_timer_init(&d->loop, &d->timer);
	d->timer.data = d;
	start_signal(d, &d->hangup, on_hangup, SIGHUP);
	start_signal(d, &d->terminate, on_terminate, SIGTERM);
	start_signal(d, &d->interrupt, on_terminate, SIGINT);
	hf_udp_start(d->udp, d);
	hf_node_socket_start(d->nodes, d);
	hf_metrics_start(&d->metrics, &d->loop, &d->config->metrics, HF_METRICS_SYNCD,
			 hf_daemon_metrics, d);
	d->seeds = hf_seeds_new(d);
	return d->seeds ? 0 : -ENOMEM;
}

/* Handles are freed when the loop has run once more. */
static void close_all(struct hf_daemon *d)
{
	hf_metrics_stop(&d->metrics);
	hf_calls_cancel(d, NULL);
	hf_streams_close(d->streams);
	hf_node_socket_close(d->nodes);
	hf_seeds_close(d->seeds);
	hf_udp_close(d->udp);
	close_signal(&d->hangup);
	close_signal(&d->terminate);
	close_signal(&d->interrupt);
	if (d->timer.data)
		uv_close((uv_handle_t *)&d->timer, NULL);
	/* A name's look-up that is under way can't be stopped, and may take long: it is left
	 * behind. */
	for (int i = 0; i < CLOSING_TURNS && uv_run(&d->loop, UV_RUN_NOWAIT); i++)
		;
	hf_sync_delete(d->sync);
	hf_config_free(d->config);
	if (uv_loop_close(&d->loop) == 0)
		free(d);
}

static int open_all(struct hf_daemon *d, const struct passwd *user)
{
	struct hf_seal_keys keys;
	char text[HF_ADDRESS_TEXT];
	uint32_t datagram;
	int err = find_endpoint(d, &datagram);

	if (!err)
		err = read_keys(d, d->config, &keys);
	if (!err)
		err = hf_udp_open(&d->udp, &d->endpoint);
	if (!err)
		err = hf_user_become(user);
	if (!err)
		err = hf_node_socket_open(&d->nodes, d->settings.instance);
	if (!err)
		err = make_core(d, &keys, datagram);
	sodium_memzero(&keys, sizeof(keys));
	if (!err)
		err = start_loop(d);
	if (err)
		return err;
	check_files(d);
	hf_notice("node %s of cluster %s at %s, datagrams of %u bytes", d->config->node.name,
		  d->config->cluster.name,
		  hf_endpoint_format(&d->endpoint.address, d->endpoint.port, text), datagram);
	return 0;
}

int hf_daemon_run(const struct hf_daemon_settings *settings)
{
	const struct passwd *user = geteuid() ? NULL : hf_user_find(settings->user, NULL);
	struct hf_daemon *d = calloc(1, sizeof(*d));
	int err, lock;

	if (!d)
		return -ENOMEM;
	d->settings = *settings;
	d->started = hf_daemon_now();
	err = load_config(settings->config_path, &d->config);
	if (err) {
		free(d);
		return err;
	}
	lock = (geteuid() == 0 && !user) ||
			       hf_user_directory(user, HF_RUN_DIRECTORY, HF_SYNCD_DIRECTORY) < 0
		       ? -EPERM
		       : hf_user_lock(user, HF_SYNCD_DIRECTORY, "syncd", settings->instance);
	if (lock < 0 || uv_loop_init(&d->loop) < 0) {
		hf_config_free(d->config);
		free(d);
		return lock < 0 ? lock : -ENOMEM;
	}
	hf_preflight_hold_signals();
	err = open_all(d, user);
	hf_preflight_release_signals();
	if (!err) {
		sd_notify(0, "READY=1");
		hf_daemon_settle(d);
		uv_run(&d->loop, UV_RUN_DEFAULT);
		hf_notice("stopped");
	}
	close_all(d);
	close(lock);
	/* -EINVAL is the configuration's alone. */
	return err == -EINVAL ? -EIO : err;
}
