// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/statistics.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lbnode/bpf/pin.h"
#include "lbnode/bpf/types.h"
#include "lbnode/counter_info.h"
#include "lib/address.h"
#include "lib/bpffs.h"
#include "lib/log.h"
#include "lib/percpu.h"

struct source {
	const char *instance;
	int counters, service_traffic, backend_traffic, backends, services, flows, layout, sharing;
	FILE *out;
	bool json;
};

static uint64_t read_counter(struct source *s, uint32_t counter)
{
	uint64_t sum;

	hf_percpu_read(s->counters, counter, &sum, 1);
	return sum;
}

static struct hf_traffic read_traffic(int map, uint32_t id)
{
	struct hf_traffic sum;

	hf_percpu_read(map, id, (uint64_t *)&sum, sizeof(sum) / sizeof(uint64_t));
	return sum;
}

static void show_flows(struct source *s)
{
	uint64_t count[HF_PIN_STATES + 1] = { 0 };
	struct hf_layout layout = { 0 };
	const struct hf_bucket *bucket;
	__u32 zero = 0;
	size_t bytes;

	if (bpf_map_lookup_elem(s->layout, &zero, &layout) < 0 || !layout.buckets)
		return;
	bytes = layout.buckets * sizeof(*bucket);
	bucket = mmap(NULL, bytes, PROT_READ, MAP_SHARED, s->flows, 0);
	if (bucket == MAP_FAILED)
		return;
	for (uint32_t i = 0; i < layout.buckets; i++)
		for (int j = 0; j < HF_BUCKET_PINS; j++)
			count[hf_pin_state(bucket[i].pin[j])]++;
	munmap((void *)bucket, bytes);
	fprintf(s->out, s->json ? "\n \"flows\": {" : "Flow table\n");
	for (int state = 0; state < HF_PIN_STATES; state++)
		fprintf(s->out, s->json ? "%s\"%s\": %lu" : "%s  %-12s %12lu\n",
			s->json && state ? ", " : "", hf_pin_state_names[state],
			(unsigned long)count[state]);
	fprintf(s->out, s->json ? "}," : "");
}

static void show_counter(struct source *s, bool first, const char *upper, const char *text,
			 unsigned long value)
{
	char name[HF_COUNTER_NAME];

	hf_counter_name(upper, name);
	if (s->json)
		fprintf(s->out, "%s\"%s\": %lu", first ? "" : ", ", name, value);
	else
		fprintf(s->out, "  %-22s %12lu  %s\n", name, value, text);
}

static void show_counters(struct source *s)
{
	fprintf(s->out, s->json ? "\n \"counters\": {" : "Packets\n");
	for (uint32_t i = 0; i < HF_COUNTER_END; i++)
		show_counter(s, i == 0, hf_counter_info[i].name, hf_counter_info[i].text,
			     read_counter(s, i));
	fprintf(s->out, s->json ? "}," : "");
}

static void show_sharing(struct source *s)
{
	fprintf(s->out, s->json ? "\n \"sharing\": {" : "Flows shared with other nodes\n");
	for (__u32 i = 0; i < HF_SHARING_COUNTER_END; i++) {
		__u64 value = 0;

		bpf_map_lookup_elem(s->sharing, &i, &value);
		show_counter(s, i == 0, hf_sharing_info[i].name, hf_sharing_info[i].text, value);
	}
	fprintf(s->out, s->json ? "}," : "");
}

static void show_traffic(struct source *s, const struct hf_traffic *t)
{
	fprintf(s->out,
		s->json ? "\"packets\": %lu, \"bytes\": %lu, \"flows\": %lu}"
			: " %12lu packets %15lu bytes %10lu flows\n",
		(unsigned long)t->packets, (unsigned long)t->bytes, (unsigned long)t->flows);
}

static void show_service(struct source *s, const struct hf_service *service, bool first)
{
	struct hf_address address = { .family = service->family };
	const char *protocol = service->protocol == IPPROTO_TCP ? "tcp" : "udp";
	struct hf_traffic t = read_traffic(s->service_traffic, service->id);
	char text[HF_ADDRESS_TEXT];

	memcpy(address.word, service->address, sizeof(address.word));
	if (s->json)
		fprintf(s->out, "%s\n  {\"protocol\": \"%s\", \"address\": \"%s\", \"port\": %u, ",
			first ? "" : ",", protocol, hf_address_format(&address, text),
			ntohs(service->port));
	else
		fprintf(s->out, "  %s %-46s", protocol,
			hf_endpoint_format(&address, ntohs(service->port), text));
	show_traffic(s, &t);
}

static int open_inner(int outer)
{
	__u32 zero = 0, id;

	if (bpf_map_lookup_elem(outer, &zero, &id) < 0)
		return -errno;
	return bpf_map_get_fd_by_id(id);
}

static void show_services(struct source *s)
{
	struct hf_service_table *table = calloc(1, sizeof(*table));
	int inner = open_inner(s->services);
	bool first = true;
	__u32 zero = 0;

	fprintf(s->out, s->json ? "\n \"services\": [" : "Services\n");
	if (table && inner >= 0 && bpf_map_lookup_elem(inner, &zero, table) == 0) {
		for (uint32_t i = 0; i < HF_SERVICE_CELLS; i++) {
			if (!table->cell[i].family || !table->cell[i].protocol)
				continue;
			show_service(s, &table->cell[i], first);
			first = false;
		}
	}
	fprintf(s->out, s->json ? "]," : "");
	if (inner >= 0)
		close(inner);
	free(table);
}

static void show_backend(struct source *s, uint32_t id, const struct hf_backend *entry, bool first)
{
	bool gue = entry->encapsulation == HF_ENCAP_GUE_OVER_IPV4 ||
		   entry->encapsulation == HF_ENCAP_GUE_OVER_IPV6;
	bool ipv4 = entry->encapsulation == HF_ENCAP_IPIP_OVER_IPV4 ||
		    entry->encapsulation == HF_ENCAP_GUE_OVER_IPV4;
	struct hf_address address = { .family = ipv4 ? 4 : 6 };
	struct hf_traffic t = read_traffic(s->backend_traffic, id);
	char text[HF_ADDRESS_TEXT];

	memcpy(address.word, entry->address, sizeof(address.word));
	hf_address_format(&address, text);
	if (s->json)
		fprintf(s->out, "%s\n  {\"address\": \"%s\", \"encapsulation\": \"%s\", ",
			first ? "" : ",", text, gue ? "gue" : "ipip");
	else
		fprintf(s->out, "  %-4s %-45s", gue ? "gue" : "ipip", text);
	show_traffic(s, &t);
}

static void show_backends(struct source *s)
{
	struct hf_backend entry;
	bool first = true;

	fprintf(s->out, s->json ? "\n \"backends\": [" : "Backends\n");
	for (uint32_t id = 1; id < HF_MAX_BACKENDS; id++) {
		if (bpf_map_lookup_elem(s->backends, &id, &entry) < 0 ||
		    entry.encapsulation == HF_ENCAP_NONE)
			continue;
		show_backend(s, id, &entry, first);
		first = false;
	}
	fprintf(s->out, s->json ? "]\n" : "");
}

static int open_source(struct source *s)
{
	const struct {
		const char *pin;
		int *fd;
	} maps[] = {
		{ "counters", &s->counters },
		{ "service_traffic", &s->service_traffic },
		{ "backend_traffic", &s->backend_traffic },
		{ "backends", &s->backends },
		{ "services", &s->services },
		{ "flows", &s->flows },
		{ "layout", &s->layout },
		{ "sharing", &s->sharing },
	};

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		*maps[i].fd = hf_bpffs_open(s->instance, maps[i].pin);
		if (*maps[i].fd >= 0)
			continue;
		hf_error("no data plane of instance %s is pinned under " HF_BPFFS_ROOT ": %s",
			 s->instance,
			 *maps[i].fd == -ENOENT ? "has its lbnode ever run?"
						: strerror(-*maps[i].fd));
		return *maps[i].fd;
	}
	return 0;
}

/* Descriptors go with the process, which does nothing after this. */
int hf_show_statistics(FILE *out, const char *instance, bool json)
{
	struct source s = { .instance = instance, .out = out, .json = json };
	int err = open_source(&s);

	if (err)
		return err;
	fprintf(out, json ? "{\"instance\": \"%s\"," : "Instance %s\n", instance);
	show_flows(&s);
	show_counters(&s);
	show_sharing(&s);
	show_services(&s);
	show_backends(&s);
	fprintf(out, json ? "}\n" : "");
	return 0;
}
