// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "integration/load/answer.h"
#include "tests/unit/unit.h"

static enum answer_verdict take(struct answer *a, uint64_t number, const char *text)
{
	return answer_take(a, number, text, strlen(text));
}

#define HTTP(request, body) \
	"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-Request: /" request "\r\n\r\n" body

static void http_answers(void **state)
{
	struct answer a = { 0 };

	(void)state;
	assert_int_equal(take(&a, 1, HTTP("1", "be1\n")), ANSWER_GOOD);
	assert_string_equal(a.backend, "be1");
	assert_int_equal(take(&a, 2, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n"), ANSWER_NOT_YET);
	assert_int_equal(take(&a, 2, "X-Request: /2\r\n\r\nbe"), ANSWER_NOT_YET);
	assert_int_equal(take(&a, 2, "1\n"), ANSWER_GOOD);
	assert_int_equal(take(&a, 3, HTTP("3", "be2\n")), ANSWER_OTHER_BACKEND);
}

static void wrong_http_answers(void **state)
{
	struct answer a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };

	(void)state;
	assert_int_equal(take(&a, 2, HTTP("1", "be1\n")), ANSWER_OUT_OF_ORDER);
	assert_int_equal(take(&b, 1, HTTP("1", "be1\nmore")), ANSWER_NONSENSE);
	assert_int_equal(take(&c, 1, "HTTP/1.1 200 OK\r\n\r\n"), ANSWER_NONSENSE);
	assert_int_equal(take(&d, 1, "SSH-2.0-OpenSSH"), ANSWER_NONSENSE);
}

static void echoed_answers(void **state)
{
	struct answer a = { 0 };
	char request[64];

	(void)state;
	answer_request(5, request, sizeof(request));
	assert_int_equal(take(&a, 5, "GE"), ANSWER_NOT_YET);
	assert_int_equal(take(&a, 5, request + 2), ANSWER_GOOD);
	assert_string_equal(a.backend, "echo");
	assert_int_equal(take(&a, 6, request), ANSWER_OUT_OF_ORDER);
}

static void endless_answers_end(void **state)
{
	struct answer a = { 0 };
	int i;

	(void)state;
	take(&a, 1, "HTTP/1.1 200 OK\r\n");
	for (i = 0; i < 100; i++)
		if (take(&a, 1, "X-Padding: 0123456789\r\n") != ANSWER_NOT_YET)
			break;
	assert_in_range(i, 10, 99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_answers),
		cmocka_unit_test(wrong_http_answers),
		cmocka_unit_test(echoed_answers),
		cmocka_unit_test(endless_answers_end),
	};

	return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
