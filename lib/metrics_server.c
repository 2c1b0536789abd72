// SPDX-License-Identifier: BSD-2-Clause
#include "lib/metrics_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

#define CONNECTIONS_MOST 16U
#define PATIENCE_S	 5U
#define WAIT_MOST_MS	 1000
#define TYPE		 "text/plain; version=0.0.4; charset=utf-8"

static struct MHD_Response *plain(const char *text)
{
	return MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT);
}

static struct MHD_Response *make_metrics(struct hf_metrics_server *s)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	s->fill(s->context, out);
	if (fclose(out) == 0)
		return MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE);
	free(text);
	return NULL;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *body,
			      size_t *body_size, void **state)
{
	struct MHD_Response *response;
	unsigned int status = MHD_HTTP_OK;
	enum MHD_Result result;

	(void)version;
	(void)body;
	(void)body_size;
	(void)state;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
		status = MHD_HTTP_METHOD_NOT_ALLOWED;
		response = plain("metrics are only read\n");
	} else if (strcmp(url, "/metrics") != 0) {
		status = MHD_HTTP_NOT_FOUND;
		response = plain("there is /metrics, and nothing else\n");
	} else {
		response = make_metrics(context);
	}
	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, TYPE);
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static void run(struct hf_metrics_server *s);

static void on_timer(uv_timer_t *timer)
{
	run(timer->data);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	run(poll->data);
}

static void run(struct hf_metrics_server *s)
{
	MHD_UNSIGNED_LONG_LONG wait;

	MHD_run(s->http);
	/* Always once more: with all connections in use it stops to listen, and begins again only
	 * when it is run after one has ended. */
	if (MHD_get_timeout(s->http, &wait) != MHD_YES || wait > WAIT_MOST_MS)
		wait = WAIT_MOST_MS;
	uv_timer_start(&s->timer, on_timer, wait ? wait : 1, 0);
}

static struct MHD_Daemon *listen_at(struct hf_metrics_server *s, const struct hf_address *address,
				    uint16_t port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	bool is_v4 = address->family == 4;

	memcpy(&v4.sin_addr, address->word, sizeof(v4.sin_addr));
	memcpy(&v6.sin6_addr, address->word, sizeof(v6.sin6_addr));
	return MHD_start_daemon(MHD_USE_EPOLL | (is_v4 ? 0U : MHD_USE_IPv6), port, NULL, NULL,
				answer, s, MHD_OPTION_SOCK_ADDR,
				is_v4 ? (const void *)&v4 : (const void *)&v6,
				MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MOST,
				MHD_OPTION_CONNECTION_TIMEOUT, PATIENCE_S, MHD_OPTION_END);
}

void hf_metrics_start(struct hf_metrics_server *s, uv_loop_t *loop,
		      const struct hf_config_metrics *config, enum hf_metrics_offset offset,
		      void (*fill)(void *context, FILE *out), void *context)
{
	uint16_t port = (uint16_t)(config->port + offset);
	const union MHD_DaemonInfo *info;
	char text[HF_ADDRESS_TEXT];

	s->fill = fill;
	s->context = context;
	if (!config->port)
		return;
	s->http = listen_at(s, &config->address, port);
	info = s->http ? MHD_get_daemon_info(s->http, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!info) {
		hf_warning("can't serve metrics at %s: %s; set metrics.address and metrics.port",
			   hf_endpoint_format(&config->address, port, text), strerror(errno));
		if (s->http)
			MHD_stop_daemon(s->http);
		s->http = NULL;
		return;
	}
	uv_timer_init(loop, &s->timer);
	uv_poll_init(loop, &s->poll, info->epoll_fd);
	s->timer.data = s->poll.data = s;
	uv_poll_start(&s->poll, UV_READABLE, on_ready);
	run(s);
}

void hf_metrics_stop(struct hf_metrics_server *s)
{
	if (!s->http)
		return;
	uv_close((uv_handle_t *)&s->timer, NULL);
	uv_close((uv_handle_t *)&s->poll, NULL);
	MHD_stop_daemon(s->http);
	s->http = NULL;
}
