/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lbnode's end of the connection to lbbgp: renews the lease on this node's announcements, at once
 * when something has changed and each `renew_ms` besides. Without lbbgp nothing is done but to try
 * again.
 */
#ifndef HF_LBNODE_LEASE_CLIENT_H
#define HF_LBNODE_LEASE_CLIENT_H

#include <uv.h>

#include "lbnode/lease.h"

struct hf_lease {
	bool ready, draining;
	const char *why_not; /* if it is not ready */
	const struct hf_lease_vip *vips;
	uint32_t count;
};

/* Fills in what holds now; what it points to stays until the next call. False: no memory. */
typedef bool (*hf_lease_ask)(void *context, struct hf_lease *lease);

struct hf_lease_client {
	uv_timer_t timer;
	uv_poll_t poll;
	int fd; /* -1: not connected */
	bool started, open;
	bool heard, withdrawn; /* what lbbgp has said on this connection, if it has */
	uint32_t renew_ms;
	const char *instance;
	char path[108];
	hf_lease_ask ask;
	void *context;
};

/* Once; borrows `instance`. Nothing is sent until hf_lease_client_set_renewal(). */
void hf_lease_client_start(struct hf_lease_client *client, uv_loop_t *loop, const char *instance,
			   hf_lease_ask ask, void *context);
void hf_lease_client_stop(struct hf_lease_client *client);

/* How often; 0: the configuration has no `bgp`. */
void hf_lease_client_set_renewal(struct hf_lease_client *client, uint32_t ms);

/* Whether BIRD announces nothing of this node: so says lbbgp. Without one it does until the lease
 * is over that it had last, for another one may take over. */
bool hf_lease_client_is_withdrawn(const struct hf_lease_client *client);

/* Something that a lease tells may have changed. */
void hf_lease_client_changed(struct hf_lease_client *client);

/* For a data plane that ends: has lbbgp, if one runs, withdraw all VIPs, and waits until routers
 * have followed, for three seconds at most. */
void hf_lease_end(const char *instance);

#endif
