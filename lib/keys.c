// SPDX-License-Identifier: BSD-2-Clause
#include "lib/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(HF_CLUSTER_KEY_BYTES == crypto_kdf_KEYBYTES, "the cluster key is a kdf master key");

#define CONTEXT	 "holdfast" /* crypto_kdf_CONTEXTBYTES long */
#define MAKE_ONE "make one with `(umask 077; openssl rand -hex 32 > FILE)`"

static int open_private(const char *path, char *why, size_t size)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0) {
		err = -errno;
		snprintf(why, size, "can't read the key file %s: %s; " MAKE_ONE, path,
			 strerror(errno));
		return err;
	}
	if (fstat(fd, &st) < 0 || (st.st_mode & (S_IRWXO | S_IWGRP))) {
		close(fd);
		snprintf(why, size, "others than its owner may use the key file %s; `chmod 600` it",
			 path);
		return -EPERM;
	}
	return fd;
}

int hf_cluster_key_read(const char *path, struct hf_cluster_key *key, char *why, size_t size)
{
	char text[2 * HF_CLUSTER_KEY_BYTES + 1] = "";
	size_t length = 0;
	ssize_t got;
	int fd = open_private(path, why, size);

	if (fd < 0)
		return fd;
	got = read(fd, text, sizeof(text));
	close(fd);
	if (got < 2 * HF_CLUSTER_KEY_BYTES || (got == sizeof(text) && text[got - 1] != '\n') ||
	    sodium_hex2bin(key->bytes, sizeof(key->bytes), text, 2 * HF_CLUSTER_KEY_BYTES, NULL,
			   &length, NULL) ||
	    length != sizeof(key->bytes)) {
		sodium_memzero(text, sizeof(text));
		snprintf(why, size,
			 "the key file %s does not begin with a line of 64 hexadecimal "
			 "digits; " MAKE_ONE,
			 path);
		return -EINVAL;
	}
	sodium_memzero(text, sizeof(text));
	return 0;
}

void hf_cluster_key_insecure(struct hf_cluster_key *key)
{
	memset(key->bytes, 0, sizeof(key->bytes));
}

void hf_key_derive(const struct hf_cluster_key *key, enum hf_key_use use, uint64_t derived[2])
{
	crypto_kdf_derive_from_key((unsigned char *)derived, 2 * sizeof(derived[0]), use, CONTEXT,
				   key->bytes);
}
