// SPDX-License-Identifier: BSD-2-Clause
#include "lib/metrics.h"

#include <inttypes.h>
#include <stdarg.h>

void hf_metric_head(FILE *out, const char *name, enum hf_metric_type type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
		type == HF_METRIC_COUNTER ? "counter" : "gauge");
}

static void put_label(FILE *out, const char *name, const char *text)
{
	fprintf(out, "%s=\"", name);
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", out);
		else if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
	}
	fputc('"', out);
}

static void put_labels(FILE *out, const char *name, va_list labels)
{
	const char *label;
	char before = '{';

	fputs(name, out);
	while ((label = va_arg(labels, const char *))) {
		fputc(before, out);
		put_label(out, label, va_arg(labels, const char *));
		before = ',';
	}
	fputs(before == ',' ? "} " : " ", out);
}

void hf_metric_value(FILE *out, const char *name, uint64_t value, ...)
{
	va_list labels;

	va_start(labels, value);
	put_labels(out, name, labels);
	va_end(labels);
	fprintf(out, "%" PRIu64 "\n", value);
}

void hf_metric_seconds(FILE *out, const char *name, double seconds, ...)
{
	va_list labels;

	va_start(labels, seconds);
	put_labels(out, name, labels);
	va_end(labels);
	fprintf(out, "%.3f\n", seconds);
}

void hf_metric(FILE *out, const char *name, enum hf_metric_type type, const char *help,
	       uint64_t value)
{
	hf_metric_head(out, name, type, help);
	hf_metric_value(out, name, value, (char *)NULL);
}
