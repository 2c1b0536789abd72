// SPDX-License-Identifier: BSD-2-Clause
#include "bench/lru.h"

#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <netinet/in.h>
#include <string.h>

#include "lru.skel.h"

struct lru_bpf *lru_start(uint32_t flows)
{
	static const uint8_t header[34] = { 2, 0, 0, 0, 0, 0xbe, 2, 0, 0, 0, 0, 0x1b, 8, 0, 0x45 };
	struct {
		uint32_t address[4];
		uint16_t port;
		uint8_t protocol, family;
	} service = { { htonl(0xcb00710a) }, htons(80), IPPROTO_TCP, 4 };
	uint32_t pool = 1;
	struct lru_bpf *lru = lru_bpf__open();

	if (!lru)
		return NULL;
	memcpy((void *)lru->rodata->header, header, sizeof(header));
	bpf_map__set_max_entries(lru->maps.flows, flows);
	if (lru_bpf__load(lru) == 0 &&
	    bpf_map__update_elem(lru->maps.services, &service, sizeof(service), &pool, sizeof(pool),
				 0) == 0)
		return lru;
	lru_bpf__destroy(lru);
	return NULL;
}

int lru_program(const struct lru_bpf *lru)
{
	return bpf_program__fd(lru->progs.balance);
}

int lru_flows(const struct lru_bpf *lru)
{
	return bpf_map__fd(lru->maps.flows);
}

void lru_stop(struct lru_bpf *lru)
{
	lru_bpf__destroy(lru);
}
