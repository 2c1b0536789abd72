// SPDX-License-Identifier: BSD-2-Clause
#include "bgp/core/include.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUTE	       "    route "
#define SHUTDOWN       "bgp_community.add((65535, 0));"
#define AS_TRANS       23456 /* RFC 6793: stands for what needs four bytes */
#define LINK_BANDWIDTH 0x0004

static uint32_t float_bits(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static void write_weight(FILE *out, const struct hf_include_style *s)
{
	uint32_t as = s->local_as > UINT16_MAX ? AS_TRANS : s->local_as;
	float bandwidth = (float)s->weight * HF_BANDWIDTH_UNIT;

	fprintf(out, " bgp_ext_community.add((generic, 0x%08x, 0x%08x));",
		(uint32_t)LINK_BANDWIDTH << 16 | as, float_bits(bandwidth));
	fprintf(out, " bgp_large_community.add((%u, 1, %u));", s->local_as, s->weight);
}

static void write_drain(FILE *out, const struct hf_include_style *s)
{
	fprintf(out, " " SHUTDOWN);
	if (s->drain_med >= 0)
		fprintf(out, " bgp_med = %" PRId64 ";", s->drain_med);
	for (uint32_t i = 0; i < s->drain_prepend; i++)
		fprintf(out, " bgp_path.prepend(%u);", s->local_as);
}

static void write_route(FILE *out, const struct hf_include_style *s, const struct hf_vip *vip)
{
	bool draining = vip->state == HF_VIP_DRAINING;
	char text[HF_ADDRESS_TEXT];

	fprintf(out, ROUTE "%s/%u via \"%s\"", hf_address_format(&vip->facts.address, text),
		8 * hf_address_length(vip->facts.address.family), s->device);
	if (s->weight || draining) {
		fprintf(out, " {");
		if (s->weight)
			write_weight(out, s);
		if (draining)
			write_drain(out, s);
		fprintf(out, " }");
	}
	fprintf(out, ";\n");
}

static uint32_t write_family(FILE *out, const struct hf_include_style *s,
			     const struct hf_announcer *a, uint32_t family)
{
	uint32_t count = 0;

	/* Carrier and all: the device has one only while its routes are to be announced. */
	fprintf(out, "protocol static " HF_BIRD_STATIC "%u {\n    ipv%u;\n    check link yes;\n",
		family, family);
	for (uint32_t i = 0; i < a->count; i++) {
		const struct hf_vip *vip = &a->vips[i];

		if (vip->facts.address.family != family || !hf_vip_is_out(vip))
			continue;
		write_route(out, s, vip);
		count++;
	}
	fprintf(out, "}\n");
	return count;
}

char *hf_include_write(const struct hf_include_style *style, const struct hf_announcer *a,
		       uint32_t *count)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out,
		"# The VIPs of node %s, by lbbgp, which writes this file anew: change "
		"holdfast.yaml instead.\n",
		style->node);
	*count = write_family(out, style, a, 4);
	*count += write_family(out, style, a, 6);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static void read_route(const char *line, size_t length,
		       void (*take)(void *context, const struct hf_address *vip, bool draining),
		       void *context)
{
	struct hf_prefix prefix;
	char text[HF_ADDRESS_TEXT];
	size_t end = strcspn(line, " \n");

	if (end >= sizeof(text))
		return;
	memcpy(text, line, end);
	text[end] = '\0';
	if (hf_prefix_parse(text, &prefix) == 0 &&
	    prefix.length == 8 * hf_address_length(prefix.address.family))
		take(context, &prefix.address,
		     memmem(line, length, SHUTDOWN, strlen(SHUTDOWN)) != NULL);
}

void hf_include_read(const char *text,
		     void (*take)(void *context, const struct hf_address *vip, bool draining),
		     void *context)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		if (strncmp(text, ROUTE, strlen(ROUTE)) == 0)
			read_route(text + strlen(ROUTE), length - strlen(ROUTE), take, context);
		text += length + (text[length] == '\n');
	}
}
