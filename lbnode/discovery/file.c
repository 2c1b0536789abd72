// SPDX-License-Identifier: BSD-2-Clause
/* Members from a file: its state is looked at, not its events, so that it may be replaced, be
 * missing for a while, or lie on any file system. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lbnode/discovery/source.h"

#define LOOK_EVERY 500 /* ms */
#define FILE_MAX   (16 << 20)

struct hf_file_source {
	struct hf_source *source;
	uv_fs_poll_t poll;
};

static char *read_text(const char *path, char *why, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	char *text = NULL;
	ssize_t length = -1;

	if (fd < 0) {
		snprintf(why, size, "%s", strerror(errno));
		return NULL;
	}
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size <= FILE_MAX)
		text = malloc(status.st_size + 1);
	if (text)
		length = read(fd, text, status.st_size);
	close(fd);
	if (length >= 0) {
		text[length] = '\0';
		return text;
	}
	snprintf(why, size, "it can't be read, or has more than 16 MB");
	free(text);
	return NULL;
}

void hf_file_source_read(struct hf_source *source)
{
	struct hf_found_list list = { NULL, 0 };
	char why[128];
	char *text = read_text(source->pool->discover.file, why, sizeof(why));
	int err = text ? hf_found_parse(text, &list, why, sizeof(why)) : -EIO;

	free(text);
	if (err == -ENODATA)
		hf_source_fail(source, "it has no members");
	else if (err)
		hf_source_fail(source, err == -ENOMEM ? "out of memory" : why);
	else
		hf_source_take(source, list.member, list.count);
	hf_found_clear(&list);
}

static void on_change(uv_fs_poll_t *poll, int status, const uv_stat_t *before, const uv_stat_t *now)
{
	struct hf_file_source *file = poll->data;

	(void)status;
	(void)before;
	(void)now;
	hf_file_source_read(file->source);
}

struct hf_file_source *hf_file_source_new(struct hf_source *source, uv_loop_t *loop)
{
	struct hf_file_source *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	file->source = source;
	file->poll.data = file;
	uv_fs_poll_init(loop, &file->poll);
	uv_fs_poll_start(&file->poll, on_change, source->pool->discover.file, LOOK_EVERY);
	/* It may have changed since it was read. */
	hf_file_source_read(file->source);
	return file;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void hf_file_source_delete(struct hf_file_source *file)
{
	uv_close((uv_handle_t *)&file->poll, on_closed);
}
