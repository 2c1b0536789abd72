/* SPDX-License-Identifier: BSD-2-Clause */
/* cmocka, with the headers that it wants to be included before it. */
#ifndef HF_TESTS_UNIT_H
#define HF_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#endif
