// SPDX-License-Identifier: BSD-2-Clause
/*
 * HTTP and HTTPS, by libcurl: good if the status is within the range, and the body, if one is asked
 * for, has the text in it. Each probe is a connection of its own, since it is connections that are
 * to be checked. Certificates are not verified: it is about whether a service answers, and backends
 * often have names that only clients know.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lbnode/health/probe_kind.h"

struct hf_http {
	CURLM *multi;
	uv_loop_t *loop;
	uv_timer_t timer;
};

/* A socket of libcurl's. */
struct watch {
	uv_poll_t poll;
	struct hf_http *http;
	curl_socket_t fd;
};

struct http {
	struct hf_probe probe;
	struct hf_http *shared;
	CURL *easy;
	struct curl_slist *connect_to;
	char *body; /* as far as it is looked at; NULL: not asked for */
	size_t length;
	char error[CURL_ERROR_SIZE];
};

static bool is_good(const struct http *h, CURLcode result, char *cause, size_t size)
{
	const struct hf_config_check *check = h->probe.target->check;
	long status = 0, err = 0;

	curl_easy_getinfo(h->easy, CURLINFO_OS_ERRNO, &err);
	if (result == CURLE_COULDNT_CONNECT && err) {
		snprintf(cause, size, "%s", strerror((int)err));
		return false;
	}
	if (result != CURLE_OK) {
		snprintf(cause, size, "%s", h->error[0] ? h->error : curl_easy_strerror(result));
		return false;
	}
	curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status < check->status_least || status > check->status_most) {
		snprintf(cause, size, "status %ld", status);
		return false;
	}
	snprintf(cause, size, "the body is not the one that is expected");
	return !check->body || memmem(h->body, h->length, check->body, strlen(check->body));
}

static void take_answers(struct hf_http *shared)
{
	CURLMsg *message;
	char cause[CURL_ERROR_SIZE];
	int left;

	while ((message = curl_multi_info_read(shared->multi, &left))) {
		struct http *h;
		bool good;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&h);
		good = is_good(h, message->data.result, cause, sizeof(cause));
		hf_probe_answer(&h->probe, good, cause);
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct hf_http *shared = timer->data;
	int running;

	curl_multi_socket_action(shared->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	take_answers(shared);
}

static int set_timer(CURLM *multi, long ms, void *context)
{
	struct hf_http *shared = context;

	(void)multi;
	if (ms < 0)
		uv_timer_stop(&shared->timer);
	else
		uv_timer_start(&shared->timer, on_timer, ms, 0);
	return 0;
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;
	struct hf_http *shared = watch->http;
	int running, flags = status < 0 ? CURL_CSELECT_ERR : 0;

	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	curl_multi_socket_action(shared->multi, watch->fd, flags, &running);
	take_answers(shared);
}

static void free_watch(uv_handle_t *handle)
{
	free(handle->data);
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *former)
{
	struct hf_http *shared = context;
	struct watch *watch = former;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watch) {
			uv_poll_stop(&watch->poll);
			uv_close((uv_handle_t *)&watch->poll, free_watch);
			curl_multi_assign(shared->multi, fd, NULL);
		}
		return 0;
	}
	if (!watch) {
		watch = calloc(1, sizeof(*watch));
		if (!watch)
			return -1;
		watch->http = shared;
		watch->fd = fd;
		watch->poll.data = watch;
		uv_poll_init(shared->loop, &watch->poll, fd);
		curl_multi_assign(shared->multi, fd, watch);
	}
	uv_poll_start(&watch->poll,
		      (what & CURL_POLL_IN ? UV_READABLE : 0) |
			      (what & CURL_POLL_OUT ? UV_WRITABLE : 0),
		      on_socket);
	return 0;
}

static struct hf_http *shared_of(struct hf_prober *prober)
{
	struct hf_http *shared = prober->http;

	if (shared)
		return shared;
	shared = calloc(1, sizeof(*shared));
	if (!shared || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
	    !(shared->multi = curl_multi_init())) {
		free(shared);
		return NULL;
	}
	shared->loop = prober->loop;
	shared->timer.data = shared;
	uv_timer_init(prober->loop, &shared->timer);
	curl_multi_setopt(shared->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(shared->multi, CURLMOPT_TIMERDATA, shared);
	curl_multi_setopt(shared->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(shared->multi, CURLMOPT_SOCKETDATA, shared);
	prober->http = shared;
	return shared;
}

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void hf_http_delete(struct hf_http *shared)
{
	if (!shared)
		return;
	curl_multi_cleanup(shared->multi);
	uv_close((uv_handle_t *)&shared->timer, on_timer_closed);
}

/* All is read, since some servers know no HEAD, and the first of it kept. */
static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
	struct http *h = context;
	size_t room = HF_PROBE_ANSWER_MAX - h->length, length = size * count;

	if (h->body) {
		memcpy(h->body + h->length, bytes, length < room ? length : room);
		h->length += length < room ? length : room;
	}
	return length;
}

static int prepare_socket(void *context, curl_socket_t fd, curlsocktype purpose)
{
	struct http *h = context;

	(void)purpose;
	return hf_probe_prepare(h->probe.target, fd) == 0 ? CURL_SOCKOPT_OK : CURL_SOCKOPT_ERROR;
}

static void write_address(const struct hf_address *address, char out[HF_ADDRESS_TEXT + 2])
{
	char text[HF_ADDRESS_TEXT];

	snprintf(out, HF_ADDRESS_TEXT + 2, address->family == 4 ? "%s" : "[%s]",
		 hf_address_format(address, text));
}

/* https://HOST:PORT/PATH, connected to the target whatever HOST is. */
static bool set_target(struct http *h, const struct hf_probe_target *t)
{
	const struct hf_config_check *check = t->check;
	char name[HF_ADDRESS_TEXT + 2], address[HF_ADDRESS_TEXT + 2], to[HF_ADDRESS_TEXT + 16];
	char url[2048];

	write_address(t->vip ? t->vip : &t->address, name);
	write_address(&t->address, address);
	snprintf(url, sizeof(url), "%s://%s:%u%s",
		 check->type == HF_CONFIG_CHECK_HTTPS ? "https" : "http",
		 check->host ? check->host : name, t->port, check->path ? check->path : "/");
	snprintf(to, sizeof(to), "::%s:%u", address, t->port);
	h->connect_to = curl_slist_append(NULL, to);
	return h->connect_to && curl_easy_setopt(h->easy, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(h->easy, CURLOPT_CONNECT_TO, h->connect_to) == CURLE_OK;
}

static void set_options(struct http *h)
{
	CURL *easy = h->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, h);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* whatever the environment says */
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "holdfast/" HF_VERSION);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, h->error);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, h);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, prepare_socket);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, h);
}

static void end(struct hf_probe *probe)
{
	struct http *h = (struct http *)probe;

	if (h->easy) {
		curl_multi_remove_handle(h->shared->multi, h->easy);
		curl_easy_cleanup(h->easy);
	}
	curl_slist_free_all(h->connect_to);
	free(h->body);
	free(h);
}

static struct hf_probe *start(struct hf_prober *prober, const struct hf_probe_target *target)
{
	struct hf_http *shared = shared_of(prober);
	struct http *h = shared ? calloc(1, sizeof(*h)) : NULL;

	if (!h)
		return NULL;
	h->shared = shared;
	h->probe.target = target;
	h->easy = curl_easy_init();
	if (target->check->body)
		h->body = malloc(HF_PROBE_ANSWER_MAX);
	if (!h->easy || (target->check->body && !h->body) || !set_target(h, target)) {
		end(&h->probe);
		return NULL;
	}
	set_options(h);
	if (curl_multi_add_handle(shared->multi, h->easy) == CURLM_OK)
		return &h->probe;
	end(&h->probe);
	return NULL;
}

const struct hf_probe_kind hf_probe_http = { start, end };
