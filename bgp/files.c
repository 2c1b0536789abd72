// SPDX-License-Identifier: BSD-2-Clause
#include "bgp/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/bgp_protocol.h"
#include "lib/log.h"

#define FILE_MAX (8 << 20) /* ours are a tenth of it */
#define NODE	 "node"	   /* stands for all VIPs */

static char *read_all(int fd)
{
	struct stat about;
	size_t length = 0;
	ssize_t got = 0;
	char *text;

	if (fstat(fd, &about) < 0 || !S_ISREG(about.st_mode) || about.st_size > FILE_MAX) {
		errno = EINVAL;
		return NULL;
	}
	text = malloc(about.st_size + 1);
	while (text && length < (size_t)about.st_size &&
	       (got = read(fd, text + length, about.st_size - length)) > 0)
		length += got;
	if (text)
		text[length] = '\0';
	return text;
}

char *hf_file_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text = fd < 0 ? NULL : read_all(fd);

	if (fd >= 0)
		close(fd);
	return text;
}

bool hf_file_holds(const char *path, const char *text)
{
	char *now = hf_file_read(path);
	bool same = now && strcmp(now, text) == 0;

	free(now);
	return same;
}

static int write_all(int fd, const char *text)
{
	size_t length = strlen(text);

	while (length) {
		ssize_t written = write(fd, text, length);

		if (written < 0)
			return -errno;
		text += written;
		length -= written;
	}
	return 0;
}

int hf_file_write(const char *path, const char *text)
{
	const char *name = strrchr(path, '/') + 1;
	char draft[PATH_MAX];
	int fd, err;

	if (hf_file_holds(path, text))
		return 0;
	/* Not *.conf, which BIRD includes. */
	snprintf(draft, sizeof(draft), "%.*s.%s.new", (int)(name - path), path, name);
	fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	err = write_all(fd, text);
	if (close(fd) < 0 && !err)
		err = -errno;
	if (!err && rename(draft, path) < 0)
		err = -errno;
	return err;
}

static const char *drains_path(const char *instance, char *path, size_t size)
{
	snprintf(path, size, HF_BGP_STATE_DIRECTORY "/%s.drained", instance);
	return path;
}

void hf_drains_load(const char *instance, struct hf_announcer *a, int64_t now)
{
	char path[PATH_MAX], *text = hf_file_read(drains_path(instance, path, sizeof(path)));
	char *rest = text, *line;
	struct hf_address vip;

	while (text && (line = strsep(&rest, "\n"))) {
		if (strcmp(line, NODE) == 0)
			hf_announcer_drain(a, NULL, true, now);
		else if (hf_address_parse(line, &vip) == 0)
			hf_announcer_drain(a, &vip, true, now);
	}
	free(text);
}

int hf_drains_save(const char *instance, const struct hf_announcer *a)
{
	char path[PATH_MAX], *list = NULL, text[HF_ADDRESS_TEXT];
	size_t size;
	FILE *out = open_memstream(&list, &size);
	int err = -ENOMEM;

	if (out) {
		if (a->drained)
			fprintf(out, NODE "\n");
		for (uint32_t i = 0; i < a->count; i++)
			if (a->vips[i].drained)
				fprintf(out, "%s\n",
					hf_address_format(&a->vips[i].facts.address, text));
		if (fclose(out) == 0)
			err = hf_file_write(drains_path(instance, path, sizeof(path)), list);
	}
	if (err)
		hf_error("can't keep %s: %s; after a restart of lbbgp what is drained will be "
			 "announced again",
			 drains_path(instance, path, sizeof(path)), strerror(-err));
	free(list);
	return err;
}

int64_t hf_lease_noted(const char *instance)
{
	char path[PATH_MAX], *text = hf_file_read(hf_bgp_lease_path(instance, path, sizeof(path)));
	int64_t until = text ? strtoll(text, NULL, 10) : 0;

	free(text);
	return until;
}

void hf_lease_note(const char *instance, int64_t until)
{
	char path[PATH_MAX], text[32];

	snprintf(text, sizeof(text), "%lld\n", (long long)until);
	hf_file_write(hf_bgp_lease_path(instance, path, sizeof(path)), text);
}
