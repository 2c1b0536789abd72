// SPDX-License-Identifier: BSD-2-Clause
/*
 * Records from one core of syncd to another over loopback UDP: sealed, sent, opened, applied and
 * acknowledged, all in one thread, so on one processor. Beside it the same datagrams bare, which is
 * what the kernel's sockets alone cost.
 *
 *   bench/records [RECORDS]        default: 3,000,000
 */
#include <errno.h>
#include <sched.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "syncd/core/random.h"
#include "syncd/core/sync.h"
#include "syncd/endpoint.h"

#define DATAGRAM 1452
#define ROUNDS	 5

struct side {
	struct hf_sync *sync;
	struct hf_endpoint endpoint;
	int fd;
	uint64_t datagrams, bytes;
};

static struct side sides[2];

static hf_time now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static void die(const char *what)
{
	fprintf(stderr, "records: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void send_datagram(void *context, const struct hf_endpoint *to, const uint8_t *bytes,
			  size_t length)
{
	struct side *side = context;
	struct sockaddr_storage address;
	socklen_t size = hf_endpoint_set(to, &address);

	side->datagrams++;
	side->bytes += length + 28;
	sendto(side->fd, bytes, length, MSG_DONTWAIT, (struct sockaddr *)&address, size);
}

static void ignore_event(void *context, const struct hf_event *event)
{
	(void)context;
	(void)event;
}

static void ignore_owners(void *context)
{
	(void)context;
}

static void ignore_again(void *context, const struct hf_shard_set *shards)
{
	(void)context;
	(void)shards;
}

static void ignore_told(void *context, uint32_t ticket, const struct hf_record *records,
			uint32_t count, bool all)
{
	(void)context;
	(void)ticket;
	(void)all;
	(void)records;
	(void)count;
}

static void ignore_fetch(void *context, const struct hf_endpoint *from, const uint8_t *request,
			 size_t length)
{
	(void)context;
	(void)from;
	(void)request;
	(void)length;
}

static const struct hf_sync_output output = {
	.datagram = send_datagram,
	.event = ignore_event,
	.told = ignore_told,
	.owners = ignore_owners,
	.export_again = ignore_again,
	.fetch = ignore_fetch,
};

static void open_socket(struct side *side, uint16_t port)
{
	struct sockaddr_storage address;
	const int size = 4 << 20;

	hf_address_parse("127.0.0.1", &side->endpoint.address);
	side->endpoint.port = port;
	side->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	setsockopt(side->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (side->fd < 0 || bind(side->fd, (struct sockaddr *)&address,
				 hf_endpoint_set(&side->endpoint, &address)) < 0)
		die("no socket on 127.0.0.1");
}

static void start(struct side *side, const char *name, uint64_t records)
{
	struct hf_seal_keys keys = { .count = 1 };
	struct hf_sync_settings settings = {
		.name = name,
		.version = "bench",
		.endpoint = side->endpoint,
		.cluster = 1,
		.replicas = 2,
		.datagram = DATAGRAM,
		.records = records * 2,
		.stamp = 1000000,
		.join_timeout = HF_SECONDS(1),
		.snapshot_timeout = HF_SECONDS(1),
	};

	randombytes_buf(&settings.boot, sizeof(settings.boot));
	side->sync = hf_sync_new(&settings, &keys, &output, side, now());
	if (!side->sync)
		die("no core");
	hf_sync_set_seeds(side->sync, &sides[0].endpoint, 1);
	hf_sync_set_self(side->sync, 0, 0, 1, true, now());
}

static void serve(struct side *side)
{
	uint8_t bytes[HF_SYNC_DATAGRAM_MAX];
	const struct hf_endpoint *from = &sides[side == &sides[0]].endpoint;
	ssize_t length;

	for (int i = 0; i < 64 && (length = recv(side->fd, bytes, sizeof(bytes), 0)) > 0; i++)
		hf_sync_receive(side->sync, from, bytes, length, now());
	if (now() >= hf_sync_deadline(side->sync))
		hf_sync_turn(side->sync, now());
}

static void join(void)
{
	hf_time until = now() + HF_SECONDS(10);

	while (hf_sync_owners(sides[0].sync)->count < 2 ||
	       hf_sync_owners(sides[1].sync)->count < 2) {
		serve(&sides[0]);
		serve(&sides[1]);
		if (now() > until)
			die("the two did not come together");
	}
}

/* Records a second from core to core, all of them new. */
static double with_cores(uint64_t from, uint64_t count)
{
	uint64_t before = hf_sync_record_count(sides[1].sync), next = from;
	hf_time began = now();

	while (hf_sync_record_count(sides[1].sync) - before < count) {
		struct hf_record records[512];
		uint32_t n = 0;

		while (n < 512 && next < from + count && hf_sync_room(sides[0].sync) > 4096)
			records[n++] = (struct hf_record){
				.key = hf_mix(next++) & HF_DIGEST_MASK,
				.backend = 1,
				.stamp = hf_sync_stamp(sides[0].sync, now()),
			};
		if (n)
			hf_sync_export(sides[0].sync, records, n, now());
		serve(&sides[1]);
		serve(&sides[0]);
	}
	return (double)count * 1e6 / (double)(now() - began);
}

/* As many datagrams of the same size, sent and received, and nothing done with them. */
static double bare(uint64_t datagrams, uint64_t count)
{
	struct sockaddr_storage address;
	socklen_t size = hf_endpoint_set(&sides[1].endpoint, &address);
	uint8_t bytes[DATAGRAM] = { 0 };
	hf_time began = now();

	for (uint64_t i = 0; i < datagrams; i++) {
		sendto(sides[0].fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&address, size);
		recv(sides[1].fd, bytes, sizeof(bytes), 0);
	}
	return (double)count * 1e6 / (double)(now() - began);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 3000000, part = count / ROUNDS;
	double rate[ROUNDS], base[ROUNDS];
	cpu_set_t one;
	uint64_t datagrams, bytes;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	if (!part || sodium_init() < 0)
		return 2;
	open_socket(&sides[0], 16090);
	open_socket(&sides[1], 16091);
	start(&sides[0], "a", count);
	start(&sides[1], "b", count);
	join();
	bytes = sides[0].bytes;
	datagrams = sides[0].datagrams;
	for (int i = 0; i < ROUNDS; i++)
		rate[i] = with_cores(1 + i * part, part);
	bytes = sides[0].bytes - bytes;
	datagrams = sides[0].datagrams - datagrams;
	for (int i = 0; i < ROUNDS; i++)
		base[i] = bare(datagrams / ROUNDS, part);
	qsort(rate, ROUNDS, sizeof(double), by_value);
	qsort(base, ROUNDS, sizeof(double), by_value);
	printf("| what, on one processor | million records a second (median of %d) |\n|---|---|\n",
	       ROUNDS);
	printf("| sealed, sent, opened, applied, acknowledged | %.2f |\n", rate[ROUNDS / 2] / 1e6);
	printf("| the same datagrams bare | %.2f |\n", base[ROUNDS / 2] / 1e6);
	printf("\n%.1f bytes a record on the wire, IP and UDP headers included\n",
	       (double)bytes / (double)count);
	return 0;
}
