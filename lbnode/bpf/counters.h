/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The data plane's counters: every packet that is neither forwarded nor passed raises one of
 * the drops, and each event that an operator may have to explain has a number too.
 *
 * X(NAME, "explanation"): the explanation is what `lbnode --stats` prints beside the number.
 */
#ifndef HF_LBNODE_BPF_COUNTERS_H
#define HF_LBNODE_BPF_COUNTERS_H

#define HF_COUNTERS(X)                                                                        \
	X(FORWARDED, "packets sent to a backend")                                             \
	X(PASSED, "packets that are not a service's, left to the kernel")                     \
	X(FLOWS_NEW, "flows that began, or were chosen anew, here")                           \
	X(FLOWS_ADOPTED, "packets that met an unknown TCP flow in the middle: by the choice") \
	X(FLOWS_UNPINNED, "packets of flows that found no place for a pin")                   \
	X(PINS_DISPLACED, "weak pins that gave way to a newer flow")                          \
	X(DROP_MALFORMED, "a length in the packet contradicts another, or the frame")         \
	X(DROP_FRAGMENT, "fragments to a VIP: no ports, so no flow")                          \
	X(DROP_EXTENSIONS, "IPv6 packets with more extension headers than are walked")        \
	X(DROP_NO_BACKEND, "the slot has no backend: is the pool empty?")                     \
	X(DROP_NO_NEXTHOP, "no route or no neighbour for the backend: see `ip route get`")    \
	X(DROP_TOO_BIG, "with its outer header the packet exceeds the next hop's MTU")        \
	X(DROP_INTERNAL, "the kernel refused room for a header or a map look-up")

#define HF_COUNTER_ENUM(name, text) HF_COUNT_##name,

enum hf_counter { HF_COUNTERS(HF_COUNTER_ENUM) HF_COUNTER_END };

#endif
