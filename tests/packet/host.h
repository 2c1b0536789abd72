/* SPDX-License-Identifier: BSD-2-Clause */
/* The backend's real programs, run by BPF_PROG_TEST_RUN, and the tunnel packets that they get. */
#ifndef HF_TESTS_PACKET_HOST_H
#define HF_TESTS_PACKET_HOST_H

#include <stddef.h>
#include <stdint.h>

#include "lbhost/bpf/types.h"
#include "tests/frame.h"
#include "host.skel.h"

/* Nodes from which tunnels may come, the host's addresses, a client and VIPs. */
#define NODE4	 "198.51.100.17"
#define NODE6	 "2001:db8:1b:1::99"
#define BACKEND4 "192.0.2.101"
#define BACKEND6 "2001:db8:be:1::1"
#define CLIENT4	 "203.0.113.130"
#define CLIENT6	 "2001:db8:c1::1"
#define VIP4	 "203.0.113.10"
#define VIP6	 "2001:db8:cafe::10"

#define HOST_OUT_MAX 4096

extern struct host_bpf *host_programs;
extern uint8_t host_out[HOST_OUT_MAX]; /* what the program made of the frame */
extern uint32_t host_out_length;

/* Set-up and teardown of a group of tests, in a network namespace of its own. */
int host_begin(void **state);
int host_end(void **state);

/* Goes to a new network namespace, where the VIP is and all addresses have a way. */
void host_make_namespace(void);

uint64_t host_counter(enum hf_host_counter which);

/* The verdict of the program with that descriptor; or of the one that tunnels come to. */
uint32_t host_run(int program, const struct frame *f);
uint32_t host_inward(const struct frame *f);

/* From a client to the VIP, by TCP: 33 bytes. */
void host_client_packet(struct frame *f, int family, uint8_t flags);

/* Puts the inner packet behind the outer header that is in `f`, or makes that, too. */
void host_wrap_ip(struct frame *f, const struct frame *inner, uint8_t protocol);
void host_ipip(struct frame *f, const struct frame *inner, const char *source,
	       const char *destination);
void host_gue(struct frame *f, const struct frame *inner, const char *source,
	      const char *destination, size_t option_words);

/* Asserts that the frame is unwrapped, dropped, or not touched, and counted so. */
void host_unwraps(const struct frame *f, const struct frame *inner, enum hf_host_counter how);
void host_refuses(const struct frame *f, enum hf_host_counter why);
void host_leaves_alone(const struct frame *f);

#endif
