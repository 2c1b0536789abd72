// SPDX-License-Identifier: BSD-2-Clause
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <string.h>

#include "lbnode/network.h"
#include "tests/unit/unit.h"

static struct hf_network *network;
static struct hf_route route;

static struct hf_link eth = {
	.ifindex = 2,
	.mtu = 1500,
	.mac = { 2, 0, 0, 0, 0, 1 },
	.up = true,
	.ethernet = true,
};
static struct hf_neighbour router = {
	.ifindex = 2,
	.mac = { 2, 0, 0, 0, 0, 2 },
	.usable = true,
};

static int begin(void **state)
{
	(void)state;
	network = hf_network_new();
	hf_address_parse("192.0.2.254", &router.address);
	route = (struct hf_route){ .ifindex = 2, .via = router.address };
	hf_network_set_link(network, &eth);
	hf_network_set_neighbour(network, &router);
	return network ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	hf_network_delete(network);
	return 0;
}

static struct hf_nexthop nexthop(void)
{
	return hf_network_nexthop(network, &route);
}

static void a_way_has_a_device_and_macs(void **state)
{
	const uint8_t macs[12] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1 };

	(void)state;
	assert_int_equal(nexthop().ifindex, 2);
	assert_int_equal(nexthop().mtu, 1500);
	assert_int_equal(nexthop().vlan_tags, 0);
	assert_memory_equal(nexthop().macs, macs, sizeof(macs));
	route.mtu = 1400;
	assert_int_equal(nexthop().mtu, 1400);
	route.mtu = 9000;
	assert_int_equal(nexthop().mtu, 1500);
}

static void a_neighbour_changes_its_mac(void **state)
{
	struct hf_neighbour changed = router;

	(void)state;
	changed.mac[5] = 9;
	hf_network_set_neighbour(network, &changed);
	assert_int_equal(nexthop().macs[5], 9);
	changed.usable = false;
	hf_network_set_neighbour(network, &changed);
	assert_int_equal(nexthop().ifindex, 0);
	hf_network_set_neighbour(network, &router);
	assert_int_equal(nexthop().ifindex, 2);
	hf_network_remove_neighbour(network, 2, &router.address);
	assert_int_equal(nexthop().ifindex, 0);
}

static void a_link_goes_down(void **state)
{
	struct hf_link down = eth;

	(void)state;
	down.up = false;
	hf_network_set_link(network, &down);
	assert_int_equal(nexthop().ifindex, 0);
	hf_network_set_link(network, &eth);
	assert_int_equal(nexthop().ifindex, 2);
	hf_network_remove_link(network, 2);
	assert_int_equal(nexthop().ifindex, 0);
}

static void the_same_address_elsewhere_is_another_neighbour(void **state)
{
	(void)state;
	route.ifindex = 3;
	assert_int_equal(nexthop().ifindex, 0);
}

static void devices_without_macs_are_no_way(void **state)
{
	struct hf_link tunnel = eth;

	(void)state;
	tunnel.ethernet = false;
	hf_network_set_link(network, &tunnel);
	assert_int_equal(nexthop().ifindex, 0);
}

static struct hf_link vlan_on(uint32_t ifindex, uint32_t parent, uint16_t protocol, uint16_t id)
{
	struct hf_link vlan = eth;

	vlan.ifindex = ifindex;
	vlan.parent = parent;
	vlan.vlan_protocol = protocol;
	vlan.vlan_id = id;
	return vlan;
}

static void route_over(uint32_t ifindex)
{
	struct hf_neighbour there = router;

	there.ifindex = route.ifindex = ifindex;
	hf_network_set_neighbour(network, &there);
}

/* eth <- 802.1ad 100 <- 802.1Q 200: the frame's outer tag is 100. */
static void vlan_devices_become_tags(void **state)
{
	struct hf_link outer = vlan_on(10, 2, ETH_P_8021AD, 100);
	struct hf_link inner = vlan_on(11, 10, ETH_P_8021Q, 200);
	struct hf_link third = vlan_on(12, 11, ETH_P_8021Q, 300);

	(void)state;
	hf_network_set_link(network, &outer);
	hf_network_set_link(network, &inner);
	hf_network_set_link(network, &third);
	route_over(11);
	assert_int_equal(nexthop().ifindex, 2);
	assert_int_equal(nexthop().vlan_tags, 2);
	assert_int_equal(nexthop().vlan[0].protocol, htons(ETH_P_8021AD));
	assert_int_equal(nexthop().vlan[0].tci, htons(100));
	assert_int_equal(nexthop().vlan[1].protocol, htons(ETH_P_8021Q));
	assert_int_equal(nexthop().vlan[1].tci, htons(200));
	route_over(12);
	assert_int_equal(nexthop().ifindex, 0);
	route_over(11);
	eth.up = false;
	hf_network_set_link(network, &eth);
	eth.up = true;
	assert_int_equal(nexthop().ifindex, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_way_has_a_device_and_macs, begin, end),
		cmocka_unit_test_setup_teardown(a_neighbour_changes_its_mac, begin, end),
		cmocka_unit_test_setup_teardown(a_link_goes_down, begin, end),
		cmocka_unit_test_setup_teardown(the_same_address_elsewhere_is_another_neighbour,
						begin, end),
		cmocka_unit_test_setup_teardown(devices_without_macs_are_no_way, begin, end),
		cmocka_unit_test_setup_teardown(vlan_devices_become_tags, begin, end),
	};

	return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
