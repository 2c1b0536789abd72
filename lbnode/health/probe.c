// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/health/probe.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lbnode/health/probe_kind.h"

struct hf_prober *hf_prober_new(uv_loop_t *loop)
{
	struct hf_prober *prober = calloc(1, sizeof(*prober));

	if (prober)
		prober->loop = loop;
	return prober;
}

void hf_prober_delete(struct hf_prober *prober)
{
	if (!prober)
		return;
	hf_http_delete(prober->http);
	free(prober);
}

static const struct hf_probe_kind *kind_of(enum hf_config_check_type type)
{
	switch (type) {
	case HF_CONFIG_CHECK_HTTP:
	case HF_CONFIG_CHECK_HTTPS:
		return &hf_probe_http;
	case HF_CONFIG_CHECK_UDP:
	case HF_CONFIG_CHECK_DNS:
		return &hf_probe_udp;
	case HF_CONFIG_CHECK_COMMAND:
		return &hf_probe_command;
	case HF_CONFIG_CHECK_TCP:
	case HF_CONFIG_CHECK_NONE:
		break;
	}
	return &hf_probe_tcp;
}

struct hf_probe *hf_probe_start(struct hf_prober *prober, const struct hf_probe_target *target,
				hf_probe_done done, void *context)
{
	const struct hf_probe_kind *kind = kind_of(target->check->type);
	struct hf_probe *probe = kind->start(prober, target);

	if (!probe)
		return NULL;
	probe->kind = kind;
	probe->target = target;
	probe->done = done;
	probe->context = context;
	return probe;
}

void hf_probe_give_up(struct hf_probe *probe)
{
	probe->kind->end(probe);
}

void hf_probe_answer(struct hf_probe *probe, bool good, const char *cause)
{
	hf_probe_done done = probe->done;
	void *context = probe->context;

	done(context, good, cause);
	probe->kind->end(probe);
}

int hf_probe_prepare(const struct hf_probe_target *target, int fd)
{
	/* Leaves room for any tunnel's header in what any network carries. Not of UDP sockets. */
	const int segment = 1200;

	if (!target->mark)
		return 0;
	setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment));
	if (setsockopt(fd, SOL_SOCKET, SO_MARK, &target->mark, sizeof(target->mark)) < 0)
		return -errno;
	return 0;
}

socklen_t hf_probe_address(const struct hf_probe_target *t, struct sockaddr_storage *out)
{
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (t->address.family == 4) {
		ipv4->sin_family = AF_INET;
		ipv4->sin_port = htons(t->port);
		memcpy(&ipv4->sin_addr, t->address.word, 4);
		return sizeof(*ipv4);
	}
	ipv6->sin6_family = AF_INET6;
	ipv6->sin6_port = htons(t->port);
	memcpy(&ipv6->sin6_addr, t->address.word, 16);
	return sizeof(*ipv6);
}

bool hf_probe_is_own_fault(int err)
{
	return err == EADDRNOTAVAIL || err == EAGAIN || err == ENOBUFS || err == ENOMEM ||
	       err == EPERM;
}

int hf_probe_connect(const struct hf_probe_target *target, int type, bool *refused)
{
	struct sockaddr_storage address;
	socklen_t length = hf_probe_address(target, &address);
	int fd = socket(address.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), err;

	*refused = false;
	if (fd < 0)
		return -errno;
	err = hf_probe_prepare(target, fd);
	if (!err && connect(fd, (struct sockaddr *)&address, length) < 0 && errno != EINPROGRESS) {
		err = -errno;
		*refused = !hf_probe_is_own_fault(errno);
	}
	if (!err)
		return fd;
	close(fd);
	return err;
}
