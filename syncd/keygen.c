// SPDX-License-Identifier: BSD-2-Clause
#include "syncd/keygen.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/keys.h"
#include "lib/log.h"

/* Before a key that is to be promoted: so that it is once, however often the command is given. */
#define ADDED "# Added, and not yet in force:\n"

static bool has_added(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[256];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = strcmp(line, ADDED) == 0;
	if (file)
		fclose(file);
	return found;
}

static void write_key(FILE *file, const char *before, const struct hf_cluster_key *key)
{
	char text[2 * sizeof(key->bytes) + 1];

	sodium_bin2hex(text, sizeof(text), key->bytes, sizeof(key->bytes));
	fprintf(file, "%s%s\n", before, text);
	sodium_memzero(text, sizeof(text));
}

static bool write_ring(int fd, const struct hf_key_ring *ring, bool added)
{
	FILE *file = fdopen(fd, "w");
	bool good;

	if (!file)
		return false;
	fprintf(file, "# Holdfast's keys: the first is in force, the others are understood.\n");
	for (uint32_t i = 0; i < ring->count; i++) {
		if (added && i == ring->count - 1)
			fprintf(file, ADDED);
		write_key(file, "", &ring->key[i]);
	}
	fprintf(file, "# Flows are hashed under this one: it stays.\n");
	write_key(file, "flow ", &ring->flow);
	good = fflush(file) == 0 && fsync(fd) == 0;
	return fclose(file) == 0 && good;
}

/* With the owner and mode of what was there. */
static int replace(const char *path, const struct hf_key_ring *ring, bool added,
		   const struct stat *before)
{
	char other[4096];
	int fd, err = 0;

	if (snprintf(other, sizeof(other), "%s.new", path) >= (int)sizeof(other))
		return -ENAMETOOLONG;
	unlink(other);
	fd = open(other, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (before && (fchown(fd, before->st_uid, before->st_gid) < 0 ||
		       fchmod(fd, before->st_mode & 0777) < 0))
		err = -errno;
	if (!write_ring(fd, ring, added))
		err = err ? err : -EIO;
	if (!err && rename(other, path) < 0)
		err = -errno;
	if (err)
		unlink(other);
	return err;
}

static void make_key(struct hf_cluster_key *key)
{
	randombytes_buf(key->bytes, sizeof(key->bytes));
}

static int make_file(const char *path)
{
	struct hf_key_ring ring = { .count = 1 };
	struct stat st;
	int err;

	if (lstat(path, &st) == 0) {
		hf_error("%s is there already; `syncd keygen %s add` begins to change its key",
			 path, path);
		return -EEXIST;
	}
	make_key(&ring.key[0]);
	make_key(&ring.flow);
	err = replace(path, &ring, false, NULL);
	sodium_memzero(&ring, sizeof(ring));
	if (!err)
		hf_notice("%s: made, readable by its owner alone; copy it to all nodes", path);
	return err;
}

static int change_ring(const char *path, struct hf_key_ring *ring, enum hf_keygen_step step)
{
	struct hf_cluster_key last = ring->key[ring->count - 1];

	switch (step) {
	case HF_KEYGEN_ADD:
		if (ring->count == HF_KEY_RING_MAX) {
			hf_error("there are %d keys already; retire the old ones first",
				 HF_KEY_RING_MAX);
			return -ENOSPC;
		}
		make_key(&ring->key[ring->count++]);
		return 0;
	case HF_KEYGEN_PROMOTE:
		if (ring->count < 2 || !has_added(path)) {
			hf_error("no key has been added since the last one came into force: `syncd "
				 "keygen %s add` first",
				 path);
			return -ENOENT;
		}
		memmove(&ring->key[1], &ring->key[0], (ring->count - 1) * sizeof(ring->key[0]));
		ring->key[0] = last;
		return 0;
	case HF_KEYGEN_RETIRE:
	default:
		if (has_added(path)) {
			hf_error("a key was added and is not in force yet, which would be lost: "
				 "`syncd keygen %s promote` first",
				 path);
			return -EBUSY;
		}
		ring->count = 1;
		return 0;
	}
}

static const char *const done[] = {
	[HF_KEYGEN_ADD] =
		"a new key is known; copy the file to all nodes, `lbctl reload`, and only then "
		"promote it",
	[HF_KEYGEN_PROMOTE] = "the new key is in force; copy the file to all nodes, `lbctl "
			      "reload`, and only then retire the old one",
	[HF_KEYGEN_RETIRE] = "the old keys are gone; copy the file to all nodes, and `lbctl "
			     "reload`",
};

int hf_keygen(const char *path, enum hf_keygen_step step)
{
	struct hf_key_ring ring;
	struct stat st;
	char why[512];
	int err;

	if (step == HF_KEYGEN_NEW) {
		err = make_file(path);
	} else {
		err = hf_key_ring_read(path, &ring, why, sizeof(why));
		if (err)
			hf_error("%s", why);
		else
			err = change_ring(path, &ring, step);
		if (err)
			return err;
		err = stat(path, &st) < 0 ? -errno
					  : replace(path, &ring, step == HF_KEYGEN_ADD, &st);
		sodium_memzero(&ring, sizeof(ring));
		if (!err)
			hf_notice("%s: %s", path, done[step]);
	}
	if (err && err != -EEXIST)
		hf_error("can't write %s: %s", path, strerror(-err));
	return err;
}
