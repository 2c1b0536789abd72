// SPDX-License-Identifier: BSD-2-Clause
/* What takes rights is done first: the device is made, then lbbgp becomes a user without any. */
#include "bgp/daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "bgp/core/include.h"
#include "bgp/device.h"
#include "bgp/files.h"
#include "bgp/hand_over.h"
#include "bgp/metrics.h"
#include "lib/bgp_protocol.h"
#include "lib/log.h"
#include "lib/user.h"

static int load_config(const char *path, struct hf_config **config)
{
	struct hf_config_error error;
	int err = hf_config_load(path, config, &error);

	if (err) {
		hf_error("%s", error.text);
		return -EINVAL;
	}
	if ((*config)->bgp.local_as)
		return 0;
	hf_error("%s: has no `bgp`, so lbbgp has nothing to do; add it, with local_as at least",
		 path);
	hf_config_free(*config);
	*config = NULL;
	return -EINVAL;
}

static struct hf_announce_rules rules_of(const struct hf_config_bgp *c)
{
	return (struct hf_announce_rules){
		.lease_time = c->lease_time,
		.hold_down = c->hold_down,
		.drain_time = c->drain_time,
		.withdraw_all_down = c->on_all_down == HF_CONFIG_ON_ALL_DOWN_WITHDRAW,
	};
}

static char *write_text(const struct hf_bgp *b, uint32_t *count)
{
	const struct hf_config_bgp *c = &b->config->bgp;
	const struct hf_include_style style = {
		.node = b->config->node.name,
		.device = c->device,
		.local_as = c->local_as,
		.weight = c->ucmp == HF_CONFIG_UCMP_ON ? b->config->node.weight : 0,
		.drain_prepend = c->drain_prepend,
		.drain_med = c->drain_med,
	};

	return hf_include_write(&style, &b->announcer, count);
}

/* Nothing may be announced by the carrier's coming that BIRD has in force and that is not to be;
 * and if that is all that BIRD has, the carrier goes, whatever BIRD may say to its new
 * configuration. */
static bool may_carry(const struct hf_bgp *b)
{
	const struct hf_exports *in_force = &b->driver.exports;
	bool all = true, any = false;

	for (uint32_t i = 0; i < in_force->count; i++) {
		const struct hf_vip *vip = hf_announcer_find(&b->announcer, &in_force->vips[i]);
		bool out = vip && hf_vip_is_out(vip);

		all &= out;
		any |= out;
	}
	return any && (all || b->carrier);
}

static void set_carrier(struct hf_bgp *b, bool carrier)
{
	hf_device_set_carrier(b->device, carrier);
	b->carrier = carrier;
}

/* What BIRD is to be told follows from the VIPs' states. */
static void plan(struct hf_bgp *b, int64_t now)
{
	uint32_t count;
	char *text = write_text(b, &count);

	if (!text) {
		hf_error("out of memory; what is announced stays as it is for now");
		return;
	}
	/* Until it is known what BIRD has in force the carrier stays as it was taken over. */
	if (!count || b->driver.in_force)
		set_carrier(b, count && may_carry(b));
	hf_driver_want(&b->driver, text, now);
	free(text);
}

static void log_vip(const struct hf_vip *vip, uint32_t others)
{
	char text[HF_ADDRESS_TEXT], more[32] = "";

	hf_address_format(&vip->facts.address, text);
	if (others)
		snprintf(more, sizeof(more), " and %u more", others);
	if (vip->state == HF_VIP_ANNOUNCED)
		hf_notice("announcing %s%s", text, more);
	else if (vip->state == HF_VIP_DRAINING)
		hf_notice("draining %s%s: %s", text, more, hf_vip_why_text(vip->why));
	else if (vip->state == HF_VIP_HELD)
		hf_warning("holding %s%s back: %s", text, more, hf_vip_why_text(vip->why));
	else if (vip->why >= HF_WHY_NODE_DRAINED)
		hf_notice("withdrawing %s%s: %s", text, more, hf_vip_why_text(vip->why));
	else
		hf_warning("withdrawing %s%s: %s", text, more, hf_vip_why_text(vip->why));
}

/* One line for all that have gone the same way. */
static void log_news(struct hf_announcer *a)
{
	for (uint32_t i = 0; i < a->count; i++) {
		const struct hf_vip *vip = &a->vips[i];
		uint32_t others = 0;

		if (!vip->news)
			continue;
		for (uint32_t k = i + 1; k < a->count; k++) {
			struct hf_vip *other = &a->vips[k];

			if (!other->news || other->state != vip->state || other->why != vip->why)
				continue;
			other->news = false;
			others++;
		}
		a->vips[i].news = false;
		if (vip->state != HF_VIP_HELD || vip->why == HF_WHY_DAMPED)
			log_vip(vip, others);
	}
}

static void on_timer(uv_timer_t *timer)
{
	hf_bgp_settle(timer->data);
}

void hf_bgp_settle(struct hf_bgp *b)
{
	int64_t now = hf_bgp_now(), next, soon;

	if (!hf_device_is(b->device, b->config->bgp.device)) {
		hf_error("somebody has taken the device %s away, and the routes with it; lbbgp "
			 "ends, to be started anew",
			 b->config->bgp.device);
		b->err = -ENODEV;
		uv_stop(&b->loop);
		return;
	}
	next = hf_announcer_turn(&b->announcer, now);
	log_news(&b->announcer);
	plan(b, now);
	soon = hf_driver_turn(&b->driver, now);
	next = soon < next ? soon : next;
	uv_update_time(&b->loop);
	uv_timer_start(&b->timer, on_timer, next > now ? next - now : 0, 0);
}

static void settle(void *context)
{
	hf_bgp_settle(context);
}

static void adopt(void *context, const struct hf_address *vip, bool draining)
{
	struct hf_bgp *b = context;

	hf_announcer_adopt(&b->announcer, vip, draining, hf_bgp_now());
}

/* What the former lbbgp announced stays so: its device is still there. */
static void take_over(struct hf_bgp *b)
{
	char *text = hf_file_read(b->config->bgp.include);
	int64_t noted = hf_lease_noted(b->settings.instance);

	if (noted && noted < b->announcer.lease_until)
		b->announcer.lease_until = noted;
	if (text)
		hf_include_read(text, adopt, b);
	free(text);
	b->carrier = true;
	hf_notice("took over %s with %u VIPs", b->config->bgp.device, b->announcer.count);
}

static const char *key_of_restart(const struct hf_config *from, const struct hf_config *to)
{
	const struct hf_config_bgp *now = &from->bgp, *next = &to->bgp;

	if (from->metrics.port != to->metrics.port ||
	    !hf_address_equal(&from->metrics.address, &to->metrics.address))
		return "metrics";
	if (strcmp(now->device, next->device) != 0)
		return "bgp.device";
	if (strcmp(now->include, next->include) != 0)
		return "bgp.include";
	return strcmp(now->bird_socket, next->bird_socket) == 0 ? NULL : "bgp.bird_socket";
}

static void take_config(struct hf_bgp *b)
{
	struct hf_config *next = NULL;
	struct hf_announce_rules rules;
	const char *key;

	if (load_config(b->settings.config_path, &next) < 0) {
		hf_error("reload refused; what was in force stays so");
		return;
	}
	key = key_of_restart(b->config, next);
	if (key) {
		hf_error("%s: %s has changed, which needs a restart; reload refused",
			 b->settings.config_path, key);
		hf_config_free(next);
		return;
	}
	b->bird.path = next->bgp.bird_socket;
	b->driver.include = next->bgp.include;
	hf_config_free(b->config);
	b->config = next;
	rules = rules_of(&next->bgp);
	hf_announcer_set_rules(&b->announcer, &rules, hf_bgp_now());
	hf_notice("reloaded");
}

void hf_bgp_reload(struct hf_bgp *b)
{
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lu", (unsigned long)(uv_hrtime() / 1000));
	take_config(b);
	sd_notify(0, "READY=1");
}

static void on_hangup(uv_signal_t *handle, int signum)
{
	(void)signum;
	hf_bgp_reload(handle->data);
	hf_bgp_settle(handle->data);
}

static void on_terminate(uv_signal_t *handle, int signum)
{
	struct hf_bgp *b = handle->data;

	(void)signum;
	sd_notify(0, "STOPPING=1");
	uv_stop(&b->loop);
}

static void on_watchdog(uv_timer_t *timer)
{
	(void)timer;
	sd_notify(0, "WATCHDOG=1");
}

static void start_signal(struct hf_bgp *b, uv_signal_t *handle, uv_signal_cb callback, int signum)
{
	uv_signal_init(&b->loop, handle);
	handle->data = b;
	uv_signal_start(handle, callback, signum);
}

static void run_loop(struct hf_bgp *b)
{
	uint64_t watchdog_us = 0;

	uv_loop_init(&b->loop);
	uv_timer_init(&b->loop, &b->timer);
	uv_timer_init(&b->loop, &b->watchdog);
	b->timer.data = b;
	if (sd_watchdog_enabled(0, &watchdog_us) > 0)
		uv_timer_start(&b->watchdog, on_watchdog, 0, watchdog_us / 2000);
	start_signal(b, &b->hangup, on_hangup, SIGHUP);
	start_signal(b, &b->terminate, on_terminate, SIGTERM);
	start_signal(b, &b->interrupt, on_terminate, SIGINT);
	hf_seqpacket_start(&b->server, &b->loop);
	hf_metrics_start(&b->metrics, &b->loop, &b->config->metrics, HF_METRICS_LBBGP,
			 hf_bgp_metrics, b);
	b->bird.loop = &b->loop;
	hf_preflight_release_signals();
	hf_notice("node %s, AS %u: BIRD at %s includes %s", b->config->node.name,
		  b->config->bgp.local_as, b->config->bgp.bird_socket, b->config->bgp.include);
	sd_notify(0, "READY=1");
	hf_bgp_settle(b);
	uv_run(&b->loop, UV_RUN_DEFAULT);

	hf_seqpacket_stop(&b->server);
	hf_metrics_stop(&b->metrics);
	hf_bird_disconnect(&b->bird);
	uv_close((uv_handle_t *)&b->timer, NULL);
	uv_close((uv_handle_t *)&b->watchdog, NULL);
	uv_close((uv_handle_t *)&b->hangup, NULL);
	uv_close((uv_handle_t *)&b->terminate, NULL);
	uv_close((uv_handle_t *)&b->interrupt, NULL);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	uv_loop_close(&b->loop);
}

/* A former lbbgp's, or a new one. */
static int get_device(struct hf_bgp *b)
{
	const char *name = b->config->bgp.device;
	int parked = hf_device_parked(name);

	if (b->device >= 0 && !hf_device_is(b->device, name)) {
		hf_warning("the former lbbgp had another device than %s, which goes; its VIPs are "
			   "withdrawn, and announced anew",
			   name);
		close(b->device);
		b->device = -1;
	}
	if (b->device < 0)
		b->device = parked;
	if (b->device >= 0) {
		hf_device_set_up(name);
		take_over(b);
	} else {
		b->device = hf_device_open(name);
		if (b->device < 0)
			return b->device;
	}
	hf_device_park(b->device);
	return 0;
}

static int open_all(struct hf_bgp *b)
{
	const struct passwd *user = NULL;
	const struct hf_announce_rules rules = rules_of(&b->config->bgp);
	char path[108];
	int err;

	if (geteuid() == 0) {
		user = hf_user_find(b->settings.user, b->settings.group);
		if (!user)
			return -EPERM;
	}
	err = hf_user_directory(user, HF_RUN_DIRECTORY, HF_BGP_DIRECTORY);
	if (!err)
		err = hf_user_directory(user, HF_BGP_STATE_PARENT, HF_BGP_STATE_DIRECTORY);
	if (!err && b->settings.replace)
		err = hf_hand_over_ask(b->settings.instance, &b->device);
	if (err)
		return err;
	b->lock = hf_user_lock(user, HF_BGP_DIRECTORY, "lbbgp", b->settings.instance);
	if (b->lock < 0)
		return b->lock;
	hf_announcer_init(&b->announcer, &rules, hf_bgp_now());
	err = get_device(b);
	if (!err)
		err = hf_user_become(user);
	if (err)
		return err;
	hf_drains_load(b->settings.instance, &b->announcer, hf_bgp_now());
	hf_bgp_socket_path(b->settings.instance, path, sizeof(path));
	return hf_seqpacket_open(&b->server, path, hf_bgp_answer, b);
}

static void close_all(struct hf_bgp *b)
{
	hf_seqpacket_close(&b->server);
	hf_driver_free(&b->driver);
	hf_announcer_free(&b->announcer);
	hf_config_free(b->config);
	free(b->draft);
	if (b->readers >= 0)
		close(b->readers);
	if (b->device >= 0)
		close(b->device);
	if (b->lock >= 0)
		close(b->lock);
	free(b);
}

int hf_bgp_run(const struct hf_bgp_settings *settings)
{
	struct hf_bgp *b = calloc(1, sizeof(*b));
	int err;

	if (!b)
		return -ENOMEM;
	b->settings = *settings;
	b->lock = b->device = b->server.fd = b->readers = -1;
	err = load_config(settings->config_path, &b->config);
	if (err) {
		free(b);
		return err;
	}
	hf_driver_init(&b->driver, b->config->bgp.include, &hf_bgp_driver_output, b);
	b->bird = (struct hf_bird){ .driver = &b->driver,
				    .path = b->config->bgp.bird_socket,
				    .settle = settle,
				    .context = b };
	hf_preflight_hold_signals();
	err = open_all(b);
	if (!err) {
		run_loop(b);
		err = b->err;
	}
	hf_preflight_release_signals();
	if (!err && b->handed_over)
		hf_notice("handed over to a successor");
	else if (!err)
		hf_notice("stopped: unless somebody holds %s, the VIPs are withdrawn",
			  b->config->bgp.device);
	close_all(b);
	/* -EINVAL is the configuration's alone. */
	return err == -EINVAL ? -EIO : err;
}
