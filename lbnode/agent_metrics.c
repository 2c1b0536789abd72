// SPDX-License-Identifier: BSD-2-Clause
/* What lbnode tells Prometheus. Names and units by its conventions; docs/metrics.md lists them. */
#include <string.h>
#include <unistd.h>

#include "lbnode/agent_state.h"
#include "lbnode/counter_info.h"
#include "lib/bpffs.h"
#include "lib/metrics.h"
#include "lib/percpu.h"

#define DROP "DROP_"

/* "FLOWS_NEW" in a metric's name: holdfast_flows_new_total. */
static const char *metric_name(const char *counter, char name[80])
{
	char lower[HF_COUNTER_NAME];

	snprintf(name, 80, "holdfast_%s_total", hf_counter_name(counter, lower));
	return name;
}

static uint64_t counter(const struct agent *a, uint32_t number)
{
	uint64_t sum = 0;

	hf_percpu_read(a->metric_maps.counters, number, &sum, 1);
	return sum;
}

static void fill_counters(const struct agent *a, FILE *out)
{
	char name[80];

	for (uint32_t i = 0; i < HF_COUNTER_END; i++)
		if (strncmp(hf_counter_info[i].name, DROP, strlen(DROP)) != 0)
			hf_metric(out, metric_name(hf_counter_info[i].name, name),
				  HF_METRIC_COUNTER, hf_counter_info[i].text, counter(a, i));
	hf_metric_head(out, "holdfast_dropped_packets_total", HF_METRIC_COUNTER,
		       "packets that went nowhere; `lbnode --stats` explains the reasons");
	for (uint32_t i = 0; i < HF_COUNTER_END; i++) {
		char reason[HF_COUNTER_NAME];

		if (strncmp(hf_counter_info[i].name, DROP, strlen(DROP)) == 0)
			hf_metric_value(
				out, "holdfast_dropped_packets_total", counter(a, i), "reason",
				hf_counter_name(hf_counter_info[i].name + strlen(DROP), reason),
				(char *)NULL);
	}
	for (uint32_t i = 0; i < HF_SHARING_COUNTER_END; i++)
		hf_metric(out, metric_name(hf_sharing_info[i].name, name), HF_METRIC_COUNTER,
			  hf_sharing_info[i].text, a->sharing.counters[i]);
}

static void fill_flows(const struct agent *a, FILE *out)
{
	hf_metric_head(out, "holdfast_flows", HF_METRIC_GAUGE, "pins in the flow table, by state");
	for (int i = HF_PIN_NONE + 1; i < HF_PIN_STATES; i++)
		hf_metric_value(out, "holdfast_flows", a->sweeper.last.state[i], "state",
				hf_pin_state_names[i], (char *)NULL);
	hf_metric(out, "holdfast_flow_table_pins", HF_METRIC_GAUGE,
		  "that the flow table has room for", (uint64_t)a->sweeper.count * HF_BUCKET_PINS);
}

enum traffic { PACKETS, BYTES, FLOWS };

static uint64_t traffic_of(int map, uint32_t id, enum traffic what)
{
	struct hf_traffic sum = { 0 };

	hf_percpu_read(map, id, (uint64_t *)&sum, sizeof(sum) / sizeof(uint64_t));
	return what == PACKETS ? sum.packets : what == BYTES ? sum.bytes : sum.flows;
}

/* Calls `put` for each backend of the plan. */
static void each_backend(const struct agent *a, FILE *out,
			 void (*put)(const struct agent *a, FILE *out, uint32_t pool,
				     uint32_t backend))
{
	const struct hf_config *config = &a->plan->config;

	for (uint32_t p = 0; p < config->pool_count; p++)
		for (uint32_t b = 0; b < config->pools[p].backend_count; b++)
			put(a, out, p, b);
}

static void put_backend(const struct agent *a, FILE *out, const char *metric, uint64_t value,
			uint32_t p, uint32_t b)
{
	const struct hf_config_pool *pool = &a->plan->config.pools[p];

	hf_metric_value(out, metric, value, "pool", pool->name, "backend", pool->backends[b].name,
			(char *)NULL);
}

static uint16_t id_of(const struct agent *a, uint32_t p, uint32_t b)
{
	const struct hf_config_pool *pool = &a->plan->config.pools[p];

	return hf_backends_id(a->backends, hf_backend_identity(pool, &pool->backends[b]));
}

static void put_up(const struct agent *a, FILE *out, uint32_t p, uint32_t b)
{
	put_backend(a, out, "holdfast_backend_up",
		    a->plan->pools[p].backends[b].state != HF_USABLE_DOWN, p, b);
}

static void put_weight(const struct agent *a, FILE *out, uint32_t p, uint32_t b)
{
	put_backend(a, out, "holdfast_backend_weight", a->plan->pools[p].backends[b].weight, p, b);
}

static void put_dissent(const struct agent *a, FILE *out, uint32_t p, uint32_t b)
{
	const struct hf_config_pool *pool = &a->plan->config.pools[p];
	const struct hf_health_target *t = hf_health_find(
		a->checking.health,
		hf_health_key(pool->name, hf_backend_identity(pool, &pool->backends[b])));

	if (t && t->mine)
		put_backend(a, out, "holdfast_backend_dissent",
			    hf_check_is_up(&t->check) !=
				    hf_verdict_is_up(&a->plan->pools[p].backends[b].verdict),
			    p, b);
}

static void put_flows(const struct agent *a, FILE *out, uint32_t p, uint32_t b)
{
	put_backend(a, out, "holdfast_backend_flows", a->sweeper.last.backend[id_of(a, p, b)], p,
		    b);
}

static void put_packets(const struct agent *a, FILE *out, uint32_t p, uint32_t b)
{
	put_backend(a, out, "holdfast_backend_packets_total",
		    traffic_of(a->metric_maps.backends, id_of(a, p, b), PACKETS), p, b);
}

static void put_bytes(const struct agent *a, FILE *out, uint32_t p, uint32_t b)
{
	put_backend(a, out, "holdfast_backend_bytes_total",
		    traffic_of(a->metric_maps.backends, id_of(a, p, b), BYTES), p, b);
}

static void fill_backends(const struct agent *a, FILE *out)
{
	hf_metric_head(
		out, "holdfast_backend_up", HF_METRIC_GAUGE,
		"0: it is down, by the verdict of all nodes; weight tells whether it serves");
	each_backend(a, out, put_up);
	hf_metric_head(out, "holdfast_backend_weight", HF_METRIC_GAUGE,
		       "that it has slots by, now; 0: no new flows");
	each_backend(a, out, put_weight);
	hf_metric_head(out, "holdfast_backend_dissent", HF_METRIC_GAUGE,
		       "1: this node's own checks say otherwise than the verdict");
	each_backend(a, out, put_dissent);
	hf_metric_head(out, "holdfast_backend_flows", HF_METRIC_GAUGE,
		       "pins; a backend in several pools has them in each");
	each_backend(a, out, put_flows);
	hf_metric_head(out, "holdfast_backend_packets_total", HF_METRIC_COUNTER,
		       "packets sent to it; in several pools, to all of them");
	each_backend(a, out, put_packets);
	hf_metric_head(out, "holdfast_backend_bytes_total", HF_METRIC_COUNTER,
		       "bytes sent to it, without the tunnel's headers");
	each_backend(a, out, put_bytes);
}

static void fill_pools(const struct agent *a, FILE *out)
{
	hf_metric_head(out, "holdfast_pool_fail_open", HF_METRIC_GAUGE,
		       "1: all of its backends look dead, or too many at once, so all serve");
	for (uint32_t p = 0; p < a->plan->config.pool_count; p++)
		hf_metric_value(out, "holdfast_pool_fail_open",
				a->plan->pools[p].state != HF_POOL_NORMAL, "pool",
				a->plan->config.pools[p].name, (char *)NULL);
}

static void fill_health(const struct agent *a, FILE *out)
{
	const struct hf_health_counters *c = hf_health_counters(a->checking.health);

	hf_metric(out, "holdfast_checks_total", HF_METRIC_COUNTER, "checks of backends made here",
		  c->probes);
	hf_metric(out, "holdfast_checks_failed_total", HF_METRIC_COUNTER, "of them, that failed",
		  c->failures);
	hf_metric(out, "holdfast_checks_unable_total", HF_METRIC_COUNTER,
		  "checks that this node could not make", c->unable);
	hf_metric(out, "holdfast_verdicts_total", HF_METRIC_COUNTER, "passed here, or repeated",
		  c->verdicts);
	hf_metric(out, "holdfast_plans_total", HF_METRIC_COUNTER,
		  "changes of the tables that were put in force", a->plans);
}

static void fill(void *context, FILE *out)
{
	struct agent *a = context;

	hf_metric_head(out, "holdfast_lbnode_info", HF_METRIC_GAUGE, "always 1; its labels tell");
	hf_metric_value(out, "holdfast_lbnode_info", 1, "node", a->config->node.name, "version",
			HF_VERSION, (char *)NULL);
	hf_metric(out, "holdfast_lbnode_draining", HF_METRIC_GAUGE, "1: by `lbctl drain node`",
		  a->draining);
	hf_metric(out, "holdfast_lbnode_sharing", HF_METRIC_GAUGE, "1: connected to syncd",
		  a->sync.greeted);
	hf_metric(out, "holdfast_lbnode_ready", HF_METRIC_GAUGE,
		  "1: this node can serve; 0: see `lbbgp --status`", !hf_agent_why_not_ready(a));
	hf_metric(out, "holdfast_unresolved_next_hops", HF_METRIC_GAUGE,
		  "ways that are in use, and whose neighbour does not answer",
		  hf_forwarding_unresolved(a->forwarding));
	fill_flows(a, out);
	fill_counters(a, out);
	fill_pools(a, out);
	fill_backends(a, out);
	fill_health(a, out);
}

void hf_agent_start_metrics(struct agent *a)
{
	a->metric_maps.counters = hf_bpffs_open(a->instance, "counters");
	a->metric_maps.backends = hf_bpffs_open(a->instance, "backend_traffic");
	a->metric_maps.services = hf_bpffs_open(a->instance, "service_traffic");
	hf_metrics_start(&a->metrics, &a->loop, &a->config->metrics, HF_METRICS_LBNODE, fill, a);
}

void hf_agent_stop_metrics(struct agent *a)
{
	const int fds[] = { a->metric_maps.counters, a->metric_maps.backends,
			    a->metric_maps.services };

	hf_metrics_stop(&a->metrics);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}
