// SPDX-License-Identifier: BSD-2-Clause
#include "bgp/metrics.h"

#include "bgp/daemon.h"
#include "lib/metrics.h"

static void fill_vips(const struct hf_announcer *a, FILE *out)
{
	char text[HF_ADDRESS_TEXT];

	hf_metric_head(out, "holdfast_vip_announced", HF_METRIC_GAUGE,
		       "1: it is to be announced by this node, drained or not");
	for (uint32_t i = 0; i < a->count; i++)
		hf_metric_value(out, "holdfast_vip_announced", hf_vip_is_out(&a->vips[i]), "vip",
				hf_address_format(&a->vips[i].facts.address, text), (char *)NULL);
	hf_metric_head(out, "holdfast_vip_drained", HF_METRIC_GAUGE,
		       "1: by an operator's word, for it or for the node");
	for (uint32_t i = 0; i < a->count; i++)
		hf_metric_value(out, "holdfast_vip_drained",
				a->vips[i].why == HF_WHY_NODE_DRAINED ||
					a->vips[i].why == HF_WHY_VIP_DRAINED,
				"vip", hf_address_format(&a->vips[i].facts.address, text),
				(char *)NULL);
	hf_metric_head(out, "holdfast_vip_usable_backends", HF_METRIC_GAUGE,
		       "of that of its services that lacks most");
	for (uint32_t i = 0; i < a->count; i++)
		hf_metric_value(out, "holdfast_vip_usable_backends", a->vips[i].facts.usable, "vip",
				hf_address_format(&a->vips[i].facts.address, text), (char *)NULL);
}

static void fill_sessions(const struct hf_bgp *b, FILE *out)
{
	const struct hf_sessions *s = &b->driver.sessions;
	uint32_t count = b->driver.looked ? s->count : 0;

	hf_metric_head(out, "holdfast_bgp_session_up", HF_METRIC_GAUGE,
		       "1: established; absent while BIRD can't be asked, and if it is not in "
		       "bgp.peers");
	for (uint32_t i = 0; i < count; i++)
		if (!s->session[i].dynamic &&
		    hf_session_is_expected(&b->config->bgp, s->session[i].name))
			hf_metric_value(out, "holdfast_bgp_session_up", s->session[i].established,
					"session", s->session[i].name, (char *)NULL);
	hf_metric_head(out, "holdfast_bgp_exported_vips", HF_METRIC_GAUGE,
		       "that BIRD has told this peer; absent while that is not known");
	for (uint32_t i = 0; i < count; i++)
		for (int f = HF_IPV4; f < HF_FAMILIES; f++)
			if (s->session[i].channel[f].told)
				hf_metric_value(out, "holdfast_bgp_exported_vips",
						s->session[i].channel[f].exported, "session",
						s->session[i].name, "family",
						f == HF_IPV4 ? "ipv4" : "ipv6", (char *)NULL);
}

void hf_bgp_metrics(void *context, FILE *out)
{
	const struct hf_bgp *b = context;
	const struct hf_driver_counters *c = &b->driver.counters;
	int64_t left = b->announcer.lease_until - hf_bgp_now();

	hf_metric_head(out, "holdfast_lbbgp_info", HF_METRIC_GAUGE, "always 1; its labels tell");
	hf_metric_value(out, "holdfast_lbbgp_info", 1, "node", b->config->node.name, "version",
			HF_VERSION, "bird", b->driver.version, (char *)NULL);
	hf_metric_head(out, "holdfast_lease_left_seconds", HF_METRIC_GAUGE,
		       "of lbnode's lease; 0: it is over, and the VIPs are withdrawn");
	hf_metric_seconds(out, "holdfast_lease_left_seconds", left > 0 ? (double)left / 1000 : 0,
			  (char *)NULL);
	hf_metric(out, "holdfast_bird_up", HF_METRIC_GAUGE, "1: it answers on its control socket",
		  b->driver.version[0] != '\0');
	hf_metric(out, "holdfast_bird_settled", HF_METRIC_GAUGE, "1: it has taken what is wanted",
		  hf_driver_is_settled(&b->driver));
	hf_metric(out, "holdfast_bgp_problems", HF_METRIC_GAUGE,
		  "that `lbbgp --status` tells of BIRD and its sessions", b->problems.count);
	hf_metric(out, "holdfast_bird_configured_total", HF_METRIC_COUNTER,
		  "times that BIRD took another include", c->configured);
	hf_metric(out, "holdfast_bird_refused_total", HF_METRIC_COUNTER,
		  "times that it refused its configuration", c->refused);
	hf_metric(out, "holdfast_bird_timeouts_total", HF_METRIC_COUNTER,
		  "commands that it did not answer", c->timeouts);
	hf_metric(out, "holdfast_bird_include_restored_total", HF_METRIC_COUNTER,
		  "times that somebody else's text stood in the include", c->restored);
	fill_vips(&b->announcer, out);
	fill_sessions(b, out);
}
