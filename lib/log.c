// SPDX-License-Identifier: BSD-2-Clause
#include "lib/log.h"

#include <ctype.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define KEPT 512 /* lines */

static struct {
	const char *program;
	enum hf_log_level level;
	bool journal;
} log_to = { "holdfast", HF_LOG_NOTICE, false };

/* Threads of libraries log, too. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct hf_log_line kept[KEPT];
static uint64_t last, started;

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

void hf_log_open(const char *program, enum hf_log_level level)
{
	log_to.program = program;
	log_to.level = level;
	started = now_ms();
	log_to.journal = getenv("JOURNAL_STREAM") != NULL;
}

static void keep(enum hf_log_level level, const char *text)
{
	struct hf_log_line *line;

	pthread_mutex_lock(&lock);
	line = &kept[++last % KEPT];
	line->number = last;
	line->at_ms = now_ms();
	line->level = level;
	snprintf(line->text, sizeof(line->text), "%.*s", HF_LOG_TEXT - 1, text);
	pthread_mutex_unlock(&lock);
}

uint64_t hf_log_started(void)
{
	return started;
}

uint64_t hf_log_last(void)
{
	return last;
}

const struct hf_log_line *hf_log_next(uint64_t after)
{
	if (last > KEPT && after < last - KEPT)
		after = last - KEPT;
	return after < last ? &kept[(after + 1) % KEPT] : NULL;
}

const char *hf_log_error_since(uint64_t after)
{
	const struct hf_log_line *line;

	while ((line = hf_log_next(after))) {
		if (line->level <= HF_LOG_ERROR)
			return line->text;
		after = line->number;
	}
	return "";
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
	/* It may hold what others wrote: a line must stay one, and terminals calm. */
	for (char *c = line; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	if (level < HF_LOG_DEBUG)
		keep(level, line);
	if (log_to.journal)
		fprintf(stderr, "<%d>%s%s\n", level, level_word(level), line);
	else
		fprintf(stderr, "%s: %s%s\n", log_to.program, level_word(level), line);
}
