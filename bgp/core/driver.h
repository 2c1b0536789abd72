/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The talk with BIRD on its control socket: gets an include's text in force, and looks whether it
 * still is. Bytes and times come in, commands and requests go out; no I/O. Times are milliseconds
 * of a monotonic clock.
 *
 *	APART --connect--> WELCOME --its greeting--> IDLE
 *
 *	to put a text in force:    write the file,
 *	  ASK         configure status          unless VIPs are to come or go: a configuration
 *	                                        that somebody tries is waited for
 *	  CHECK       configure check           a fault of the configuration, or one that
 *	                                        did not read the file: try again, later
 *	  CONFIGURE   configure timeout 10      from here on BIRD takes it back by itself,
 *	  NOTE        show status               (when it was: any other time will be others')
 *	  PROVE       show protocols            unless our protocols turn out to be there:
 *	  CONFIRM     configure confirm         then it is in force;
 *	  UNDO        configure undo            if not, the former configuration is
 *
 *	to look, each second:
 *	  STATUS      show status               has somebody else reconfigured it?
 *	  TRIAL       configure status          and does that wait to be confirmed?
 *	  SESSIONS    show protocols all        how are sessions, and are our protocols there?
 *	  EXPORTS     show route export ...     and what is told to each of them?
 *
 * What others have BIRD read after us has our file in it, as it stands. What they take back to
 * (`configure undo`) has not: then ours is put in force again, and also if exports are not as they
 * should be. But not while theirs waits to be confirmed, for ours would confirm it.
 *
 * One command is under way at a time. Any that is not answered in time, and any end of the
 * connection, leads back to APART, and from there all is tried again. A plain `configure` is used
 * and not a soft one, after which changed export filters show routes that were never sent.
 */
#ifndef HF_BGP_DRIVER_H
#define HF_BGP_DRIVER_H

#include "bgp/core/exports.h"
#include "bgp/core/reply.h"
#include "bgp/core/sessions.h"

enum hf_driver_step {
	HF_STEP_APART,
	HF_STEP_WELCOME,
	HF_STEP_IDLE,
	HF_STEP_ASK,
	HF_STEP_CHECK,
	HF_STEP_CONFIGURE,
	HF_STEP_NOTE,
	HF_STEP_PROVE,
	HF_STEP_CONFIRM,
	HF_STEP_UNDO,
	HF_STEP_STATUS,
	HF_STEP_TRIAL,
	HF_STEP_SESSIONS,
	HF_STEP_EXPORTS,
};

enum hf_driver_trouble {
	HF_TROUBLE_NONE,
	HF_TROUBLE_APART,   /* no connection; the detail says why */
	HF_TROUBLE_SILENT,  /* it does not answer */
	HF_TROUBLE_STRANGE, /* what answers is no BIRD, or too old; the detail is its greeting */
	HF_TROUBLE_FILE,    /* the include can't be written */
	HF_TROUBLE_REFUSED, /* the configuration has a fault, which the detail names */
	HF_TROUBLE_NOT_INCLUDED, /* BIRD's configuration does not include our file */
	HF_TROUBLE_DENIED,	 /* it did not do what it was told; the detail is its answer */
};

/* What the driver wants of its surroundings. */
struct hf_driver_output {
	/* To be answered by hf_driver_connected() or hf_driver_lost(), then or later. */
	void (*connect)(void *context);
	void (*disconnect)(void *context);
	void (*send)(void *context, const char *command); /* with its newline */
	/* Puts the text in the include's place: 0 or a negative errno. */
	int (*write)(void *context, const char *text);
	/* From `watch` on somebody may read the include: whether anybody has. */
	void (*watch)(void *context);
	bool (*was_read)(void *context);
	/* Whether the include holds this text. */
	bool (*holds)(void *context, const char *text);
	/* What it knows of BIRD has changed, or may have. */
	void (*report)(void *context);
};

struct hf_driver_counters {
	uint64_t configured;   /* texts put in force */
	uint64_t refused;      /* tries that BIRD refused */
	uint64_t undone;       /* that were taken back */
	uint64_t restored;     /* times that somebody else's text stood in the include */
	uint64_t reconfigured; /* by others */
	uint64_t timeouts;     /* commands without an answer */
	uint64_t connections;
};

struct hf_driver {
	const char *include; /* its path, as BIRD names it */
	const struct hf_driver_output *output;
	void *context;
	struct hf_reply_reader reader;
	enum hf_driver_step step;
	int64_t deadline; /* of the step */
	int64_t apply_at, look_at;
	char *wanted;	/* the text that is to be in force; NULL: none yet */
	char *applying; /* that the steps from CHECK on are about */
	char *in_force; /* NULL: not known */
	int64_t in_force_at;
	bool dirty;	   /* something is to be put in force */
	bool suspect;	   /* it has a configuration in force that we did not put there */
	bool taken_back;   /* which is older than ours */
	bool trial;	   /* and BIRD will take that back, unless it is confirmed */
	int64_t queued_at; /* since when it is behind somebody else's; 0: it is not */
	int64_t patience;  /* PROVE: until when protocols may still be missing; CHECK, CONFIGURE: an
			    * answer */
	int code;	   /* of the reply's last telling line */
	char detail[256];  /* and its text */
	enum hf_driver_trouble trouble;
	char why[256];
	char version[32]; /* BIRD's; empty: not known */
	/* In ms: when BIRD was started, and, after that, when it was configured, when we were the
	 * last to do so, and when we last tried; -1: not known. */
	int64_t rebooted, configured_at, own_at, noted_at;
	struct hf_sessions reading, sessions;
	bool looked; /* sessions are known */
	bool fresh;  /* what is in force came so just now: BIRD may still be telling its peers */
	struct hf_exports exports;
	uint32_t session; /* EXPORTS: whose */
	enum hf_family_index family;
	bool plain; /* EXPORTS: the session has no export table, so what its filter says is asked */
	struct hf_driver_counters counters;
};

/* Borrows all three for its life. */
void hf_driver_init(struct hf_driver *driver, const char *include,
		    const struct hf_driver_output *output, void *context);
void hf_driver_free(struct hf_driver *driver);

/* This text is to be in force. Copies it. 0 or -ENOMEM. */
int hf_driver_want(struct hf_driver *driver, const char *text, int64_t now);

void hf_driver_connected(struct hf_driver *driver, int64_t now);
void hf_driver_lost(struct hf_driver *driver, const char *why, int64_t now);
/* It takes no more connections. */
void hf_driver_hangs(struct hf_driver *driver, int64_t now);
void hf_driver_bytes(struct hf_driver *driver, const char *bytes, size_t count, int64_t now);

/* Does what is due. When to call again. */
int64_t hf_driver_turn(struct hf_driver *driver, int64_t now);

/* Whether what is wanted is in force, as far as is known. */
bool hf_driver_is_settled(const struct hf_driver *driver);

#endif
