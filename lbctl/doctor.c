// SPDX-License-Identifier: BSD-2-Clause
/* Looks at all that Holdfast needs of this node, and tells what is not as it should be. */
#include "lbctl/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lbctl/cluster.h"
#include "lbctl/table.h"

#define DEFAULT_CONFIG "/etc/holdfast/holdfast.yaml"

static const char *const state_names[] = { "good", "doubtful", "bad" };

void hf_finding_add(json_t *findings, enum hf_finding state, const char *about, const char *remedy,
		    const char *format, ...)
{
	char text[512];
	va_list arguments;
	json_t *f;
	size_t i;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	/* What is true of many backends is told of the first. */
	json_array_foreach (findings, i, f)
		if (state != HF_FINDING_GOOD && strcmp(hf_text(f, "text"), text) == 0)
			return;
	json_array_append_new(findings,
			      json_pack("{s:o, s:s, s:o, s:o}", "about", hf_json_clean(about),
					"state", state_names[state], "text", hf_json_clean(text),
					"remedy", hf_json_clean(remedy)));
}

static const json_t *local_facts(const json_t *cluster)
{
	return json_object_get(hf_cluster_local(cluster), "lbnode");
}

long hf_doctor_number(const char *path)
{
	FILE *file = fopen(path, "r");
	long number = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%ld", &number) != 1)
		number = -1;
	fclose(file);
	return number;
}

static struct hf_config *load(json_t *findings, const struct hf_context *c, const json_t *cluster)
{
	const char *path = hf_text(local_facts(cluster), "config_path");
	struct hf_config_error error;
	struct hf_config *config = NULL;

	if (c->config)
		path = c->config;
	if (!path[0])
		path = DEFAULT_CONFIG;
	if (hf_config_load(path, &config, &error) < 0)
		hf_finding_add(findings, HF_FINDING_BAD, "configuration", "lbctl check", "%s",
			       error.text);
	else
		hf_finding_add(findings, HF_FINDING_GOOD, "configuration", "", "%s is good", path);
	return config;
}

static void show(const json_t *findings)
{
	static const enum hf_colour colours[] = { HF_GOOD, HF_DOUBTFUL, HF_BAD };
	struct hf_table *t = hf_table_new("about", "", "finding", NULL);
	json_t *f;
	size_t i;

	for (int state = HF_FINDING_BAD; state >= HF_FINDING_GOOD; state--) {
		json_array_foreach (findings, i, f) {
			if (strcmp(hf_text(f, "state"), state_names[state]) != 0)
				continue;
			hf_table_cell(t, HF_PLAIN, "%s", hf_text(f, "about"));
			hf_table_cell(t, colours[state], "%s", state_names[state]);
			hf_table_cell(t, HF_PLAIN, "%s%s%s", hf_text(f, "text"),
				      hf_text(f, "remedy")[0] ? "; try: " : "",
				      hf_text(f, "remedy"));
		}
	}
	hf_table_print(t, stdout);
}

int hf_command_doctor(const struct hf_context *c)
{
	json_t *findings = json_array(), *f;
	json_t *cluster =
		hf_cluster_gather(c->instance, HF_PART_SYNCD | HF_PART_FACTS | HF_PART_BGP, NULL);
	struct hf_config *config = load(findings, c, cluster);
	int code = HF_EXIT_FINE;
	size_t i;

	hf_doctor_host(findings, config);
	hf_doctor_keys(findings, config);
	hf_doctor_network(findings, config, local_facts(cluster));
	hf_doctor_bfd(findings, config);
	hf_doctor_cluster(findings, config, cluster);
	json_array_foreach (findings, i, f)
		if (strcmp(hf_text(f, "state"), "bad") == 0)
			code = HF_EXIT_DEGRADED;
	if (!hf_print_json(c, findings))
		show(findings);
	if (config)
		hf_config_free(config);
	json_decref(cluster);
	json_decref(findings);
	return code;
}
