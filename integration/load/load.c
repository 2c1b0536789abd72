// SPDX-License-Identifier: BSD-2-Clause
#include "integration/load/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

#include "integration/load/answer.h"

#define TICK_MS		10
#define OPENING_AT_ONCE 256   /* fits any listener's backlog */
#define OPEN_WAIT_MS	15000 /* a connection that takes longer is not opened */
#define SOURCES_MAX	1024
#define TELL_OF		10000 /* connections */
#define LONG_GAP_MS	1000

const char *const load_fault_names[LOAD_FAULTS] = {
	[LOAD_FINE] = "fine",
	[LOAD_NOT_OPENED] = "not_opened",
	[LOAD_RESET] = "reset",
	[LOAD_CLOSED] = "closed",
	[LOAD_OTHER_BACKEND] = "other_backend",
	[LOAD_OUT_OF_ORDER] = "out_of_order",
	[LOAD_NONSENSE] = "nonsense",
};

enum state { WAITING, OPENING, OPEN, DEAD };

struct load;

struct connection {
	uv_tcp_t tcp;
	uv_connect_t connect;
	uv_write_t write;
	struct load *load;
	const struct sockaddr_storage *target;
	enum state state;
	enum load_fault fault;
	uint64_t began;	   /* ms: when it was to be opened */
	uint64_t number;   /* of the last request */
	uint64_t asked_at; /* ms; 0: all is answered */
	uint64_t next_at;  /* ms: when the next request is due */
	uint64_t retransmits;
	char request[64];
	struct answer answer;
};

struct load {
	const struct load_settings *settings;
	struct load_report *report;
	struct connection *connection;
	struct sockaddr_in source4[SOURCES_MAX];
	struct sockaddr_in6 source6[SOURCES_MAX];
	uint32_t source4_count, source6_count;
	uint32_t started, opening, told;
	uint64_t began, opened_at, progress_at;
	uv_loop_t loop;
	uv_timer_t tick;
	uv_signal_t interrupt, terminate;
};

static uint64_t now_ms(const struct load *l)
{
	return uv_now(&l->loop);
}

static void count_retransmits(struct connection *c)
{
	struct tcp_info info;
	socklen_t length = sizeof(info);
	uv_os_fd_t fd;

	if (uv_fileno((uv_handle_t *)&c->tcp, &fd) == 0 &&
	    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0)
		c->retransmits = info.tcpi_total_retrans;
}

static const char *text_of(const struct sockaddr_storage *address, char text[64])
{
	char host[INET6_ADDRSTRLEN] = "";
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

	if (address->ss_family == AF_INET) {
		inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
		snprintf(text, 64, "%s:%u", host, ntohs(v4->sin_port));
	} else {
		inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
		snprintf(text, 64, "[%s]:%u", host, ntohs(v6->sin6_port));
	}
	return text;
}

static uint64_t wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

/* What befell which connection, when, for whoever looks for the reason. */
static void tell_of(struct connection *c, const char *what)
{
	struct sockaddr_storage from = { .ss_family = AF_INET };
	uint64_t now = wall_ms();
	int length = sizeof(from);
	char client[64], vip[64];

	if (c->load->told++ >= TELL_OF)
		return;
	uv_tcp_getsockname(&c->tcp, (struct sockaddr *)&from, &length);
	fprintf(stderr, "flowload: %lu.%03lu %s from %s to %s of %s\n", (unsigned long)now / 1000,
		(unsigned long)now % 1000, what, text_of(&from, client), text_of(c->target, vip),
		c->answer.backend[0] ? c->answer.backend : "nobody");
}

static void note_gap(struct load *l, struct connection *c)
{
	uint64_t gap = c->asked_at ? now_ms(l) - c->asked_at : 0;
	char what[32];

	if (gap >= LONG_GAP_MS) {
		snprintf(what, sizeof(what), "gap of %lu ms", (unsigned long)gap);
		tell_of(c, what);
	}
	if (gap <= l->report->longest_gap_ms)
		return;
	l->report->longest_gap_ms = gap;
	l->report->longest_gap_at = wall_ms() - gap;
}

static void end_connection(struct connection *c, enum load_fault fault)
{
	if (c->state == DEAD)
		return;
	if (fault != LOAD_FINE)
		tell_of(c, load_fault_names[fault]);
	if (c->state == OPENING)
		c->load->opening--;
	note_gap(c->load, c);
	count_retransmits(c);
	c->state = DEAD;
	c->fault = fault;
	uv_close((uv_handle_t *)&c->tcp, NULL);
}

static enum load_fault fault_of(enum answer_verdict verdict)
{
	switch (verdict) {
	case ANSWER_OTHER_BACKEND:
		return LOAD_OTHER_BACKEND;
	case ANSWER_OUT_OF_ORDER:
		return LOAD_OUT_OF_ORDER;
	case ANSWER_NONSENSE:
		return LOAD_NONSENSE;
	default:
		return LOAD_FINE;
	}
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	static char room[4096];

	(void)handle;
	(void)suggested;
	*buffer = uv_buf_init(room, sizeof(room));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
	struct connection *c = stream->data;
	enum answer_verdict verdict;

	if (got == 0)
		return;
	if (got < 0) {
		end_connection(c, got == UV_EOF ? LOAD_CLOSED : LOAD_RESET);
		return;
	}
	verdict = c->asked_at ? answer_take(&c->answer, c->number, buffer->base, got)
			      : ANSWER_NONSENSE;
	if (fault_of(verdict) != LOAD_FINE) {
		end_connection(c, fault_of(verdict));
	} else if (verdict == ANSWER_GOOD) {
		note_gap(c->load, c);
		c->load->report->answers++;
		c->asked_at = 0;
	}
}

static void on_written(uv_write_t *write, int status)
{
	if (status < 0 && status != UV_ECANCELED)
		end_connection(write->data, LOAD_RESET);
}

static void ask(struct connection *c)
{
	size_t length = answer_request(++c->number, c->request, sizeof(c->request));
	uv_buf_t buffer = uv_buf_init(c->request, length);

	c->asked_at = now_ms(c->load);
	c->load->report->requests++;
	if (uv_write(&c->write, (uv_stream_t *)&c->tcp, &buffer, 1, on_written) < 0)
		end_connection(c, LOAD_RESET);
}

static void on_connected(uv_connect_t *connect, int status)
{
	struct connection *c = connect->data;
	struct load *l = c->load;

	if (c->state != OPENING)
		return;
	if (status < 0) {
		end_connection(c, LOAD_NOT_OPENED);
		return;
	}
	l->opening--;
	l->report->opened++;
	c->state = OPEN;
	/* Spread over the first interval by their places, so that requests come evenly. */
	c->next_at = now_ms(l) + (uint64_t)(1000.0 / l->settings->rate * (c - l->connection) /
					    l->settings->connections);
	uv_tcp_nodelay(&c->tcp, 1);
	uv_read_start((uv_stream_t *)&c->tcp, give_room, on_read);
}

/* The next of our addresses of that family, in turn; NULL: leave it to the kernel. */
static const struct sockaddr *choose_source(const struct load *l, uint32_t i, int family)
{
	if (family == AF_INET && l->source4_count)
		return (const struct sockaddr *)&l->source4[i % l->source4_count];
	if (family == AF_INET6 && l->source6_count)
		return (const struct sockaddr *)&l->source6[i % l->source6_count];
	return NULL;
}

static int connect_one(struct load *l, uint32_t i)
{
	const uint32_t number = l->settings->first + i, targets = l->settings->target_count;
	const struct sockaddr_storage *target = &l->settings->target[number % targets];
	const struct sockaddr *source = choose_source(l, number / targets, target->ss_family);
	struct connection *c = &l->connection[i];
	const int yes = 1;
	uv_os_fd_t fd;
	int err;

	err = uv_tcp_init_ex(&l->loop, &c->tcp, target->ss_family);
	if (err)
		return err;
	c->load = l;
	c->target = target;
	c->tcp.data = c->connect.data = c->write.data = c;
	/* A port is then chosen for the whole 5-tuple, not for the source address alone. */
	if (uv_fileno((uv_handle_t *)&c->tcp, &fd) == 0)
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes));
	if (source)
		uv_tcp_bind(&c->tcp, source, 0);
	c->state = OPENING;
	c->began = now_ms(l);
	l->opening++;
	err = uv_tcp_connect(&c->connect, &c->tcp, (const struct sockaddr *)target, on_connected);
	if (err)
		end_connection(c, LOAD_NOT_OPENED);
	return 0;
}

static void start_more(struct load *l)
{
	while (l->started < l->settings->connections && l->opening < OPENING_AT_ONCE) {
		int err = connect_one(l, l->started);

		if (err) {
			fprintf(stderr, "flowload: no more sockets: %s; raise `ulimit -n`\n",
				uv_strerror(err));
			l->connection[l->started].state = DEAD;
			l->connection[l->started].fault = LOAD_NOT_OPENED;
		}
		l->started++;
	}
}

static void show_progress(struct load *l)
{
	uint32_t open = 0, waiting = 0;

	if (!l->settings->progress || now_ms(l) < l->progress_at)
		return;
	l->progress_at = now_ms(l) + 1000;
	for (uint32_t i = 0; i < l->started; i++) {
		open += l->connection[i].state == OPEN;
		waiting += l->connection[i].state == OPEN && l->connection[i].asked_at;
	}
	fprintf(stderr, "flowload: %3lu s: %u open, %u of them wait for an answer, %lu answers\n",
		(unsigned long)(now_ms(l) - l->began) / 1000, open, waiting,
		(unsigned long)l->report->answers);
}

/* Asks on each connection whose time has come; returns how many wait for an answer. */
static uint32_t ask_where_due(struct load *l, bool may_ask)
{
	uint64_t now = now_ms(l), interval = 1000.0 / l->settings->rate;
	uint32_t waiting = 0;

	for (uint32_t i = 0; i < l->started; i++) {
		struct connection *c = &l->connection[i];

		if (c->state == OPENING && now - c->began > OPEN_WAIT_MS)
			end_connection(c, LOAD_NOT_OPENED);
		if (c->state != OPEN)
			continue;
		if (may_ask && !c->asked_at && now >= c->next_at) {
			c->next_at += interval;
			if (c->next_at < now) /* it waited for an answer longer than that */
				c->next_at = now + interval;
			ask(c);
		}
		waiting += c->state == OPEN && c->asked_at;
	}
	return waiting;
}

/* When its time is up the load asks no more, but waits for what it has asked: what has not come
 * after LOAD_STALL_MS is stalled. */
static void on_tick(uv_timer_t *timer)
{
	struct load *l = timer->data;
	uint64_t now = now_ms(l), length = l->settings->seconds * 1000ULL;
	bool is_over = l->opened_at && now - l->opened_at >= length;
	uint32_t waiting;

	start_more(l);
	waiting = ask_where_due(l, !is_over);
	if (!l->opened_at && l->started == l->settings->connections && !l->opening)
		l->opened_at = now;
	show_progress(l);
	if (is_over && (!waiting || now - l->opened_at >= length + LOAD_STALL_MS))
		uv_stop(&l->loop);
}

static void on_signal(uv_signal_t *handle, int signum)
{
	(void)signum;
	uv_stop(handle->loop);
}

static void find_sources(struct load *l)
{
	struct ifaddrs *list, *a;

	if (getifaddrs(&list) < 0)
		return;
	for (a = list; a; a = a->ifa_next) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)a->ifa_addr;
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)a->ifa_addr;

		/* Addresses for services stand on the loopback device; those of the links are the
		 * routers' business. */
		if (!v4 || !(a->ifa_flags & IFF_LOOPBACK))
			continue;
		if (v4->sin_family == AF_INET && ntohl(v4->sin_addr.s_addr) >> 24 != 127 &&
		    l->source4_count < SOURCES_MAX)
			l->source4[l->source4_count++] = *v4;
		else if (v6->sin6_family == AF_INET6 && !IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) &&
			 l->source6_count < SOURCES_MAX)
			l->source6[l->source6_count++] = *v6;
	}
	freeifaddrs(list);
}

void load_report_backend(struct load_report *r, const char *name, uint32_t connections,
			 uint32_t lost)
{
	uint32_t i;

	if (!name[0])
		return;
	for (i = 0; i < r->backend_count; i++)
		if (strcmp(r->backend[i].name, name) == 0)
			break;
	if (i == LOAD_BACKENDS_MAX)
		return;
	if (i == r->backend_count) {
		r->backend_count++;
		snprintf(r->backend[i].name, sizeof(r->backend[i].name), "%s", name);
	}
	r->backend[i].connections += connections;
	r->backend[i].lost += lost;
}

static void sum_up(struct load *l)
{
	struct load_report *r = l->report;

	r->connections = l->settings->connections;
	for (uint32_t i = 0; i < l->started; i++) {
		struct connection *c = &l->connection[i];
		bool stalled =
			c->state == OPEN && c->asked_at && now_ms(l) - c->asked_at >= LOAD_STALL_MS;

		if (c->state == OPENING)
			c->fault = LOAD_NOT_OPENED;
		if (c->state == OPEN) {
			note_gap(l, c);
			count_retransmits(c);
			r->stalled += stalled;
		}
		r->fault[c->fault]++;
		r->broken += c->fault != LOAD_FINE;
		r->retransmits += c->retransmits;
		load_report_backend(r, c->answer.backend, 1, stalled || c->fault != LOAD_FINE);
	}
}

static void close_all(struct load *l)
{
	for (uint32_t i = 0; i < l->started; i++)
		if (l->connection[i].state == OPEN || l->connection[i].state == OPENING)
			uv_close((uv_handle_t *)&l->connection[i].tcp, NULL);
	uv_close((uv_handle_t *)&l->tick, NULL);
	uv_close((uv_handle_t *)&l->interrupt, NULL);
	uv_close((uv_handle_t *)&l->terminate, NULL);
	for (uint32_t i = 0; i < l->started; i++)
		l->connection[i].state = DEAD;
	uv_run(&l->loop, UV_RUN_DEFAULT);
	uv_loop_close(&l->loop);
}

int load_run(const struct load_settings *settings, struct load_report *report)
{
	struct load l = { .settings = settings, .report = report };

	memset(report, 0, sizeof(*report));
	l.connection = calloc(settings->connections, sizeof(*l.connection));
	if (!l.connection || uv_loop_init(&l.loop) < 0) {
		free(l.connection);
		return -ENOMEM;
	}
	find_sources(&l);
	l.began = l.progress_at = now_ms(&l);
	uv_timer_init(&l.loop, &l.tick);
	l.tick.data = &l;
	uv_timer_start(&l.tick, on_tick, 0, TICK_MS);
	uv_signal_init(&l.loop, &l.interrupt);
	uv_signal_start(&l.interrupt, on_signal, SIGINT);
	uv_signal_init(&l.loop, &l.terminate);
	uv_signal_start(&l.terminate, on_signal, SIGTERM);
	uv_run(&l.loop, UV_RUN_DEFAULT);
	sum_up(&l);
	close_all(&l);
	free(l.connection);
	return 0;
}
