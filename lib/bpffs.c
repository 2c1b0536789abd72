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

/* Not a suffix: links are named by interfaces, which may end in anything. */
#define STAGED "new-"

static const char *staged_name(const char *pin, char name[128])
{
	snprintf(name, 128, STAGED "%s", pin);
	return name;
}

int hf_bpffs_stage(const char *instance, const char *pin, int fd)
{
	char name[128];

	return hf_bpffs_pin(instance, staged_name(pin, name), fd);
}

int hf_bpffs_open_staged(const char *instance, const char *pin)
{
	char name[128];

	return hf_bpffs_open(instance, staged_name(pin, name));
}

static int commit_pin(const char *instance, const char *pin)
{
	char from[HF_BPFFS_PATH_SIZE], to[HF_BPFFS_PATH_SIZE], name[128];
	int err;

	hf_bpffs_path(instance, staged_name(pin, name), from);
	if (rename(from, hf_bpffs_path(instance, pin, to)) == 0)
		return 0;
	err = -errno;
	hf_error("can't put %s in the place of %s: %s", from, to, strerror(-err));
	return err;
}

static bool is_staged(void *context, const char *pin)
{
	(void)context;
	return strncmp(pin, STAGED, strlen(STAGED)) == 0;
}

/* From the beginning after each: a directory that changes may be listed in part. */
static bool next_staged(const char *instance, const char *but, char pin[100])
{
	char path[HF_BPFFS_PATH_SIZE];
	DIR *directory = opendir(hf_bpffs_path(instance, NULL, path));
	struct dirent *entry;
	bool found = false;

	while (directory && !found && (entry = readdir(directory))) {
		const char *name = entry->d_name + strlen(STAGED);

		if (!is_staged(NULL, entry->d_name) || strcmp(name, but) == 0)
			continue;
		snprintf(pin, 100, "%s", name);
		found = true;
	}
	if (directory)
		closedir(directory);
	return found;
}

int hf_bpffs_commit(const char *instance, const char *last)
{
	char pin[100];
	int err = 0;

	while (!err && next_staged(instance, last, pin))
		err = commit_pin(instance, pin);
	return err ? err : commit_pin(instance, last);
}

int hf_bpffs_rollback(const char *instance)
{
	return hf_bpffs_unpin(instance, is_staged, NULL);
}

int hf_bpffs_open(const char *instance, const char *pin)
{
	char path[HF_BPFFS_PATH_SIZE];

	return bpf_obj_get(hf_bpffs_path(instance, pin, path));
}

int hf_bpffs_each(const char *instance, void (*visit)(void *context, const char *pin),
		  void *context)
{
	char path[HF_BPFFS_PATH_SIZE];
	DIR *directory = opendir(hf_bpffs_path(instance, NULL, path));
	struct dirent *entry;

	if (!directory)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(directory)))
		if (entry->d_name[0] != '.')
			visit(context, entry->d_name);
	closedir(directory);
	return 0;
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
