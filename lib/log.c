// SPDX-License-Identifier: BSD-2-Clause
#include "lib/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static struct {
	const char *program;
	enum hf_log_level level;
	bool journal;
} log_to = { "holdfast", HF_LOG_NOTICE, false };

void hf_log_open(const char *program, enum hf_log_level level)
{
	log_to.program = program;
	log_to.level = level;
	log_to.journal = getenv("JOURNAL_STREAM") != NULL;
}

static const char *level_word(enum hf_log_level level)
{
	switch (level) {
	case HF_LOG_ERROR:
		return "error: ";
	case HF_LOG_WARNING:
		return "warning: ";
	default:
		return "";
	}
}

void hf_log(enum hf_log_level level, const char *format, ...)
{
	char line[1024];
	va_list arguments;

	if (level > log_to.level)
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (log_to.journal)
		fprintf(stderr, "<%d>%s%s\n", level, level_word(level), line);
	else
		fprintf(stderr, "%s: %s%s\n", log_to.program, level_word(level), line);
}
