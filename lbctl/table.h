/* SPDX-License-Identifier: BSD-2-Clause */
/* What people are shown: tables, colours and numbers. */
#ifndef HF_LBCTL_TABLE_H
#define HF_LBCTL_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum hf_colour { HF_PLAIN, HF_GOOD, HF_BAD, HF_DOUBTFUL, HF_FAINT, HF_BOLD };

/* Colours only on a terminal that has some, and where NO_COLOR (no-color.org) is not set. */
void hf_colours_open(FILE *out);
/* "" where there are none. HF_PLAIN ends one. */
const char *hf_colour(enum hf_colour colour);

/* Columns that the terminal has; 0: it is none, and lines may be of any length. */
uint32_t hf_screen_width(void);

struct hf_table;

/* Headings, the last one followed by NULL. One that begins with ">" is of numbers, to the right;
 * one that begins with "?", and ">" after it, is left out where the screen has no room for it. */
struct hf_table *hf_table_new(const char *heading, ...) __attribute__((sentinel));
/* The next cell, row by row. */
void hf_table_cell(struct hf_table *table, enum hf_colour colour, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Prints it, the last column in several lines where it does not fit the screen, and frees it. */
void hf_table_print(struct hf_table *table, FILE *out);

#define HF_NUMBER_TEXT 24
/* "950", "12.3k", "4.56M": writes to and returns `text`. */
const char *hf_number_text(double number, char text[HF_NUMBER_TEXT]);

#endif
