// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/health/override.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "lib/maglev.h"
#include "proto/override.pb-c.h"

#define KIND	  'w'
#define ALL_POOLS "+"

const char *hf_override_action_name(enum hf_override_action action)
{
	static const char *const names[] = { "none", "drain", "disable", "weight" };

	return names[action];
}

static bool is_name(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("._-", text[i]))
			return false;
	return length > 0;
}

bool hf_override_target_is_good(const char *target)
{
	size_t pool = strcspn(target, "/");

	if (strlen(target) > HF_OVERRIDE_TARGET_MAX || !target[pool])
		return false;
	return (strncmp(target, ALL_POOLS "/", 2) == 0 || is_name(target, pool)) &&
	       is_name(target + pool + 1, strlen(target + pool + 1));
}

static bool is_text(const char *text)
{
	if (strlen(text) > HF_OVERRIDE_TEXT_MAX)
		return false;
	for (; *text; text++)
		if (!isprint((unsigned char)*text))
			return false;
	return true;
}

static bool is_good(const struct hf_override *o)
{
	return hf_override_target_is_good(o->target) && is_text(o->author) && is_text(o->reason) &&
	       o->action >= HF_OVERRIDE_NONE && o->action <= HF_OVERRIDE_WEIGHT &&
	       (o->action != HF_OVERRIDE_WEIGHT ||
		(o->weight >= 1 && o->weight <= HF_MAGLEV_WEIGHT_MAX));
}

static uint16_t write_key(uint8_t *out, const char *target)
{
	size_t length = strnlen(target, HF_OVERRIDE_TARGET_MAX);

	out[0] = KIND;
	memcpy(out + 1, target, length);
	return 1 + length;
}

static const struct hf_notice *find(const struct hf_board *board, const char *target)
{
	uint8_t key[1 + HF_OVERRIDE_TARGET_MAX];

	return hf_board_find(board, key, write_key(key, target));
}

bool hf_override_write(struct hf_override_notice *out, const struct hf_board *board,
		       const struct hf_override *o, uint64_t self)
{
	Holdfast__Override body = HOLDFAST__OVERRIDE__INIT;
	const struct hf_notice *former;

	if (!is_good(o))
		return false;
	former = find(board, o->target);
	body.action = (Holdfast__OverrideAction)o->action;
	body.weight = o->action == HF_OVERRIDE_WEIGHT ? o->weight : 0;
	body.author = (char *)o->author;
	body.reason = (char *)o->reason;
	out->notice = (struct hf_notice){
		.key = out->key,
		.key_length = write_key(out->key, o->target),
		.body = out->body,
		.body_length = holdfast__override__pack(&body, out->body),
		.expires = o->expires,
		.author = self,
		.version =
			former && former->version >= o->version ? former->version + 1 : o->version,
	};
	return true;
}

static bool read_body(const struct hf_notice *n, struct hf_override *o)
{
	Holdfast__Override *body = holdfast__override__unpack(NULL, n->body_length, n->body);

	if (!body)
		return false;
	o->action = (enum hf_override_action)body->action;
	o->weight = body->weight;
	snprintf(o->author, sizeof(o->author), "%s", body->author);
	snprintf(o->reason, sizeof(o->reason), "%s", body->reason);
	holdfast__override__free_unpacked(body, NULL);
	return true;
}

bool hf_override_read(const struct hf_notice *n, struct hf_override *o)
{
	if (n->key[0] != KIND || n->key_length < 2 || n->key_length > 1 + HF_OVERRIDE_TARGET_MAX)
		return false;
	memset(o, 0, sizeof(*o));
	snprintf(o->target, sizeof(o->target), "%.*s", n->key_length - 1, n->key + 1);
	o->expires = n->expires;
	o->version = n->version;
	return read_body(n, o) && is_good(o);
}

struct hf_override hf_override_find(const struct hf_board *board, const char *pool,
				    const char *backend)
{
	const char *const pools[] = { pool, ALL_POOLS };
	struct hf_override best = { .action = HF_OVERRIDE_NONE }, one;
	char target[HF_OVERRIDE_TARGET_MAX + 1];

	for (int i = 0; i < 2; i++) {
		const struct hf_notice *n;

		snprintf(target, sizeof(target), "%s/%s", pools[i], backend);
		n = find(board, target);
		/* What was taken back says nothing of the other. */
		if (n && hf_override_read(n, &one) && one.action != HF_OVERRIDE_NONE &&
		    one.version > best.version)
			best = one;
	}
	return best;
}
