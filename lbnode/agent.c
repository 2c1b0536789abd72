// SPDX-License-Identifier: BSD-2-Clause
/*
 * The agent: everything is filled first, attached last. Then it sweeps, follows the network, and
 * takes a new configuration on SIGHUP.
 */
#include "lbnode/agent.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>
#include <uv.h>

#include "lbnode/agent_state.h"
#include "lbnode/explain.h"
#include "lbnode/history.h"
#include "lbnode/tables.h"
#include "lbnode/takeover.h"
#include "lib/bpffs.h"
#include "lib/log.h"
#include "lib/preflight.h"

#define NEIGHBOURS_WAIT_MS 1000 /* ARP's and ND's own retransmission timer */

static int find_interfaces(struct agent *a)
{
	const struct hf_config_node *node = &a->config->node;
	int count = 0;

	if (node->interface_count) {
		for (uint32_t i = 0; i < node->interface_count; i++)
			a->interfaces[i] = node->interfaces[i];
		a->interface_count = node->interface_count;
		return 0;
	}
	count = hf_netlink_default_interfaces(a->netlink, a->interface_names, HF_INTERFACES_MAX);
	if (count <= 0) {
		hf_error("%s: node.interfaces is not given, and no default route says which they "
			 "are; name them",
			 a->config_path);
		return -ENODEV;
	}
	for (int i = 0; i < count; i++)
		a->interfaces[i] = a->interface_names[i];
	a->interface_count = count;
	return 0;
}

static void adopt_backend(void *context, uint16_t id, const struct hf_backend *entry)
{
	struct agent *a = context;

	a->took_over = true;
	hf_backends_adopt(a->backends, id, entry, hf_agent_now(),
			  a->config->timeouts.drain * 1000LL);
}

static bool is_exception(void *context, uint64_t digest, uint16_t backend)
{
	const struct agent *a = context;

	return hf_pools_is_exception(hf_forwarding_pools(a->forwarding), digest, backend);
}

static uint32_t name_backend(void *context, uint16_t backend)
{
	const struct agent *a = context;
	const struct hf_backend_record *record = hf_backends_record(a->backends, backend);

	return record->identity ? hf_backend_name(record->identity) : 0;
}

static uint16_t find_backend(void *context, uint32_t name)
{
	const struct agent *a = context;

	return hf_backends_named(a->backends, name);
}

static bool export(void *context, const struct hf_record *record, bool exception)
{
	struct agent *a = context;

	return hf_sync_client_export(&a->sync, record, exception);
}

static void open_sharing(struct agent *a, uint32_t bits)
{
	static const struct hf_sharing_output output = { is_exception, name_backend, find_backend,
							 export };

	hf_sharing_init(&a->sharing, hf_dataplane_flows(a->dataplane),
			hf_dataplane_marks(a->dataplane), bits,
			hf_dataplane_sharing_counters(a->dataplane), &output, a);
}

static int open_dataplane(struct agent *a)
{
	struct hf_dataplane_settings settings = {
		.instance = a->instance,
		.bucket_bits = hf_flow_table_bits(a->config->flows),
	};
	int err;

	hf_key_derive(&a->keys.flow, HF_KEY_FLOW, settings.flow_key, sizeof(settings.flow_key));
	err = hf_dataplane_open(&a->dataplane, &settings, adopt_backend, a);
	if (err)
		return err;
	hf_sweeper_init(&a->sweeper, hf_dataplane_flows(a->dataplane), 1U << settings.bucket_bits,
			hf_agent_now());
	hf_agent_set_timeouts(a);
	open_sharing(a, settings.bucket_bits);
	return 0;
}

/* A program with unresolved next hops must not take the place of one that forwards. */
static int wait_for_neighbours(struct agent *a)
{
	struct pollfd fd = { .fd = hf_netlink_fd(a->netlink), .events = POLLIN };
	int64_t deadline = hf_agent_now() + NEIGHBOURS_WAIT_MS, left;
	int err = 0;

	while (!err && hf_forwarding_unresolved(a->forwarding) &&
	       (left = deadline - hf_agent_now()) > 0)
		if (poll(&fd, 1, left) > 0)
			err = hf_forwarding_follow(a->forwarding);
	return err;
}

static int attach(struct agent *a)
{
	enum hf_config_xdp_mode mode = a->config->node.xdp_mode;
	int err = hf_dataplane_stage(a->dataplane);

	if (mode == HF_CONFIG_XDP_GENERIC)
		hf_warning("node.xdp_mode is generic: packets are copied and go through most of "
			   "the kernel before they are forwarded; for trials only");
	for (uint32_t i = 0; i < a->interface_count && !err; i++) {
		err = hf_dataplane_attach(a->dataplane, a->interfaces[i], mode);
		a->attached[i] = if_nametoindex(a->interfaces[i]);
	}
	return err ? err : hf_dataplane_commit(a->dataplane, a->interfaces, a->interface_count);
}

static void adopt_cluster(struct agent *a)
{
	struct hf_cluster *former = malloc(sizeof(*former));

	if (former && hf_takeover_cluster(a->instance, former) == 0)
		hf_forwarding_adopt_cluster(a->forwarding, former);
	free(former);
}

static void adopt_pool(void *context, const struct hf_config_pool *pool, struct hf_slot *slots)
{
	struct agent *a = context;

	hf_forwarding_adopt_pool(a->forwarding, pool, slots);
}

static int start_dataplane(struct agent *a)
{
	struct hf_config *former = NULL;
	int err = open_dataplane(a);

	if (err)
		return err;
	a->forwarding = hf_forwarding_new(a->dataplane, a->netlink, a->backends);
	if (!a->forwarding) {
		hf_error("can't learn the kernel's links and neighbours; start again");
		return -ENOMEM;
	}
	hf_forwarding_set_keys(a->forwarding, &a->keys);
	adopt_cluster(a);
	/* Ids of backends, and places of digests, mean the same only then. */
	if (a->took_over)
		hf_takeover_pools(a->instance, a->config, adopt_pool, a);
	else
		former = hf_history_load(a->instance);
	/* Tables that the next ones remember; nothing is attached yet. */
	if (former)
		hf_forwarding_apply(a->forwarding, former, NULL, hf_agent_now());
	err = hf_agent_apply(a, a->config, a->discovery);
	hf_config_free(former);
	if (!err)
		err = wait_for_neighbours(a);
	return err ? err : attach(a);
}

static void on_hangup(uv_signal_t *handle, int signum)
{
	(void)signum;
	hf_agent_reload(handle->data);
}

static void on_terminate(uv_signal_t *handle, int signum)
{
	struct agent *a = handle->data;

	(void)signum;
	sd_notify(0, "STOPPING=1");
	uv_stop(&a->loop);
}

/* An interface that went took its program along; one that comes by its name gets it. */
static void follow_interfaces(struct agent *a)
{
	for (uint32_t i = 0; i < a->interface_count; i++) {
		const char *name = a->interfaces[i];
		uint32_t ifindex = if_nametoindex(name);

		if (ifindex == a->attached[i])
			continue;
		a->attached[i] = 0;
		if (!ifindex) {
			hf_error(
				"interface %s is gone; packets are forwarded again when it is back",
				name);
		} else if (hf_dataplane_attach(a->dataplane, name, a->config->node.xdp_mode) == 0) {
			hf_notice("interface %s is back, and forwards", name);
			a->attached[i] = ifindex;
		}
	}
}

static void on_network(uv_poll_t *handle, int status, int events)
{
	struct agent *a = handle->data;

	(void)events;
	hf_forwarding_follow(a->forwarding);
	follow_interfaces(a);
	hf_lease_client_changed(&a->lease);
	if (a->tunnel)
		hf_probe_tunnel_follow(a->tunnel);
	/* When the kernel had to drop reports, the socket is in error, and libuv stops polling it.
	 */
	if (status < 0)
		uv_poll_start(handle, UV_READABLE, on_network);
}

static bool is_gone(void *context, uint16_t id)
{
	const struct agent *a = context;
	enum hf_backend_state state = hf_backends_record(a->backends, id)->state;

	return state == HF_BACKEND_FREE || state == HF_BACKEND_GONE;
}

static bool is_doubtful(void *context, uint64_t digest, uint16_t backend)
{
	const struct agent *a = context;

	return hf_pools_is_doubtful(hf_forwarding_pools(a->forwarding), digest, backend);
}

static bool is_kept(void *context, uint32_t bucket, uint32_t place, uint64_t pin)
{
	const struct agent *a = context;

	return hf_sharing_keeps(&a->sharing, bucket, place, pin);
}

static void visit(void *context, uint32_t bucket, uint32_t place)
{
	struct agent *a = context;

	hf_sharing_visit(&a->sharing, bucket, place, hf_agent_now());
}

void hf_agent_look_for_packets(struct agent *a)
{
	uint64_t forwarded = hf_dataplane_forwarded(a->dataplane);

	if (forwarded != a->forwarded)
		a->quiet_since = hf_agent_now();
	a->forwarded = forwarded;
}

void hf_agent_set_draining(struct agent *a, bool draining, const char *author, const char *reason)
{
	if (draining == a->draining)
		return;
	a->draining = draining;
	a->quiet_since = hf_agent_now();
	hf_agent_tell_state(a);
	hf_lease_client_changed(&a->lease);
	hf_notice("%s%s%s%s%s",
		  draining ? "draining: this node owns no more records, and forwards on"
			   : "in service again",
		  author[0] ? "; by " : "", author, reason[0] ? ": " : "", reason);
}

static void on_sweep(uv_timer_t *handle)
{
	struct agent *a = handle->data;
	const struct hf_sweep_view view = { is_gone, is_doubtful, is_kept, visit, a };

	hf_forwarding_refresh(a->forwarding);
	if (a->draining)
		hf_agent_look_for_packets(a);
	hf_agent_share(a);
	hf_backends_set_shared(a->backends, a->sharing.open);
	if (hf_sweeper_slice(&a->sweeper, hf_agent_now(), &view))
		hf_forwarding_swept(a->forwarding, &a->sweeper, hf_agent_now());
	hf_sync_client_flush(&a->sync);
}

static void ask(void *context, const struct hf_question *question)
{
	struct agent *a = context;

	hf_sync_client_ask(&a->sync, question);
}

static void on_questions(uv_poll_t *handle, int status, int events)
{
	struct agent *a = handle->data;

	(void)status;
	(void)events;
	hf_dataplane_take_questions(a->dataplane, ask, a);
	hf_sync_client_flush(&a->sync);
}

static void start_signal(struct agent *a, uv_signal_t *handle, uv_signal_cb callback, int signum)
{
	uv_signal_init(&a->loop, handle);
	handle->data = a;
	uv_signal_start(handle, callback, signum);
}

static int run_loop(struct agent *a)
{
	int err = uv_loop_init(&a->loop);

	if (err) {
		hf_error("no event loop: %s", uv_strerror(err));
		return err;
	}
	start_signal(a, &a->hangup, on_hangup, SIGHUP);
	start_signal(a, &a->terminate, on_terminate, SIGTERM);
	start_signal(a, &a->interrupt, on_terminate, SIGINT);
	uv_poll_init(&a->loop, &a->network, hf_netlink_fd(a->netlink));
	a->network.data = a;
	uv_poll_start(&a->network, UV_READABLE, on_network);
	uv_timer_init(&a->loop, &a->sweep);
	a->sweep.data = a;
	uv_timer_start(&a->sweep, on_sweep, 0, HF_SWEEP_PASS_MS / HF_SWEEP_SLICES);
	uv_poll_init(&a->loop, &a->questions, hf_dataplane_questions_fd(a->dataplane));
	a->questions.data = a;
	uv_poll_start(&a->questions, UV_READABLE, on_questions);
	uv_timer_init(&a->loop, &a->replan);
	a->replan.data = a;
	a->running = true;
	hf_agent_watch_syncd(a);
	hf_agent_tell_state(a);
	hf_agent_watch_tunnels(a);
	hf_agent_watch_bgp(a);
	hf_agent_start_metrics(a);
	hf_checking_start(&a->checking, &a->loop);
	hf_discovery_start(a->discovery, &a->loop);
	hf_seqpacket_start(&a->control.server, &a->loop);
	hf_holding_start(&a->holding, &a->loop, a->dataplane);
	hf_listener_start(&a->listener, &a->loop, a->forwarding);

	hf_history_save(a->instance, a->config_path);
	hf_preflight_release_signals();
	hf_agent_log_config(a, "forwarding");
	sd_notify(0, "READY=1");
	uv_run(&a->loop, UV_RUN_DEFAULT);

	a->running = false;
	hf_explain_stop(a);
	hf_seqpacket_stop(&a->control.server);
	hf_sync_client_stop(&a->sync);
	hf_lease_client_stop(&a->lease);
	hf_agent_stop_metrics(a);
	hf_checking_stop(&a->checking);
	hf_discovery_delete(a->discovery);
	a->discovery = NULL;
	hf_holding_stop(&a->holding);
	hf_listener_stop(&a->listener);
	uv_signal_stop(&a->hangup);
	uv_close((uv_handle_t *)&a->hangup, NULL);
	uv_close((uv_handle_t *)&a->terminate, NULL);
	uv_close((uv_handle_t *)&a->interrupt, NULL);
	uv_close((uv_handle_t *)&a->network, NULL);
	uv_close((uv_handle_t *)&a->questions, NULL);
	uv_close((uv_handle_t *)&a->sweep, NULL);
	uv_close((uv_handle_t *)&a->replan, NULL);
	uv_run(&a->loop, UV_RUN_DEFAULT);
	uv_loop_close(&a->loop);
	return 0;
}

static int start(struct agent *a)
{
	int err = hf_preflight_kernel();

	if (!err)
		err = hf_preflight_rights();
	if (!err)
		err = hf_agent_read_keys(a->config, &a->keys);
	if (err)
		return err;
	a->lock = hf_preflight_lock(HF_RUN_DIRECTORY, "lbnode", a->instance);
	if (a->lock < 0)
		return a->lock;
	err = hf_netlink_open(&a->netlink);
	if (err) {
		hf_error("no netlink socket: %s", strerror(-err));
		return err;
	}
	a->backends = hf_backends_new();
	if (!a->backends || hf_agent_open_health(a) < 0)
		return -ENOMEM;
	err = find_interfaces(a);
	if (err)
		return err;
	hf_listener_open(&a->listener);
	err = hf_control_open(&a->control, a->instance, hf_agent_answer, a);
	if (err)
		return err;
	hf_preflight_hold_signals();
	err = start_dataplane(a);
	if (err && a->dataplane)
		hf_dataplane_give_up(a->dataplane);
	return err ? err : hf_preflight_drop_rights();
}

static void stop(struct agent *a)
{
	hf_seqpacket_close(&a->control.server);
	hf_listener_close(&a->listener);
	hf_forwarding_delete(a->forwarding);
	hf_dataplane_close(a->dataplane);
	hf_backends_delete(a->backends);
	hf_discovery_delete(a->discovery);
	hf_plan_delete(a->plan);
	hf_members_delete(a->members);
	hf_probe_tunnel_close(a->tunnel);
	hf_checking_close(&a->checking);
	hf_netlink_close(a->netlink);
	hf_config_free(a->config);
	free(a->vips);
	sodium_memzero(&a->keys, sizeof(a->keys));
	if (a->lock >= 0)
		close(a->lock);
	free(a);
}

int hf_agent_run(const char *config_path, const char *instance)
{
	struct agent *a = calloc(1, sizeof(*a));
	int err;

	if (!a)
		return -ENOMEM;
	a->started = a->reloaded = hf_agent_now();
	a->config_path = config_path;
	a->instance = instance;
	a->lock = a->control.server.fd = a->listener.ipv4.fd = a->listener.ipv6.fd = -1;
	err = hf_agent_load_config(a->config_path, &a->config);
	if (!err) {
		err = start(a);
		/* -EINVAL is the configuration's alone. */
		err = err == -EINVAL ? -EIO : err;
	}
	if (!err)
		err = run_loop(a);
	if (!err)
		hf_notice("stopped; the data plane forwards on, `lbnode --detach` ends it");
	stop(a);
	return err;
}

int hf_agent_detach(const char *instance)
{
	int lock = hf_preflight_lock(HF_RUN_DIRECTORY, "lbnode", instance), err;

	if (lock < 0)
		return lock;
	hf_lease_end(instance);
	err = hf_dataplane_remove(instance);
	close(lock);
	if (err == -ENOENT)
		hf_error("there is no data plane of an instance %s; `ls " HF_BPFFS_ROOT "`",
			 instance);
	else if (!err)
		hf_notice("instance %s: detached, nothing is forwarded any more", instance);
	return err;
}
