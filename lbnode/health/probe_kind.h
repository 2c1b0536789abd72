/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kinds of probes have in common: for probe.c and probe_*.c alone. */
#ifndef HF_LBNODE_HEALTH_PROBE_KIND_H
#define HF_LBNODE_HEALTH_PROBE_KIND_H

#include <sys/socket.h>

#include "lbnode/health/probe.h"

#define HF_PROBE_ANSWER_MAX 65536 /* bytes of an answer that are looked at */

struct hf_http; /* probe_http.c: what its probes share */

struct hf_prober {
	uv_loop_t *loop;
	struct hf_http *http; /* NULL: not used yet */
};

struct hf_probe_kind {
	/* Makes the probe, of a size of its own, `probe` first in it. NULL as in probe.h. */
	struct hf_probe *(*start)(struct hf_prober *prober, const struct hf_probe_target *target);
	/* Closes and frees it, now or when the loop allows. */
	void (*end)(struct hf_probe *probe);
};

struct hf_probe {
	const struct hf_probe_kind *kind;
	const struct hf_probe_target *target;
	hf_probe_done done;
	void *context;
};

extern const struct hf_probe_kind hf_probe_tcp, hf_probe_udp, hf_probe_http, hf_probe_command;

/* The answer is there: ends the probe, and tells. */
void hf_probe_answer(struct hf_probe *probe, bool good, const char *cause);

/* The target's address and port. */
socklen_t hf_probe_address(const struct hf_probe_target *target, struct sockaddr_storage *out);
/* What this host lacks, and not the backend. */
bool hf_probe_is_own_fault(int err);

/* A socket of this type that is being connected to the target, with its mark; or a negative
 * errno. *refused: it is the network that said no, and so an answer. */
int hf_probe_connect(const struct hf_probe_target *target, int type, bool *refused);
/* Makes a socket go by the target's tunnel, if it has one. 0 or a negative errno. */
int hf_probe_prepare(const struct hf_probe_target *target, int fd);

void hf_http_delete(struct hf_http *http);

#endif
