/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The load, by as many processes as the limit of open files asks for, and one report of it.
 */
#ifndef HF_LOAD_WORKERS_H
#define HF_LOAD_WORKERS_H

#include "integration/load/load.h"

/* Raises the limit as far as it goes. 0 or a negative errno, said on standard error. */
int workers_run(const struct load_settings *settings, struct load_report *report);

/* Adds one report to another: no I/O. */
void workers_add_report(struct load_report *sum, const struct load_report *part);

#endif
