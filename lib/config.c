// SPDX-License-Identifier: BSD-2-Clause
#include "lib/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "lib/config_internal.h"

#define FILE_MAX (64UL << 20) /* 65,535 backends take some 5 MB */

/* What libcyaml says when it refuses a file: one line that says what is wrong, then a backtrace
 * whose first lines know where. */
struct complaint {
	char what[256];
	char field[64];
	unsigned long line;
};

__attribute__((format(printf, 3, 0))) static void
take_complaint(cyaml_log_t level, void *context, const char *format, va_list arguments)
{
	struct complaint *c = context;
	char text[256], *at;

	(void)level;
	vsnprintf(text, sizeof(text), format, arguments);
	text[strcspn(text, "\n")] = '\0';
	at = strstr(text, "(line: ");
	if (at && !c->line)
		c->line = strtoul(at + strlen("(line: "), NULL, 10);
	if (at && !c->field[0] && sscanf(text, " in mapping field '%63[^']'", c->field) != 1)
		c->field[0] = '\0';
	if (!at && !c->what[0]) {
		snprintf(c->what, sizeof(c->what), "%s",
			 strncmp(text, "Load: ", 6) == 0 ? text + 6 : text);
	}
}

static const char *allowed_values(const char *field)
{
	if (strcmp(field, "protocol") == 0)
		return "; use tcp or udp";
	if (strcmp(field, "encapsulation") == 0)
		return "; use ipip or gue";
	if (strcmp(field, "xdp_mode") == 0)
		return "; use native or generic";
	if (strcmp(field, "insecure") == 0 || strcmp(field, "stateless") == 0 ||
	    strcmp(field, "last_chance") == 0 || strcmp(field, "ucmp") == 0)
		return "; use true or false";
	if (strcmp(field, "on_all_down") == 0)
		return "; use announce or withdraw";
	return "";
}

static void explain(const struct hf_config_text *text, const struct complaint *c, cyaml_err_t err,
		    struct hf_config_error *error)
{
	unsigned long line = c->line ? c->line : 1, exact;
	const char *what = c->what[0] ? c->what : cyaml_strerror(err);
	char key[64] = "", field[72] = "";

	if (sscanf(what, "Unexpected key: %63s", key) == 1) {
		exact = hf_config_locate_key(text, key, line);
		snprintf(error->text, sizeof(error->text),
			 "%s:%lu: %s: unknown key; docs/holdfast.yaml lists them all", text->path,
			 exact ? exact : line, key);
		return;
	}
	if (sscanf(what, "Mapping field already seen: %63s", key) == 1) {
		exact = hf_config_locate_key(text, key, line + 1);
		snprintf(error->text, sizeof(error->text), "%s:%lu: %s: given twice; keep one",
			 text->path, exact ? exact : line, key);
		return;
	}
	if (sscanf(what, "Missing required mapping field: %63s", key) == 1) {
		snprintf(error->text, sizeof(error->text), "%s:%lu: %s: missing, and required",
			 text->path, line, key);
		return;
	}
	if (c->field[0])
		snprintf(field, sizeof(field), "%s: ", c->field);
	snprintf(error->text, sizeof(error->text), "%s:%lu: %s%s%s", text->path, line, field, what,
		 allowed_values(c->field));
}

/* Ours nest four deep; libyaml takes quadratic time over thousands. */
#define DEPTH_MAX 10

/* What libcyaml would not say, or take: 0, or -EINVAL with the fault of what is no plain YAML. */
struct scan {
	const struct hf_config_text *text;
	struct hf_config_error *error;
	unsigned int depth, documents;
};

static int scan_fault(struct scan *s, size_t line, const char *what)
{
	snprintf(s->error->text, sizeof(s->error->text), "%s:%zu: %s", s->text->path, line + 1,
		 what);
	return -EINVAL;
}

static int scan_event(struct scan *s, const yaml_event_t *event)
{
	size_t line = event->start_mark.line;

	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (++s->documents > 1)
			return scan_fault(s, line, "a second document; a configuration is one");
		return 0;
	case YAML_ALIAS_EVENT:
		return scan_fault(s, line, "an alias (*); write out what it stands for");
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		if (++s->depth > DEPTH_MAX)
			return scan_fault(s, line, "nested too deep for a configuration");
		return 0;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		s->depth--;
		return 0;
	default:
		return 0;
	}
}

/* A file cut short in the middle of a line, or not YAML. */
static int syntax_fault(struct scan *s, const yaml_parser_t *parser)
{
	/* At the end of the file, where what is cut short began says more. */
	size_t line = parser->context && parser->problem_mark.index >= s->text->length
			      ? parser->context_mark.line
			      : parser->problem_mark.line;
	char what[256];

	snprintf(what, sizeof(what), "not YAML: %s%s%s",
		 parser->problem ? parser->problem : "unreadable", parser->context ? ", " : "",
		 parser->context ? parser->context : "");
	return scan_fault(s, line, what);
}

static int scan(const struct hf_config_text *text, struct hf_config_error *error)
{
	struct scan s = { .text = text, .error = error };
	bool more = true;
	yaml_parser_t parser;
	yaml_event_t event;
	int err = 0;

	if (!yaml_parser_initialize(&parser))
		return scan_fault(&s, 0, "out of memory");
	yaml_parser_set_input_string(&parser, (unsigned char *)text->bytes, text->length);
	while (more && !err) {
		if (!yaml_parser_parse(&parser, &event)) {
			err = syntax_fault(&s, &parser);
			break;
		}
		err = scan_event(&s, &event);
		more = event.type != YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return err;
}

/* All of the file, which may be a pipe, into text->bytes; 0 or a negative errno. */
static int read_all(FILE *file, struct hf_config_text *text)
{
	size_t room = 0, got;
	char *bytes;

	do {
		room = room ? 2 * room : 65536;
		bytes = room > FILE_MAX ? NULL : realloc(text->bytes, room);
		if (!bytes)
			return room > FILE_MAX ? -EFBIG : -ENOMEM;
		text->bytes = bytes;
		got = fread(bytes + text->length, 1, room - text->length, file);
		text->length += got;
	} while (text->length == room);
	return ferror(file) ? -errno : 0;
}

static int read_file(const char *path, struct hf_config_text *text, struct hf_config_error *error)
{
	FILE *file = fopen(path, "re");
	int err;

	*text = (struct hf_config_text){ .path = path };
	err = file ? read_all(file, text) : -errno;
	if (file)
		fclose(file);
	if (err) {
		free(text->bytes);
		snprintf(error->text, sizeof(error->text), "%s: can't read it: %s", path,
			 strerror(-err));
	}
	return err;
}

static cyaml_config_t reader(struct complaint *complaint)
{
	return (cyaml_config_t){
		.log_fn = take_complaint,
		.log_ctx = complaint,
		.log_level = CYAML_LOG_ERROR,
		.mem_fn = cyaml_mem,
		.flags = CYAML_CFG_NO_ALIAS,
	};
}

static int load_text(const struct hf_config_text *text, struct hf_config **config,
		     struct hf_config_error *error)
{
	struct complaint complaint = { 0 };
	cyaml_config_t cyaml = reader(&complaint);
	struct hf_config *loaded = NULL;
	cyaml_err_t err;

	if (scan(text, error) < 0)
		return -EINVAL;
	err = cyaml_load_data((const uint8_t *)text->bytes, text->length, &cyaml, &hf_config_schema,
			      (cyaml_data_t **)&loaded, NULL);
	if (err != CYAML_OK) {
		explain(text, &complaint, err, error);
		return -EINVAL;
	}
	if (!loaded) {
		snprintf(error->text, sizeof(error->text),
			 "%s:1: services: missing, and required: the file is empty", text->path);
		return -EINVAL;
	}
	if (hf_config_check(loaded, text, error) < 0) {
		hf_config_free(loaded);
		return -EINVAL;
	}
	*config = loaded;
	return 0;
}

/* What the file says is repeated in errors, but its line breaks and control characters are not. */
static void make_one_line(char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			*text = ' ';
}

int hf_config_load(const char *path, struct hf_config **config, struct hf_config_error *error)
{
	struct hf_config_text text;
	int err = read_file(path, &text, error);

	if (err)
		return err;
	err = load_text(&text, config, error);
	free(text.bytes);
	if (err)
		make_one_line(error->text);
	return err;
}

void hf_config_free(struct hf_config *config)
{
	struct complaint complaint = { 0 };
	cyaml_config_t cyaml = reader(&complaint);

	if (config)
		cyaml_free(&cyaml, &hf_config_schema, config, 0);
}

const char *hf_config_protocol_name(enum hf_config_protocol protocol)
{
	return protocol == HF_CONFIG_TCP ? "tcp" : "udp";
}

const char *hf_config_check_name(enum hf_config_check_type type)
{
	static const char *const names[] = {
		[HF_CONFIG_CHECK_NONE] = "none",       [HF_CONFIG_CHECK_TCP] = "tcp",
		[HF_CONFIG_CHECK_HTTP] = "http",       [HF_CONFIG_CHECK_HTTPS] = "https",
		[HF_CONFIG_CHECK_UDP] = "udp",	       [HF_CONFIG_CHECK_DNS] = "dns",
		[HF_CONFIG_CHECK_COMMAND] = "command",
	};

	return names[type];
}

const char *hf_config_encapsulation_name(enum hf_config_encapsulation encapsulation)
{
	return encapsulation == HF_CONFIG_IPIP ? "ipip" : "gue";
}
