// SPDX-License-Identifier: BSD-2-Clause
#include "lbhost/agent.h"

#include <ctype.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>
#include <uv.h>

#include "lbhost/bpf/types.h"
#include "lib/bpffs.h"
#include "lib/log.h"
#include "lib/percpu.h"
#include "lib/preflight.h"

struct agent {
	struct hf_host *host;
	int addresses; /* netlink: tells that the host's addresses changed */
	uv_loop_t loop;
	uv_signal_t terminate, interrupt;
	uv_poll_t news;
	uv_timer_t namespaces;
};

#define NAMESPACES_MS 1000 /* nothing tells that a container has a new one */

static int watch_addresses(void)
{
	struct sockaddr_nl local = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (struct sockaddr *)&local, sizeof(local)) < 0) {
		hf_error("can't follow the host's addresses: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return -EIO;
	}
	return fd;
}

/* Which address changed does not matter: all are read again. When the kernel had to drop reports,
 * the socket is in error, and libuv has stopped polling it. */
static void on_addresses(uv_poll_t *handle, int status, int events)
{
	struct agent *a = handle->data;
	char report[8192];

	(void)events;
	while (recv(a->addresses, report, sizeof(report), 0) > 0 || errno == ENOBUFS)
		;
	hf_host_refresh_addresses(a->host);
	if (status < 0)
		uv_poll_start(handle, UV_READABLE, on_addresses);
}

static void on_namespaces(uv_timer_t *handle)
{
	struct agent *a = handle->data;

	hf_host_refresh_namespaces(a->host);
}

static void on_terminate(uv_signal_t *handle, int signum)
{
	(void)signum;
	uv_stop(handle->loop);
}

static int run_loop(struct agent *a)
{
	int err = uv_loop_init(&a->loop);

	if (err) {
		hf_error("no event loop: %s", uv_strerror(err));
		return err;
	}
	uv_signal_init(&a->loop, &a->terminate);
	uv_signal_start(&a->terminate, on_terminate, SIGTERM);
	uv_signal_init(&a->loop, &a->interrupt);
	uv_signal_start(&a->interrupt, on_terminate, SIGINT);
	uv_poll_init(&a->loop, &a->news, a->addresses);
	a->news.data = a;
	uv_poll_start(&a->news, UV_READABLE, on_addresses);
	uv_timer_init(&a->loop, &a->namespaces);
	a->namespaces.data = a;
	uv_timer_start(&a->namespaces, on_namespaces, NAMESPACES_MS, NAMESPACES_MS);

	hf_preflight_release_signals();
	sd_notify(0, "READY=1");
	uv_run(&a->loop, UV_RUN_DEFAULT);

	uv_close((uv_handle_t *)&a->terminate, NULL);
	uv_close((uv_handle_t *)&a->interrupt, NULL);
	uv_close((uv_handle_t *)&a->news, NULL);
	uv_close((uv_handle_t *)&a->namespaces, NULL);
	uv_run(&a->loop, UV_RUN_DEFAULT);
	uv_loop_close(&a->loop);
	return 0;
}

static int serve(struct agent *a, const struct hf_host_settings *settings)
{
	/* Before the first listing, so that no change falls between the two. */
	int err = a->addresses = watch_addresses();

	if (err < 0)
		return err;
	err = hf_host_open(&a->host, settings);
	if (!err)
		err = hf_host_attach(a->host);
	if (!err) {
		hf_notice("decapsulating on %u interface%s, from %u allowed source%s",
			  settings->interface_count, settings->interface_count == 1 ? "" : "s",
			  settings->allowed_count, settings->allowed_count == 1 ? "" : "s");
		err = run_loop(a);
	}
	hf_host_close(a->host);
	close(a->addresses);
	return err;
}

int hf_host_run(const struct hf_host_settings *settings)
{
	struct agent a = { 0 };
	int lock, err = hf_preflight_kernel();
	bool is_takeover;

	if (!err)
		err = hf_preflight_rights();
	if (err)
		return err;
	lock = hf_preflight_lock(HF_RUN_DIRECTORY, "lbhost", settings->instance);
	if (lock < 0)
		return lock;
	is_takeover = hf_host_is_pinned(settings->instance);
	hf_preflight_hold_signals();
	err = serve(&a, settings);
	if (err && is_takeover) {
		hf_warning("what a former lbhost attached is left at work; mend this and start "
			   "again, or --detach it");
	} else {
		hf_host_detach(settings->instance);
		if (!err)
			hf_notice("stopped and detached");
	}
	close(lock);
	return err;
}

int hf_host_clean(const char *instance)
{
	int lock = hf_preflight_lock(HF_RUN_DIRECTORY, "lbhost", instance), err;

	if (lock < 0)
		return lock;
	err = hf_host_detach(instance);
	close(lock);
	return err;
}

static const struct {
	const char *name;
	const char *text;
} counter_info[] = {
#define HF_HOST_COUNTER_INFO(name, text) { #name, text },
	HF_HOST_COUNTERS(HF_HOST_COUNTER_INFO)
};

static void show_counter(FILE *out, int map, uint32_t i, bool json)
{
	char name[64] = "";
	uint64_t value;

	for (size_t c = 0; counter_info[i].name[c] && c < sizeof(name) - 1; c++)
		name[c] = tolower((unsigned char)counter_info[i].name[c]);
	hf_percpu_read(map, i, &value, 1);
	if (json)
		fprintf(out, "%s\"%s\": %lu", i ? ", " : "", name, (unsigned long)value);
	else
		fprintf(out, "  %-18s %12lu  %s\n", name, (unsigned long)value,
			counter_info[i].text);
}

int hf_host_show_statistics(FILE *out, const char *instance, bool json)
{
	int map = hf_bpffs_open(instance, "counters");

	if (map < 0) {
		hf_error("instance %s is not attached: %s", instance,
			 map == -ENOENT ? "its lbhost does not run" : strerror(-map));
		return map;
	}
	fprintf(out, json ? "{\"instance\": \"%s\", \"counters\": {" : "Instance %s\n", instance);
	for (uint32_t i = 0; i < HF_HOST_COUNTER_END; i++)
		show_counter(out, map, i, json);
	fprintf(out, json ? "}}\n" : "");
	close(map);
	return 0;
}
