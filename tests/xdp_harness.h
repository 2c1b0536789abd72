/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The real XDP program with its maps filled from a configuration, for tests and benchmarks that
 * run it by BPF_PROG_TEST_RUN: nothing is attached or pinned.
 */
#ifndef HF_TESTS_XDP_HARNESS_H
#define HF_TESTS_XDP_HARNESS_H

#include <stddef.h>
#include <stdint.h>

#include "lbnode/backends.h"
#include "lbnode/bpf/counters.h"
#include "lbnode/bpf/pin.h"
#include "lib/config.h"
#include "lib/packet/siphash.h"
#include "lb.skel.h"

#define HARNESS_KEY0 0x0706050403020100ULL
#define HARNESS_KEY1 0x0f0e0d0c0b0a0908ULL
/* The interface that test runs come in by (lo), hence XDP_TX; and another one. */
#define HARNESS_IFINDEX	      1
#define HARNESS_OTHER_IFINDEX 2
/* Next hops: 1 leads back, 2 out of the other interface, 3 and 4 carry one and two VLAN tags. */
#define HARNESS_NEXTHOP_BACK	   1
#define HARNESS_NEXTHOP_OTHER	   2
#define HARNESS_NEXTHOP_VLAN	   3
#define HARNESS_NEXTHOP_VLAN_TWICE 4

struct harness {
	struct lb_bpf *bpf;
	struct hf_config *config;
	struct hf_backends *backends;
	struct hf_bucket *flows;
	uint32_t bucket_bits;
};

/* Loads the YAML text with `bits` as the flow table's; aborts with a message if anything fails. */
void harness_open(struct harness *h, const char *yaml, uint32_t bits);
void harness_close(struct harness *h);

/* Takes another configuration, as a reload does. */
void harness_apply(struct harness *h, const char *yaml);

/* Makes a backend of the first pool be down, or up again, as a plan does. */
void harness_set_down(struct harness *h, uint32_t backend, bool down);

/* Sends the named backend of a pool by another of the next hops above. */
void harness_set_nexthop(struct harness *h, const char *pool, const char *backend,
			 uint32_t nexthop);

/* Gives all sources, and the node, their full rates of second chances again. */
void harness_forgive(struct harness *h);

/* Confirms the pins of adopted flows, as the sweeper does. */
void harness_establish(struct harness *h);

/* Puts other nodes beside this one, all of which are reached by HARNESS_NEXTHOP_BACK. */
struct hf_cluster;
void harness_set_cluster(struct harness *h, struct hf_cluster *cluster);

uint16_t harness_backend_id(const struct harness *h, const char *pool, const char *backend);

/* Runs a packet once; *out_length: room in `out` and then what came. Returns the verdict. */
uint32_t harness_run(struct harness *h, const void *packet, size_t length, void *out,
		     size_t *out_length);

uint64_t harness_counter(const struct harness *h, enum hf_counter counter);
struct hf_traffic harness_service_traffic(const struct harness *h, uint32_t id);
struct hf_traffic harness_backend_traffic(const struct harness *h, uint16_t id);

#endif
