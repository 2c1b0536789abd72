/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver in a talk with a BIRD that is a test: what it says is as live BIRDs said it. */
#ifndef HF_TESTS_UNIT_BIRD_TALK_H
#define HF_TESTS_UNIT_BIRD_TALK_H

#include "bgp/core/driver.h"
#include "tests/unit/unit.h"

/* From BIRD 2.0.12. */
#define GREETING "0001 BIRD 2.0.12 ready.\n"
#define CHECKED                                                 \
	"0002-Reading configuration from /etc/bird/bird.conf\n" \
	"0020 Configuration OK\n"
#define RECONFIGURED                                                                \
	"0002-Reading configuration from /etc/bird/bird.conf\n0022-Undo scheduled " \
	"in 10 s\n0003 Reconfigured\n"
#define IN_PROGRESS                                                                 \
	"0002-Reading configuration from /etc/bird/bird.conf\n0022-Undo scheduled " \
	"in 10 s\n0004 Reconfiguration in progress\n"
#define FAULT                                                   \
	"0002-Reading configuration from /etc/bird/bird.conf\n" \
	"8002 /etc/bird/bird.conf:16:38 syntax error, unexpected NUM\n"
#define HEAD   "2002-Name       Proto      Table      State  Since         Info\n"
#define DEVICE "1002-device1    Device     ---        up     19:46:45.846  \n"
#define OURS                                                        \
	" holdfast4  Static     master4    up     19:46:45.846  \n" \
	" holdfast6  Static     master6    up     19:46:45.846  \n"
#define SESSIONS  " spine1     BGP        ---        up     19:47:44.838  Established\n"
#define PROTOCOLS HEAD DEVICE OURS SESSIONS "0000 \n"
#define UP	  "0003-Daemon is up and running\n"
#define NO_TRIAL  UP "0000 \n"
#define TRIAL	  UP "0022-Configuration unconfirmed, undo in 9.849 s\n0000 \n"
#define CONFIRMED "0018 Reconfiguration confirmed\n"
#define STATUS(when)                                                              \
	"1000-BIRD 2.0.12\n1011-Router ID is 10.99.0.2\n Hostname is vm\n"        \
	" Current server time is 2026-11-23 19:51:38.363\n"                       \
	" Last reboot on 2026-11-23 19:46:45.846\n Last reconfiguration on " when \
	"\n0013 Daemon is up and running\n"
#define ALL                                                                                      \
	HEAD DEVICE "1006-\n" OURS_ALL                                                           \
		    "1002-spine1     BGP        ---        up     19:47:44.838  Established\n"   \
		    "1006-  BGP state:          Established\n     Neighbor address: 10.99.0.1\n" \
		    "     Neighbor AS:      65000\n     Hold timer:       214.369/240\n   "      \
		    "Channel ipv4\n"                                                             \
		    "     State:          UP\n     Output filter:  vip_out\n"                    \
		    "     Routes:         0 imported, 2 exported, 0 preferred\n \n"              \
		    "1002-spine2     BGP        ---        start  19:47:44.838  Active        "  \
		    "Socket: "                                                                   \
		    "Connection refused\n"                                                       \
		    "1006-  BGP state:          Active\n     Neighbor address: fe80::1%eth0\n"   \
		    "   Channel ipv6\n     State:          DOWN\n \n0000 \n"
#define OURS_ALL                                                                          \
	"1002-holdfast4  Static     master4    up     19:46:45.846  \n"                   \
	"1006-  Channel ipv4\n     State:          UP\n     Table:          master4\n \n" \
	"1002-holdfast6  Static     master6    up     19:46:45.846  \n"                   \
	"1006-  Channel ipv6\n     State:          UP\n \n"
#define EXPORTED                                                                      \
	"1007-Table export:\n"                                                        \
	" 203.0.113.11/32      unicast [holdfast4 19:52:37.327] * (200)\n \tdev "     \
	"holdfast0\n 203.0.113.10/32      unicast [holdfast4 19:52:37.327] * (200)\n" \
	" \tdev holdfast0\n0000 \n"

#define TWO                                                                           \
	"protocol static holdfast4 {\n    route 203.0.113.10/32 via \"holdfast0\";\n" \
	"    route 203.0.113.11/32 via \"holdfast0\";\n}\n"

extern struct hf_driver d;
extern int64_t now;
extern char commands[512]; /* what the driver has said, and no test expected yet */
extern char file[2048];	   /* what the driver has written */
extern int write_error;	   /* what writing ends with */
extern uint32_t reports;   /* of the driver's, that something is new */
extern bool connected;
extern bool is_read; /* whether BIRD has opened the file since it was written */

/* The text that is; empty: none is known to be. */
const char *in_force(void);

/* The driver has said just this since the last time. */
void expect(const char *command);

/* Whatever it has said so far does not matter. */
void forget(void);

/* BIRD says it, 1 ms later. */
void say(const char *text);

/* A new driver, connected, that has heard nothing. */
void begin(void);

/* The text, up to its confirmation; BIRD says when that was. */
void apply(const char *text, const char *when);

/* The driver looks what BIRD has: when it was configured last, and what it exports. */
void look(const char *when, const char *exported);

#endif
