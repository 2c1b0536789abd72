// SPDX-License-Identifier: BSD-2-Clause
#include "lbctl/change.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/log.h"

#define PATIENCE_MS 5000 /* a change may take a while */

const char *hf_change_ask(const struct hf_context *c, struct hf_question_to *q)
{
	hf_ask(c->instance, q, 1, PATIENCE_MS);
	if (!q->answer)
		return q->why;
	if (q->program == HOLDFAST__PROGRAM__PROGRAM_LBNODE) {
		const Holdfast__FromNode *m = (Holdfast__FromNode *)q->answer;

		if (m->body_case == HOLDFAST__FROM_NODE__BODY_RESULT && m->result->error[0])
			return m->result->error;
		if (m->body_case == HOLDFAST__FROM_NODE__BODY_DONE && m->done->error[0])
			return m->done->error;
	} else if (q->program == HOLDFAST__PROGRAM__PROGRAM_LBBGP) {
		const Holdfast__FromBgp *m = (Holdfast__FromBgp *)q->answer;

		if (m->body_case == HOLDFAST__FROM_BGP__BODY_RESULT && m->result->error[0])
			return m->result->error;
		if (m->body_case == HOLDFAST__FROM_BGP__BODY_DONE && m->done->error[0])
			return m->done->error;
	} else {
		const Holdfast__FromSync *m = (Holdfast__FromSync *)q->answer;

		if (m->body_case == HOLDFAST__FROM_SYNC__BODY_DONE && m->done->error[0])
			return m->done->error;
	}
	return NULL;
}

void hf_change_tell(const struct hf_context *c, bool done, const char *about, const char *format,
		    ...)
{
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (c->json) {
		json_t *line = json_pack("{s:o, s:b, s:o}", "about", hf_json_clean(about), "done",
					 done, "text", hf_json_clean(text));

		json_dumpf(line, stdout, JSON_PRESERVE_ORDER);
		putchar('\n');
		json_decref(line);
	} else if (done) {
		printf("%s: %s\n", about, text);
	}
	fflush(stdout);
	if (!done)
		hf_error("%s: %s", about, text);
}

bool hf_change_can(const struct hf_context *c, const json_t *node)
{
	if (hf_cluster_can_ask(node))
		return true;
	hf_change_tell(c, false, hf_text(node, "name"), "can't be asked, for it is %s",
		       hf_text(node, "state"));
	return false;
}

bool hf_change_sees_all(const struct hf_context *c, const json_t *cluster)
{
	if (c->node || !hf_text(cluster, "blind")[0])
		return true;
	hf_change_tell(c, false, "all nodes",
		       "only this one can be asked: syncd: %s; for one: --node",
		       hf_text(cluster, "blind"));
	return false;
}
