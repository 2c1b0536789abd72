// SPDX-License-Identifier: BSD-2-Clause
/* What lbbgp is told of each VIP: of its services the one that lacks most. */
#include <string.h>
#include <strings.h>

#include "lbnode/lease.h"
#include "tests/unit/unit.h"

static void look(void *context, const struct hf_config_pool *pool,
		 const struct hf_config_backend *backend, bool *way, bool *good)
{
	(void)pool;
	/* In capitals: its way is known, but this node's own checks fail. */
	*way = strcmp(backend->name, context) != 0;
	*good = strcasecmp(backend->name, context) != 0;
}

static struct hf_config_backend backends[] = { { .name = "a" }, { .name = "b" }, { .name = "c" } };
static struct hf_config_pool pools[] = {
	{ .name = "web", .backends = backends, .backend_count = 3, .min_backends = 2 },
	{ .name = "dns", .backends = backends, .backend_count = 2, .min_backends = 1 },
	{ .name = "none" },
};
static struct hf_usable web[3], dns[2];
static struct hf_plan_pool planned[] = { { .backends = web }, { .backends = dns }, { 0 } };
static struct hf_config_service services[] = {
	{ .protocol = HF_CONFIG_TCP, .port = 80, .pool = 0 },
	{ .protocol = HF_CONFIG_UDP, .port = 53, .pool = 1 },
	{ .protocol = HF_CONFIG_TCP, .port = 0, .pool = 1 },
	{ .protocol = HF_CONFIG_TCP, .port = 443, .pool = 2 },
};
static const struct hf_plan plan = {
	.config = { .services = services, .service_count = 3, .pools = pools, .pool_count = 3 },
	.pools = planned,
};
static struct hf_lease_vip vips[4];

static int fill(const char *unreachable)
{
	return hf_lease_fill(&plan, look, (void *)unreachable, vips);
}

static int set_up(void **state)
{
	(void)state;
	memset(web, 0, sizeof(web));
	memset(dns, 0, sizeof(dns));
	/* The first two services share a VIP. */
	hf_address_parse("203.0.113.10", &services[0].address);
	hf_address_parse("203.0.113.10", &services[1].address);
	hf_address_parse("2001:db8::1", &services[2].address);
	hf_address_parse("203.0.113.10", &services[3].address);
	return 0;
}

static void the_service_that_lacks_most(void **state)
{
	(void)state;
	assert_int_equal(fill(""), 2);
	/* Both have one to spare; of web two are down then. */
	web[1].state = web[2].state = HF_USABLE_DOWN;
	assert_int_equal(fill(""), 2);
	for (int i = 0; i < 2; i++) {
		bool four = vips[i].address.family == 4;

		assert_string_equal(vips[i].service, four ? "tcp/80" : "tcp/all");
		assert_int_equal(vips[i].usable, four ? 1 : 2);
		assert_int_equal(vips[i].reachable, four ? 1 : 2);
		assert_int_equal(vips[i].needed, four ? 2 : 1);
		assert_int_equal(vips[i].open, four ? 3 : 2);
	}
}

static void states_of_backends(void **state)
{
	(void)state;
	web[0].state = HF_USABLE_DISABLED;
	web[1].state = HF_USABLE_DRAINED;
	web[2].state = HF_USABLE_STARTING;
	assert_int_equal(fill(""), 2);
	for (int i = 0; i < 2; i++) {
		if (vips[i].address.family != 4)
			continue;
		assert_int_equal(vips[i].usable, 1);
		assert_int_equal(vips[i].open, 2);
	}
}

static void what_this_node_reaches(void **state)
{
	(void)state;
	for (int dissents = 0; dissents < 2; dissents++) {
		assert_int_equal(fill(dissents ? "A" : "a"), 2);
		for (int i = 0; i < 2; i++) {
			assert_int_equal(vips[i].usable - vips[i].reachable, 1);
			assert_int_equal(vips[i].open - vips[i].ways, dissents ? 0 : 1);
		}
	}
}

/* It is announced all the same, and so must not hide what another service of its VIP lacks. */
static void one_that_looks_dead(void **state)
{
	struct hf_plan withdraws = plan;

	(void)state;
	web[0].state = web[1].state = web[2].state = HF_USABLE_DOWN;
	dns[0].state = HF_USABLE_DOWN;
	assert_int_equal(fill(""), 2);
	for (int i = 0; i < 2; i++)
		if (vips[i].address.family == 4)
			assert_string_equal(vips[i].service, "udp/53");
	withdraws.config.bgp.on_all_down = HF_CONFIG_ON_ALL_DOWN_WITHDRAW;
	assert_int_equal(hf_lease_fill(&withdraws, look, (void *)"", vips), 2);
	for (int i = 0; i < 2; i++)
		if (vips[i].address.family == 4)
			assert_string_equal(vips[i].service, "tcp/80");
}

/* A pool that has nothing at all is worse than any lack. */
static void a_pool_without_backends(void **state)
{
	struct hf_plan all = plan;

	(void)state;
	all.config.service_count = 4;
	web[0].state = web[1].state = HF_USABLE_DOWN;
	assert_int_equal(hf_lease_fill(&all, look, (void *)"", vips), 2);
	for (int i = 0; i < 2; i++)
		if (vips[i].address.family == 4)
			assert_string_equal(vips[i].service, "tcp/443");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_service_that_lacks_most, set_up),
		cmocka_unit_test_setup(states_of_backends, set_up),
		cmocka_unit_test_setup(what_this_node_reaches, set_up),
		cmocka_unit_test_setup(one_that_looks_dead, set_up),
		cmocka_unit_test_setup(a_pool_without_backends, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
