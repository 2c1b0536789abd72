// SPDX-License-Identifier: BSD-2-Clause
/*
 * Members from DNS: all addresses of a name, or of the targets of its SRV records, by c-ares. A
 * round asks for all there is to know; what it found counts if no question of it failed, so that
 * half an answer takes nobody out. It is asked again when the first of its answers expires.
 */
#include <ares.h>
#include <arpa/nameser.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lbnode/discovery/source.h"

#define MEMBERS_MAX 4096
#define TTL_MIN	    1	/* s */
#define TTL_MAX	    300 /* s: a name that moves is found again */
#define RETRY_MS    5000
#define TIMEOUT_MS  2000
#define TRIES	    2

struct hf_dns_source {
	struct hf_source *source;
	uv_loop_t *loop;
	ares_channel channel;
	uv_timer_t refresh, timeout;
	int handles; /* that are not closed yet */
	bool closing;
	/* This round's. */
	uint32_t open; /* questions without an answer */
	char failed[128];
	uint32_t ttl;
	struct hf_found found[MEMBERS_MAX];
	uint32_t count;
};

/* A socket of c-ares'. */
struct watch {
	uv_poll_t poll;
	struct hf_dns_source *dns;
	ares_socket_t fd;
	struct watch *next;
};

/* A question, and the weight that its answers have. */
struct question {
	struct hf_dns_source *dns;
	uint32_t weight;
};

static void free_if_closed(struct hf_dns_source *dns)
{
	if (dns->closing && !dns->handles)
		free(dns);
}

static void set_timeout(struct hf_dns_source *dns);

static void on_socket(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;
	struct hf_dns_source *dns = watch->dns;
	bool failed = status < 0;

	ares_process_fd(dns->channel, failed || events & UV_READABLE ? watch->fd : ARES_SOCKET_BAD,
			failed || events & UV_WRITABLE ? watch->fd : ARES_SOCKET_BAD);
	set_timeout(dns);
}

static void on_timeout(uv_timer_t *timer)
{
	struct hf_dns_source *dns = timer->data;

	ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	set_timeout(dns);
}

static void set_timeout(struct hf_dns_source *dns)
{
	struct timeval most = { 1, 0 }, wait;

	if (!dns->open || dns->closing)
		return;
	ares_timeout(dns->channel, &most, &wait);
	uv_timer_start(&dns->timeout, on_timeout, wait.tv_sec * 1000 + wait.tv_usec / 1000 + 1, 0);
}

static void on_watch_closed(uv_handle_t *handle)
{
	struct watch *watch = handle->data;
	struct hf_dns_source *dns = watch->dns;

	free(watch);
	dns->handles--;
	free_if_closed(dns);
}

static struct watch *watches; /* of all channels; few */

static void watch_socket(void *context, ares_socket_t fd, int readable, int writable)
{
	struct hf_dns_source *dns = context;
	struct watch **at = &watches, *watch;

	while (*at && ((*at)->fd != fd || (*at)->dns != dns))
		at = &(*at)->next;
	watch = *at;
	if (!readable && !writable) {
		if (!watch)
			return;
		*at = watch->next;
		uv_poll_stop(&watch->poll);
		uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
		return;
	}
	if (!watch) {
		watch = calloc(1, sizeof(*watch));
		if (!watch)
			return; /* it times out */
		*watch = (struct watch){ .dns = dns, .fd = fd, .next = watches };
		watch->poll.data = watch;
		watches = watch;
		dns->handles++;
		uv_poll_init(dns->loop, &watch->poll, fd);
	}
	uv_poll_start(&watch->poll, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0),
		      on_socket);
}

static void add_address(struct hf_dns_source *dns, const ns_rr *rr, uint32_t weight)
{
	struct hf_found *m = &dns->found[dns->count];
	uint32_t family = ns_rr_type(*rr) == ns_t_a ? 4 : 6;

	if (dns->count == MEMBERS_MAX || ns_rr_rdlen(*rr) != hf_address_length(family))
		return;
	memset(m, 0, sizeof(*m));
	m->address.family = family;
	memcpy(m->address.word, ns_rr_rdata(*rr), ns_rr_rdlen(*rr));
	m->weight = weight;
	hf_found_name(&m->address, m->name);
	dns->count += hf_address_is_routable(&m->address);
}

static void ask(struct hf_dns_source *dns, const char *name, int type, uint32_t weight);

/* Priority, weight, port, target. A weight of 0 is "rarely" (RFC 2782), and of all of them: alike.
 */
static void add_target(struct hf_dns_source *dns, const ns_msg *message, const ns_rr *rr)
{
	const uint8_t *data = ns_rr_rdata(*rr);
	char target[NS_MAXDNAME];
	uint32_t weight;

	if (ns_rr_rdlen(*rr) < 7 || dn_expand(ns_msg_base(*message), ns_msg_end(*message), data + 6,
					      target, sizeof(target)) < 0)
		return;
	weight = (uint32_t)data[2] << 8 | data[3];
	ask(dns, target, ns_t_a, weight ? weight : 1);
	ask(dns, target, ns_t_aaaa, weight ? weight : 1);
}

static void take_records(struct hf_dns_source *dns, const uint8_t *answer, int length,
			 uint32_t weight)
{
	ns_msg message;
	ns_rr rr;

	if (ns_initparse(answer, length, &message) < 0) {
		snprintf(dns->failed, sizeof(dns->failed), "an answer can't be understood");
		return;
	}
	for (int i = 0; i < ns_msg_count(message, ns_s_an); i++) {
		if (ns_parserr(&message, ns_s_an, i, &rr) < 0)
			break;
		if (ns_rr_ttl(rr) < dns->ttl)
			dns->ttl = ns_rr_ttl(rr);
		if (ns_rr_type(rr) == ns_t_a || ns_rr_type(rr) == ns_t_aaaa)
			add_address(dns, &rr, weight);
		else if (ns_rr_type(rr) == ns_t_srv)
			add_target(dns, &message, &rr);
	}
}

static void on_refresh(uv_timer_t *timer);

static void end_round(struct hf_dns_source *dns)
{
	uint32_t ttl = dns->ttl < TTL_MIN ? TTL_MIN : dns->ttl;
	bool good = !dns->failed[0] && dns->count;

	uv_timer_stop(&dns->timeout);
	if (good)
		hf_source_take(dns->source, dns->found, dns->count);
	else
		hf_source_fail(dns->source,
			       dns->failed[0] ? dns->failed : "the name has no addresses");
	uv_timer_start(&dns->refresh, on_refresh, good ? ttl * 1000ULL : RETRY_MS, 0);
}

static void on_answer(void *context, int status, int timeouts, unsigned char *answer, int length)
{
	struct question *question = context;
	struct hf_dns_source *dns = question->dns;
	uint32_t weight = question->weight;

	(void)timeouts;
	free(question);
	if (status == ARES_EDESTRUCTION || dns->closing)
		return;
	/* That there are none of a kind is an answer. */
	if (status == ARES_SUCCESS)
		take_records(dns, answer, length, weight);
	else if (status != ARES_ENODATA)
		snprintf(dns->failed, sizeof(dns->failed), "%s", ares_strerror(status));
	if (!--dns->open)
		end_round(dns);
}

static void ask(struct hf_dns_source *dns, const char *name, int type, uint32_t weight)
{
	struct question *question = malloc(sizeof(*question));

	if (!question) {
		snprintf(dns->failed, sizeof(dns->failed), "out of memory");
		return;
	}
	*question = (struct question){ dns, weight };
	dns->open++;
	ares_query(dns->channel, name, ns_c_in, type, on_answer, question);
}

static void on_refresh(uv_timer_t *timer)
{
	struct hf_dns_source *dns = timer->data;
	const struct hf_config_discover *d = &dns->source->pool->discover;

	dns->open = 1; /* so that no answer ends the round before all is asked */
	dns->count = 0;
	dns->ttl = TTL_MAX;
	dns->failed[0] = '\0';
	if (d->type == HF_CONFIG_DNS_SRV) {
		ask(dns, d->dns, ns_t_srv, 0);
	} else {
		ask(dns, d->dns, ns_t_a, HF_CONFIG_WEIGHT_DEFAULT);
		ask(dns, d->dns, ns_t_aaaa, HF_CONFIG_WEIGHT_DEFAULT);
	}
	if (!--dns->open)
		end_round(dns);
	else
		set_timeout(dns);
}

static bool open_channel(struct hf_dns_source *dns)
{
	struct ares_options options = {
		.timeout = TIMEOUT_MS,
		.tries = TRIES,
		.sock_state_cb = watch_socket,
		.sock_state_cb_data = dns,
	};
	const char *server = dns->source->pool->discover.server;

	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS ||
	    ares_init_options(&dns->channel, &options,
			      ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB) !=
		    ARES_SUCCESS)
		return false;
	return !server || ares_set_servers_ports_csv(dns->channel, server) == ARES_SUCCESS;
}

struct hf_dns_source *hf_dns_source_new(struct hf_source *source, uv_loop_t *loop)
{
	struct hf_dns_source *dns = calloc(1, sizeof(*dns));

	if (!dns)
		return NULL;
	dns->source = source;
	dns->loop = loop;
	if (!open_channel(dns)) {
		hf_source_fail(dns->source, "the resolver does not start");
		free(dns);
		return NULL;
	}
	dns->refresh.data = dns->timeout.data = dns;
	dns->handles = 2;
	uv_timer_init(loop, &dns->refresh);
	uv_timer_init(loop, &dns->timeout);
	uv_timer_start(&dns->refresh, on_refresh, 0, 0);
	return dns;
}

static void on_closed(uv_handle_t *handle)
{
	struct hf_dns_source *dns = handle->data;

	dns->handles--;
	free_if_closed(dns);
}

void hf_dns_source_delete(struct hf_dns_source *dns)
{
	dns->closing = true;
	uv_close((uv_handle_t *)&dns->refresh, on_closed);
	uv_close((uv_handle_t *)&dns->timeout, on_closed);
	ares_destroy(dns->channel);
}
