/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The backend's BPF programs in the kernel: inward by pinned XDP links, so that they outlive a
 * crashed agent, outward by a tc filter, which does so by itself. Functions return 0 or a negative
 * errno, logged with its remedy.
 */
#ifndef HF_LBHOST_DATAPLANE_H
#define HF_LBHOST_DATAPLANE_H

#include <stdbool.h>
#include <stdint.h>

#include "lbhost/bpf/types.h"
#include "lib/address.h"

#define HF_HOST_INTERFACES_MAX 16
#define HF_HOST_ALLOWED_MAX    256

struct hf_host_settings {
	const char *instance;
	const char *interface[HF_HOST_INTERFACES_MAX];
	uint32_t interface_count;
	struct hf_prefix allowed[HF_HOST_ALLOWED_MAX];
	uint32_t allowed_count;
	const char *namespace[HF_HOST_NAMESPACES_MAX]; /* beside lbhost's own */
	uint32_t namespace_count;
	uint16_t gue_port;
	uint16_t mtu; /* 0: that of the interface */
	bool generic;
};

struct hf_host;

/* Loads and fills; nothing is attached yet. */
int hf_host_open(struct hf_host **host, const struct hf_host_settings *settings);
void hf_host_close(struct hf_host *host);

/* Takes in the addresses that the host has now, and lets go of those that it no longer has. */
int hf_host_refresh_addresses(struct hf_host *host);

/* Looks whether the services' namespaces are still the same; to be called now and then. */
void hf_host_refresh_namespaces(struct hf_host *host);

int hf_host_attach(struct hf_host *host);

/* Whether a former agent left its programs at work. */
bool hf_host_is_pinned(const char *instance);

/* Takes an instance's programs off its interfaces, whoever attached them, and its pins away. */
int hf_host_detach(const char *instance);

#endif
