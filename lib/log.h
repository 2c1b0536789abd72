/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages to the operator, one line each on standard error: what happened, to which object, what
 * to do. Under systemd each carries its priority (sd-daemon(3)).
 */
#ifndef HF_LOG_H
#define HF_LOG_H

enum hf_log_level { HF_LOG_ERROR = 3, HF_LOG_WARNING = 4, HF_LOG_NOTICE = 5, HF_LOG_DEBUG = 7 };

/* `program` stands before every message and must outlive the log. Messages above `level` are
 * dropped. */
void hf_log_open(const char *program, enum hf_log_level level);

void hf_log(enum hf_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define hf_error(...)	hf_log(HF_LOG_ERROR, __VA_ARGS__)
#define hf_warning(...) hf_log(HF_LOG_WARNING, __VA_ARGS__)
#define hf_notice(...)	hf_log(HF_LOG_NOTICE, __VA_ARGS__)
#define hf_debug(...)	hf_log(HF_LOG_DEBUG, __VA_ARGS__)

#endif
