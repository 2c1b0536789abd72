// SPDX-License-Identifier: BSD-2-Clause
#include "bgp/core/exports.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/core/include.h"

void hf_exports_free(struct hf_exports *e)
{
	free(e->vips);
	free(e->seen);
	*e = (struct hf_exports){ 0 };
}

static void add(void *context, const struct hf_address *vip, bool draining)
{
	struct hf_exports *e = context;

	(void)draining;
	if (e->count == e->room) {
		uint32_t room = e->room ? 2 * e->room : 64;
		struct hf_address *vips = realloc(e->vips, room * sizeof(*vips));

		if (!vips)
			return;
		e->vips = vips;
		e->room = room;
	}
	e->vips[e->count++] = *vip;
}

static int order(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct hf_address));
}

int hf_exports_expect(struct hf_exports *e, const char *include)
{
	hf_exports_free(e);
	hf_include_read(include, add, e);
	if (!e->count)
		return 0;
	qsort(e->vips, e->count, sizeof(*e->vips), order);
	e->seen = calloc(e->count, sizeof(*e->seen));
	if (e->seen)
		return 0;
	hf_exports_free(e);
	return -ENOMEM;
}

void hf_exports_begin(struct hf_exports *e)
{
	e->surplus = 0;
	if (e->count)
		memset(e->seen, 0, e->count * sizeof(*e->seen));
}

/* "203.0.113.10/32      unicast [holdfast4 19:46:45.846] * (200)". */
void hf_exports_take(struct hf_exports *e, const struct hf_reply_line *line)
{
	struct hf_address *found;
	struct hf_prefix prefix;
	char text[HF_ADDRESS_TEXT];
	size_t end = strcspn(line->text, " \t");

	if (line->code != HF_REPLY_ROUTE || end >= sizeof(text) ||
	    !strstr(line->text, "[" HF_BIRD_STATIC))
		return;
	memcpy(text, line->text, end);
	text[end] = '\0';
	if (hf_prefix_parse(text, &prefix) < 0 ||
	    prefix.length != 8 * hf_address_length(prefix.address.family))
		return;
	found = e->count ? bsearch(&prefix.address, e->vips, e->count, sizeof(*e->vips), order)
			 : NULL;
	if (found)
		e->seen[found - e->vips] = true;
	else
		e->surplus++;
}

static uint32_t number_of(enum hf_family_index family)
{
	return family == HF_IPV4 ? 4 : 6;
}

void hf_exports_tell(const struct hf_exports *e, enum hf_family_index family,
		     struct hf_channel *channel)
{
	char text[HF_ADDRESS_TEXT];

	channel->told = true;
	channel->exported = 0;
	channel->surplus = e->surplus;
	channel->missing[0] = '\0';
	for (uint32_t i = 0; i < e->count; i++) {
		if (e->vips[i].family != number_of(family))
			continue;
		if (e->seen[i])
			channel->exported++;
		else if (!channel->missing[0])
			snprintf(channel->missing, sizeof(channel->missing), "%.43s",
				 hf_address_format(&e->vips[i], text));
	}
}

uint32_t hf_exports_expected(const struct hf_exports *e, enum hf_family_index family)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < e->count; i++)
		count += e->vips[i].family == number_of(family);
	return count;
}
