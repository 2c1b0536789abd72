// SPDX-License-Identifier: BSD-2-Clause
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lbnode/bpf/service_table.h"
#include "lbnode/tables.h"
#include "tests/unit/unit.h"

static struct hf_service_table table;
static struct hf_config_pool pools[] = { { .table_size = 65537 }, { .table_size = 251 } };
static const uint16_t pool_ids[] = { 7, 9 };
static uint16_t in_order[HF_MAX_SERVICES];

static struct hf_config_service service_of(const char *address, uint16_t port,
					   enum hf_config_protocol protocol, uint32_t pool)
{
	struct hf_config_service s = { .port = port, .protocol = protocol, .pool = pool };

	assert_int_equal(hf_address_parse(address, &s.address), 0);
	return s;
}

static const struct hf_service *find(const char *address, uint16_t port, uint8_t protocol)
{
	struct hf_packet p = {
		.family = strchr(address, ':') ? 6 : 4,
		.destination_port = htons(port),
		.protocol = protocol,
	};

	assert_int_equal(inet_pton(p.family == 4 ? AF_INET : AF_INET6, address, p.destination), 1);
	return hf_service_find(&table, &p);
}

static bool is_vip(const char *address)
{
	struct hf_packet p = { .family = strchr(address, ':') ? 6 : 4 };

	inet_pton(p.family == 4 ? AF_INET : AF_INET6, address, p.destination);
	return hf_is_vip(&table, p.destination, p.family);
}

static void a_packet_finds_its_service(void **state)
{
	struct hf_config_service services[] = {
		service_of("203.0.113.10", 80, HF_CONFIG_TCP, 0),
		service_of("203.0.113.10", 0, HF_CONFIG_UDP, 1),
		service_of("2001:db8::10", 443, HF_CONFIG_TCP, 1),
	};
	struct hf_config config = {
		.services = services,
		.service_count = 3,
		.pools = pools,
		.pool_count = 2,
	};

	(void)state;
	assert_int_equal(hf_service_table_build(&table, &config, in_order, pool_ids), 0);
	assert_int_equal(find("203.0.113.10", 80, IPPROTO_TCP)->id, 0);
	assert_int_equal(find("203.0.113.10", 80, IPPROTO_TCP)->pool, 7);
	assert_int_equal(find("203.0.113.10", 53, IPPROTO_UDP)->id, 1);
	assert_int_equal(find("203.0.113.10", 65535, IPPROTO_UDP)->table_size, 251);
	assert_int_equal(find("2001:db8::10", 443, IPPROTO_TCP)->id, 2);
	assert_null(find("203.0.113.10", 81, IPPROTO_TCP));
	assert_null(find("203.0.113.11", 80, IPPROTO_TCP));
	assert_null(find("2001:db8::10", 443, IPPROTO_UDP));
	assert_null(find("2001:db8::11", 443, IPPROTO_TCP));
	assert_true(is_vip("203.0.113.10") && is_vip("2001:db8::10"));
	assert_false(is_vip("203.0.113.11") || is_vip("2001:db8::11"));
}

/* An IPv6 address that begins with a VIP's four bytes is another address. */
static void families_do_not_mix(void **state)
{
	struct hf_config_service services[] = { service_of("203.0.113.10", 80, HF_CONFIG_TCP, 0) };
	struct hf_config config = {
		.services = services,
		.service_count = 1,
		.pools = pools,
		.pool_count = 1,
	};

	(void)state;
	assert_int_equal(hf_service_table_build(&table, &config, in_order, pool_ids), 0);
	assert_null(find("cb00:710a::", 80, IPPROTO_TCP));
	assert_false(is_vip("cb00:710a::"));
}

/* The limit of 4,096 services, at neighbouring addresses and ports: the worst for a weak hash. */
static void many_services(void **state)
{
	struct hf_config_service *services = calloc(4096, sizeof(*services));
	struct hf_config config = {
		.services = services,
		.service_count = 4096,
		.pools = pools,
		.pool_count = 2,
	};
	char address[32];

	(void)state;
	for (int i = 0; i < 4096; i++) {
		snprintf(address, sizeof(address), "203.0.%d.%d", 112 + i / 1024, i / 4 % 256);
		services[i] = service_of(address, 80 + i % 4, HF_CONFIG_TCP, i % 2);
	}
	assert_int_equal(hf_service_table_build(&table, &config, in_order, pool_ids), 0);
	for (int i = 0; i < 4096; i++) {
		snprintf(address, sizeof(address), "203.0.%d.%d", 112 + i / 1024, i / 4 % 256);
		assert_int_equal(find(address, 80 + i % 4, IPPROTO_TCP)->id, i);
		assert_null(find(address, 90, IPPROTO_TCP));
	}
	free(services);
}

static void the_flow_table_is_half_full_of_what_was_asked(void **state)
{
	(void)state;
	assert_int_equal(hf_flow_table_bits(1), 16);
	assert_int_equal(hf_flow_table_bits(262144), 16);
	assert_int_equal(hf_flow_table_bits(262145), 17);
	assert_int_equal(hf_flow_table_bits(1000000), 18);
	assert_int_equal(hf_flow_table_bits(16000000), 22);
	assert_int_equal(hf_flow_table_bits(64000000), 24);
}

static void ids_last_over_reloads(void **state)
{
	static struct hf_service_ids ids;
	struct hf_config_service services[] = {
		service_of("203.0.113.10", 80, HF_CONFIG_TCP, 0),
		service_of("203.0.113.10", 80, HF_CONFIG_UDP, 0),
		service_of("203.0.113.11", 80, HF_CONFIG_TCP, 0),
	};
	struct hf_config config = { .services = services, .service_count = 3 };
	uint16_t first[3], second[3];
	bool is_new[3];

	(void)state;
	hf_service_ids_assign(&ids, &config, first, is_new);
	assert_true(is_new[0] && is_new[1] && is_new[2]);
	assert_true(first[0] != first[1] && first[1] != first[2] && first[0] != first[2]);
	/* The first goes, another comes before the rest. */
	services[0] = services[1];
	services[1] = service_of("2001:db8::1", 80, HF_CONFIG_TCP, 0);
	hf_service_ids_assign(&ids, &config, second, is_new);
	assert_int_equal(second[0], first[1]);
	assert_int_equal(second[2], first[2]);
	assert_true(!is_new[0] && is_new[1] && !is_new[2]);
	assert_int_equal(second[1], first[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_last_over_reloads),
		cmocka_unit_test(a_packet_finds_its_service),
		cmocka_unit_test(families_do_not_mix),
		cmocka_unit_test(many_services),
		cmocka_unit_test(the_flow_table_is_half_full_of_what_was_asked),
	};

	for (int i = 0; i < HF_MAX_SERVICES; i++)
		in_order[i] = i;
	return cmocka_run_group_tests_name("service table", tests, NULL, NULL);
}
