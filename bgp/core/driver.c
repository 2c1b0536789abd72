// SPDX-License-Identifier: BSD-2-Clause
#include "bgp/core/driver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/core/times.h"

#define RETRY_MS     200  /* without a connection */
#define ANSWER_MS    2000 /* of most commands */
#define CONFIGURE_MS 10000
#define UNDO_S	     10 /* CONFIGURE_MS at least, or a slow one is never confirmed */
#define PROVE_MS     2000
#define AGAIN_MS     50	  /* while a reconfiguration is in progress */
#define REFUSED_MS   1000 /* until it is tried again */
#define LOOK_MS	     1000
#define BUSY_MS	     300
#define TIME_JITTER  2	 /* of two differences of times in ms */
#define FRESH_MS     900 /* before that a look does not tell what BIRD keeps back */

void hf_driver_init(struct hf_driver *d, const char *include, const struct hf_driver_output *output,
		    void *context)
{
	*d = (struct hf_driver){ .include = include,
				 .output = output,
				 .context = context,
				 .rebooted = -1,
				 .configured_at = -1,
				 .own_at = -1,
				 .noted_at = -1 };
	snprintf(d->why, sizeof(d->why), "not connected yet");
	d->trouble = HF_TROUBLE_APART;
}

void hf_driver_free(struct hf_driver *d)
{
	free(d->wanted);
	free(d->applying);
	free(d->in_force);
	hf_exports_free(&d->exports);
}

static void set_trouble(struct hf_driver *d, enum hf_driver_trouble trouble, const char *why)
{
	d->trouble = trouble;
	snprintf(d->why, sizeof(d->why), "%s", why);
	d->output->report(d->context);
}

int hf_driver_want(struct hf_driver *d, const char *text, int64_t now)
{
	char *copy;

	if (d->wanted && strcmp(d->wanted, text) == 0)
		return 0;
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	free(d->wanted);
	d->wanted = copy;
	d->dirty = true;
	d->apply_at = now;
	return 0;
}

bool hf_driver_is_settled(const struct hf_driver *d)
{
	return !d->dirty && d->in_force;
}

static void begin(struct hf_driver *d, enum hf_driver_step step, const char *command, int64_t now)
{
	d->step = step;
	d->deadline = now + ANSWER_MS;
	/* Both read all of its configuration. */
	if (step == HF_STEP_CONFIGURE || step == HF_STEP_CHECK)
		d->patience = now + CONFIGURE_MS;
	d->code = -1;
	d->detail[0] = '\0';
	d->output->send(d->context, command);
}

static void part(struct hf_driver *d, enum hf_driver_trouble trouble, const char *why, int64_t now)
{
	if (d->step != HF_STEP_APART)
		d->output->disconnect(d->context);
	d->looked = d->trial = false;
	d->queued_at = 0;
	set_trouble(d, trouble, why);
	d->step = HF_STEP_APART;
	d->deadline = now + RETRY_MS;
	d->version[0] = '\0';
	/* It may come back as another one. */
	d->dirty = d->wanted != NULL;
	d->apply_at = now;
}

void hf_driver_connected(struct hf_driver *d, int64_t now)
{
	d->counters.connections++;
	hf_reply_begin(&d->reader);
	d->step = HF_STEP_WELCOME;
	d->deadline = now + ANSWER_MS;
}

void hf_driver_lost(struct hf_driver *d, const char *why, int64_t now)
{
	part(d, HF_TROUBLE_APART, why, now);
}

/* Dirty still, but not at once. */
static void put_off(struct hf_driver *d, enum hf_driver_trouble trouble, const char *why,
		    int64_t now)
{
	set_trouble(d, trouble, why);
	d->dirty = true;
	d->apply_at = now + REFUSED_MS;
	d->step = HF_STEP_IDLE;
}

static void check(struct hf_driver *d, int64_t now)
{
	d->output->watch(d->context);
	begin(d, HF_STEP_CHECK, "configure check\n", now);
}

static void apply(struct hf_driver *d, int64_t now)
{
	bool urgent;
	int err;

	if (!d->wanted)
		return;
	urgent = d->in_force ? strcmp(d->in_force, d->wanted) != 0
			     : !d->output->holds(d->context, d->wanted);
	free(d->applying);
	d->applying = strdup(d->wanted);
	err = d->applying ? d->output->write(d->context, d->applying) : -ENOMEM;
	if (err) {
		free(d->applying);
		d->applying = NULL;
		put_off(d, HF_TROUBLE_FILE, strerror(-err), now);
		return;
	}
	d->trial = false;
	if (urgent)
		check(d, now);
	else
		begin(d, HF_STEP_ASK, "configure status\n", now);
}

static void asked(struct hf_driver *d, int64_t now)
{
	if (!d->trial) {
		check(d, now);
		return;
	}
	put_off(d, HF_TROUBLE_NONE, "", now);
	d->look_at = now;
}

static void look(struct hf_driver *d, int64_t now)
{
	const char *written = d->applying ? d->applying : d->in_force;

	d->look_at = now + LOOK_MS;
	if (written && !d->output->holds(d->context, written)) {
		d->dirty = true;
		apply(d, now);
		/* If it can't be written, how BIRD is must be known all the same. */
		if (d->step != HF_STEP_IDLE) {
			d->counters.restored++;
			return;
		}
	}
	begin(d, HF_STEP_STATUS, "show status\n", now);
}

/* Between two replies, and when time has passed. */
static void idle(struct hf_driver *d, int64_t now)
{
	d->step = HF_STEP_IDLE;
	if (d->dirty && now >= d->apply_at)
		apply(d, now);
	else if (now >= d->look_at)
		look(d, now);
}

static void welcome(struct hf_driver *d, int64_t now)
{
	unsigned int major;

	if (d->code != HF_REPLY_WELCOME || sscanf(d->detail, "BIRD %31s", d->version) != 1 ||
	    sscanf(d->version, "%u", &major) != 1 || major < 2) {
		part(d, HF_TROUBLE_STRANGE, d->detail, now);
		return;
	}
	/* What BIRD has is not known any more. */
	d->dirty = d->wanted != NULL;
	d->apply_at = d->look_at = now;
	idle(d, now);
}

/* A fault of our own text must not keep others from configuring BIRD. */
static void refused(struct hf_driver *d, int64_t now)
{
	d->counters.refused++;
	d->queued_at = 0;
	if (d->in_force && strncmp(d->detail, d->include, strlen(d->include)) == 0) {
		d->output->write(d->context, d->in_force);
		free(d->applying);
		d->applying = NULL;
	}
	put_off(d, d->code == HF_REPLY_REFUSED ? HF_TROUBLE_REFUSED : HF_TROUBLE_DENIED, d->detail,
		now);
}

static void checked(struct hf_driver *d, int64_t now)
{
	/* An unfinished edit of its configuration, without the include, would withdraw everything.
	 */
	if (d->code == HF_REPLY_CHECKED && !d->output->was_read(d->context)) {
		put_off(d, HF_TROUBLE_NOT_INCLUDED, "", now);
		return;
	}
	if (d->code == HF_REPLY_CHECKED) {
		char command[40];

		snprintf(command, sizeof(command), "configure timeout %d\n", UNDO_S);
		begin(d, HF_STEP_CONFIGURE, command, now);
		return;
	}
	refused(d, now);
}

static void prove(struct hf_driver *d, int64_t now)
{
	hf_sessions_begin(&d->reading);
	begin(d, HF_STEP_PROVE, "show protocols\n", now);
}

static void configured(struct hf_driver *d, int64_t now)
{
	switch (d->code) {
	case HF_REPLY_RECONFIGURED:
	case HF_REPLY_IN_PROGRESS:
		d->queued_at = 0;
		begin(d, HF_STEP_NOTE, "show status\n", now);
		return;
	case HF_REPLY_QUEUED:
		/* Behind somebody else's: what is there now is neither's. */
		if (!d->queued_at)
			d->queued_at = now;
		else if (now >= d->queued_at + ANSWER_MS)
			set_trouble(d, HF_TROUBLE_DENIED,
				    "an earlier reconfiguration does not end");
		d->dirty = true;
		d->apply_at = now + AGAIN_MS;
		d->step = HF_STEP_IDLE;
		return;
	default:
		refused(d, now);
	}
}

static void noted(struct hf_driver *d, int64_t now)
{
	d->patience = now + PROVE_MS;
	prove(d, now);
}

static void proved(struct hf_driver *d, int64_t now)
{
	if (d->reading.ours[HF_IPV4] && d->reading.ours[HF_IPV6]) {
		begin(d, HF_STEP_CONFIRM, "configure confirm\n", now);
	} else if (now < d->patience && !d->in_force) {
		/* Asked again by hf_driver_turn(). */
		d->code = HF_REPLY_IN_PROGRESS;
		d->deadline = now + AGAIN_MS;
	} else {
		d->counters.undone++;
		begin(d, HF_STEP_UNDO, "configure undo\n", now);
	}
}

static void confirmed(struct hf_driver *d, int64_t now)
{
	char *former = d->in_force;

	/* "Nothing to do": it has been taken back, or somebody has configured something else. */
	if (d->code != HF_REPLY_CONFIRMED) {
		put_off(d, HF_TROUBLE_DENIED, d->detail, now);
		return;
	}
	d->in_force = d->applying;
	d->applying = NULL;
	free(former);
	d->in_force_at = now;
	d->trial = false;
	d->own_at = d->configured_at = d->noted_at;
	d->counters.configured++;
	d->dirty = strcmp(d->in_force, d->wanted) != 0;
	/* What the last look told was of the former text. */
	d->fresh = true;
	for (uint32_t i = 0; i < d->sessions.count; i++)
		for (int f = HF_IPV4; f < HF_FAMILIES; f++)
			d->sessions.session[i].channel[f].told = false;
	/* Without memory nothing is expected, and nothing missed. */
	hf_exports_expect(&d->exports, d->in_force);
	set_trouble(d, HF_TROUBLE_NONE, "");
	/* Not at once: BIRD has its peers to tell, and does one thing at a time. */
	d->look_at = now + BUSY_MS;
	idle(d, now);
}

static void undone(struct hf_driver *d, int64_t now)
{
	put_off(d, HF_TROUBLE_NOT_INCLUDED, "", now);
}

static void looked_at_trial(struct hf_driver *d, int64_t now)
{
	hf_sessions_begin(&d->reading);
	begin(d, HF_STEP_SESSIONS, "show protocols all\n", now);
}

static void looked_at_status(struct hf_driver *d, int64_t now)
{
	d->trial = false;
	if (d->suspect)
		begin(d, HF_STEP_TRIAL, "configure status\n", now);
	else
		looked_at_trial(d, now);
}

/* Whether what some session is told, and what all are told of which that is known, is what is in
 * force. */
static bool is_as_it_should_be(const struct hf_driver *d)
{
	bool any = false;

	for (uint32_t i = 0; i < d->reading.count; i++) {
		const struct hf_session *s = &d->reading.session[i];

		for (int f = HF_IPV4; f < HF_FAMILIES; f++) {
			uint32_t expected =
				hf_exports_expected(&d->exports, (enum hf_family_index)f);

			if (!s->channel[f].told)
				continue;
			any = true;
			if (s->channel[f].exported != expected || s->channel[f].surplus)
				return false;
		}
	}
	return any;
}

static void end_look(struct hf_driver *d, int64_t now)
{
	if (d->suspect && !d->trial && (d->taken_back || !is_as_it_should_be(d))) {
		d->dirty = d->wanted != NULL;
		d->apply_at = now;
	}
	d->sessions = d->reading;
	d->looked = true;
	d->fresh = now < d->in_force_at + FRESH_MS;
	d->output->report(d->context);
	idle(d, now);
}

/* The next session that VIPs may be told to. */
static void ask_exports(struct hf_driver *d, int64_t now)
{
	char command[160];

	for (; d->session < d->reading.count; d->session++, d->family = HF_IPV4) {
		const struct hf_session *s = &d->reading.session[d->session];

		for (; d->family < HF_FAMILIES; d->family++) {
			if (!s->established || !s->channel[d->family].up)
				continue;
			snprintf(command, sizeof(command),
				 d->plain ? "show route protocol holdfast%d export '%s'\n"
					  : "show route export table '%2$s'.ipv%1$d\n",
				 d->family == HF_IPV4 ? 4 : 6, s->name);
			hf_exports_begin(&d->exports);
			begin(d, HF_STEP_EXPORTS, command, now);
			return;
		}
	}
	end_look(d, now);
}

static void looked_at_sessions(struct hf_driver *d, int64_t now)
{
	if (d->in_force && !(d->reading.ours[HF_IPV4] && d->reading.ours[HF_IPV6])) {
		set_trouble(d, HF_TROUBLE_NOT_INCLUDED, "");
		d->dirty = true;
	}
	d->session = 0;
	d->family = HF_IPV4;
	d->plain = false;
	if (d->dirty && now >= d->apply_at)
		idle(d, now);
	else
		ask_exports(d, now);
}

static void looked_at_exports(struct hf_driver *d, int64_t now)
{
	struct hf_channel *channel = &d->reading.session[d->session].channel[d->family];

	/* "No export table in channel": `export table on` is not there. */
	if (d->code >= HF_REPLY_ERROR && !d->plain) {
		d->plain = true;
	} else {
		if (d->code < HF_REPLY_ERROR)
			hf_exports_tell(&d->exports, d->family, channel);
		d->plain = false;
		d->family++;
	}
	if (d->dirty && now >= d->apply_at)
		idle(d, now);
	else
		ask_exports(d, now);
}

static void (*const ends[])(struct hf_driver *, int64_t) = {
	[HF_STEP_WELCOME] = welcome,
	[HF_STEP_ASK] = asked,
	[HF_STEP_CHECK] = checked,
	[HF_STEP_CONFIGURE] = configured,
	[HF_STEP_NOTE] = noted,
	[HF_STEP_PROVE] = proved,
	[HF_STEP_CONFIRM] = confirmed,
	[HF_STEP_UNDO] = undone,
	[HF_STEP_STATUS] = looked_at_status,
	[HF_STEP_TRIAL] = looked_at_trial,
	[HF_STEP_SESSIONS] = looked_at_sessions,
	[HF_STEP_EXPORTS] = looked_at_exports,
};

/* Since BIRD was started: so a clock that is set does not matter. */
static int64_t configured_at(const struct hf_driver *d, const char *text)
{
	int64_t when = hf_bird_time(text);

	return when < 0 || d->rebooted < 0 ? -1 : when - d->rebooted;
}

/* What it has in force is not what we put there last. */
static void suspect(struct hf_driver *d)
{
	bool known = d->configured_at >= 0 && d->own_at >= 0;
	int64_t later = d->configured_at - d->own_at;

	d->suspect = known && (later > TIME_JITTER || later < -TIME_JITTER);
	d->taken_back = d->suspect && later < 0;
}

static void take_status(struct hf_driver *d, const char *text)
{
	static const char reboot[] = "Last reboot on ", label[] = "Last reconfiguration on ";
	int64_t before = d->configured_at;

	if (strncmp(text, reboot, strlen(reboot)) == 0)
		d->rebooted = hf_bird_time(text + strlen(reboot));
	if (strncmp(text, label, strlen(label)) != 0)
		return;
	text += strlen(label);
	d->configured_at = configured_at(d, text);
	if (d->step == HF_STEP_NOTE) {
		d->noted_at = d->configured_at;
		d->configured_at = before;
		return;
	}
	suspect(d);
	if (d->suspect && llabs(d->configured_at - before) > TIME_JITTER)
		d->counters.reconfigured++;
}

struct taking {
	struct hf_driver *driver;
	int64_t now;
};

static bool take_line(void *context, const struct hf_reply_line *line)
{
	struct taking *t = context;
	struct hf_driver *d = t->driver;

	if (d->step == HF_STEP_APART || d->step == HF_STEP_IDLE) {
		/* Nothing was asked for. */
		part(d, HF_TROUBLE_STRANGE, line->text, t->now);
		return false;
	}
	if (d->step == HF_STEP_PROVE || d->step == HF_STEP_SESSIONS)
		hf_sessions_take(&d->reading, line);
	else if (d->step == HF_STEP_EXPORTS)
		hf_exports_take(&d->exports, line);
	else if (d->step == HF_STEP_STATUS || d->step == HF_STEP_NOTE)
		take_status(d, line->text);
	else if (d->step == HF_STEP_TRIAL || d->step == HF_STEP_ASK)
		d->trial |= line->code == HF_REPLY_UNCONFIRMED;
	if (line->last) {
		d->code = line->code;
		snprintf(d->detail, sizeof(d->detail), "%s", line->text);
		ends[d->step](d, t->now);
	}
	return d->step != HF_STEP_APART;
}

void hf_driver_hangs(struct hf_driver *d, int64_t now)
{
	part(d, HF_TROUBLE_SILENT, "", now);
}

void hf_driver_bytes(struct hf_driver *d, const char *bytes, size_t count, int64_t now)
{
	struct taking t = { d, now };

	if (hf_reply_read(&d->reader, bytes, count, take_line, &t) < 0)
		part(d, HF_TROUBLE_STRANGE, "what it says is not BIRD's protocol", now);
}

static void late(struct hf_driver *d, int64_t now)
{
	switch (d->step) {
	case HF_STEP_APART:
		d->deadline = now + RETRY_MS;
		d->output->connect(d->context);
		return;
	case HF_STEP_CHECK:
	case HF_STEP_CONFIGURE:
		if (now >= d->patience)
			break;
		set_trouble(d, HF_TROUBLE_SILENT, "");
		d->deadline = d->patience;
		return;
	case HF_STEP_PROVE:
		if (d->code == HF_REPLY_IN_PROGRESS) {
			prove(d, now);
			return;
		}
		break;
	default:
		break;
	}
	d->counters.timeouts++;
	part(d, HF_TROUBLE_SILENT, "", now);
}

int64_t hf_driver_turn(struct hf_driver *d, int64_t now)
{
	if (d->step == HF_STEP_IDLE)
		idle(d, now);
	else if (now >= d->deadline)
		late(d, now);
	if (d->step != HF_STEP_IDLE)
		return d->deadline;
	return d->dirty && d->apply_at < d->look_at ? d->apply_at : d->look_at;
}
