// SPDX-License-Identifier: BSD-2-Clause
#include "bgp/core/sessions.h"

#include <stdio.h>
#include <string.h>

#include "bgp/core/include.h"

void hf_sessions_begin(struct hf_sessions *s)
{
	*s = (struct hf_sessions){ .channel = -1 };
}

/* "spine1_v4  BGP  ---  up  19:47:44.838  Established": since may be a date and a time. */
static void take_protocol(struct hf_sessions *s, const char *text)
{
	char name[HF_SESSION_NAME_SIZE], kind[16], state[16] = "";

	s->now = NULL;
	s->channel = -1;
	if (sscanf(text, "%63s %15s %*s %15s", name, kind, state) < 2)
		return;
	for (int f = HF_IPV4; f < HF_FAMILIES && strcmp(kind, "Static") == 0; f++) {
		if (strcmp(name, f == HF_IPV4 ? HF_BIRD_STATIC "4" : HF_BIRD_STATIC "6") != 0)
			continue;
		/* What is being removed is listed for a while. */
		s->ours[f] = strcmp(state, "flush") != 0 && strcmp(state, "stop") != 0;
		s->ours_up[f] = strcmp(state, "up") == 0;
	}
	if (strcmp(kind, "BGP") != 0 || s->count == HF_SESSIONS_MAX)
		return;
	s->now = &s->session[s->count++];
	*s->now = (struct hf_session){ .state = "down" };
	snprintf(s->now->name, sizeof(s->now->name), "%s", name);
}

/* The text after "LABEL:" and blanks; NULL: the line is not of this label. */
static const char *value_of(const char *text, const char *label)
{
	size_t length = strlen(label);

	text += strspn(text, " \t");
	if (strncmp(text, label, length) != 0 || text[length] != ':')
		return NULL;
	text += length + 1;
	return text + strspn(text, " \t");
}

static void take_detail(struct hf_sessions *s, const char *text)
{
	struct hf_session *now = s->now;
	const char *value;
	char name[16];

	if (!now)
		return;
	if (sscanf(text, " Channel %15s", name) == 1) {
		s->channel = strcmp(name, "ipv4") == 0	 ? HF_IPV4
			     : strcmp(name, "ipv6") == 0 ? HF_IPV6
							 : -1;
		if (s->channel >= 0)
			now->channel[s->channel].there = true;
		return;
	}
	value = value_of(text, "State");
	if (value) {
		if (s->channel >= 0)
			now->channel[s->channel].up = strcmp(value, "UP") == 0;
		return;
	}
	value = value_of(text, "BGP state");
	if (value) {
		snprintf(now->state, sizeof(now->state), "%s", value);
		now->established = strcmp(value, "Established") == 0;
		return;
	}
	now->dynamic |= value_of(text, "Neighbor range") != NULL;
	value = value_of(text, "Neighbor address");
	if (value)
		snprintf(now->neighbour, sizeof(now->neighbour), "%s", value);
}

void hf_sessions_take(struct hf_sessions *s, const struct hf_reply_line *line)
{
	if (line->code == HF_REPLY_PROTOCOL)
		take_protocol(s, line->text);
	else if (line->code == HF_REPLY_PROTOCOL_MORE)
		take_detail(s, line->text);
}
