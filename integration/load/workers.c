// SPDX-License-Identifier: BSD-2-Clause
#include "integration/load/workers.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS_MAX 64
#define OTHER_FILES 50 /* that a worker has open besides its sockets */

static pid_t worker_pid[WORKERS_MAX];
static uint32_t worker_count;

static uint32_t sockets_a_process(uint32_t wanted)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max = wanted + OTHER_FILES;
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return wanted;
	getrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur > 2 * OTHER_FILES ? limit.rlim_cur - OTHER_FILES : OTHER_FILES;
}

static void pass_on(int signum)
{
	for (uint32_t i = 0; i < worker_count; i++)
		kill(worker_pid[i], signum);
}

static int start_worker(const struct load_settings *settings)
{
	static struct load_report report;
	int ends[2], err;

	if (pipe(ends) < 0)
		return -errno;
	worker_pid[worker_count] = fork();
	if (worker_pid[worker_count] < 0) {
		err = -errno;
		close(ends[0]);
		close(ends[1]);
		return err;
	}
	if (worker_pid[worker_count] == 0) {
		close(ends[0]);
		err = load_run(settings, &report);
		if (!err && write(ends[1], &report, sizeof(report)) != sizeof(report))
			err = -EIO;
		_exit(err ? 1 : 0);
	}
	worker_count++;
	close(ends[1]);
	return ends[0];
}

static int read_report(int fd, struct load_report *report)
{
	size_t have = 0;
	ssize_t got;

	while (have < sizeof(*report)) {
		got = read(fd, (char *)report + have, sizeof(*report) - have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -EIO;
		have += got;
	}
	return 0;
}

void workers_add_report(struct load_report *sum, const struct load_report *part)
{
	sum->connections += part->connections;
	sum->opened += part->opened;
	for (int i = 0; i < LOAD_FAULTS; i++)
		sum->fault[i] += part->fault[i];
	sum->broken += part->broken;
	sum->stalled += part->stalled;
	sum->requests += part->requests;
	sum->answers += part->answers;
	sum->retransmits += part->retransmits;
	if (part->longest_gap_ms > sum->longest_gap_ms) {
		sum->longest_gap_ms = part->longest_gap_ms;
		sum->longest_gap_at = part->longest_gap_at;
	}
	for (uint32_t i = 0; i < part->backend_count; i++)
		load_report_backend(sum, part->backend[i].name, part->backend[i].connections,
				    part->backend[i].lost);
}

static int collect(const int *fd, struct load_report *report)
{
	static struct load_report part;
	int err = 0;

	memset(report, 0, sizeof(*report));
	for (uint32_t i = 0; i < worker_count; i++) {
		if (read_report(fd[i], &part) == 0)
			workers_add_report(report, &part);
		else
			err = -EIO;
		close(fd[i]);
		waitpid(worker_pid[i], NULL, 0);
	}
	if (err)
		fprintf(stderr, "flowload: a worker died without a report\n");
	return err;
}

int workers_run(const struct load_settings *settings, struct load_report *report)
{
	struct load_settings part = *settings;
	uint32_t a_process, left = settings->connections;
	const struct sigaction forward = { .sa_handler = pass_on };
	int fd[WORKERS_MAX] = { 0 }, err = 0;

	signal(SIGPIPE, SIG_IGN);
	a_process = sockets_a_process(settings->connections);
	if (left > WORKERS_MAX * (uint64_t)a_process) {
		fprintf(stderr, "flowload: %u connections are more than `ulimit -n` allows\n",
			left);
		return -EMFILE;
	}
	while (left && !err) {
		part.connections = left < a_process ? left : a_process;
		fd[worker_count] = start_worker(&part);
		if (fd[worker_count] < 0)
			err = fd[worker_count];
		part.first += part.connections;
		left -= part.connections;
		part.progress = false; /* the first one speaks for all */
	}
	sigaction(SIGTERM, &forward, NULL);
	signal(SIGINT, SIG_IGN); /* a terminal tells the workers itself */
	if (err)
		pass_on(SIGTERM);
	return collect(fd, report) ? -EIO : err;
}
