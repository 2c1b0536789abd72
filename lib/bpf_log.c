// SPDX-License-Identifier: BSD-2-Clause
#include "lib/bpf_log.h"

#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"

__attribute__((format(printf, 2, 0))) static int take_message(enum libbpf_print_level level,
							      const char *format, va_list arguments)
{
	char text[512];

	vsnprintf(text, sizeof(text), format, arguments);
	text[strcspn(text, "\n")] = '\0';
	hf_debug("libbpf: %s%s", level == LIBBPF_WARN ? "warning: " : "", text);
	return 0;
}

void hf_bpf_log_open(void)
{
	libbpf_set_print(take_message);
}
