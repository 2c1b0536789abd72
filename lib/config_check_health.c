// SPDX-License-Identifier: BSD-2-Clause
/* How a pool's backends are checked: times, thresholds, and what each type of check needs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/config_internal.h"

#define INTERVAL_DEFAULT 2000 /* ms */
#define INTERVAL_MIN	 100
#define INTERVAL_MAX	 3600000
#define TIMEOUT_MIN	 10
#define COUNT_MAX	 100
#define SLOW_START_MAX	 3600
#define PANIC_DEFAULT	 50
#define PATH_LENGTH_MAX	 1024

/* A key that only some types of check have, and whether it was written. */
struct key {
	const char *name;
	const char *written;
	uint32_t types;
};

#define TYPE(name) (1U << HF_CONFIG_CHECK_##name)
#define HTTP	   (TYPE(HTTP) | TYPE(HTTPS))

static const char *path_of(uint32_t pool, const char *key)
{
	return hf_config_path("pools[%u].check.%s", pool, key);
}

static int check_times(struct hf_config_checker *c, struct hf_config_check *check, uint32_t pool)
{
	uint32_t usual;

	if (hf_config_seconds(c, check->written.interval, INTERVAL_DEFAULT, INTERVAL_MIN,
			      INTERVAL_MAX, path_of(pool, "interval"), &check->interval) < 0)
		return -EINVAL;
	usual = check->interval / 2 < 1000 ? check->interval / 2 : 1000;
	if (hf_config_seconds(c, check->written.timeout, usual, TIMEOUT_MIN, check->interval,
			      path_of(pool, "timeout"), &check->timeout) < 0)
		return -EINVAL;
	if (hf_config_number(c, check->written.fall, 3, 1, COUNT_MAX, path_of(pool, "fall"),
			     &check->fall) < 0)
		return -EINVAL;
	return hf_config_number(c, check->written.rise, 2, 1, COUNT_MAX, path_of(pool, "rise"),
				&check->rise);
}

/* "200", "200-399". */
static int check_status(struct hf_config_checker *c, struct hf_config_check *check, uint32_t pool)
{
	const char *text = check->written.status;
	char first[8];
	uint32_t least = 200, most = 399;
	size_t dash;

	if (text) {
		dash = strcspn(text, "-");
		snprintf(first, sizeof(first), "%.*s", (int)dash, text);
		if (!hf_config_parse_number(first, &least) ||
		    !hf_config_parse_number(text[dash] ? text + dash + 1 : first, &most) ||
		    least < 100 || most > 599 || least > most)
			return hf_config_fault(c, path_of(pool, "status"),
					       "\"%.40s\" is no status; use 200 or 200-399", text);
	}
	check->status_least = least;
	check->status_most = most;
	return 0;
}

static int check_keys(struct hf_config_checker *c, const struct hf_config_check *check,
		      uint32_t pool)
{
	const struct key keys[] = {
		{ "path", check->path, HTTP },
		{ "host", check->host, HTTP },
		{ "status", check->written.status, HTTP },
		{ "body", check->body, HTTP },
		{ "send", check->send, TYPE(UDP) },
		{ "expect", check->expect, TYPE(UDP) },
		{ "query", check->query, TYPE(DNS) },
		{ "command", check->command ? "" : NULL, TYPE(COMMAND) },
	};
	const struct key needed[] = {
		{ "send", check->send, TYPE(UDP) },
		{ "query", check->query, TYPE(DNS) },
		{ "command", check->command ? "" : NULL, TYPE(COMMAND) },
	};
	const char *type = hf_config_check_name(check->type);

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].written && !(keys[i].types >> check->type & 1))
			return hf_config_fault(c, path_of(pool, keys[i].name),
					       "a check of type %s has no such key", type);
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!needed[i].written && needed[i].types >> check->type & 1)
			return hf_config_fault(c, hf_config_path("pools[%u].check", pool),
					       "a check of type %s needs the key %s", type,
					       needed[i].name);
	if (check->path && check->path[0] != '/')
		return hf_config_fault(c, path_of(pool, "path"), "\"%.80s\" must begin with /",
				       check->path);
	/* What a URL can't have: libcurl would refuse each probe. */
	if (check->path && (strpbrk(check->path, " \t\"") || strlen(check->path) > PATH_LENGTH_MAX))
		return hf_config_fault(c, path_of(pool, "path"),
				       "has blanks or quotes, or more than %d characters; write "
				       "them as %%20 and the like",
				       PATH_LENGTH_MAX);
	if (check->host && !hf_config_name_is_good(check->host))
		return hf_config_fault(c, path_of(pool, "host"), "\"%.80s\" is no host's name",
				       check->host);
	if (check->command && check->command[0][0] != '/')
		return hf_config_fault(c, path_of(pool, "command"),
				       "\"%.80s\" is not the full path of a program",
				       check->command[0]);
	return 0;
}

/* Whom the pool's checks are for, unless they say: the first service that the type suits. */
static const struct hf_config_service *service_of(const struct hf_config *config, uint32_t pool)
{
	enum hf_config_check_type type = config->pools[pool].check.type;
	bool udp = type == HF_CONFIG_CHECK_UDP || type == HF_CONFIG_CHECK_DNS;
	const struct hf_config_service *any = NULL;

	for (uint32_t i = 0; i < config->service_count; i++) {
		const struct hf_config_service *s = &config->services[i];

		if (s->pool != pool)
			continue;
		if (s->port &&
		    (type == HF_CONFIG_CHECK_COMMAND || (s->protocol == HF_CONFIG_UDP) == udp))
			return s;
		any = s;
	}
	return any;
}

static int check_target(struct hf_config_checker *c, struct hf_config_check *check, uint32_t pool)
{
	const struct hf_config_service *service = service_of(c->config, pool);
	uint32_t port = 0;

	if (hf_config_number(c, check->written.port, service ? service->port : 0,
			     check->written.port ? 1 : 0, 65535, path_of(pool, "port"), &port) < 0)
		return -EINVAL;
	check->port = port;
	if (!port && check->type != HF_CONFIG_CHECK_COMMAND)
		return hf_config_fault(
			c, hf_config_path("pools[%u].check", pool),
			"no service of this pool says which port to check; add port");
	if (check->through != HF_CONFIG_THROUGH_TUNNEL)
		return 0;
	if (check->type == HF_CONFIG_CHECK_COMMAND)
		return hf_config_fault(c, path_of(pool, "through"),
				       "a command can't be sent through a tunnel");
	if (!service)
		return hf_config_fault(c, path_of(pool, "through"),
				       "no service of this pool has a VIP to send checks to");
	check->vip = service->address;
	return 0;
}

int hf_config_check_health(struct hf_config_checker *c, uint32_t i)
{
	struct hf_config_pool *pool = &c->config->pools[i];
	struct hf_config_check *check = &pool->check;

	if (hf_config_number(c, pool->written.slow_start, 0, 0, SLOW_START_MAX,
			     hf_config_path("pools[%u].slow_start", i), &pool->slow_start) < 0 ||
	    hf_config_number(c, pool->written.panic_threshold, PANIC_DEFAULT, 1, 100,
			     hf_config_path("pools[%u].panic_threshold", i),
			     &pool->panic_threshold) < 0)
		return -EINVAL;
	if (check->type == HF_CONFIG_CHECK_NONE)
		return 0;
	if (check_keys(c, check, i) < 0 || check_times(c, check, i) < 0 ||
	    check_status(c, check, i) < 0)
		return -EINVAL;
	return check_target(c, check, i);
}

int hf_config_check_discover(struct hf_config_checker *c, uint32_t i)
{
	const struct hf_config_pool *pool = &c->config->pools[i];
	const struct hf_config_discover *d = &pool->discover;
	const char *path = hf_config_path("pools[%u].discover", i);
	struct hf_config_seed server;

	if (!d->file && !d->dns) {
		if (d->server || d->type)
			return hf_config_fault(c, path, "name a file or a dns name");
		if (!pool->backend_count)
			return hf_config_fault(
				c, hf_config_path("pools[%u]", i),
				"has no backends; list some, or have them discovered");
		return 0;
	}
	if (d->file && d->dns)
		return hf_config_fault(c, path, "file contradicts dns; keep one of them");
	if (d->file && (d->server || d->type))
		return hf_config_fault(c, path, "type and server are dns's, not a file's");
	if (d->file && d->file[0] != '/')
		return hf_config_fault(c, hf_config_path("pools[%u].discover.file", i),
				       "\"%.80s\" is no full path", d->file);
	if (d->server && !hf_config_parse_seed(d->server, 53, &server))
		return hf_config_fault(c, hf_config_path("pools[%u].discover.server", i),
				       "\"%.80s\" is no address of a server", d->server);
	return 0;
}
