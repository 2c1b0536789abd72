// SPDX-License-Identifier: BSD-2-Clause
/* Calls (core/call.c): what a program of one node asks one of another, between two cores. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

static struct sim *sim;
static struct hf_call_request asked;

static struct hf_sync *core(int node)
{
	return sim->nodes[node].sync;
}

static hf_time now_of(int node)
{
	return sim_local(&sim->nodes[node], sim->now);
}

static int begin(void **state)
{
	(void)state;
	assert_true(sodium_init() >= 0);
	sim = sim_new(1, 3);
	for (int i = 0; i < 3; i++)
		sim_start(sim, i);
	sim_run(sim, HF_SECONDS(10));
	return 0;
}

static int end(void **state)
{
	(void)state;
	sim_delete(sim);
	return 0;
}

static uint64_t id_of(int node)
{
	return hf_sync_self(core(node))->party.id;
}

/* Node 0 asks node 1's program 2. */
static struct hf_call *ask(const char *message)
{
	struct hf_call *call;

	assert_int_equal(hf_call_new(core(0), id_of(1), 2, (const uint8_t *)message,
				     strlen(message), now_of(0), &call, &asked),
			 0);
	assert_int_equal(hf_request_length(asked.bytes), asked.length - 2);
	return call;
}

static bool open_at(int node, struct hf_request *request)
{
	return hf_request_open(core(node), asked.bytes + 2, asked.length - 2, now_of(node),
			       request);
}

static size_t answer(const struct hf_request *request, const uint8_t *bytes, size_t length,
		     uint8_t **reply)
{
	*reply = malloc(HF_CALL_REPLY);
	return hf_call_reply(request, bytes, length, *reply);
}

static void a_question_arrives_and_its_answer_too(void **state)
{
	struct hf_call *call = ask("what?");
	struct hf_request request;
	const uint8_t *told;
	uint8_t *reply;
	size_t length;

	(void)state;
	assert_true(open_at(1, &request));
	assert_int_equal(request.kind, HF_REQUEST_CALL);
	assert_int_equal(request.program, 2);
	assert_int_equal(request.length, 5);
	assert_memory_equal(request.message, "what?", 5);
	length = answer(&request, (const uint8_t *)"that", 4, &reply);
	/* Byte by byte, as TCP may bring it. */
	for (size_t i = 0; i + 1 < length; i++)
		assert_int_equal(hf_call_take(call, reply + i, 1), 0);
	assert_int_equal(hf_call_take(call, reply + length - 1, 1), 1);
	told = hf_call_answer(call, &length);
	assert_int_equal(length, 4);
	assert_memory_equal(told, "that", 4);
	hf_call_delete(call);
	free(reply);
}

static void answers_have_any_length_up_to_the_longest(void **state)
{
	static const size_t lengths[] = { 1, 16000, 16341, 16342, 40000, HF_CALL_ANSWER };
	static uint8_t bytes[HF_CALL_ANSWER];

	(void)state;
	randombytes_buf(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct hf_call *call = ask("how much?");
		struct hf_request request;
		const uint8_t *told;
		uint8_t *reply;
		size_t length;

		assert_true(open_at(1, &request));
		length = answer(&request, bytes, lengths[i], &reply);
		assert_in_range(length, lengths[i], HF_CALL_REPLY);
		assert_int_equal(hf_call_take(call, reply, length), 1);
		told = hf_call_answer(call, &length);
		assert_int_equal(length, lengths[i]);
		assert_memory_equal(told, bytes, length);
		hf_call_delete(call);
		free(reply);
	}
}

/* Or what was recorded would be done again. */
static void a_question_is_answered_once(void **state)
{
	struct hf_call *call = ask("drain");
	struct hf_request request;
	uint64_t refused = hf_sync_counters(core(1))->requests_refused;

	(void)state;
	assert_true(open_at(1, &request));
	assert_false(open_at(1, &request));
	assert_int_equal(hf_sync_counters(core(1))->requests_refused, refused + 1);
	hf_call_delete(call);
}

static void it_is_worth_nothing_to_another_node(void **state)
{
	struct hf_call *call = ask("drain");
	struct hf_request request;

	(void)state;
	assert_false(open_at(2, &request));
	assert_true(open_at(1, &request));
	hf_call_delete(call);
}

static void no_byte_can_be_changed(void **state)
{
	struct hf_request request;

	(void)state;
	for (int i = 0; i < 40; i++) {
		struct hf_call *call = ask("drain");
		size_t at = 2 + randombytes_uniform(asked.length - 2), length;
		uint8_t *reply;

		asked.bytes[at] ^= 1;
		assert_false(open_at(1, &request));
		asked.bytes[at] ^= 1;
		assert_true(open_at(1, &request));
		length = answer(&request, (const uint8_t *)"done", 4, &reply);
		reply[randombytes_uniform(length)] ^= 1;
		assert_int_not_equal(hf_call_take(call, reply, length), 1);
		hf_call_delete(call);
		free(reply);
	}
}

static void an_answer_to_another_question_is_none(void **state)
{
	struct hf_call *first = ask("one?"), *second;
	struct hf_request request;
	uint8_t *reply;
	size_t length;

	(void)state;
	assert_true(open_at(1, &request));
	length = answer(&request, (const uint8_t *)"1", 1, &reply);
	second = ask("two?");
	assert_int_equal(hf_call_take(second, reply, length), -EBADMSG);
	hf_call_delete(first);
	hf_call_delete(second);
	free(reply);
}

static void whom_nobody_can_ask(void **state)
{
	static uint8_t message[HF_CALL_MESSAGE + 1];
	struct hf_call *call;

	(void)state;
	assert_int_equal(hf_call_new(core(0), id_of(0), 2, message, 1, now_of(0), &call, &asked),
			 -ENOENT);
	assert_int_equal(hf_call_new(core(0), 4711, 2, message, 1, now_of(0), &call, &asked),
			 -ENOENT);
	assert_int_equal(hf_call_new(core(0), id_of(1), 2, message, sizeof(message), now_of(0),
				     &call, &asked),
			 -EMSGSIZE);
	assert_int_equal(hf_call_new(core(0), id_of(1), 2, message, 0, now_of(0), &call, &asked),
			 -EMSGSIZE);
	assert_int_equal(hf_call_new(core(0), id_of(1), 2, message, HF_CALL_MESSAGE, now_of(0),
				     &call, &asked),
			 0);
	hf_call_delete(call);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_question_arrives_and_its_answer_too, begin, end),
		cmocka_unit_test_setup_teardown(answers_have_any_length_up_to_the_longest, begin,
						end),
		cmocka_unit_test_setup_teardown(a_question_is_answered_once, begin, end),
		cmocka_unit_test_setup_teardown(it_is_worth_nothing_to_another_node, begin, end),
		cmocka_unit_test_setup_teardown(no_byte_can_be_changed, begin, end),
		cmocka_unit_test_setup_teardown(an_answer_to_another_question_is_none, begin, end),
		cmocka_unit_test_setup_teardown(whom_nobody_can_ask, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
