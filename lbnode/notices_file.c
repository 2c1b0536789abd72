// SPDX-License-Identifier: BSD-2-Clause
/* The file is a Board of proto/node.proto. */
#include "lbnode/notices_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lbnode/history.h"
#include "lib/log.h"
#include "proto/node.pb-c.h"
#include "proto/notice.h"

#define FILE_MAX (64 << 20)

static void path_of(const char *instance, const char *end, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, HF_STATE_DIRECTORY "/%s.notices%s", instance, end);
}

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

static int save(const char *instance, const Holdfast__Board *body)
{
	size_t length = holdfast__board__get_packed_size(body);
	uint8_t *bytes = malloc(length ? length : 1);
	char path[PATH_MAX], next[PATH_MAX];
	int err;

	if (!bytes)
		return -ENOMEM;
	holdfast__board__pack(body, bytes);
	path_of(instance, "", path);
	path_of(instance, ".new", next);
	mkdir(HF_STATE_DIRECTORY, 0755);
	err = write_all(next, bytes, length);
	if (!err && rename(next, path) < 0)
		err = -errno;
	free(bytes);
	return err;
}

void hf_notices_save(const char *instance, const struct hf_board *board)
{
	static bool complained;
	uint32_t most = hf_board_count(board), count = 0;
	Holdfast__Board body = HOLDFAST__BOARD__INIT;
	Holdfast__Notice *notices = calloc(most + 1, sizeof(*notices));
	Holdfast__Notice **list = calloc(most + 1, sizeof(*list));
	const struct hf_notice *notice;
	uint64_t cursor = 0;
	int err = -ENOMEM;

	while (notices && list && count < most && (notice = hf_board_next(board, &cursor))) {
		hf_notice_write(&notices[count], notice);
		list[count] = &notices[count];
		count++;
	}
	body.notices = list;
	body.n_notices = count;
	if (notices && list)
		err = save(instance, &body);
	free(notices);
	free(list);
	if (err && !complained)
		hf_warning("can't keep overrides and verdicts in " HF_STATE_DIRECTORY
			   ": %s; if all nodes restart they are lost",
			   strerror(-err));
	complained = err;
}

static uint8_t *read_all(const char *path, size_t *length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	uint8_t *bytes = NULL;

	*length = 0;
	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) == 0 && status.st_size > 0 && status.st_size <= FILE_MAX)
		bytes = malloc(status.st_size);
	if (bytes && read(fd, bytes, status.st_size) == status.st_size)
		*length = status.st_size;
	close(fd);
	return bytes;
}

void hf_notices_load(const char *instance,
		     void (*take)(void *context, const struct hf_notice *notice), void *context)
{
	Holdfast__Board *body = NULL;
	struct hf_notice notice;
	char path[PATH_MAX];
	uint8_t *bytes;
	size_t length;

	path_of(instance, "", path);
	bytes = read_all(path, &length);
	if (length)
		body = holdfast__board__unpack(NULL, length, bytes);
	for (size_t i = 0; body && i < body->n_notices; i++)
		if (hf_notice_read(body->notices[i], &notice))
			take(context, &notice);
	if (length && !body)
		hf_warning("%s can't be understood, and is left out", path);
	holdfast__board__free_unpacked(body, NULL);
	free(bytes);
}
