// SPDX-License-Identifier: BSD-2-Clause
/*
 * The failure detector: SWIM's randomised round-robin probing with indirect probes (Das et al.
 * 2002), Lifeguard's suspicion (Dadgar et al. 2018), and one departure from both: how long a
 * suspect has is not a number but the evidence.
 *
 *           ping each 50 ms to the next member
 *    (idle) ----------------------------------> round 0: ping
 *      ^                                           |
 *      |                                           | no answer in 50 ms, or what the network needs
 *      |   an answer, to any ping, by any way      v
 *      +--------------------------------------- round n: ping, and ping by three relays
 *                                                  |
 *                                                  | after the second round: SUSPECT
 *                                                  | evidence enough, and silent for 300 ms: DEAD
 *                                                  v
 *                                                (dead)
 *
 * Each ping that a member leaves unanswered is evidence against it: as many powers of ten as its
 * loss is improbable, given what this node has measured of late (health.h). So is each relay that
 * says that it got no answer either, and each other member that suspects it. At 10^-12 it is dead.
 * Where nothing gets lost that is 300 ms; at 20 % loss half a second or more, and still as certain.
 * A time-out (SWIM), or one that shrinks with confirmations (Lifeguard), can be had fast or
 * certain.
 *
 * Only a node that has probed in vain declares death; all others hear it from it. What is concluded
 * from silence is void when this node's own timers ran late: it may have been us.
 */
#include <string.h>

#include "syncd/core/core.h"

#define PROBE_EVERY    HF_MS(50)
#define RELAYS_ASKED   3
#define ROUNDS_SUSPECT 2
#define EVIDENCE_DEAD  12.0
#define SILENCE_DEAD   HF_MS(300)
#define ACTIVE_MOST    (sizeof(((struct hf_prober *)0)->active) / sizeof(struct hf_member *))

static void send_ping(struct hf_sync *s, struct hf_member *m, uint32_t sequence)
{
	Holdfast__Datagram d = HOLDFAST__DATAGRAM__INIT;
	Holdfast__Ping ping = HOLDFAST__PING__INIT;

	ping.sequence = sequence;
	d.body_case = HOLDFAST__DATAGRAM__BODY_PING;
	d.ping = &ping;
	hf_send(s, m, &d);
}

static void begin_round(struct hf_sync *s, struct hf_member *m)
{
	m->probe.last = ++s->prober.sequence;
	m->probe.relays = m->probe.nacks = 0;
	m->probe.sent = s->now;
	m->probe.round_ends = s->now + hf_health_timeout(&s->health);
	hf_wake(s, m->probe.round_ends);
	send_ping(s, m, m->probe.last);
}

void hf_probe_start(struct hf_sync *s, struct hf_member *m)
{
	if (m->probe.active || s->prober.active_count == ACTIVE_MOST)
		return;
	memset(&m->probe, 0, sizeof(m->probe));
	m->probe.active = true;
	m->probe.first = s->prober.sequence + 1;
	m->probe.began = s->now;
	s->prober.active[s->prober.active_count++] = m;
	s->counters.probes++;
	begin_round(s, m);
}

void hf_probe_end(struct hf_sync *s, struct hf_member *m)
{
	uint32_t i = 0;

	if (!m->probe.active)
		return;
	m->probe.active = false;
	while (s->prober.active[i] != m)
		i++;
	s->prober.active[i] = s->prober.active[--s->prober.active_count];
}

static void ask_relay(struct hf_sync *s, struct hf_member *relay, const struct hf_member *m)
{
	Holdfast__Datagram d = HOLDFAST__DATAGRAM__INIT;
	Holdfast__Relay ask = HOLDFAST__RELAY__INIT;

	ask.sequence = m->probe.last;
	ask.member = m->party.id;
	d.body_case = HOLDFAST__DATAGRAM__BODY_RELAY;
	d.relay = &ask;
	hf_send(s, relay, &d);
}

/* Three others by chance, all if there are no more. */
static void ask_relays(struct hf_sync *s, struct hf_member *m)
{
	uint32_t n = s->members.live_count, start = hf_random_below(&s->random, n);

	for (uint32_t i = 0; i < n && m->probe.relays < RELAYS_ASKED; i++) {
		struct hf_member *relay = s->members.live[(start + i) % n];

		if (relay == m || (relay->probe.active && relay->probe.rounds))
			continue;
		ask_relay(s, relay, m);
		m->probe.relays++;
	}
}

static void judge_round(struct hf_sync *s, struct hf_member *m)
{
	double each = hf_health_evidence(&s->health);

	m->probe.evidence += each * (1 + m->probe.nacks);
	if (m->probe.relays && !m->probe.nacks)
		hf_health_bad(&s->health, 1);
	if (m->probe.rounds++ == 0) {
		hf_health_ping(&s->health, false);
		s->counters.probes_failed++;
	}
}

static void round_failed(struct hf_sync *s, struct hf_member *m)
{
	hf_time patience = SILENCE_DEAD * (1 + s->health.awareness);

	judge_round(s, m);
	if (m->probe.evidence >= EVIDENCE_DEAD && s->now - m->probe.began >= patience) {
		hf_accuse(s, m, HF_MEMBER_DEAD, "it answered no ping, by any way");
		return;
	}
	if (m->probe.rounds == ROUNDS_SUSPECT && m->state == HF_MEMBER_ALIVE)
		hf_accuse(s, m, HF_MEMBER_SUSPECT, "it answered neither pings nor relays");
	begin_round(s, m);
	ask_relays(s, m);
}

void hf_probe_accused(struct hf_sync *s, struct hf_member *m, uint64_t accuser)
{
	if (!m->probe.active || !m->probe.rounds || accuser == s->self->party.id)
		return;
	for (int i = 0; i < HF_MEMBER_ACCUSERS; i++) {
		if (m->probe.accusers[i] == accuser)
			return;
		if (!m->probe.accusers[i]) {
			m->probe.accusers[i] = accuser;
			m->probe.evidence += hf_health_evidence(&s->health);
			return;
		}
	}
}

void hf_probe_take_ping(struct hf_sync *s, struct hf_member *from, const Holdfast__Ping *ping)
{
	Holdfast__Datagram d = HOLDFAST__DATAGRAM__INIT;
	Holdfast__Ack ack = HOLDFAST__ACK__INIT;

	ack.sequence = ping->sequence;
	d.body_case = HOLDFAST__DATAGRAM__BODY_ACK;
	d.ack = &ack;
	hf_send(s, from, &d);
}

static void answered(struct hf_sync *s, struct hf_member *m, uint32_t sequence)
{
	const struct hf_probe *p = &m->probe;

	if (!p->active || sequence < p->first || sequence > p->last)
		return;
	if (sequence == p->last)
		hf_health_round_trip(&s->health, s->now - p->sent);
	if (p->rounds == 0) {
		hf_health_ping(&s->health, true);
		hf_health_good(&s->health);
	}
	hf_probe_end(s, m);
}

/* Of a relay's ping: tells the one who asked. `ack` false: that there was no answer. */
static void report(struct hf_sync *s, const struct hf_relay *relay, bool ack)
{
	struct hf_member *asker = hf_members_find(&s->members, relay->asker);
	Holdfast__Datagram d = HOLDFAST__DATAGRAM__INIT;
	Holdfast__Ack yes = HOLDFAST__ACK__INIT;
	Holdfast__Nack no = HOLDFAST__NACK__INIT;

	if (!asker || !hf_member_lives(asker))
		return;
	yes.sequence = no.sequence = relay->asked;
	yes.member = no.member = relay->member;
	if (ack) {
		d.body_case = HOLDFAST__DATAGRAM__BODY_ACK;
		d.ack = &yes;
	} else {
		d.body_case = HOLDFAST__DATAGRAM__BODY_NACK;
		d.nack = &no;
	}
	hf_send(s, asker, &d);
}

static void answer_relays(struct hf_sync *s, const struct hf_member *m, uint32_t sequence)
{
	for (int i = 0; i < HF_RELAYS; i++) {
		struct hf_relay *relay = &s->prober.relays[i];

		if (!relay->asked || relay->sequence != sequence || relay->member != m->party.id)
			continue;
		report(s, relay, true);
		relay->asked = 0;
	}
}

void hf_probe_take_ack(struct hf_sync *s, struct hf_member *from, const Holdfast__Ack *ack)
{
	struct hf_member *m = from;

	if (ack->member)
		m = hf_members_find(&s->members, ack->member);
	else
		answer_relays(s, from, ack->sequence);
	if (m)
		answered(s, m, ack->sequence);
}

void hf_probe_take_relay(struct hf_sync *s, struct hf_member *from, const Holdfast__Relay *ask)
{
	struct hf_member *m = hf_members_find(&s->members, ask->member);
	struct hf_relay *relay = s->prober.relays;

	while (relay < s->prober.relays + HF_RELAYS && relay->asked)
		relay++;
	if (!m || m == s->self || !ask->sequence || relay == s->prober.relays + HF_RELAYS)
		return;
	*relay = (struct hf_relay){
		.asker = from->party.id,
		.member = m->party.id,
		.asked = ask->sequence,
		.sequence = ++s->prober.sequence,
		/* So that the answer is there before the asker's round ends. */
		.until = s->now + hf_health_timeout(&s->health) * 3 / 4,
	};
	hf_wake(s, relay->until);
	send_ping(s, m, relay->sequence);
}

void hf_probe_take_nack(struct hf_sync *s, const Holdfast__Nack *nack)
{
	struct hf_member *m = hf_members_find(&s->members, nack->member);

	/* One that comes a little late counts in the next round. */
	if (m && m->probe.active && nack->sequence >= m->probe.first &&
	    nack->sequence <= m->probe.last && m->probe.nacks < m->probe.relays)
		m->probe.nacks++;
}

static void relays_turn(struct hf_sync *s)
{
	for (int i = 0; i < HF_RELAYS; i++) {
		struct hf_relay *relay = &s->prober.relays[i];

		if (!relay->asked)
			continue;
		if (s->now >= relay->until) {
			report(s, relay, false);
			relay->asked = 0;
		} else {
			hf_wake(s, relay->until);
		}
	}
}

static void shuffle(struct hf_sync *s)
{
	struct hf_members *ms = &s->members;

	for (uint32_t i = ms->live_count; i > 1; i--) {
		uint32_t j = hf_random_below(&s->random, i);
		struct hf_member *m = ms->live[i - 1];

		ms->live[i - 1] = ms->live[j];
		ms->live[j] = m;
		ms->live[i - 1]->live_index = i - 1;
		m->live_index = j;
	}
}

/* Each once in a round, in an order that changes from round to round. */
static void probe_next(struct hf_sync *s)
{
	struct hf_prober *p = &s->prober;

	if (!s->members.live_count)
		return;
	if (p->position >= s->members.live_count) {
		shuffle(s);
		p->position = 0;
	}
	hf_probe_start(s, s->members.live[p->position++]);
}

void hf_prober_turn(struct hf_sync *s)
{
	struct hf_prober *p = &s->prober;

	if (s->now >= p->next) {
		probe_next(s);
		p->next += PROBE_EVERY;
		if (p->next <= s->now)
			p->next = s->now + PROBE_EVERY;
	}
	hf_wake(s, p->next);
	/* From behind: one that ends is replaced by the last. */
	for (uint32_t i = p->active_count; i-- > 0;) {
		struct hf_member *m = p->active[i];

		if (s->now >= m->probe.round_ends)
			round_failed(s, m);
		else
			hf_wake(s, m->probe.round_ends);
	}
	relays_turn(s);
}

void hf_prober_forgive(struct hf_sync *s)
{
	for (uint32_t i = s->prober.active_count; i-- > 0;)
		hf_probe_end(s, s->prober.active[i]);
	memset(s->prober.relays, 0, sizeof(s->prober.relays));
	hf_health_bad(&s->health, 1);
}
