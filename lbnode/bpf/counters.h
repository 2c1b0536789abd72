/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The data plane's counters: every packet that is neither forwarded, passed, answered nor held
 * raises one of the drops, and each event that an operator may have to explain has a number too.
 *
 * X(NAME, "explanation"): the explanation is what `lbnode --stats` prints beside the number.
 */
#ifndef HF_LBNODE_BPF_COUNTERS_H
#define HF_LBNODE_BPF_COUNTERS_H

#define HF_COUNTERS(X)                                                                         \
	X(FORWARDED, "packets sent to a backend")                                              \
	X(PASSED, "packets that are not a service's, left to the kernel")                      \
	X(ECHO_ANSWERED, "pings of a VIP, answered here")                                      \
	X(TOO_BIG_TOLD, "packets too big for the tunnel, whose sender was told the size")      \
	X(ICMP_ERRORS, "ICMP errors sent to the backend of the flow that they are about")      \
	X(FLOWS_NEW, "flows that began, or were chosen anew, here")                            \
	X(FLOWS_ADOPTED, "packets that met an unknown TCP flow in the middle: by the choice")  \
	X(SECOND_CHANCES, "packets of unknown flows sent to a node that may know them")        \
	X(SECOND_CHANCES_LIMITED, "packets of unknown flows beyond the rate: by the choice")   \
	X(VISITORS_KNOWN, "packets from other nodes whose flow is known here")                 \
	X(VISITORS_SENT_ON, "packets from other nodes, of unknown flows, sent to one more")    \
	X(VISITORS_UNKNOWN, "packets from other nodes whose flow nobody knew: by the choice")  \
	X(LAST_CHANCES, "packets sent with the name of a second backend to try")               \
	X(FLOWS_UNPINNED, "packets of flows that found no place for a pin")                    \
	X(PINS_DISPLACED, "weak pins that gave way to a newer flow")                           \
	X(FRAGMENTS_PLACED, "fragments sent where their datagram's first one went")            \
	X(FRAGMENTS_HELD, "fragments kept until their datagram's first one comes")             \
	X(DROP_MALFORMED, "lengths, an IPv4 checksum or TCP flags that contradict something")  \
	X(DROP_SOURCE, "from an address no client has: a VIP, loopback, multicast or none")    \
	X(DROP_TUNNEL, "tunnel packets to a VIP or to this node that no other node sent")      \
	X(DROP_ENVELOPE, "packets from other nodes that are no second chance of this version") \
	X(DROP_ENVELOPE_TAG, "the same, with a wrong tag: another cluster key, or forged")     \
	X(DROP_FRAGMENT, "fragments whose datagram's first one did not come in time")          \
	X(DROP_ICMP, "ICMP errors that are cut short, or about a packet the VIP did not send") \
	X(DROP_ICMP_LIMIT, "ICMP errors of a source that sends too many")                      \
	X(DROP_EXTENSIONS, "IPv6 packets with more extension headers than are walked")         \
	X(DROP_NO_BACKEND, "the slot has no backend: is the pool empty?")                      \
	X(DROP_NO_NEXTHOP, "no route or no neighbour for the backend: see `ip route get`")     \
	X(DROP_TOO_BIG, "too big for the tunnel, and the sender was not told: too often")      \
	X(DROP_INTERNAL, "the kernel refused room for a header or a map look-up")

#define HF_COUNTER_ENUM(name, text) HF_COUNT_##name,

enum hf_counter { HF_COUNTERS(HF_COUNTER_ENUM) HF_COUNTER_END };

/* The agent's own, of what it tells other nodes, and hears from them. */
#define HF_SHARING_COUNTERS(X)                                                                \
	X(RECORDS_EXPORTED, "records of this node's flows given to syncd for the first time") \
	X(RECORDS_EXCEPTIONS, "of those, flows whose slot's choice is another backend")       \
	X(RECORDS_REFRESHED, "records given to syncd again, since their flows live on")       \
	X(RECORDS_KEPT, "records of other nodes' flows that became pins here")                \
	X(RECORDS_STRANGE, "records that name a backend which this node does not know")       \
	X(RECORDS_NO_ROOM, "records that found no place for a pin")                           \
	X(FLOWS_ASKED, "unknown flows that the owners were asked for")                        \
	X(FLOWS_TOLD, "of those, flows that an owner knew")                                   \
	X(FLOWS_GUESSED, "of those, flows that nobody knew: pinned to the choice")

#define HF_SHARING_COUNTER_ENUM(name, text) HF_SHARING_##name,

enum hf_sharing_counter { HF_SHARING_COUNTERS(HF_SHARING_COUNTER_ENUM) HF_SHARING_COUNTER_END };

#endif
