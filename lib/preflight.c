// SPDX-License-Identifier: BSD-2-Clause
#include "lib/preflight.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/log.h"

bool hf_preflight_kernel_is_old(const char *release)
{
	unsigned int major, minor;

	if (sscanf(release, "%u.%u", &major, &minor) != 2)
		return false;
	return major < 6 || (major == 6 && minor < 1);
}

int hf_preflight_kernel(void)
{
	struct utsname name;

	if (uname(&name) < 0 || !hf_preflight_kernel_is_old(name.release))
		return 0;
	hf_error("kernel %s is too old: Holdfast needs Linux 6.1 or newer", name.release);
	return -ENOTSUP;
}

static const struct {
	int capability;
	const char *name;
} needed[] = {
	{ CAP_BPF, "CAP_BPF" },
	{ CAP_NET_ADMIN, "CAP_NET_ADMIN" },
	{ CAP_PERFMON, "CAP_PERFMON" },
};

#define NEEDED (sizeof(needed) / sizeof(needed[0]))

int hf_preflight_rights(void)
{
	for (size_t i = 0; i < NEEDED; i++) {
		if (capng_have_capability(CAPNG_EFFECTIVE, needed[i].capability))
			continue;
		hf_error("no right to load BPF programs (%s is missing); run as root, or grant "
			 "CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON",
			 needed[i].name);
		return -EPERM;
	}
	return 0;
}

int hf_preflight_drop_rights(void)
{
	capng_clear(CAPNG_SELECT_BOTH);
	for (size_t i = 0; i < NEEDED; i++)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, needed[i].capability);
	if (capng_apply(CAPNG_SELECT_CAPS) == 0)
		return 0;
	hf_error("can't give up the rights that are not needed");
	return -EPERM;
}

static void explain_locked(const char *program, const char *instance, const char *path, int fd)
{
	char pid[16] = "";
	ssize_t got = pread(fd, pid, sizeof(pid) - 1, 0);

	pid[got > 0 ? strcspn(pid, "\n") : 0] = '\0';
	hf_error("another %s runs instance %s%s%s (lock %s); stop it first, or choose another "
		 "--instance",
		 program, instance, pid[0] ? ", process " : "", pid, path);
}

int hf_preflight_lock(const char *directory, const char *program, const char *instance)
{
	char path[256];
	int fd, err;

	snprintf(path, sizeof(path), "%s/%s-%s.lock", directory, program, instance);
	mkdir(directory, 0755);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0) {
		err = -errno;
		hf_error("can't open the lock %s: %s; run as root, or as the user that it belongs "
			 "to",
			 path, strerror(errno));
		return err;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		err = errno == EWOULDBLOCK ? -EBUSY : -errno;
		explain_locked(program, instance, path, fd);
		close(fd);
		return err;
	}
	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", getpid()) < 0)
		hf_warning("can't note the process id in %s", path);
	return fd;
}

static void mask_signals(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(how, &set, NULL);
}

void hf_preflight_hold_signals(void)
{
	signal(SIGPIPE, SIG_IGN);
	mask_signals(SIG_BLOCK);
}

void hf_preflight_release_signals(void)
{
	mask_signals(SIG_UNBLOCK);
}
