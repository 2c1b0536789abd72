// SPDX-License-Identifier: BSD-2-Clause
#include "lib/bpffs.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/log.h"

bool hf_bpffs_instance_is_good(const char *name)
{
	return name[0] && strlen(name) < 48 && !strpbrk(name, "./ \t\n\"\\");
}

const char *hf_bpffs_path(const char *instance, const char *pin, char path[HF_BPFFS_PATH_SIZE])
{
	snprintf(path, HF_BPFFS_PATH_SIZE, "%s/%.100s%s%.100s", HF_BPFFS_ROOT, instance,
		 pin ? "/" : "", pin ? pin : "");
	return path;
}

static int make_directory(const char *path)
{
	int err;

	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 0;
	err = -errno;
	hf_error("can't make the directory %s for the pins: %s; run as root", path, strerror(-err));
	return err;
}

int hf_bpffs_prepare(const char *instance)
{
	char path[HF_BPFFS_PATH_SIZE];
	struct statfs fs;
	int err;

	if (statfs(HF_BPFFS, &fs) < 0 || fs.f_type != BPF_FS_MAGIC) {
		hf_error("no BPF file system at %s, where the data plane outlives its agent; "
			 "`mount -t bpf bpf %s`",
			 HF_BPFFS, HF_BPFFS);
		return -ENODEV;
	}
	err = make_directory(HF_BPFFS_ROOT);
	return err ? err : make_directory(hf_bpffs_path(instance, NULL, path));
}

int hf_bpffs_pin(const char *instance, const char *pin, int fd)
{
	char path[HF_BPFFS_PATH_SIZE];
	int err;

	hf_bpffs_path(instance, pin, path);
	if (unlink(path) < 0 && errno != ENOENT)
		err = -errno;
	else
		err = bpf_obj_pin(fd, path);
	if (err)
		hf_error("can't pin %s: %s", path, strerror(-err));
	return err;
}

int hf_bpffs_open(const char *instance, const char *pin)
{
	char path[HF_BPFFS_PATH_SIZE];

	return bpf_obj_get(hf_bpffs_path(instance, pin, path));
}

int hf_bpffs_unpin(const char *instance, bool (*remove)(void *context, const char *pin),
		   void *context)
{
	char path[HF_BPFFS_PATH_SIZE];
	struct dirent *entry;
	DIR *directory = opendir(hf_bpffs_path(instance, NULL, path));
	int err = 0;

	if (!directory)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.' || !remove(context, entry->d_name))
			continue;
		hf_bpffs_path(instance, entry->d_name, path);
		if (unlink(path) < 0) {
			err = -errno;
			hf_error("can't remove %s: %s", path, strerror(errno));
		}
	}
	closedir(directory);
	return err;
}

void hf_bpffs_remove(const char *instance)
{
	char path[HF_BPFFS_PATH_SIZE];

	if (rmdir(hf_bpffs_path(instance, NULL, path)) == 0)
		rmdir(HF_BPFFS_ROOT); /* fails while another instance is there */
}
