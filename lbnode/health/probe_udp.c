// SPDX-License-Identifier: BSD-2-Clause
/* UDP: good if a datagram comes back that holds what is expected; and DNS over it: good if the
 * answer is to this question, without an error. */
#include <ares.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lbnode/health/probe_kind.h"

#define DATAGRAM 4096

struct udp {
	struct hf_probe probe;
	uv_poll_t poll;
	uv_timer_t refusal;
	int fd; /* -1: refused at once */
	int error;
	uint16_t id; /* of the DNS question */
};

static bool is_expected(const struct udp *udp, const uint8_t *answer, size_t length,
			const char **cause)
{
	const char *expect = udp->probe.target->check->expect;

	*cause = "the answer is not the one that is expected";
	return !expect || memmem(answer, length, expect, strlen(expect));
}

static bool is_dns_answer(const struct udp *udp, const uint8_t *answer, size_t length,
			  const char **cause)
{
	static const char *const names[] = { "no error",	 "it says format error",
					     "it says SERVFAIL", "it says NXDOMAIN",
					     "it says NOTIMP",	 "it says REFUSED" };
	ns_msg message;
	int code;

	*cause = "what came is no answer to the question";
	if (ns_initparse(answer, (int)length, &message) < 0 || ns_msg_id(message) != udp->id ||
	    !ns_msg_getflag(message, ns_f_qr))
		return false;
	code = ns_msg_getflag(message, ns_f_rcode);
	*cause = code >= 1 && code <= 5 ? names[code] : "it says error";
	return code == ns_r_noerror;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct udp *udp = poll->data;
	bool is_dns = udp->probe.target->check->type == HF_CONFIG_CHECK_DNS, good = false;
	uint8_t answer[DATAGRAM];
	/* Says what was wrong, if something was. */
	ssize_t length = recv(udp->fd, answer, sizeof(answer), 0);
	const char *cause = strerror(errno);

	(void)status;
	(void)events;
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length >= 0)
		good = is_dns ? is_dns_answer(udp, answer, length, &cause)
			      : is_expected(udp, answer, length, &cause);
	hf_probe_answer(&udp->probe, good, cause);
}

static void on_refusal(uv_timer_t *timer)
{
	struct udp *udp = timer->data;

	hf_probe_answer(&udp->probe, false, strerror(udp->error));
}

static int ask_dns(struct udp *udp, const char *name)
{
	unsigned char *question;
	int length, err;

	udp->id = (uint16_t)random();
	err = ares_create_query(name, ns_c_in, ns_t_a, udp->id, 1, &question, &length, 0);
	if (err != ARES_SUCCESS)
		return err == ARES_ENOMEM ? -ENOMEM : -EINVAL;
	err = send(udp->fd, question, length, 0) < 0 ? -errno : 0;
	ares_free_string(question);
	return err;
}

static int ask(struct udp *udp, const struct hf_config_check *check)
{
	if (check->type == HF_CONFIG_CHECK_DNS)
		return ask_dns(udp, check->query);
	return send(udp->fd, check->send, strlen(check->send), 0) < 0 ? -errno : 0;
}

static struct hf_probe *start(struct hf_prober *prober, const struct hf_probe_target *target)
{
	struct udp *udp = calloc(1, sizeof(*udp));
	bool refused;

	if (!udp)
		return NULL;
	udp->poll.data = udp->refusal.data = udp;
	udp->fd = hf_probe_connect(target, SOCK_DGRAM, &refused);
	if (udp->fd < 0 && !refused) {
		free(udp);
		return NULL;
	}
	udp->error = udp->fd < 0 ? -udp->fd : -ask(udp, target->check);
	if (!udp->error) {
		uv_poll_init(prober->loop, &udp->poll, udp->fd);
		uv_poll_start(&udp->poll, UV_READABLE, on_readable);
		return &udp->probe;
	}
	if (udp->fd >= 0)
		close(udp->fd);
	udp->fd = -1;
	uv_timer_init(prober->loop, &udp->refusal);
	uv_timer_start(&udp->refusal, on_refusal, 0, 0);
	return &udp->probe;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void end(struct hf_probe *probe)
{
	struct udp *udp = (struct udp *)probe;

	if (udp->fd < 0) {
		uv_close((uv_handle_t *)&udp->refusal, on_closed);
		return;
	}
	uv_poll_stop(&udp->poll);
	close(udp->fd);
	uv_close((uv_handle_t *)&udp->poll, on_closed);
}

const struct hf_probe_kind hf_probe_udp = { start, end };
