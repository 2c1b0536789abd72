// SPDX-License-Identifier: BSD-2-Clause
/* How checks say what is wrong, and where; and numbers and names, which all of them check alike.
 */
#include "lib/config_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int hf_config_fault(struct hf_config_checker *c, const char *path, const char *format, ...)
{
	unsigned long line = hf_config_locate(c->text, path);
	char what[400];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	snprintf(c->error->text, sizeof(c->error->text), "%s:%lu: %s: %s", c->text->path, line,
		 path, what);
	return -EINVAL;
}

const char *hf_config_path(const char *format, ...)
{
	static _Thread_local char path[HF_CONFIG_PATH];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(path, sizeof(path), format, arguments);
	va_end(arguments);
	return path;
}

bool hf_config_parse_number(const char *text, uint32_t *value)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	*value = number;
	return text[0] >= '0' && text[0] <= '9' && !*end && number <= UINT32_MAX &&
	       (text[0] != '0' || !text[1]);
}

int hf_config_number(struct hf_config_checker *c, const char *written, uint32_t otherwise,
		     uint32_t lowest, uint32_t highest, const char *path, uint32_t *value)
{
	*value = otherwise;
	if (!written ||
	    (hf_config_parse_number(written, value) && *value >= lowest && *value <= highest))
		return 0;
	return hf_config_fault(c, path, "%.40s is out of range; use %u to %u", written, lowest,
			       highest);
}

static bool parse_seconds(const char *text, uint32_t *ms)
{
	char *end;
	double value;

	if (strspn(text, "0123456789.") != strlen(text) || !strpbrk(text, "0123456789"))
		return false;
	value = strtod(text, &end);
	if (*end || value > 1e6)
		return false;
	*ms = (uint32_t)(value * 1000 + 0.5);
	return true;
}

int hf_config_seconds(struct hf_config_checker *c, const char *written, uint32_t otherwise,
		      uint32_t lowest, uint32_t highest, const char *path, uint32_t *ms)
{
	*ms = otherwise;
	if (!written || (parse_seconds(written, ms) && *ms >= lowest && *ms <= highest))
		return 0;
	return hf_config_fault(c, path, "\"%.40s\" is not within %g to %g seconds", written,
			       lowest / 1000.0, highest / 1000.0);
}

bool hf_config_name_is_good(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789._-");

	return length > 0 && length <= HF_CONFIG_NAME_MAX && name[length] == '\0';
}
