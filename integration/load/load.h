/* SPDX-License-Identifier: BSD-2-Clause */
/* Many long-lived TCP connections, a numbered request on each now and then, all answers checked. */
#ifndef HF_LOAD_LOAD_H
#define HF_LOAD_LOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define LOAD_TARGETS_MAX  64
#define LOAD_BACKENDS_MAX 256

struct load_settings {
	uint32_t connections;
	uint32_t first;	  /* the number of the first one, where several processes share the work */
	double rate;	  /* requests a second on each connection */
	uint32_t seconds; /* from when all connections are open */
	struct sockaddr_storage target[LOAD_TARGETS_MAX];
	uint32_t target_count;
	bool progress; /* a line a second on standard error */
};

/* Why a connection counts as broken: the first thing that went wrong on it. */
enum load_fault {
	LOAD_FINE,
	LOAD_NOT_OPENED,    /* refused, or no answer to the SYNs */
	LOAD_RESET,	    /* a reset, or a time-out of the retransmissions */
	LOAD_CLOSED,	    /* ended by the other side */
	LOAD_OTHER_BACKEND, /* answered by another backend */
	LOAD_OUT_OF_ORDER,
	LOAD_NONSENSE,
	LOAD_FAULTS,
};

extern const char *const load_fault_names[LOAD_FAULTS];

struct load_report {
	uint32_t connections;
	uint32_t opened;
	uint32_t fault[LOAD_FAULTS];
	uint32_t broken;  /* all faults */
	uint32_t stalled; /* not broken, but a request has been open for LOAD_STALL_MS at the end */
	uint64_t requests, answers;
	uint64_t longest_gap_ms; /* from a request to its answer, or to the end */
	uint64_t longest_gap_at; /* ms since 1970: when that request was sent */
	uint64_t retransmits;
	struct {
		char name[64];
		uint32_t connections;
		uint32_t lost; /* broken or stalled */
	} backend[LOAD_BACKENDS_MAX];
	uint32_t backend_count;
};

#define LOAD_STALL_MS 3000

/* Runs the load; SIGINT and SIGTERM end it early. 0 or a negative errno. */
int load_run(const struct load_settings *settings, struct load_report *report);

/* Counts connections as answered by the named backend, and so many of them as lost; "" is nobody.
 */
void load_report_backend(struct load_report *report, const char *name, uint32_t connections,
			 uint32_t lost);

#endif
