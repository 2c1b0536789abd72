// SPDX-License-Identifier: BSD-2-Clause
/*
 * The lab's backend: says who it is. On each address given: TCP 80 answers HTTP requests with the
 * name and repeats the request's path in X-Request; TCP 7 echoes (RFC 862); UDP 53 answers
 * DNS queries with a TXT record of the name, and any other datagram with the name itself.
 *
 *	responder NAME ADDRESS...
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define HTTP_PORT    80
#define ECHO_PORT    7
#define DNS_PORT     53
#define BACKLOG	     4096
#define REQUEST_MAX  8192
#define DATAGRAM_MAX 2048
#define DNS_HEADER   12

static const char *name;

struct connection {
	uv_tcp_t tcp;
	uv_shutdown_t shutdown;
	bool is_echo;
	bool closing;
	size_t length; /* of the request so far */
	char request[REQUEST_MAX];
};

struct reply {
	uv_write_t write;
	struct connection *to;
	bool last;
	char bytes[];
};

static void check(int err, const char *what)
{
	if (err < 0) {
		fprintf(stderr, "responder: %s: %s\n", what, uv_strerror(err));
		exit(1);
	}
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void close_connection(struct connection *c)
{
	if (!c->closing)
		uv_close((uv_handle_t *)&c->tcp, on_closed);
	c->closing = true;
}

static void on_shut_down(uv_shutdown_t *shutdown, int status)
{
	(void)status;
	close_connection(shutdown->handle->data);
}

/* The client has said all: it gets what is still to be written. */
static void finish_connection(struct connection *c)
{
	if (uv_shutdown(&c->shutdown, (uv_stream_t *)&c->tcp, on_shut_down) < 0)
		close_connection(c);
}

static void on_written(uv_write_t *write, int status)
{
	struct reply *reply = (struct reply *)write;

	if (status < 0 || reply->last)
		close_connection(reply->to);
	free(reply);
}

static void send_reply(struct connection *c, const char *bytes, size_t length, bool last)
{
	struct reply *reply = malloc(sizeof(*reply) + length);
	uv_buf_t buffer;

	if (!reply)
		return;
	reply->to = c;
	reply->last = last;
	memcpy(reply->bytes, bytes, length);
	buffer = uv_buf_init(reply->bytes, length);
	if (uv_write(&reply->write, (uv_stream_t *)&c->tcp, &buffer, 1, on_written) < 0) {
		free(reply);
		close_connection(c);
	}
}

static void answer_http(struct connection *c, const char *request)
{
	char path[256] = "/", text[768];
	bool last = strstr(request, " HTTP/1.0\r\n") ||
		    strcasestr(request, "\r\nConnection: close\r\n");
	int length;

	sscanf(request, "%*15s %255s", path);
	length = snprintf(text, sizeof(text),
			  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
			  "X-Request: %s\r\n%s\r\n%s\n",
			  strlen(name) + 1, path, last ? "Connection: close\r\n" : "", name);
	send_reply(c, text, length, last);
}

/* Answers each whole request of what has come, and keeps the rest. */
static void take_http(struct connection *c)
{
	char *end;

	c->request[c->length] = '\0';
	while (!c->closing && (end = strstr(c->request, "\r\n\r\n"))) {
		end += 2;
		*end = '\0';
		answer_http(c, c->request);
		end += 2;
		c->length -= end - c->request;
		memmove(c->request, end, c->length + 1);
	}
	if (c->length == REQUEST_MAX - 1)
		close_connection(c);
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct connection *c = handle->data;

	(void)suggested;
	*buffer = uv_buf_init(c->request + c->length, REQUEST_MAX - 1 - c->length);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
	struct connection *c = stream->data;

	if (got == UV_EOF) {
		finish_connection(c);
	} else if (got < 0) {
		close_connection(c);
	} else if (c->is_echo) {
		send_reply(c, buffer->base, got, false);
	} else {
		c->length += got;
		take_http(c);
	}
}

static void accept_one(uv_stream_t *listener, bool is_echo)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (!c)
		return;
	c->is_echo = is_echo;
	c->tcp.data = c;
	uv_tcp_init(listener->loop, &c->tcp);
	if (uv_accept(listener, (uv_stream_t *)&c->tcp) < 0)
		close_connection(c);
	else
		uv_read_start((uv_stream_t *)&c->tcp, give_room, on_read);
}

static void on_http(uv_stream_t *listener, int status)
{
	if (status == 0)
		accept_one(listener, false);
}

static void on_echo(uv_stream_t *listener, int status)
{
	if (status == 0)
		accept_one(listener, true);
}

/* The length of the one question behind a query's header; 0: that is no query. */
static size_t dns_question(const unsigned char *query, size_t length)
{
	size_t at = DNS_HEADER;

	if (length < DNS_HEADER || query[2] & 0x80 || query[4] || query[5] != 1)
		return 0;
	while (at < length && query[at])
		at += query[at] + 1;
	at += 5; /* the root label, type and class */
	return at <= length ? at - DNS_HEADER : 0;
}

/* RFC 1035 section 4: the question again, and a TXT record that points back to its name. */
static size_t answer_dns(const unsigned char *query, size_t question, unsigned char *out)
{
	const unsigned char record[] = { 0xc0, DNS_HEADER, 0, 16, 0, 1, 0, 0, 0, 0 };
	unsigned char *at = out + DNS_HEADER + question;
	size_t length = strlen(name);

	memcpy(out, query, DNS_HEADER + question);
	memset(out + 6, 0, 6);
	out[2] = 0x84 | (query[2] & 1); /* an authoritative answer; recursion as desired */
	out[3] = 0;
	out[7] = 1;
	memcpy(at, record, sizeof(record));
	at += sizeof(record);
	*at++ = 0;
	*at++ = length + 1;
	*at++ = length;
	memcpy(at, name, length);
	return at + length - out;
}

static void give_datagram_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	static char room[DATAGRAM_MAX];

	(void)handle;
	(void)suggested;
	*buffer = uv_buf_init(room, sizeof(room));
}

static void on_datagram(uv_udp_t *udp, ssize_t got, const uv_buf_t *buffer,
			const struct sockaddr *from, unsigned int flags)
{
	unsigned char answer[DATAGRAM_MAX + 128];
	const unsigned char *query = (const unsigned char *)buffer->base;
	size_t question, length;
	uv_buf_t out;

	(void)flags;
	if (got < 0 || !from)
		return;
	question = dns_question(query, got);
	if (question)
		length = answer_dns(query, question, answer);
	else
		length = snprintf((char *)answer, sizeof(answer), "%s\n", name);
	out = uv_buf_init((char *)answer, length);
	uv_udp_try_send(udp, &out, 1, from);
}

static void make_address(const char *text, int port, struct sockaddr_storage *address)
{
	if (uv_ip4_addr(text, port, (struct sockaddr_in *)address) < 0)
		check(uv_ip6_addr(text, port, (struct sockaddr_in6 *)address), text);
}

static void listen_tcp(uv_loop_t *loop, const char *text, int port, uv_connection_cb callback)
{
	uv_tcp_t *tcp = malloc(sizeof(*tcp));
	struct sockaddr_storage address;

	make_address(text, port, &address);
	check(tcp ? uv_tcp_init(loop, tcp) : UV_ENOMEM, "socket");
	check(uv_tcp_bind(tcp, (struct sockaddr *)&address, 0), text);
	check(uv_listen((uv_stream_t *)tcp, BACKLOG, callback), text);
}

static void listen_udp(uv_loop_t *loop, const char *text)
{
	uv_udp_t *udp = malloc(sizeof(*udp));
	struct sockaddr_storage address;

	make_address(text, DNS_PORT, &address);
	check(udp ? uv_udp_init(loop, udp) : UV_ENOMEM, "socket");
	check(uv_udp_bind(udp, (struct sockaddr *)&address, 0), text);
	check(uv_udp_recv_start(udp, give_datagram_room, on_datagram), text);
}

int main(int argc, char **argv)
{
	uv_loop_t *loop = uv_default_loop();

	if (argc < 3 || strlen(argv[1]) > 100) {
		fprintf(stderr, "usage: responder NAME ADDRESS...\n");
		return 2;
	}
	name = argv[1];
	signal(SIGPIPE, SIG_IGN); /* a client that went away is no reason to */
	for (int i = 2; i < argc; i++) {
		listen_tcp(loop, argv[i], HTTP_PORT, on_http);
		listen_tcp(loop, argv[i], ECHO_PORT, on_echo);
		listen_udp(loop, argv[i]);
	}
	printf("responder: %s answers\n", name);
	fflush(stdout);
	return uv_run(loop, UV_RUN_DEFAULT);
}
