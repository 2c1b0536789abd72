// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/history.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"

static void path_of(const char *instance, const char *end, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, HF_STATE_DIRECTORY "/%s.yaml%s", instance, end);
}

static int copy(int from, int to)
{
	ssize_t sent;

	while ((sent = sendfile(to, from, NULL, 1 << 20)) > 0)
		;
	return sent < 0 ? -errno : 0;
}

static int save(const char *config_path, const char *path, const char *next)
{
	int from = open(config_path, O_RDONLY | O_CLOEXEC), to, err;

	if (from < 0)
		return -errno;
	mkdir(HF_STATE_DIRECTORY, 0755);
	to = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	err = to < 0 ? -errno : copy(from, to);
	if (!err && rename(next, path) < 0)
		err = -errno;
	if (to >= 0)
		close(to);
	close(from);
	return err;
}

void hf_history_save(const char *instance, const char *config_path)
{
	static bool complained;
	char path[PATH_MAX], next[PATH_MAX];
	int err;

	path_of(instance, "", path);
	path_of(instance, ".new", next);
	err = save(config_path, path, next);
	if (err && !complained)
		hf_warning("can't keep a copy of the configuration in %s: %s; after a reboot this "
			   "node won't know what its pools were",
			   path, strerror(-err));
	complained = err;
}

struct hf_config *hf_history_load(const char *instance)
{
	struct hf_config *config = NULL;
	struct hf_config_error error;
	char path[PATH_MAX];

	path_of(instance, "", path);
	return hf_config_load(path, &config, &error) == 0 ? config : NULL;
}
