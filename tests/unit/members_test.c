// SPDX-License-Identifier: BSD-2-Clause
/* Discovered members: how they are read, and how they join those that are listed. */
#include "lbnode/discovery/members.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct hf_found_list list;
static char why[128];

static int parse(const char *text)
{
	return hf_found_parse(text, &list, why, sizeof(why));
}

static int clear(void **state)
{
	(void)state;
	hf_found_clear(&list);
	return 0;
}

static void lines_are_read(void **state)
{
	char *text;

	(void)state;
	assert_int_equal(parse("# members\n\nweb2 192.0.2.2 7 # "
			       "new\n192.0.2.1\r\n2001:db8::1\nweb3\t192.0.2.3"),
			 0);
	assert_int_equal(list.count, 4);
	text = hf_found_format(&list);
	assert_string_equal(text, "2001-db8--1 2001:db8::1 100\n192.0.2.1 192.0.2.1 100\n"
				  "web2 192.0.2.2 7\nweb3 192.0.2.3 100\n");
	/* What is kept is read as it was. */
	struct hf_found_list again = { NULL, 0 };
	assert_int_equal(hf_found_parse(text, &again, why, sizeof(why)), 0);
	assert_true(hf_found_equal(&list, &again));
	hf_found_clear(&again);
	free(text);
}

static void order_and_twins_make_no_difference(void **state)
{
	struct hf_found_list other = { NULL, 0 };

	(void)state;
	parse("a 192.0.2.1\nb 192.0.2.2\nc 192.0.2.2\nb 192.0.2.2\n");
	assert_int_equal(list.count, 2);
	hf_found_parse("c 192.0.2.2\nb 192.0.2.2\na 192.0.2.1\n", &other, why, sizeof(why));
	assert_true(hf_found_equal(&list, &other));
	hf_found_clear(&other);
}

/* The last good list stays. */
static void bad_ones_change_nothing(void **state)
{
	static const struct {
		const char *text;
		int err;
		const char *why;
	} cases[] = {
		{ "", -ENODATA, "" },
		{ "# none\n\n", -ENODATA, "" },
		{ "192.0.2.2\n192.0.2.300\n", -EINVAL, "line 2: no IPv4 or IPv6 address" },
		{ "a b c d\n", -EINVAL, "line 1: more than" },
		{ "a/b 192.0.2.2\n", -EINVAL, "no name" },
		{ "a 192.0.2.2 0\n", -EINVAL, "no weight" },
		{ "a 192.0.2.2 -1\n", -EINVAL, "no weight" },
		{ "a 192.0.2.2 65536\n", -EINVAL, "no weight" },
		{ "224.0.0.1\n", -EINVAL, "no IPv4 or IPv6 address" },
	};

	(void)state;
	assert_int_equal(parse("a 192.0.2.1\n"), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		why[0] = '\0';
		assert_int_equal(parse(cases[i].text), cases[i].err);
		if (!strstr(why, cases[i].why))
			fail_msg("\"%s\" is not in: %s", cases[i].why, why);
		assert_int_equal(list.count, 1);
		assert_string_equal(list.member[0].name, "a");
	}
}

static void listed_ones_come_first(void **state)
{
	struct hf_config_backend listed = { .name = "web1", .weight = 5 };
	struct hf_config_pool pools[2] = {
		{ .name = "web", .backends = &listed, .backend_count = 1, .table_size = 3 },
		{ .name = "dns", .table_size = 65537 },
	};
	struct hf_config_service vip = { .port = 80 };
	struct hf_config config = {
		.pools = pools, .pool_count = 2, .services = &vip, .service_count = 1
	};
	struct hf_found_list lists[2] = { { NULL, 0 }, { NULL, 0 } };
	struct hf_config *members;
	uint32_t left_out;

	(void)state;
	hf_address_parse("192.0.2.1", &listed.address);
	hf_address_parse("203.0.113.1", &vip.address);
	/* One of the listed one's address, one of its name, a VIP, and one more than there are
	 * slots. */
	hf_found_parse("x 192.0.2.1\nweb1 192.0.2.9\na 192.0.2.2\nb 192.0.2.3\nc 192.0.2.4\nv "
		       "203.0.113.1\n",
		       &lists[0], why, sizeof(why));
	members = hf_members_new(&config, lists, &left_out);
	/* They last, whatever the source says next. */
	hf_found_clear(&lists[0]);
	assert_int_equal(left_out, 2);
	assert_int_equal(members->pools[0].backend_count, 3);
	assert_string_equal(members->pools[0].backends[0].name, "web1");
	assert_int_equal(members->pools[0].backends[0].weight, 5);
	assert_string_equal(members->pools[0].backends[1].name, "a");
	assert_string_equal(members->pools[0].backends[2].name, "b");
	assert_int_equal(members->pools[1].backend_count, 0);
	assert_int_equal(config.pools[0].backend_count, 1);
	hf_members_delete(members);
}

static void families_without_a_tunnel_source_are_left_out(void **state)
{
	struct hf_config_pool pool = { .name = "web", .table_size = 65537 };
	struct hf_config config = { .pools = &pool, .pool_count = 1 };
	struct hf_found_list found = { NULL, 0 };
	struct hf_config *members;
	uint32_t left_out;

	(void)state;
	config.node.written.address_count = 1;
	hf_prefix_parse("198.51.100.1", &config.node.source_ipv4);
	hf_found_parse("192.0.2.1\n2001:db8::1\n", &found, why, sizeof(why));
	members = hf_members_new(&config, &found, &left_out);
	assert_int_equal(left_out, 1);
	assert_int_equal(members->pools[0].backend_count, 1);
	hf_members_delete(members);
	hf_found_clear(&found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(lines_are_read, clear),
		cmocka_unit_test_teardown(order_and_twins_make_no_difference, clear),
		cmocka_unit_test_teardown(bad_ones_change_nothing, clear),
		cmocka_unit_test_teardown(listed_ones_come_first, clear),
		cmocka_unit_test_teardown(families_without_a_tunnel_source_are_left_out, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
