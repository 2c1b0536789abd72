// SPDX-License-Identifier: BSD-2-Clause
#include "syncd/events.h"

#include "lib/log.h"

static const char *name_of(const struct hf_sync *sync, uint64_t id)
{
	const struct hf_member *m = id ? hf_members_find(hf_sync_members(sync), id) : NULL;

	return m ? m->facts.name : "a node";
}

static void log_member(const struct hf_sync *sync, const struct hf_event *e)
{
	const struct hf_member *m = e->member;
	char text[HF_ADDRESS_TEXT];
	bool bad = m->state == HF_MEMBER_DEAD;

	if (e->before == m->state)
		return;
	/* Suspicions come and go where datagrams get lost. */
	if (m->state == HF_MEMBER_SUSPECT ||
	    (m->state == HF_MEMBER_ALIVE && e->before == HF_MEMBER_SUSPECT)) {
		hf_debug("member %s: %s -> %s", m->facts.name, hf_member_state_name(e->before),
			 hf_member_state_name(m->state));
		return;
	}
	hf_log(bad ? HF_LOG_WARNING : HF_LOG_NOTICE, "member %s (%s): %s -> %s%s%s%s%s",
	       m->facts.name,
	       hf_endpoint_format(&m->facts.endpoint.address, m->facts.endpoint.port, text),
	       hf_member_state_name(e->before), hf_member_state_name(m->state),
	       bad && e->accuser ? ", says " : "",
	       bad && e->accuser ? name_of(sync, e->accuser) : "", e->why ? ": " : "",
	       e->why ? e->why : "");
}

static void log_conflict(const struct hf_sync *sync, const struct hf_event *e)
{
	const struct hf_member *m = e->member ? e->member : hf_sync_self(sync);
	char text[HF_ADDRESS_TEXT], rival[HF_ADDRESS_TEXT];

	hf_endpoint_format(&m->facts.endpoint.address, m->facts.endpoint.port, text);
	hf_endpoint_format(&m->rival.address, m->rival.port, rival);
	if (e->member)
		hf_error("a second node calls itself %s: %s, which is refused, beside %s; give one "
			 "of them another node.name",
			 m->facts.name, rival, text);
	else
		hf_error("this node's name, %s, is used by %s, too; give one of the two another "
			 "node.name, and restart it",
			 m->facts.name, rival);
}

void hf_log_event(const struct hf_sync *sync, const struct hf_event *e)
{
	const struct hf_owners *owners = hf_sync_owners(sync);
	char text[HF_ADDRESS_TEXT];

	switch (e->kind) {
	case HF_EVENT_JOINED:
		hf_notice("member %s (%s) is new: %s", e->member->facts.name,
			  hf_endpoint_format(&e->member->facts.endpoint.address,
					     e->member->facts.endpoint.port, text),
			  hf_member_state_name(e->member->state));
		return;
	case HF_EVENT_MEMBER:
		log_member(sync, e);
		return;
	case HF_EVENT_RESTART:
		hf_notice("member %s has started anew", e->member->facts.name);
		return;
	case HF_EVENT_CONFLICT:
		log_conflict(sync, e);
		return;
	case HF_EVENT_REFUTED:
		hf_log(e->before == HF_MEMBER_SUSPECT ? HF_LOG_DEBUG : HF_LOG_WARNING,
		       "%s called this node %s; refuted", name_of(sync, e->accuser),
		       hf_member_state_name(e->before));
		return;
	case HF_EVENT_READINESS:
		hf_notice("%s", hf_readiness_name(hf_sync_readiness(sync)));
		return;
	case HF_EVENT_VIEW:
		hf_notice("epoch %u: %u nodes own the records", hf_sync_epoch(sync), owners->count);
		return;
	case HF_EVENT_SETTLED:
		hf_notice("epoch %u: records are handed over%s%s", hf_sync_epoch(sync),
			  e->why ? ", as far as they will be: " : "", e->why ? e->why : "");
		return;
	case HF_EVENT_FETCH:
		hf_warning("the snapshot's stream failed: %s; the next owner is asked", e->why);
		return;
	case HF_EVENT_CLOCK:
		hf_error("%s's clock is more than a day ahead of the cluster's; set it, and "
			 "restart syncd there",
			 e->member->facts.name);
		return;
	case HF_EVENT_PROTOCOL:
		hf_error("a node with which this syncd has no version of the protocol in common "
			 "is refused; upgrade the older of the two");
		return;
	}
}
