// SPDX-License-Identifier: BSD-2-Clause
#include "lib/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(HF_CLUSTER_KEY_BYTES == crypto_kdf_KEYBYTES, "the cluster key is a kdf master key");

#define CONTEXT	 "holdfast" /* crypto_kdf_CONTEXTBYTES long */
#define MAKE_ONE "make one with `syncd keygen FILE`"
#define LET_IT	 "`chgrp` it to syncd's group and `chmod 640` it"
#define FLOW	 "flow "

/* Keys of a full ring, and as much again for comments. */
#define FILE_MAX 4096

static int open_private(const char *path, char *why, size_t size)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0) {
		err = -errno;
		snprintf(why, size, "can't read the key file %s: %s; %s", path, strerror(errno),
			 err == -ENOENT ? MAKE_ONE : LET_IT);
		return err;
	}
	if (fstat(fd, &st) < 0 || (st.st_mode & (S_IRWXO | S_IWGRP))) {
		close(fd);
		snprintf(why, size, "everyone may use the key file %s; " LET_IT, path);
		return -EPERM;
	}
	return fd;
}

static int read_key(const char *text, struct hf_cluster_key *key)
{
	size_t length = 0;
	const char *end = NULL;

	if (strlen(text) != 2 * sizeof(key->bytes) ||
	    sodium_hex2bin(key->bytes, sizeof(key->bytes), text, 2 * sizeof(key->bytes), NULL,
			   &length, &end))
		return -EINVAL;
	return length == sizeof(key->bytes) && !*end ? 0 : -EINVAL;
}

/* What is wrong with the line; NULL: nothing. */
static const char *read_line(const char *line, struct hf_key_ring *ring, bool *has_flow)
{
	if (!line[0] || line[0] == '#')
		return NULL;
	if (strncmp(line, FLOW, strlen(FLOW)) == 0) {
		if (*has_flow)
			return "a second flow key; keep one";
		*has_flow = true;
		return read_key(line + strlen(FLOW), &ring->flow) < 0
			       ? "`flow` wants 64 hexadecimal digits"
			       : NULL;
	}
	if (ring->count == HF_KEY_RING_MAX)
		return "more than 8 keys; take old ones out";
	if (read_key(line, &ring->key[ring->count]) < 0)
		return "a key is 64 hexadecimal digits";
	ring->count++;
	return NULL;
}

static int read_lines(const char *path, char *text, struct hf_key_ring *ring, char *why,
		      size_t size)
{
	bool has_flow = false;
	int number = 0;
	char *line;

	while ((line = strsep(&text, "\n"))) {
		const char *wrong = read_line(line, ring, &has_flow);

		number++;
		if (!wrong)
			continue;
		snprintf(why, size, "the key file %s, line %d: %s; " MAKE_ONE, path, number, wrong);
		return -EINVAL;
	}
	if (!ring->count) {
		snprintf(why, size, "the key file %s holds no key; " MAKE_ONE, path);
		return -EINVAL;
	}
	if (!has_flow)
		ring->flow = ring->key[0];
	return 0;
}

int hf_key_ring_read(const char *path, struct hf_key_ring *ring, char *why, size_t size)
{
	char text[FILE_MAX + 1];
	int fd = open_private(path, why, size), err = -EINVAL;
	ssize_t got;

	memset(ring, 0, sizeof(*ring));
	if (fd < 0)
		return fd;
	got = read(fd, text, sizeof(text));
	close(fd);
	if (got < 0 || got == sizeof(text) || memchr(text, '\0', got)) {
		snprintf(why, size, "the key file %s is no text of keys; " MAKE_ONE, path);
	} else {
		text[got] = '\0';
		err = read_lines(path, text, ring, why, size);
	}
	sodium_memzero(text, sizeof(text));
	if (err)
		sodium_memzero(ring, sizeof(*ring));
	return err;
}

void hf_key_ring_insecure(struct hf_key_ring *ring)
{
	memset(ring, 0, sizeof(*ring));
	ring->count = 1;
}

void hf_key_derive(const struct hf_cluster_key *key, enum hf_key_use use, void *derived,
		   size_t size)
{
	crypto_kdf_derive_from_key(derived, size, use, CONTEXT, key->bytes);
}
