// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>

#include "lib/address.h"
#include "tests/unit/unit.h"

static void addresses_come_back_as_they_were(void **state)
{
	const char *const texts[] = { "192.0.2.1", "255.255.255.255", "2001:db8::1", "::",
				      "::1",	   "::ffff:192.0.2.1" };
	char text[HF_ADDRESS_TEXT];
	struct hf_address a;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(hf_address_parse(texts[i], &a), 0);
		assert_string_equal(hf_address_format(&a, text), texts[i]);
	}
}

static void nonsense_is_refused(void **state)
{
	const char *const texts[] = { "",
				      "1",
				      "1.2.3",
				      "1.2.3.4.5",
				      "256.1.1.1",
				      "host",
				      "1.2.3.4 ",
				      "2001:db8::g",
				      ":",
				      "1.2.3.4/24",
				      "2001:db8:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:1" };
	struct hf_address a;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(hf_address_parse(texts[i], &a), -EINVAL);
}

static void prefixes_lose_their_host_bits(void **state)
{
	const struct {
		const char *in, *out;
	} rows[] = {
		{ "198.51.100.23/28", "198.51.100.16/28" },
		{ "198.51.100.23", "198.51.100.23/32" },
		{ "198.51.100.23/0", "0.0.0.0/0" },
		{ "2001:db8:1:2:3:4:5:6/64", "2001:db8:1:2::/64" },
		{ "2001:db8:ffff::/33", "2001:db8:8000::/33" },
		{ "2001:db8::1/128", "2001:db8::1/128" },
	};
	char text[HF_ADDRESS_TEXT];
	struct hf_prefix p;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(hf_prefix_parse(rows[i].in, &p), 0);
		assert_string_equal(hf_prefix_format(&p, text), rows[i].out);
	}
	assert_int_equal(hf_prefix_parse("192.0.2.0/33", &p), -EINVAL);
	assert_int_equal(hf_prefix_parse("192.0.2.0/", &p), -EINVAL);
	assert_int_equal(hf_prefix_parse("192.0.2.0/-1", &p), -EINVAL);
	assert_int_equal(hf_prefix_parse("2001:db8::/129", &p), -EINVAL);
}

static void endpoints_are_readable(void **state)
{
	char text[HF_ADDRESS_TEXT];
	struct hf_address a;

	(void)state;
	hf_address_parse("203.0.113.10", &a);
	assert_string_equal(hf_endpoint_format(&a, 80, text), "203.0.113.10:80");
	hf_address_parse("2001:db8::1", &a);
	assert_string_equal(hf_endpoint_format(&a, 0, text), "[2001:db8::1]:*");
	hf_address_parse("1111:2222:3333:4444:5555:6666:7777:8888", &a);
	assert_string_equal(hf_endpoint_format(&a, 65535, text),
			    "[1111:2222:3333:4444:5555:6666:7777:8888]:65535");
}

static void only_hosts_are_routable(void **state)
{
	const char *const good[] = { "192.0.2.1", "10.0.0.1", "2001:db8::1", "fd00::1" };
	const char *const bad[] = {
		"0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "169.254.1.1",
		"::",	   "::1",	"ff02::1",   "fe80::1",		"::ffff:192.0.2.1"
	};
	struct hf_address a;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		hf_address_parse(good[i], &a);
		assert_true(hf_address_is_routable(&a));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		hf_address_parse(bad[i], &a);
		assert_false(hf_address_is_routable(&a));
	}
}

static void prefixes_contain(void **state)
{
	const struct {
		const char *prefix, *address;
		bool contains;
	} rows[] = {
		{ "198.51.100.16/28", "198.51.100.16", true },
		{ "198.51.100.16/28", "198.51.100.31", true },
		{ "198.51.100.16/28", "198.51.100.32", false },
		{ "198.51.100.16/28", "198.51.100.15", false },
		{ "198.51.100.16", "198.51.100.16", true },
		{ "198.51.100.16", "198.51.100.17", false },
		{ "0.0.0.0/0", "255.255.255.255", true },
		{ "0.0.0.0/0", "::", false },
		{ "2001:db8:1:2::/64", "2001:db8:1:2:ffff::1", true },
		{ "2001:db8:1:2::/64", "2001:db8:1:3::1", false },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hf_prefix prefix;
		struct hf_address address;

		assert_int_equal(hf_prefix_parse(rows[i].prefix, &prefix), 0);
		assert_int_equal(hf_address_parse(rows[i].address, &address), 0);
		assert_int_equal(hf_prefix_contains(&prefix, &address), rows[i].contains);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_come_back_as_they_were),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(prefixes_lose_their_host_bits),
		cmocka_unit_test(endpoints_are_readable),
		cmocka_unit_test(only_hosts_are_routable),
		cmocka_unit_test(prefixes_contain),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
