// SPDX-License-Identifier: BSD-2-Clause
/* Which VIPs are announced: leases, backends, hold-down, damping, drains; and the include's text.
 */
#include <stdlib.h>
#include <string.h>

#include "bgp/core/announce.h"
#include "bgp/core/include.h"
#include "tests/unit/unit.h"

#define LEASE 10000
#define HOLD  1000
#define DRAIN 5000

static struct hf_announcer a;
static int64_t now;

static struct hf_address address_of(const char *text)
{
	struct hf_address address;

	assert_int_equal(hf_address_parse(text, &address), 0);
	return address;
}

static struct hf_vip_facts facts(const char *vip, uint32_t usable, uint32_t reachable)
{
	return (struct hf_vip_facts){ .address = address_of(vip),
				      .usable = usable,
				      .reachable = reachable,
				      .needed = 2,
				      .open = 4,
				      .ways = 4,
				      .service = "tcp/80" };
}

static void begin(bool withdraw_all_down)
{
	const struct hf_announce_rules rules = { LEASE, HOLD, DRAIN, withdraw_all_down };

	hf_announcer_free(&a);
	now = 1000;
	hf_announcer_init(&a, &rules, now);
}

static void lease_all(bool ready, bool draining, uint32_t usable, uint32_t reachable)
{
	const struct hf_vip_facts vip = facts("203.0.113.10", usable, reachable);

	assert_int_equal(hf_announcer_lease(&a, ready, draining, &vip, 1, now), 0);
	hf_announcer_turn(&a, now);
}

static void lease(uint32_t usable)
{
	lease_all(true, false, usable, usable);
}

/* With the lease renewed each second, as lbnode does. */
static void pass_time(int64_t ms, uint32_t usable)
{
	while (ms > 0) {
		now += ms < 1000 ? ms : 1000;
		ms -= 1000;
		lease(usable);
	}
}

static const struct hf_vip *vip(void)
{
	const struct hf_address address = address_of("203.0.113.10");

	return hf_announcer_find(&a, &address);
}

#define assert_vip(its_state, its_why)                       \
	do {                                                 \
		assert_int_equal(vip()->state, (its_state)); \
		assert_int_equal(vip()->why, (its_why));     \
	} while (0)

static void a_lease_and_its_end(void **state)
{
	(void)state;
	begin(false);
	assert_null(vip());
	lease(4);
	assert_vip(HF_VIP_ANNOUNCED, HF_WHY_NOT_AT_ALL);
	assert_int_equal(hf_announcer_turn(&a, now + LEASE - 1), now + LEASE);
	assert_vip(HF_VIP_ANNOUNCED, HF_WHY_NOT_AT_ALL);
	now += LEASE;
	assert_int_equal(hf_announcer_turn(&a, now), INT64_MAX);
	assert_vip(HF_VIP_WITHDRAWN, HF_WHY_NO_LEASE);
	/* A fault: it is held for a moment. */
	lease(4);
	assert_vip(HF_VIP_HELD, HF_WHY_HOLD_DOWN);
	assert_int_equal(hf_announcer_turn(&a, now), now + HOLD);
	now += HOLD;
	hf_announcer_turn(&a, now);
	assert_vip(HF_VIP_ANNOUNCED, HF_WHY_NOT_AT_ALL);
}

static void a_shorter_lease(void **state)
{
	const struct hf_announce_rules rules = { LEASE / 5, HOLD, DRAIN, false };

	(void)state;
	begin(false);
	lease(4);
	hf_announcer_set_rules(&a, &rules, now);
	assert_int_equal(hf_announcer_turn(&a, now), now + LEASE / 5);
}

static void a_node_that_is_not_ready(void **state)
{
	(void)state;
	begin(false);
	lease_all(false, false, 4, 4);
	assert_vip(HF_VIP_WITHDRAWN, HF_WHY_NOT_READY);
	lease(4);
	assert_vip(HF_VIP_ANNOUNCED, HF_WHY_NOT_AT_ALL);
	lease_all(false, false, 4, 4);
	assert_vip(HF_VIP_WITHDRAWN, HF_WHY_NOT_READY);
}

static void too_few_backends(void **state)
{
	(void)state;
	begin(false);
	lease(2);
	assert_vip(HF_VIP_ANNOUNCED, HF_WHY_NOT_AT_ALL);
	lease(1);
	assert_vip(HF_VIP_WITHDRAWN, HF_WHY_FEW_BACKENDS);
	lease(2);
	assert_vip(HF_VIP_HELD, HF_WHY_HOLD_DOWN);
	/* Not for long enough. */
	now += HOLD - 1;
	lease(1);
	assert_vip(HF_VIP_WITHDRAWN, HF_WHY_FEW_BACKENDS);
	lease(2);
	pass_time(HOLD, 2);
	assert_vip(HF_VIP_ANNOUNCED, HF_WHY_NOT_AT_ALL);
	/* All nodes know of four, this one gets to one of them. */
	lease_all(true, false, 4, 1);
	assert_vip(HF_VIP_WITHDRAWN, HF_WHY_UNREACHABLE);
}

static void all_look_dead(void **state)
{
	struct hf_vip_facts none = facts("203.0.113.10", 0, 0);

	(void)state;
	begin(false);
	lease(4);
	lease(0);
	assert_vip(HF_VIP_ANNOUNCED, HF_WHY_NOT_AT_ALL);
	/* Not by a node that could not send them anything. */
	none.ways = 0;
	assert_int_equal(hf_announcer_lease(&a, true, false, &none, 1, now), 0);
	hf_announcer_turn(&a, now);
	assert_vip(HF_VIP_WITHDRAWN, HF_WHY_UNREACHABLE);
	/* And with none there is nothing to be wrong about; but there may be some soon. */
	begin(false);
	lease(4);
	none.open = 0;
	now += 500;
	assert_int_equal(hf_announcer_lease(&a, true, false, &none, 1, now), 0);
	assert_int_equal(hf_announcer_turn(&a, now), now + HF_EMPTY_GRACE);
	assert_vip(HF_VIP_ANNOUNCED, HF_WHY_NOT_AT_ALL);
	now += HF_EMPTY_GRACE - 1;
	assert_int_equal(hf_announcer_lease(&a, true, false, &none, 1, now), 0);
	hf_announcer_turn(&a, now);
	assert_vip(HF_VIP_ANNOUNCED, HF_WHY_NOT_AT_ALL);
	now += 1;
	hf_announcer_turn(&a, now);
	assert_vip(HF_VIP_WITHDRAWN, HF_WHY_NO_BACKENDS);
	lease(4);
	pass_time(HOLD, 4);
	now += 60000;
	assert_int_equal(hf_announcer_lease(&a, true, false, &none, 1, now), 0);
	hf_announcer_turn(&a, now);
	assert_vip(HF_VIP_ANNOUNCED, HF_WHY_NOT_AT_ALL);

	begin(true);
	lease(4);
	lease(0);
	assert_vip(HF_VIP_WITHDRAWN, HF_WHY_FEW_BACKENDS);
}

static void a_service_that_goes(void **state)
{
	(void)state;
	begin(false);
	lease(4);
	assert_int_equal(hf_announcer_lease(&a, true, false, NULL, 0, now), 0);
	hf_announcer_turn(&a, now);
	assert_vip(HF_VIP_WITHDRAWN, HF_WHY_NO_SERVICE);
	/* And is forgotten. */
	assert_int_equal(hf_announcer_lease(&a, true, false, NULL, 0, now), 0);
	assert_null(vip());
}

static void drains(void **state)
{
	const struct hf_address address = address_of("203.0.113.10");

	(void)state;
	begin(false);
	lease(4);
	assert_int_equal(hf_announcer_drain(&a, &address, true, now), 0);
	assert_int_equal(hf_announcer_turn(&a, now), now + DRAIN);
	assert_vip(HF_VIP_DRAINING, HF_WHY_VIP_DRAINED);
	pass_time(DRAIN - 1, 4);
	assert_vip(HF_VIP_DRAINING, HF_WHY_VIP_DRAINED);
	pass_time(1, 4);
	assert_vip(HF_VIP_WITHDRAWN, HF_WHY_VIP_DRAINED);
	/* No fault: not held. */
	assert_int_equal(hf_announcer_drain(&a, &address, false, now), 0);
	hf_announcer_turn(&a, now);
	assert_vip(HF_VIP_ANNOUNCED, HF_WHY_NOT_AT_ALL);
	/* Taken back in time. */
	hf_announcer_drain(&a, NULL, true, now);
	pass_time(1000, 4);
	assert_vip(HF_VIP_DRAINING, HF_WHY_NODE_DRAINED);
	hf_announcer_drain(&a, NULL, false, now);
	pass_time(DRAIN, 4);
	assert_vip(HF_VIP_ANNOUNCED, HF_WHY_NOT_AT_ALL);
	/* By lbnode's word. */
	lease_all(true, true, 4, 4);
	assert_vip(HF_VIP_DRAINING, HF_WHY_NODE_DRAINED);
	/* What can't be served is not drained slowly. */
	lease_all(true, true, 1, 1);
	assert_vip(HF_VIP_WITHDRAWN, HF_WHY_FEW_BACKENDS);
}

/* Before its VIP is known to have a service. */
static void a_drain_from_before(void **state)
{
	const struct hf_address address = address_of("203.0.113.10");

	(void)state;
	begin(false);
	assert_int_equal(hf_announcer_drain(&a, &address, true, now), 0);
	lease(4);
	assert_vip(HF_VIP_WITHDRAWN, HF_WHY_VIP_DRAINED);
}

static void damping(void **state)
{
	int64_t held;

	(void)state;
	begin(false);
	lease(4);
	for (int flap = 0; flap < 2; flap++) {
		lease(1);
		lease(4);
		assert_vip(HF_VIP_HELD, HF_WHY_HOLD_DOWN);
		pass_time(HOLD, 4);
		assert_vip(HF_VIP_ANNOUNCED, HF_WHY_NOT_AT_ALL);
	}
	lease(1);
	lease(4);
	assert_vip(HF_VIP_HELD, HF_WHY_DAMPED);
	/* From just below 3000 to 750 are two half-lives. */
	held = vip()->until - now;
	assert_in_range(held, 2 * HF_DAMP_HALF_LIFE - 3000, 2 * HF_DAMP_HALF_LIFE);
	pass_time(held - 1, 4);
	assert_vip(HF_VIP_HELD, HF_WHY_DAMPED);
	pass_time(1, 4);
	assert_vip(HF_VIP_ANNOUNCED, HF_WHY_NOT_AT_ALL);
	/* Blinking while it is held does not end that sooner. */
	pass_time(HF_DAMP_HALF_LIFE * 4, 4);
	for (int flap = 0; flap < 3; flap++) {
		lease(1);
		lease(4);
		pass_time(HOLD, 4);
	}
	assert_vip(HF_VIP_HELD, HF_WHY_DAMPED);
	pass_time(10000, 4);
	lease(1);
	pass_time(2 * HOLD, 4);
	assert_vip(HF_VIP_HELD, HF_WHY_DAMPED);
	pass_time(HF_DAMP_HALF_LIFE * 4, 4);
	/* Never for longer than that, however often. */
	for (int flap = 0; flap < 100; flap++) {
		lease(1);
		pass_time(HF_DAMP_HALF_LIFE * 4, 4);
		assert_vip(HF_VIP_ANNOUNCED, HF_WHY_NOT_AT_ALL);
	}
	/* An end of the lease is no flap of its backends. */
	for (int flap = 0; flap < 10; flap++) {
		lease_all(false, false, 4, 4);
		lease(4);
		assert_vip(HF_VIP_HELD, HF_WHY_HOLD_DOWN);
		pass_time(HOLD, 4);
	}
}

static void a_former_lbbgp(void **state)
{
	const struct hf_address address = address_of("203.0.113.10");
	const struct hf_address other = address_of("203.0.113.11");

	(void)state;
	begin(false);
	assert_int_equal(hf_announcer_adopt(&a, &address, false, now), 0);
	assert_int_equal(hf_announcer_adopt(&a, &other, true, now), 0);
	hf_announcer_turn(&a, now + LEASE - 1);
	assert_vip(HF_VIP_ANNOUNCED, HF_WHY_NOT_AT_ALL);
	assert_int_equal(hf_announcer_find(&a, &other)->state, HF_VIP_DRAINING);
	now += LEASE - 1;
	lease(4);
	assert_vip(HF_VIP_ANNOUNCED, HF_WHY_NOT_AT_ALL);
	assert_int_equal(hf_announcer_find(&a, &other)->state, HF_VIP_WITHDRAWN);

	begin(false);
	assert_int_equal(hf_announcer_adopt(&a, &address, false, now), 0);
	now += LEASE;
	hf_announcer_turn(&a, now);
	assert_vip(HF_VIP_WITHDRAWN, HF_WHY_NO_LEASE);
}

static void many_vips(void **state)
{
	static struct hf_vip_facts vips[HF_VIPS_MAX + 1];

	(void)state;
	begin(false);
	for (uint32_t i = 0; i <= HF_VIPS_MAX; i++) {
		vips[i] = facts("203.0.113.10", 4, 4);
		vips[i].address.word[0] = i + 1;
	}
	assert_int_not_equal(hf_announcer_lease(&a, true, false, vips, HF_VIPS_MAX + 1, now), 0);
	assert_int_equal(hf_announcer_lease(&a, true, false, vips, HF_VIPS_MAX, now), 0);
	hf_announcer_turn(&a, now);
	for (uint32_t i = 0; i < HF_VIPS_MAX; i++)
		assert_int_equal(hf_announcer_find(&a, &vips[i].address)->state, HF_VIP_ANNOUNCED);
	/* All others in their place. */
	for (uint32_t i = 0; i < HF_VIPS_MAX; i++)
		vips[i].address.word[0] += HF_VIPS_MAX;
	assert_int_equal(hf_announcer_lease(&a, true, false, vips, HF_VIPS_MAX, now), 0);
	hf_announcer_turn(&a, now);
	assert_int_equal(hf_announcer_find(&a, &vips[0].address)->state, HF_VIP_ANNOUNCED);
}

static char read_back[200];

static void note(void *context, const struct hf_address *vip, bool draining)
{
	char text[HF_ADDRESS_TEXT];

	(void)context;
	strcat(read_back, hf_address_format(vip, text));
	strcat(read_back, draining ? "! " : " ");
}

static void the_include(void **state)
{
	const struct hf_vip_facts vips[] = { facts("203.0.113.10", 4, 4),
					     facts("203.0.113.11", 4, 4),
					     facts("203.0.113.12", 1, 1),
					     facts("2001:db8::10", 4, 4) };
	struct hf_include_style style = { .node = "lb1",
					  .device = "holdfast0",
					  .local_as = 65001,
					  .weight = 100,
					  .drain_prepend = 2,
					  .drain_med = 50 };
	uint32_t count;
	char *text;

	(void)state;
	begin(false);
	hf_announcer_lease(&a, true, false, vips, 4, now);
	hf_announcer_drain(&a, &vips[1].address, true, now);
	hf_announcer_turn(&a, now);
	/* It was never announced, so there is nothing to drain. */
	hf_announcer_drain(&a, &vips[1].address, false, now);
	hf_announcer_turn(&a, now);
	hf_announcer_drain(&a, &vips[1].address, true, now);
	hf_announcer_turn(&a, now);
	text = hf_include_write(&style, &a, &count);
	assert_int_equal(count, 3);
	/* 100 x 10,000 bytes a second are 1e6: 0x49742400. */
	assert_string_equal(
		text,
		"# The VIPs of node lb1, by lbbgp, which writes this file anew: change "
		"holdfast.yaml instead.\n"
		"protocol static holdfast4 {\n    ipv4;\n    check link yes;\n"
		"    route 203.0.113.10/32 via \"holdfast0\" { bgp_ext_community.add((generic, "
		"0x0004fde9, 0x49742400)); bgp_large_community.add((65001, 1, 100)); };\n"
		"    route 203.0.113.11/32 via \"holdfast0\" { bgp_ext_community.add((generic, "
		"0x0004fde9, 0x49742400)); bgp_large_community.add((65001, 1, 100)); "
		"bgp_community.add((65535, 0)); bgp_med = 50; bgp_path.prepend(65001); "
		"bgp_path.prepend(65001); };\n"
		"}\n"
		"protocol static holdfast6 {\n    ipv6;\n    check link yes;\n"
		"    route 2001:db8::10/128 via \"holdfast0\" { bgp_ext_community.add((generic, "
		"0x0004fde9, 0x49742400)); bgp_large_community.add((65001, 1, 100)); };\n"
		"}\n");
	read_back[0] = '\0';
	hf_include_read(text, note, NULL);
	assert_string_equal(read_back, "203.0.113.10 203.0.113.11! 2001:db8::10 ");
	free(text);

	style.weight = 0;
	style.local_as = 4200000000;
	hf_announcer_drain(&a, &vips[1].address, false, now);
	hf_announcer_turn(&a, now);
	text = hf_include_write(&style, &a, &count);
	assert_non_null(strstr(text, "    route 203.0.113.11/32 via \"holdfast0\";\n"));
	free(text);
	/* Four bytes of AS: RFC 6793's stand-in where there is room for two. */
	style.weight = 1;
	text = hf_include_write(&style, &a, &count);
	assert_non_null(strstr(text, "(generic, 0x00045ba0, 0x461c4000)"));
	assert_non_null(strstr(text, "(4200000000, 1, 1)"));
	free(text);
	hf_announcer_free(&a);

	read_back[0] = '\0';
	hf_include_read("    route 203.0.113.10/24 via x\n    route nonsense\nroute 192.0.2.1/32;\n"
			"    route 192.0.2.2/32",
			note, NULL);
	assert_string_equal(read_back, "192.0.2.2 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lease_and_its_end),
		cmocka_unit_test(a_shorter_lease),
		cmocka_unit_test(a_node_that_is_not_ready),
		cmocka_unit_test(too_few_backends),
		cmocka_unit_test(all_look_dead),
		cmocka_unit_test(a_service_that_goes),
		cmocka_unit_test(drains),
		cmocka_unit_test(a_drain_from_before),
		cmocka_unit_test(damping),
		cmocka_unit_test(a_former_lbbgp),
		cmocka_unit_test(many_vips),
		cmocka_unit_test(the_include),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
