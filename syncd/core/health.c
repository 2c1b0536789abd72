// SPDX-License-Identifier: BSD-2-Clause
#include "syncd/core/health.h"

#include <math.h>

/* Below the least, LANs' delays are the machines' schedulers'; beyond the most a cluster is none.
 */
#define TIMEOUT_LEAST HF_MS(50)
#define TIMEOUT_MOST  HF_MS(500)
/* Never so sure that one ping proves more than this: losses come in bursts. */
#define LOSS_LEAST  0.03
#define LOSS_MOST   0.9
#define LOSS_SMOOTH (1.0 / 64)

void hf_health_init(struct hf_health *health)
{
	*health = (struct hf_health){ .loss = LOSS_LEAST, .variation = TIMEOUT_LEAST / 4 };
}

void hf_health_good(struct hf_health *health)
{
	if (health->awareness)
		health->awareness--;
}

void hf_health_bad(struct hf_health *health, uint32_t by)
{
	health->awareness += by;
	if (health->awareness > HF_AWARENESS_MAX)
		health->awareness = HF_AWARENESS_MAX;
}

void hf_health_ping(struct hf_health *health, bool answered)
{
	health->loss += ((answered ? 0 : 1) - health->loss) * LOSS_SMOOTH;
}

void hf_health_round_trip(struct hf_health *health, hf_time took)
{
	hf_time off = took - health->round_trip;

	health->round_trip += off / 8;
	health->variation += ((off < 0 ? -off : off) - health->variation) / 4;
}

hf_time hf_health_timeout(const struct hf_health *health)
{
	hf_time wait = health->round_trip + 4 * health->variation;

	if (wait < TIMEOUT_LEAST)
		wait = TIMEOUT_LEAST;
	if (wait > TIMEOUT_MOST)
		wait = TIMEOUT_MOST;
	return wait * (1 + health->awareness);
}

double hf_health_evidence(const struct hf_health *health)
{
	double loss = health->loss;

	if (loss < LOSS_LEAST)
		loss = LOSS_LEAST;
	if (loss > LOSS_MOST)
		loss = LOSS_MOST;
	return -log10(loss);
}
