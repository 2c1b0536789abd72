// SPDX-License-Identifier: BSD-2-Clause
/* Each kind of probe against a server in the same loop that answers as it is told. */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "lbnode/health/probe.h"
#include "tests/unit/unit.h"

static uv_loop_t loop;
static struct hf_prober *prober;
static const char *answer; /* what the server says; NULL: nothing */
static uint16_t port;

static struct {
	bool told, good;
	char cause[256];
} heard;

static void on_written(uv_write_t *request, int status)
{
	(void)status;
	uv_close((uv_handle_t *)request->handle, (uv_close_cb)free);
	free(request);
}

static void allocate(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
	static char bytes[4096];

	(void)handle;
	(void)size;
	*buffer = uv_buf_init(bytes, sizeof(bytes));
}

static void on_request(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
	uv_write_t *write;
	uv_buf_t text;

	(void)buffer;
	if (length < 0) {
		uv_close((uv_handle_t *)stream, (uv_close_cb)free);
	} else if (answer) {
		uv_read_stop(stream);
		write = malloc(sizeof(*write));
		text = uv_buf_init((char *)answer, strlen(answer));
		uv_write(write, stream, &text, 1, on_written);
	}
}

static void on_connection(uv_stream_t *server, int status)
{
	uv_tcp_t *client = malloc(sizeof(*client));

	assert_int_equal(status, 0);
	uv_tcp_init(&loop, client);
	assert_int_equal(uv_accept(server, (uv_stream_t *)client), 0);
	uv_read_start((uv_stream_t *)client, allocate, on_request);
}

/* Of a DNS question the id comes back before the answer. */
static void on_datagram(uv_poll_t *poll, int status, int events)
{
	char bytes[512], *dns = bytes;
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	int fd = -1;
	ssize_t length;

	(void)status;
	(void)events;
	uv_fileno((uv_handle_t *)poll, &fd);
	length = recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &size);
	if (!answer || length < 0)
		return;
	if (strcmp(answer, "echo") == 0 || strncmp(answer, "rcode", 5) == 0) {
		dns[2] |= (char)0x80;
		if (answer[0] == 'r')
			dns[3] = (char)(answer[5] - '0');
		sendto(fd, bytes, length, 0, (struct sockaddr *)&from, size);
	} else {
		sendto(fd, answer, strlen(answer), 0, (struct sockaddr *)&from, size);
	}
}

static uv_tcp_t server;
static uv_poll_t datagrams;
static int datagram_fd;

static int begin(void **state)
{
	struct sockaddr_in address;
	int size = sizeof(address);

	(void)state;
	uv_loop_init(&loop);
	uv_ip4_addr("127.0.0.1", 0, &address);
	uv_tcp_init(&loop, &server);
	uv_tcp_bind(&server, (struct sockaddr *)&address, 0);
	uv_listen((uv_stream_t *)&server, 16, on_connection);
	uv_tcp_getsockname(&server, (struct sockaddr *)&address, &size);
	port = ntohs(address.sin_port);
	datagram_fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (bind(datagram_fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	uv_poll_init(&loop, &datagrams, datagram_fd);
	uv_poll_start(&datagrams, UV_READABLE, on_datagram);
	prober = hf_prober_new(&loop);
	return prober ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	uv_close((uv_handle_t *)&server, NULL);
	uv_close((uv_handle_t *)&datagrams, NULL);
	hf_prober_delete(prober);
	uv_run(&loop, UV_RUN_DEFAULT);
	close(datagram_fd);
	curl_global_cleanup();
	return uv_loop_close(&loop);
}

static void hear(void *context, bool good, const char *cause)
{
	(void)context;
	assert_false(heard.told);
	heard.told = true;
	heard.good = good;
	snprintf(heard.cause, sizeof(heard.cause), "%s", cause ? cause : "");
}

static void on_time(uv_timer_t *timer)
{
	*(bool *)timer->data = true;
}

/* Runs a probe until it is answered, or, with `patience`, for so many ms; then it is given up. */
static void look(const struct hf_config_check *check, uint16_t at, int patience)
{
	struct hf_probe_target target = {
		.check = check, .pool = "web", .backend = "be1", .port = at
	};
	struct hf_probe *probe;
	bool late = false;
	uv_timer_t timer;

	hf_address_parse("127.0.0.1", &target.address);
	memset(&heard, 0, sizeof(heard));
	uv_timer_init(&loop, &timer);
	timer.data = &late;
	uv_timer_start(&timer, on_time, patience ? patience : 10000, 0);
	probe = hf_probe_start(prober, &target, hear, NULL);
	assert_non_null(probe);
	assert_false(heard.told);
	while (!heard.told && !late)
		uv_run(&loop, UV_RUN_ONCE);
	if (!heard.told)
		hf_probe_give_up(probe);
	uv_close((uv_handle_t *)&timer, NULL);
	for (int i = 0; i < 3; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
}

static void is_good(const struct hf_config_check *check, const char *says)
{
	answer = says;
	look(check, port, 0);
	if (!heard.good)
		fail_msg("it is not good: %s", heard.cause);
}

static void is_bad(const struct hf_config_check *check, uint16_t at, const char *says,
		   const char *cause)
{
	answer = says;
	look(check, at, 0);
	assert_true(heard.told);
	assert_false(heard.good);
	if (!strstr(heard.cause, cause))
		fail_msg("\"%s\" is not in: %s", cause, heard.cause);
}

static void is_silent(const struct hf_config_check *check)
{
	answer = NULL;
	look(check, port, 100);
	assert_false(heard.told);
}

static void tcp(void **state)
{
	const struct hf_config_check check = { .type = HF_CONFIG_CHECK_TCP };

	(void)state;
	is_good(&check, NULL);
	is_bad(&check, 1, NULL, "refused");
}

#define OK "HTTP/1.0 200 OK\r\n\r\nall is fine\n"

static void http(void **state)
{
	struct hf_config_check check = { .type = HF_CONFIG_CHECK_HTTP,
					 .status_least = 200,
					 .status_most = 399 };

	(void)state;
	is_good(&check, OK);
	is_good(&check, "HTTP/1.0 302 Found\r\nLocation: http://192.0.2.1/\r\n\r\n");
	is_bad(&check, port, "HTTP/1.0 500 Oops\r\n\r\n", "status 500");
	is_bad(&check, port, "nonsense\r\n", "");
	is_bad(&check, 1, OK, "refused");
	check.body = "fine";
	is_good(&check, OK);
	check.body = "bad";
	is_bad(&check, port, OK, "body");
	is_silent(&check);
	/* Plain text where TLS is expected. */
	check.type = HF_CONFIG_CHECK_HTTPS;
	is_bad(&check, port, OK, "SSL");
}

static void udp(void **state)
{
	struct hf_config_check check = { .type = HF_CONFIG_CHECK_UDP, .send = "ping" };

	(void)state;
	is_good(&check, "pong");
	check.expect = "on";
	is_good(&check, "pong");
	check.expect = "x";
	is_bad(&check, port, "pong", "not the one");
	is_bad(&check, 1, NULL, "refused");
	is_silent(&check);
}

static void dns(void **state)
{
	const struct hf_config_check check = { .type = HF_CONFIG_CHECK_DNS,
					       .query = "www.example.net" };

	(void)state;
	is_good(&check, "echo");
	is_bad(&check, port, "rcode2", "SERVFAIL");
	is_bad(&check, port, "rcode3", "NXDOMAIN");
	is_bad(&check, port, "no DNS at all", "no answer to the question");
	is_silent(&check);
}

static void command(void **state)
{
	char *good[] = { "/bin/sh", "-c",
			 "test $HOLDFAST_BACKEND = be1 && test $HOLDFAST_POOL = web" };
	char *bad[] = { "/bin/sh", "-c", "exit 3" };
	char *killed[] = { "/bin/sh", "-c", "kill -9 $$" };
	char *endless[] = { "/bin/sleep", "1000" };
	struct hf_config_check check = { .type = HF_CONFIG_CHECK_COMMAND,
					 .command = good,
					 .command_count = 3 };

	(void)state;
	is_good(&check, NULL);
	check.command = bad;
	is_bad(&check, port, NULL, "ended with 3");
	check.command = killed;
	is_bad(&check, port, NULL, "signal 9");
	check.command = endless;
	check.command_count = 2;
	is_silent(&check);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp), cmocka_unit_test(http),	  cmocka_unit_test(udp),
		cmocka_unit_test(dns), cmocka_unit_test(command),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
