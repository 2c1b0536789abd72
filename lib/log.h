/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages to the operator, one line each on standard error: what happened, to which object, what
 * to do. Under systemd each carries its priority (sd-daemon(3)).
 */
#ifndef HF_LOG_H
#define HF_LOG_H

#include <stdint.h>

enum hf_log_level { HF_LOG_ERROR = 3, HF_LOG_WARNING = 4, HF_LOG_NOTICE = 5, HF_LOG_DEBUG = 7 };

/* `program` stands before every message and must outlive the log. Messages above `level` are
 * dropped. */
void hf_log_open(const char *program, enum hf_log_level level);

void hf_log(enum hf_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define hf_error(...)	hf_log(HF_LOG_ERROR, __VA_ARGS__)
#define hf_warning(...) hf_log(HF_LOG_WARNING, __VA_ARGS__)
#define hf_notice(...)	hf_log(HF_LOG_NOTICE, __VA_ARGS__)
#define hf_debug(...)	hf_log(HF_LOG_DEBUG, __VA_ARGS__)

/* What has been said last is kept, for who asks the program. */
#define HF_LOG_TEXT 512
struct hf_log_line {
	uint64_t number; /* of the first: 1 */
	uint64_t at_ms;	 /* since 1970 */
	enum hf_log_level level;
	char text[HF_LOG_TEXT];
};

/* When the log was opened, in ms since 1970. */
uint64_t hf_log_started(void);
/* Number of the last line; 0: nothing was said yet. */
uint64_t hf_log_last(void);
/* The oldest line after this one that is still kept; NULL: there is none. Valid until the log has
 * wrapped around. */
const struct hf_log_line *hf_log_next(uint64_t after);
/* The first error after this line, or "". */
const char *hf_log_error_since(uint64_t after);

#endif
