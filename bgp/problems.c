// SPDX-License-Identifier: BSD-2-Clause
#include "bgp/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bgp/core/include.h"
#include "lib/log.h"

/* Shown, but not worth a line in the log. */
#define NOT_YET "what BIRD announces is not known yet"

void hf_problems_add(struct hf_problems *p, const char *format, ...)
{
	va_list arguments;

	if (p->count == HF_PROBLEMS_MAX) {
		snprintf(p->text[p->count - 1], HF_PROBLEM_SIZE, "and more");
		return;
	}
	va_start(arguments, format);
	vsnprintf(p->text[p->count++], HF_PROBLEM_SIZE, format, arguments);
	va_end(arguments);
}

bool hf_session_is_expected(const struct hf_config_bgp *config, const char *name)
{
	for (uint32_t i = 0; i < config->peer_count; i++)
		if (strcmp(config->peers[i], name) == 0)
			return true;
	return config->peer_count == 0;
}

static void add_trouble(struct hf_problems *p, const struct hf_config_bgp *config,
			const struct hf_driver *d)
{
	switch (d->trouble) {
	case HF_TROUBLE_NONE:
		return;
	case HF_TROUBLE_APART:
		hf_problems_add(p,
				"can't reach BIRD at %s: %s; does it run, and is lbbgp's user in "
				"the socket's "
				"group?",
				config->bird_socket, d->why);
		return;
	case HF_TROUBLE_SILENT:
		hf_problems_add(p,
				"BIRD does not answer at %s: it hangs, or is busy; `systemctl "
				"restart bird`",
				config->bird_socket);
		return;
	case HF_TROUBLE_STRANGE:
		hf_problems_add(p, "what answers at %s is no BIRD 2.0 or newer: %.100s",
				config->bird_socket, d->why);
		return;
	case HF_TROUBLE_FILE:
		hf_problems_add(
			p, "can't write %s: %s; VIPs can't be announced, nor withdrawn one by one",
			config->include, d->why);
		return;
	case HF_TROUBLE_REFUSED:
		hf_problems_add(p,
				"BIRD refuses its configuration, so VIPs can't be announced, nor "
				"withdrawn one by one: %.160s; mend it, `birdc configure check` "
				"tells more",
				d->why);
		return;
	case HF_TROUBLE_NOT_INCLUDED:
		hf_problems_add(p,
				"BIRD's configuration does not include %s; add the line `include "
				"\"%.*s/*.conf\";`",
				config->include,
				(int)(strrchr(config->include, '/') - config->include),
				config->include);
		return;
	case HF_TROUBLE_DENIED:
		hf_problems_add(p, "BIRD did not do what it was told: %.160s", d->why);
		return;
	}
}

static void add_channel(struct hf_problems *p, const struct hf_driver *d,
			const struct hf_session *s, enum hf_family_index family, uint32_t expected)
{
	const struct hf_channel *channel = &s->channel[family];
	int number = family == HF_IPV4 ? 4 : 6;

	if (!channel->there || !s->established || (!expected && !channel->surplus))
		return;
	if (channel->up && !channel->told && !d->fresh)
		hf_problems_add(p, "BIRD does not tell what it exports to %s", s->name);
	if (channel->told && channel->surplus && !d->fresh)
		hf_problems_add(p, "BIRD still announces %u VIPs to %s that it should not",
				channel->surplus, s->name);
	if (!channel->up)
		hf_problems_add(p, "session %s carries no IPv%d: the peer does not want it",
				s->name, number);
	else if (channel->told && channel->exported < expected && !d->fresh)
		hf_problems_add(
			p,
			"BIRD exports %u of %u IPv%d VIPs to %s, for instance not %s: its export "
			"filter, or a better route, keeps them back; `birdc show route export %s`",
			channel->exported, expected, number, s->name, channel->missing, s->name);
}

static void add_sessions(struct hf_problems *p, const struct hf_config_bgp *config,
			 const struct hf_driver *d, bool device_is_up)
{
	bool carried[HF_FAMILIES] = { false, false };
	uint32_t expected[HF_FAMILIES] = { 0, 0 };

	for (int f = HF_IPV4; device_is_up && f < HF_FAMILIES; f++)
		expected[f] = hf_exports_expected(&d->exports, (enum hf_family_index)f);
	for (uint32_t i = 0; i < d->sessions.count; i++) {
		const struct hf_session *s = &d->sessions.session[i];

		if (!hf_session_is_expected(config, s->name) || s->dynamic)
			continue;
		if (!s->established)
			hf_problems_add(
				p, "session %s with %s is not up; `birdc show protocols all %s`",
				s->name, s->neighbour, s->name);
		for (int f = HF_IPV4; f < HF_FAMILIES; f++) {
			carried[f] |= s->channel[f].there;
			add_channel(p, d, s, (enum hf_family_index)f, expected[f]);
		}
	}
	for (int f = HF_IPV4; f < HF_FAMILIES; f++)
		if (expected[f] && !carried[f])
			hf_problems_add(p,
					"no BGP session of BIRD's has an ipv%d channel, so IPv%d "
					"VIPs are told "
					"to nobody",
					f == HF_IPV4 ? 4 : 6, f == HF_IPV4 ? 4 : 6);
}

static void add_missing_peers(struct hf_problems *p, const struct hf_config_bgp *config,
			      const struct hf_driver *d)
{
	for (uint32_t i = 0; i < config->peer_count; i++) {
		bool found = false;

		for (uint32_t k = 0; k < d->sessions.count; k++)
			found |= strcmp(config->peers[i], d->sessions.session[k].name) == 0;
		if (!found)
			hf_problems_add(p, "bgp.peers names %s, but BIRD has no such BGP session",
					config->peers[i]);
	}
}

void hf_problems_of_bird(struct hf_problems *p, const struct hf_config_bgp *config,
			 const struct hf_driver *d, bool device_is_up)
{
	p->count = 0;
	if (!device_is_up)
		hf_problems_add(
			p, "the device %s is down, so the VIPs are withdrawn; `ip link set %s up`",
			config->device, config->device);
	add_trouble(p, config, d);
	if (d->trial)
		hf_problems_add(
			p,
			"somebody tries a configuration of BIRD's: lbbgp puts nothing right "
			"until `birdc configure confirm` or `undo`; a change of VIPs confirms it");
	if (!d->looked) {
		if (d->trouble == HF_TROUBLE_NONE)
			hf_problems_add(p, NOT_YET);
		return;
	}
	for (int f = HF_IPV4; f < HF_FAMILIES; f++)
		if (d->sessions.ours[f] && !d->sessions.ours_up[f])
			hf_problems_add(p,
					"somebody has disabled " HF_BIRD_STATIC
					"%d in BIRD, so its VIPs are withdrawn; `birdc "
					"enable " HF_BIRD_STATIC "%d`",
					f == HF_IPV4 ? 4 : 6, f == HF_IPV4 ? 4 : 6);
	add_sessions(p, config, d, device_is_up);
	add_missing_peers(p, config, d);
}

void hf_problems_of_vips(struct hf_problems *p, const struct hf_announcer *a, const char *why_not,
			 int64_t now)
{
	char text[HF_ADDRESS_TEXT];

	if (now >= a->lease_until)
		hf_problems_add(p,
				"lbnode does not renew its lease, so the VIPs are withdrawn; does "
				"it run, and "
				"has it a `bgp` in its configuration?");
	else if (!a->leased)
		hf_problems_add(p, "lbnode has not been heard yet");
	else if (!a->ready)
		hf_problems_add(p, "the node is not ready, so the VIPs are withdrawn: %s", why_not);
	else
		for (uint32_t i = 0; i < a->count; i++) {
			const struct hf_vip *vip = &a->vips[i];

			if (!hf_vip_is_out(vip) && vip->served && vip->why < HF_WHY_NODE_DRAINED)
				hf_problems_add(
					p,
					"%s is withdrawn: %s (%s: %u usable, %u of them reachable, "
					"%u needed)",
					hf_address_format(&vip->facts.address, text),
					hf_vip_why_text(vip->why), vip->facts.service,
					vip->facts.usable, vip->facts.reachable, vip->facts.needed);
		}
}

static bool has(const struct hf_problems *p, const char *text)
{
	for (uint32_t i = 0; i < p->count; i++)
		if (strcmp(p->text[i], text) == 0)
			return true;
	return false;
}

void hf_problems_log(const struct hf_problems *before, const struct hf_problems *now)
{
	for (uint32_t i = 0; i < now->count; i++)
		if (!has(before, now->text[i]) && strcmp(now->text[i], NOT_YET) != 0)
			hf_warning("%s", now->text[i]);
	if (before->count && !now->count)
		hf_notice("BIRD announces to all peers what it should");
}
