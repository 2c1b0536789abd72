// SPDX-License-Identifier: BSD-2-Clause
#include "lib/text.h"

const char *hf_duration_text(uint32_t seconds, char text[HF_DURATION_TEXT])
{
	if (seconds < 120)
		snprintf(text, HF_DURATION_TEXT, "%u s", seconds);
	else if (seconds < 7200)
		snprintf(text, HF_DURATION_TEXT, "%u min", seconds / 60);
	else
		snprintf(text, HF_DURATION_TEXT, "%u h", seconds / 3600);
	return text;
}

void hf_json_text(FILE *out, const char *key, const char *text)
{
	if (key)
		fprintf(out, "\"%s\":", key);
	fputc('"', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < ' ' || c >= 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}
