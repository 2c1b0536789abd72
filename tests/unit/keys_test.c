// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/keys.h"
#include "tests/unit/unit.h"

#define OTHER "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY   "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static struct hf_key_ring ring;
static char why[512];

static int read_text(const char *text, mode_t mode)
{
	char path[] = "/tmp/hf-key-XXXXXX";
	int fd = mkstemp(path), err;

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	fchmod(fd, mode);
	close(fd);
	why[0] = '\0';
	err = hf_key_ring_read(path, &ring, why, sizeof(why));
	unlink(path);
	return err;
}

static void good_keys(void **state)
{
	(void)state;
	assert_int_equal(read_text(KEY "\n", 0600), 0);
	assert_int_equal(ring.key[0].bytes[31], 0x1f);
	assert_int_equal(ring.count, 1);
	assert_memory_equal(&ring.flow, &ring.key[0], sizeof(ring.flow));
	assert_int_equal(read_text(KEY, 0400), 0);
	assert_int_equal(read_text(KEY "\n" KEY "\n", 0640), 0);
}

static void rings(void **state)
{
	char nine[9 * (sizeof(KEY) + 1)] = "";

	(void)state;
	assert_int_equal(read_text("# ours\n" OTHER "\n" KEY "\nflow " KEY "\n", 0600), 0);
	assert_int_equal(ring.count, 2);
	assert_int_equal(ring.key[0].bytes[0], 0xff);
	assert_int_equal(ring.key[1].bytes[0], 0);
	assert_int_equal(ring.flow.bytes[0], 0);
	for (int i = 0; i < 9; i++)
		strcat(nine, KEY "\n");
	assert_int_equal(read_text(nine + sizeof(KEY), 0600), 0);
	assert_int_equal(ring.count, HF_KEY_RING_MAX);
	assert_int_equal(read_text(nine, 0600), -EINVAL);
	assert_non_null(strstr(why, "line 9"));
}

static void bad_keys(void **state)
{
	(void)state;
	assert_int_equal(read_text(KEY "\n", 0644), -EPERM);
	assert_non_null(strstr(why, "chmod 640"));
	assert_int_equal(read_text("", 0600), -EINVAL);
	assert_int_equal(read_text("0001", 0600), -EINVAL);
	assert_int_equal(read_text(KEY "00\n", 0600), -EINVAL);
	assert_int_equal(read_text("x" KEY "\n", 0600), -EINVAL);
	assert_non_null(strstr(why, "syncd keygen"));
	assert_non_null(strstr(why, "line 1"));
	assert_int_equal(read_text(KEY "\n\n" KEY "x\n", 0600), -EINVAL);
	assert_non_null(strstr(why, "line 3"));
	assert_int_equal(read_text("# no key\nflow " KEY "\n", 0600), -EINVAL);
	assert_int_equal(read_text(KEY "\nflow " KEY "\nflow " KEY "\n", 0600), -EINVAL);
	assert_int_equal(read_text(KEY "\nflow 12\n", 0600), -EINVAL);
	assert_int_equal(hf_key_ring_read("/nonexistent", &ring, why, sizeof(why)), -ENOENT);
}

/* crypto_kdf of libsodium: BLAKE2b-128, keyed, with the context and subkey id as its parameters.
 * Computed with Python's hashlib.blake2b(digest_size=16, key=..., salt=..., person=...). */
static void derived_keys(void **state)
{
	const unsigned char expected[16] = { 0xde, 0xa8, 0xa3, 0x11, 0xde, 0x0a, 0x42, 0xde,
					     0x35, 0x1c, 0xb6, 0xf3, 0xfb, 0xca, 0x4c, 0x4f };
	uint64_t flow[2];

	(void)state;
	assert_int_equal(read_text(KEY "\n", 0600), 0);
	hf_key_derive(&ring.flow, HF_KEY_FLOW, flow, sizeof(flow));
	assert_memory_equal(flow, expected, sizeof(expected));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_keys),
		cmocka_unit_test(rings),
		cmocka_unit_test(bad_keys),
		cmocka_unit_test(derived_keys),
	};

	return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
