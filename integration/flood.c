// SPDX-License-Identifier: BSD-2-Clause
/*
 * TCP packets with forged sources, at a steady rate: of connections that never come to be (SYN), or
 * never were (ACK). From random addresses of 198.18.0.0/15 (RFC 2544), to which nothing leads.
 */
#include <argp.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH	  64
#define RATE_MAX  1000000
#define SOURCES	  0xc6120000U /* 198.18.0.0 */
#define TCP_WORDS 5

struct options {
	uint32_t rate, seconds, seed;
	bool ack;
	struct sockaddr_in target;
};

struct packet {
	struct iphdr ip;
	struct tcphdr tcp;
};

static const struct argp_option option_table[] = {
	{ "rate", 'r', "R", 0, "Packets a second (default: 10000)", 0 },
	{ "seconds", 's', "S", 0, "How long (default: 10)", 0 },
	{ "seed", 'S', "N", 0, "Other flows than with other seeds (default: 1)", 0 },
	{ "ack", 'a', NULL, 0, "ACKs instead of SYNs", 0 },
	{ 0 },
};

static uint32_t take_number(struct argp_state *state, const char *text, uint32_t most)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (!*text || *end || !value || value > most)
		argp_error(state, "\"%s\" is no number from 1 to %u", text, most);
	return value;
}

static error_t take_option(int key, char *argument, struct argp_state *state)
{
	struct options *o = state->input;
	char host[16];
	unsigned int port;

	switch (key) {
	case 'r':
		o->rate = take_number(state, argument, RATE_MAX);
		return 0;
	case 's':
		o->seconds = take_number(state, argument, 3600);
		return 0;
	case 'S':
		o->seed = take_number(state, argument, UINT32_MAX);
		return 0;
	case 'a':
		o->ack = true;
		return 0;
	case ARGP_KEY_ARG:
		if (sscanf(argument, "%15[0-9.]:%5u", host, &port) != 2 || port - 1 >= 65535 ||
		    inet_pton(AF_INET, host, &o->target.sin_addr) != 1)
			argp_error(state, "\"%s\" is no IPv4 ADDR:PORT", argument);
		o->target.sin_family = AF_INET;
		o->target.sin_port = htons(port);
		return 0;
	case ARGP_KEY_END:
		if (!o->target.sin_port)
			argp_error(state, "which ADDR:PORT?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* xorshift64 (Marsaglia 2003). */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* RFC 9293 section 3.1: over a pseudo-header, and the header. */
static uint16_t tcp_checksum(const struct packet *p)
{
	const uint16_t *half = (const uint16_t *)&p->tcp;
	uint32_t sum = htons(IPPROTO_TCP) + htons(sizeof(p->tcp));

	sum += (p->ip.saddr & 0xffff) + (p->ip.saddr >> 16);
	sum += (p->ip.daddr & 0xffff) + (p->ip.daddr >> 16);
	for (size_t i = 0; i < sizeof(p->tcp) / 2; i++)
		sum += half[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static void make_packet(struct packet *p, const struct options *o, uint64_t *seed)
{
	uint64_t random = next_random(seed);

	memset(p, 0, sizeof(*p));
	p->ip.version = 4;
	p->ip.ihl = sizeof(p->ip) / 4;
	p->ip.ttl = 64;
	p->ip.protocol = IPPROTO_TCP;
	p->ip.saddr = htonl(SOURCES | (random & 0x1ffff));
	p->ip.daddr = o->target.sin_addr.s_addr;
	p->tcp.source = htons(1024 + (random >> 17) % 64512);
	p->tcp.dest = o->target.sin_port;
	p->tcp.seq = htonl(random >> 32);
	p->tcp.doff = TCP_WORDS;
	p->tcp.syn = !o->ack;
	p->tcp.ack = o->ack;
	p->tcp.window = htons(65535);
	p->tcp.check = tcp_checksum(p);
}

static int send_batch(int fd, const struct options *o, uint64_t *seed)
{
	static struct packet packet[BATCH];
	struct mmsghdr message[BATCH] = { 0 };
	struct iovec part[BATCH];

	for (int i = 0; i < BATCH; i++) {
		make_packet(&packet[i], o, seed);
		part[i] = (struct iovec){ &packet[i], sizeof(packet[i]) };
		message[i].msg_hdr.msg_iov = &part[i];
		message[i].msg_hdr.msg_iovlen = 1;
		message[i].msg_hdr.msg_name = (void *)&o->target;
		message[i].msg_hdr.msg_namelen = sizeof(o->target);
	}
	/* A full queue is what floods are about. */
	return sendmmsg(fd, message, BATCH, 0) < 0 && errno != ENOBUFS ? -errno : 0;
}

static int run(int fd, const struct options *o)
{
	const uint64_t interval = BATCH * 1000000000ULL / o->rate;
	uint64_t seed = 88172645463325252ULL * o->seed, left = (uint64_t)o->rate * o->seconds;
	struct timespec turn;
	int err;

	clock_gettime(CLOCK_MONOTONIC, &turn);
	for (; left >= BATCH; left -= BATCH) {
		err = send_batch(fd, o, &seed);
		if (err)
			return err;
		turn.tv_nsec += interval % 1000000000;
		turn.tv_sec += interval / 1000000000 + turn.tv_nsec / 1000000000;
		turn.tv_nsec %= 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &turn, NULL);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct argp parser = {
		option_table, take_option,
		"ADDR:PORT",  "Sends TCP packets with forged sources to ADDR:PORT.",
		NULL,	      NULL,
		NULL,
	};
	struct options o = { .rate = 10000, .seconds = 10, .seed = 1 };
	int fd, err;

	argp_parse(&parser, argc, argv, 0, NULL, &o);
	fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	err = fd < 0 ? -errno : run(fd, &o);
	if (err)
		fprintf(stderr, "flood: %s (as root?)\n", strerror(-err));
	return err ? 1 : 0;
}
