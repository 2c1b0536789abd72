/* SPDX-License-Identifier: BSD-2-Clause */
/* What must hold before an agent may start. Failures are logged with their remedy. */
#ifndef HF_PREFLIGHT_H
#define HF_PREFLIGHT_H

#include <stdbool.h>

/* Linux 6.1 or newer. 0 or -ENOTSUP. */
int hf_preflight_kernel(void);

/* The same of a release as uname(2) gives it. One that can't be read passes: it may well do. */
bool hf_preflight_kernel_is_old(const char *release);

/* The rights to load BPF programs and to change the network. 0 or -EPERM. */
int hf_preflight_rights(void);

#define HF_RUN_DIRECTORY "/run/holdfast"

/*
 * One process an instance of a program: the descriptor of its lock, held until it is closed; or a
 * negative errno, -EBUSY when another process has it. The directory is made if need be.
 */
int hf_preflight_lock(const char *directory, const char *program, const char *instance);

/* Keeps CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, and nothing else. 0 or -EPERM. */
int hf_preflight_drop_rights(void);

/* Between these two SIGHUP, SIGTERM and SIGINT wait: a start is not broken off in the middle. And
 * from the first on a peer that has closed its end is an error of write(), not the program's end.
 */
void hf_preflight_hold_signals(void);
void hf_preflight_release_signals(void);

#endif
