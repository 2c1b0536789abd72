// SPDX-License-Identifier: BSD-2-Clause
/* Which claims count, the table of members, and local health. */
#include "syncd/core/member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "syncd/core/health.h"
#include "syncd/core/random.h"
#include "tests/unit/unit.h"

static struct hf_claim claim(uint32_t incarnation, enum hf_member_state state, uint64_t boot)
{
	return (struct hf_claim){ .party = { 1, boot },
				  .incarnation = incarnation,
				  .state = state };
}

static void hear(struct hf_member *m, const struct hf_claim *c)
{
	if (!hf_claim_counts(c, m))
		return;
	m->party = c->party;
	m->incarnation = c->incarnation;
	m->state = c->state;
}

static void rules(void **state)
{
	struct hf_member m = { .party = { 1, 5 }, .incarnation = 3, .state = HF_MEMBER_SUSPECT };
	struct hf_claim c;

	(void)state;
	c = claim(3, HF_MEMBER_ALIVE, 5);
	assert_false(hf_claim_counts(&c, &m));
	c = claim(3, HF_MEMBER_SUSPECT, 5);
	assert_false(hf_claim_counts(&c, &m));
	c = claim(3, HF_MEMBER_DEAD, 5);
	assert_true(hf_claim_counts(&c, &m));
	c = claim(4, HF_MEMBER_ALIVE, 5);
	assert_true(hf_claim_counts(&c, &m));
	c = claim(2, HF_MEMBER_LEFT, 5);
	assert_false(hf_claim_counts(&c, &m));
	c = claim(3 + HF_INCARNATION_LEAP, HF_MEMBER_ALIVE, 5);
	assert_false(hf_claim_counts(&c, &m));
	c = claim(3, HF_MEMBER_SUSPECT, 6);
	assert_true(hf_claim_counts(&c, &m));
}

/* Whatever the order in which claims are heard, the end is the same. */
static void order_does_not_matter(void **state)
{
	struct hf_claim c[12];
	struct hf_member first = { 0 }, m;
	struct hf_random random;

	(void)state;
	hf_random_seed(&random, 3);
	for (int round = 0; round < 500; round++) {
		for (int i = 0; i < 12; i++)
			c[i] = claim(1 + hf_random_below(&random, 3), hf_random_below(&random, 4),
				     1 + hf_random_below(&random, 3));
		for (int order = 0; order < 20; order++) {
			memset(&m, 0, sizeof(m));
			for (int i = 0; i < 12; i++)
				hear(&m, &c[(i * (order % 2 ? 5 : 7) + order) % 12]);
			if (order == 0)
				first = m;
			assert_int_equal(m.incarnation, first.incarnation);
			assert_int_equal(m.state, first.state);
			assert_true(m.party.boot == first.party.boot);
		}
	}
}

static void table(void **state)
{
	static struct hf_members members;
	char name[16];

	(void)state;
	assert_int_equal(hf_members_init(&members), 0);
	for (int i = 0; i < HF_MEMBERS_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_non_null(hf_members_add(&members, hf_member_id(name)));
	}
	assert_null(hf_members_add(&members, 12345));
	for (int i = 0; i < HF_MEMBERS_MAX; i += 3) {
		struct hf_member *m;

		snprintf(name, sizeof(name), "n%d", i);
		m = hf_members_find(&members, hf_member_id(name));
		assert_non_null(m);
		hf_members_set_live(&members, m, true);
		if (i % 2)
			hf_members_remove(&members, m);
	}
	for (int i = 0; i < HF_MEMBERS_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(hf_members_find(&members, hf_member_id(name)) == NULL,
				 i % 3 == 0 && i % 2);
	}
	for (uint32_t i = 0; i < members.live_count; i++)
		assert_int_equal(members.live[i]->live_index, i);
	hf_members_clear(&members);
}

/* News of two lives may cross, and the former be taken for the present one for a while. */
static void a_life_that_returns_has_not_forgotten(void **state)
{
	static struct hf_members members;
	struct hf_member *m;

	(void)state;
	hf_members_init(&members);
	m = hf_members_add(&members, 1);
	m->party.boot = 10;
	assert_true(hf_member_accept(m, 5));
	assert_false(hf_member_accept(m, 5));
	for (uint64_t boot = 11; boot < 10 + HF_MEMBER_LIVES; boot++) {
		m->party.boot = boot;
		assert_true(hf_member_accept(m, 5));
		assert_false(hf_member_accept(m, 5));
	}
	m->party.boot = 10;
	assert_false(hf_member_accept(m, 5));
	assert_true(hf_member_accept(m, 6));
	hf_members_clear(&members);
}

static void ids(void **state)
{
	(void)state;
	/* On the wire: never change them. SipHash-1-3 in Python says so, too. */
	assert_true(hf_member_id("lb1") == 0xa06fdf7c73775572ULL);
	assert_true(hf_member_id("lb1") != hf_member_id("lb2"));
	assert_true(hf_member_id("a-name-of-more-than-eight") != hf_member_id("a-name-o"));
}

static void health(void **state)
{
	struct hf_health h;
	hf_time calm;

	(void)state;
	hf_health_init(&h);
	calm = hf_health_timeout(&h);
	assert_true(calm >= HF_MS(50));
	assert_true(hf_health_evidence(&h) > 1.4 && hf_health_evidence(&h) < 1.6);
	/* One in five pings lost, both ways: 36 %. Each proves less. */
	for (int i = 0; i < 2000; i++)
		hf_health_ping(&h, i * 37 % 100 >= 36);
	assert_true(hf_health_evidence(&h) > 0.3 && hf_health_evidence(&h) < 0.65);
	hf_health_bad(&h, 3);
	assert_true(hf_health_timeout(&h) == 4 * calm);
	for (int i = 0; i < 10; i++)
		hf_health_good(&h);
	assert_true(hf_health_timeout(&h) == calm);
	hf_health_bad(&h, 1000);
	assert_int_equal(h.awareness, HF_AWARENESS_MAX);
	/* A slow network is waited for. */
	hf_health_init(&h);
	for (int i = 0; i < 100; i++)
		hf_health_round_trip(&h, HF_MS(80) + HF_MS(i % 20));
	assert_true(hf_health_timeout(&h) > HF_MS(100));
	assert_true(hf_health_timeout(&h) < HF_MS(200));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules),
		cmocka_unit_test(order_does_not_matter),
		cmocka_unit_test(table),
		cmocka_unit_test(ids),
		cmocka_unit_test(a_life_that_returns_has_not_forgotten),
		cmocka_unit_test(health),
	};

	return cmocka_run_group_tests_name("member", tests, NULL, NULL);
}
