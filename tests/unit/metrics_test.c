// SPDX-License-Identifier: BSD-2-Clause
/* Prometheus' text format. */
#include <stdlib.h>
#include <string.h>

#include "lib/metrics.h"
#include "tests/unit/unit.h"

static void a_text(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	hf_metric(out, "holdfast_x_total", HF_METRIC_COUNTER, "what it is", UINT64_MAX);
	hf_metric_head(out, "holdfast_y", HF_METRIC_GAUGE, "another");
	hf_metric_value(out, "holdfast_y", 7, "pool", "a\"b\\c\nd", "backend", "", (char *)NULL);
	hf_metric_seconds(out, "holdfast_z_seconds", 1.25, "a", "b", (char *)NULL);
	fclose(out);
	assert_string_equal(text, "# HELP holdfast_x_total what it is\n"
				  "# TYPE holdfast_x_total counter\n"
				  "holdfast_x_total 18446744073709551615\n"
				  "# HELP holdfast_y another\n# TYPE holdfast_y gauge\n"
				  "holdfast_y{pool=\"a\\\"b\\\\c\\nd\",backend=\"\"} 7\n"
				  "holdfast_z_seconds{a=\"b\"} 1.250\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_text) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
