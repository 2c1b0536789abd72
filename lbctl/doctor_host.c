// SPDX-License-Identifier: BSD-2-Clause
/* The host: its kernel, rights, BPF's file system, clock; and the files of keys. */
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lbctl/doctor.h"
#include "lib/keys.h"

#define KERNEL_MAJOR 6
#define KERNEL_MINOR 1

static void look_at_kernel(json_t *findings)
{
	unsigned int major = 0, minor = 0;
	struct utsname kernel;

	uname(&kernel);
	if (sscanf(kernel.release, "%u.%u", &major, &minor) == 2 &&
	    (major < KERNEL_MAJOR || (major == KERNEL_MAJOR && minor < KERNEL_MINOR)))
		hf_finding_add(findings, HF_FINDING_BAD, "kernel", "upgrade it",
			       "Linux %s is older than %d.%d, the oldest that is supported",
			       kernel.release, KERNEL_MAJOR, KERNEL_MINOR);
	else
		hf_finding_add(findings, HF_FINDING_GOOD, "kernel", "", "Linux %s", kernel.release);
	if (access("/sys/kernel/btf/vmlinux", R_OK) < 0)
		hf_finding_add(findings, HF_FINDING_BAD, "kernel",
			       "a kernel with CONFIG_DEBUG_INFO_BTF, as Debian's",
			       "it does not tell its types (BTF), which BPF programs need");
}

static void look_at_bpf(json_t *findings)
{
	struct statfs fs;

	if (statfs("/sys/fs/bpf", &fs) < 0 || fs.f_type != BPF_FS_MAGIC)
		hf_finding_add(findings, HF_FINDING_BAD, "bpffs",
			       "mount -t bpf bpf /sys/fs/bpf; systemd does it at boot",
			       "it is not mounted at /sys/fs/bpf: the data plane could not outlive "
			       "lbnode");
	else
		hf_finding_add(findings, HF_FINDING_GOOD, "bpffs", "", "mounted");
	if (hf_doctor_number("/proc/sys/net/core/bpf_jit_enable") == 0)
		hf_finding_add(findings, HF_FINDING_BAD, "BPF",
			       "sysctl -w net.core.bpf_jit_enable=1",
			       "programs are interpreted, several times slower than compiled");
}

static void look_at_rights(json_t *findings, const struct hf_config *config)
{
	if (geteuid() != 0)
		hf_finding_add(findings, HF_FINDING_DOUBTFUL, "rights", "sudo lbctl doctor",
			       "this user may not ask the daemons, so less can be told");
	if (config && config->bgp.local_as && access("/dev/net/tun", F_OK) < 0)
		hf_finding_add(findings, HF_FINDING_BAD, "/dev/net/tun", "modprobe tun",
			       "it is not there, and lbbgp needs it");
}

static void look_at_clock(json_t *findings)
{
	struct timex clock = { .modes = 0 };
	int state = adjtimex(&clock);

	if (state == TIME_ERROR || (clock.status & STA_UNSYNC))
		hf_finding_add(findings, HF_FINDING_DOUBTFUL, "clock",
			       "chrony or systemd-timesyncd: `timedatectl`",
			       "nothing keeps it right; it matters only for logs, and the times of "
			       "overrides");
	else
		hf_finding_add(findings, HF_FINDING_GOOD, "clock", "", "synchronised");
}

void hf_doctor_host(json_t *findings, const struct hf_config *config)
{
	look_at_kernel(findings);
	look_at_rights(findings, config);
	look_at_bpf(findings);
	look_at_clock(findings);
}

void hf_doctor_keys(json_t *findings, const struct hf_config *config)
{
	const char *path = config ? config->cluster.key_file : NULL;
	struct hf_key_ring ring;
	char why[512], remedy[200];
	struct stat about;

	if (!config)
		return;
	if (!path) {
		hf_finding_add(findings, HF_FINDING_BAD, "keys", "syncd keygen FILE",
			       "cluster.insecure: anyone can read and forge what nodes say");
		return;
	}
	if (hf_key_ring_read(path, &ring, why, sizeof(why)) < 0) {
		hf_finding_add(findings, HF_FINDING_BAD, "keys", "syncd keygen --help", "%s", why);
		return;
	}
	snprintf(remedy, sizeof(remedy), "chgrp holdfast %s; chmod 640 %s", path, path);
	if (stat(path, &about) == 0 && about.st_uid == 0 &&
	    (about.st_gid == 0 || !(about.st_mode & S_IRGRP)))
		hf_finding_add(findings, HF_FINDING_DOUBTFUL, "keys", remedy,
			       "syncd's user can't read %s again, so not on a reload", path);
	else
		hf_finding_add(findings, HF_FINDING_GOOD, "keys", "", "%u in %s", ring.count, path);
	explicit_bzero(&ring, sizeof(ring));
}
