// SPDX-License-Identifier: BSD-2-Clause
#include "lib/config.h"

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

static void take_complaint(cyaml_log_t level, void *context, const char *format, va_list arguments)
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

/* A file cut short in the middle of a line, or not YAML: libyaml knows best where. */
static bool explain_syntax(const struct hf_config_text *text, struct hf_config_error *error)
{
	yaml_document_t tree;
	yaml_parser_t parser;
	size_t line;
	bool bad;

	if (!yaml_parser_initialize(&parser))
		return false;
	yaml_parser_set_input_string(&parser, (unsigned char *)text->bytes, text->length);
	bad = !yaml_parser_load(&parser, &tree);
	/* At the end of the file, where what is cut short began says more. */
	line = parser.context && parser.problem_mark.index >= text->length
		       ? parser.context_mark.line
		       : parser.problem_mark.line;
	if (bad)
		snprintf(error->text, sizeof(error->text), "%s:%zu: not YAML: %s%s%s", text->path,
			 line + 1, parser.problem ? parser.problem : "unreadable",
			 parser.context ? ", " : "", parser.context ? parser.context : "");
	else
		yaml_document_delete(&tree);
	yaml_parser_delete(&parser);
	return bad;
}

static int read_file(const char *path, struct hf_config_text *text, struct hf_config_error *error)
{
	FILE *file = fopen(path, "re");
	size_t got;
	int err = -EIO;

	*text = (struct hf_config_text){ .path = path };
	if (!file) {
		err = -errno;
		goto out;
	}
	text->bytes = malloc(FILE_MAX);
	if (!text->bytes) {
		err = -ENOMEM;
		goto out;
	}
	errno = EIO;
	got = fread(text->bytes, 1, FILE_MAX, file);
	if (ferror(file) || got == FILE_MAX) {
		err = got == FILE_MAX ? -EFBIG : -errno;
		free(text->bytes);
		goto out;
	}
	text->length = got;
	err = 0;
out:
	if (file)
		fclose(file);
	if (err)
		snprintf(error->text, sizeof(error->text), "%s: can't read it: %s", path,
			 strerror(-err));
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

	if (explain_syntax(text, error))
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

int hf_config_load(const char *path, struct hf_config **config, struct hf_config_error *error)
{
	struct hf_config_text text;
	int err = read_file(path, &text, error);

	if (err)
		return err;
	err = load_text(&text, config, error);
	free(text.bytes);
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

const char *hf_config_encapsulation_name(enum hf_config_encapsulation encapsulation)
{
	return encapsulation == HF_CONFIG_IPIP ? "ipip" : "gue";
}
