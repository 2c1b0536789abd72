// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The way of a packet through a node (docs/architecture.md draws it):
 *
 *	parse -> service -> digest -> pin or choice -> outer header -> next hop
 *
 * What is not a service's packet is left to the kernel, whole.
 */
#include "lbnode/bpf/maps.h"
#include "lbnode/bpf/service_table.h"
#include "lbnode/bpf/flow.h"
#include "lbnode/bpf/transmit.h"

HF_INLINE void hf_account(void *map, __u32 id, const struct hf_flow *f)
{
	struct hf_traffic *t = bpf_map_lookup_elem(map, &id);

	if (!t)
		return;
	t->packets++;
	t->bytes += f->packet->length;
	t->flows += f->is_new;
}

HF_INLINE int hf_pass(void)
{
	hf_count(HF_COUNT_PASSED);
	return XDP_PASS;
}

/* IP, but no TCP or UDP flow could be read from it: ours to drop only if it is for a VIP. */
HF_INLINE int hf_no_flow(const struct hf_service_table *table, const struct hf_packet *p,
			 enum hf_parsed parsed)
{
	if (parsed == HF_PARSED_OTHER || !hf_service_is_vip(table, p))
		return hf_pass();
	switch (parsed) {
	case HF_PARSED_FRAGMENT:
		return hf_drop(HF_COUNT_DROP_FRAGMENT);
	case HF_PARSED_EXTENSIONS:
		return hf_drop(HF_COUNT_DROP_EXTENSIONS);
	default:
		return hf_drop(HF_COUNT_DROP_MALFORMED);
	}
}

HF_INLINE const struct hf_service_table *hf_services(void)
{
	__u32 zero = 0;
	void *table = bpf_map_lookup_elem(&services, &zero);

	return table ? bpf_map_lookup_elem(table, &zero) : NULL;
}

SEC("xdp")
int holdfast(struct xdp_md *ctx)
{
	const struct hf_service_table *table;
	const struct hf_backend *backend;
	struct hf_packet p;
	struct hf_flow f = { .packet = &p };
	enum hf_parsed parsed;

	parsed = hf_parse((void *)(long)ctx->data, (void *)(long)ctx->data_end, &p);
	if (parsed == HF_PARSED_NOT_IP)
		return hf_pass();
	table = hf_services();
	if (!table)
		return hf_drop(HF_COUNT_DROP_INTERNAL);
	if (parsed != HF_PARSED_FLOW)
		return hf_no_flow(table, &p, parsed);
	f.service = hf_service_find(table, &p);
	if (!f.service)
		return hf_pass();
	f.digest = hf_digest(&p, (struct hf_key){ flow_key.k0, flow_key.k1 });
	backend = hf_flow_backend(&f);
	hf_account(&service_traffic, f.service->id, &f);
	if (!backend)
		return hf_drop(HF_COUNT_DROP_NO_BACKEND);
	hf_account(&backend_traffic, f.backend_id, &f);
	return hf_forward(ctx, &p, backend, f.digest);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
