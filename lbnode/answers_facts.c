// SPDX-License-Identifier: BSD-2-Clause
/* What the agent says of its node, and of its services, to who asks (proto/control.proto). */
#include <arpa/inet.h>
#include <string.h>
#include <sys/utsname.h>

#include "lbnode/answers.h"
#include "lbnode/bpf/service_table.h"
#include "lbnode/counter_info.h"
#include "lib/log_message.h"
#include "lib/percpu.h"
#include "lib/xdp_link.h"

#define PAGE	 100
#define COUNTERS (HF_COUNTER_END + HF_SHARING_COUNTER_END + HF_PIN_STATES)

/* Storage of an answer, too large for a stack. */
static struct {
	Holdfast__Counter counters[COUNTERS], *counter_list[COUNTERS];
	char names[COUNTERS][HF_COUNTER_NAME];
	size_t count;
	Holdfast__InterfaceState interfaces[HF_INTERFACES_MAX], *interface_list[HF_INTERFACES_MAX];
	Holdfast__ServiceState services[PAGE], *service_list[PAGE];
	char addresses[PAGE][HF_ADDRESS_TEXT];
	struct hf_log_page log;
} page;

static void add_counter(const char *name, const char *text, uint64_t count)
{
	size_t i = page.count++;

	holdfast__counter__init(&page.counters[i]);
	page.counters[i].name = (char *)hf_counter_name(name, page.names[i]);
	page.counters[i].text = (char *)text;
	page.counters[i].count = count;
	page.counter_list[i] = &page.counters[i];
}

static void fill_counters(const struct agent *a, Holdfast__NodeFacts *to)
{
	page.count = 0;
	to->counters = page.counter_list;
	for (uint32_t i = 0; i < HF_COUNTER_END; i++) {
		uint64_t sum = 0;

		hf_percpu_read(a->metric_maps.counters, i, &sum, 1);
		add_counter(hf_counter_info[i].name, hf_counter_info[i].text, sum);
	}
	to->n_counters = page.count;
	to->sharing_counters = page.counter_list + page.count;
	for (uint32_t i = 0; i < HF_SHARING_COUNTER_END; i++)
		add_counter(hf_sharing_info[i].name, hf_sharing_info[i].text,
			    a->sharing.counters[i]);
	to->n_sharing_counters = HF_SHARING_COUNTER_END;
	to->pin_states = page.counter_list + page.count;
	for (int i = HF_PIN_NONE + 1; i < HF_PIN_STATES; i++) {
		add_counter(hf_pin_state_names[i], "", a->sweeper.last.state[i]);
		to->pins += a->sweeper.last.state[i];
		to->n_pin_states++;
	}
}

static void fill_interfaces(const struct agent *a, Holdfast__NodeFacts *to)
{
	const char *mode = a->config->node.xdp_mode == HF_CONFIG_XDP_GENERIC ? "generic" : "native";

	for (uint32_t i = 0; i < a->interface_count; i++) {
		holdfast__interface_state__init(&page.interfaces[i]);
		page.interfaces[i].name = a->interfaces[i];
		if (a->attached[i] && hf_xdp_is_on(a->attached[i]))
			page.interfaces[i].mode = (char *)mode;
		page.interface_list[i] = &page.interfaces[i];
	}
	to->interfaces = page.interface_list;
	to->n_interfaces = a->interface_count;
}

size_t hf_answer_facts(struct agent *a, uint8_t *out, size_t size)
{
	Holdfast__FromNode message = HOLDFAST__FROM_NODE__INIT;
	Holdfast__NodeFacts body = HOLDFAST__NODE_FACTS__INIT;
	const char *why_not = hf_agent_why_not_ready(a);
	struct utsname kernel;

	uname(&kernel);
	hf_agent_look_for_packets(a);
	body.node = a->config->node.name;
	body.version = HF_VERSION;
	body.kernel = kernel.release;
	body.up_ms = hf_agent_now() - a->started;
	body.config_path = (char *)a->config_path;
	body.config = hf_config_digest(a->config);
	body.tables = a->plan->digest;
	body.reloaded_ms = hf_agent_now() - a->reloaded;
	body.reload_error = a->reload_error;
	body.ready = !why_not;
	body.why_not = (char *)(why_not ? why_not : "");
	body.draining = a->draining;
	body.sharing = a->sync.greeted;
	body.bgp = a->config->bgp.local_as != 0;
	body.pins_room = (uint64_t)a->sweeper.count * HF_BUCKET_PINS;
	body.unresolved = hf_forwarding_unresolved(a->forwarding);
	body.quiet_ms = hf_agent_now() - a->quiet_since;
	body.services = a->plan->config.service_count;
	fill_interfaces(a, &body);
	fill_counters(a, &body);
	message.body_case = HOLDFAST__FROM_NODE__BODY_FACTS;
	message.facts = &body;
	return hf_answer_pack(&message, out, size);
}

static void fill_traffic(const struct agent *a, const struct hf_service_table *table,
			 const struct hf_config_service *service, Holdfast__ServiceState *to)
{
	const struct hf_service *cell = hf_service_probe(
		table, service->address.word, service->address.family, htons(service->port),
		service->protocol == HF_CONFIG_TCP ? IPPROTO_TCP : IPPROTO_UDP);
	struct hf_traffic sum = { 0 };

	if (cell)
		hf_percpu_read(a->metric_maps.services, cell->id, (uint64_t *)&sum,
			       sizeof(sum) / sizeof(uint64_t));
	to->packets = sum.packets;
	to->bytes = sum.bytes;
	to->flows = sum.flows;
}

static void fill_service(const struct agent *a, const struct hf_service_table *table, uint32_t i,
			 uint32_t at)
{
	const struct hf_config_service *service = &a->plan->config.services[i];
	const struct hf_plan_pool *pool = &a->plan->pools[service->pool];
	Holdfast__ServiceState *to = &page.services[at];

	holdfast__service_state__init(to);
	page.service_list[at] = to;
	to->address = (char *)hf_address_format(&service->address, page.addresses[at]);
	to->port = service->port;
	to->protocol = (char *)hf_config_protocol_name(service->protocol);
	to->pool = (char *)a->plan->config.pools[service->pool].name;
	to->pool_state = (char *)hf_pool_state_name(pool->state);
	to->total = a->plan->config.pools[service->pool].backend_count;
	for (uint32_t b = 0; b < to->total; b++)
		to->usable += pool->backends[b].weight > 0;
	if (table)
		fill_traffic(a, table, service, to);
}

size_t hf_answer_services(struct agent *a, uint32_t from, uint8_t *out, size_t size)
{
	Holdfast__FromNode message = HOLDFAST__FROM_NODE__INIT;
	Holdfast__Services body = HOLDFAST__SERVICES__INIT;
	const struct hf_service_table *table =
		hf_pools_services(hf_forwarding_pools(a->forwarding));
	uint32_t all = a->plan->config.service_count, count = 0;

	for (uint32_t i = from; i < all && count < PAGE; i++)
		fill_service(a, table, i, count++);
	body.services = page.service_list;
	body.n_services = count;
	body.next = from + count < all ? from + count : 0;
	message.body_case = HOLDFAST__FROM_NODE__BODY_SERVICES;
	message.services = &body;
	return hf_answer_pack(&message, out, size);
}

size_t hf_answer_log(uint64_t after, uint8_t *out, size_t size)
{
	Holdfast__FromNode message = HOLDFAST__FROM_NODE__INIT;

	message.body_case = HOLDFAST__FROM_NODE__BODY_LOG;
	message.log = hf_log_message(&page.log, after);
	return hf_answer_pack(&message, out, size);
}

size_t hf_answer_reload(struct agent *a, uint8_t *out, size_t size)
{
	Holdfast__FromNode message = HOLDFAST__FROM_NODE__INIT;
	Holdfast__Done body = HOLDFAST__DONE__INIT;

	hf_agent_reload(a);
	body.error = a->reload_error;
	message.body_case = HOLDFAST__FROM_NODE__BODY_DONE;
	message.done = &body;
	return hf_answer_pack(&message, out, size);
}
