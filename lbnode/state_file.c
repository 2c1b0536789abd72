// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lbnode/history.h"

#define FILE_MAX (64 << 20)

static int write_all(const char *path, const uint8_t *bytes, size_t length)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), err = 0;

	if (fd < 0)
		return -errno;
	while (length && !err) {
		ssize_t written = write(fd, bytes, length);

		if (written < 0) {
			err = -errno;
		} else {
			bytes += written;
			length -= written;
		}
	}
	close(fd);
	return err;
}

int hf_state_save(const char *name, const uint8_t *bytes, size_t length)
{
	char path[PATH_MAX], next[PATH_MAX];
	int err;

	snprintf(path, sizeof(path), HF_STATE_DIRECTORY "/%s", name);
	snprintf(next, sizeof(next), HF_STATE_DIRECTORY "/%s.new", name);
	mkdir(HF_STATE_DIRECTORY, 0755);
	err = write_all(next, bytes, length);
	if (!err && rename(next, path) < 0)
		err = -errno;
	return err;
}

uint8_t *hf_state_load(const char *name, size_t *length)
{
	char path[PATH_MAX];
	struct stat status;
	uint8_t *bytes = NULL;
	bool good;
	int fd;

	snprintf(path, sizeof(path), HF_STATE_DIRECTORY "/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) == 0 && status.st_size > 0 && status.st_size <= FILE_MAX)
		bytes = malloc(status.st_size + 1);
	good = bytes && read(fd, bytes, status.st_size) == status.st_size;
	close(fd);
	if (!good) {
		free(bytes);
		return NULL;
	}
	bytes[status.st_size] = 0;
	*length = status.st_size;
	return bytes;
}
