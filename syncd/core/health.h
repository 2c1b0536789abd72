/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How far this node may trust its own conclusions (the local health of Lifeguard, Dadgar et al.
 * 2018, section IV, and what its network is like).
 *
 * Awareness counts signs that the fault is here: relays that don't answer either, accusations that
 * had to be refuted, timers that ran late. Time-outs grow with it. Loss is the measured part of
 * pings that healthy members left unanswered in time; it says what one more unanswered ping proves.
 */
#ifndef HF_SYNC_HEALTH_H
#define HF_SYNC_HEALTH_H

#include <stdbool.h>

#include "syncd/core/clock.h"

#define HF_AWARENESS_MAX 8

struct hf_health {
	uint32_t awareness; /* 0 is well */
	double loss;
	hf_time round_trip, variation; /* of pings, smoothed (RFC 6298) */
};

void hf_health_init(struct hf_health *health);

void hf_health_good(struct hf_health *health);
void hf_health_bad(struct hf_health *health, uint32_t by);

/* A ping was answered in time, or not. */
void hf_health_ping(struct hf_health *health, bool answered);
void hf_health_round_trip(struct hf_health *health, hf_time took);

/* How long to wait for an answer. */
hf_time hf_health_timeout(const struct hf_health *health);

/* What an unanswered ping is worth as evidence, in powers of ten: 1 if one in ten gets lost. */
double hf_health_evidence(const struct hf_health *health);

#endif
