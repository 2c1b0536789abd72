/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What all packets of a flow have in common: service, digest, backend, and the count of them. */
#ifndef HF_LBNODE_BPF_BALANCE_H
#define HF_LBNODE_BPF_BALANCE_H

#include "lbnode/bpf/flow.h"
#include "lbnode/bpf/transmit.h"

/* Neither a verdict nor, negative, a size: the packet's way goes on in stranger.h. */
#define HF_IS_STRANGER 0x100

HF_INLINE int hf_pass(void)
{
	hf_count(HF_COUNT_PASSED);
	return XDP_PASS;
}

HF_INLINE const struct hf_service_table *hf_services(void)
{
	__u32 zero = 0;
	void *table = bpf_map_lookup_elem(&services, &zero);

	return table ? bpf_map_lookup_elem(table, &zero) : NULL;
}

HF_INLINE const struct hf_cluster *hf_cluster(void)
{
	__u32 zero = 0;
	void *table = bpf_map_lookup_elem(&cluster, &zero);

	return table ? bpf_map_lookup_elem(table, &zero) : NULL;
}

/* To be dropped, if it is for a VIP; else it is none of our business. */
HF_INLINE int hf_refuse(const struct hf_service_table *table, const struct hf_packet *p,
			enum hf_counter why)
{
	return hf_is_vip(table, p->destination, p->family) ? hf_drop(why) : hf_pass();
}

HF_INLINE void hf_account_to(void *map, __u32 id, const struct hf_flow *f)
{
	struct hf_traffic *t = bpf_map_lookup_elem(map, &id);

	if (!t)
		return;
	t->packets++;
	t->bytes += f->packet->length;
	t->flows += f->is_new;
}

HF_INLINE __u64 hf_flow_digest(const struct hf_packet *p)
{
	return hf_digest(p, (struct hf_key){ flow_key.k0, flow_key.k1 });
}

/* To the flow's backend, once its service and digest are known; NULL: there is none. */
HF_INLINE const struct hf_backend *hf_balance(struct hf_flow *f)
{
	const struct hf_backend *backend = hf_flow_backend(f);

	if (!f->is_stranger)
		hf_account_to(&service_traffic, f->service->id, f);
	if (backend)
		hf_account_to(&backend_traffic, f->backend_id, f);
	return backend;
}

#endif
