// SPDX-License-Identifier: BSD-2-Clause
#include "lbctl/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_MAX 16
#define GAP	    2
#define NARROW	    20 /* a last column that is narrower goes on a line of its own */

static bool colours;

void hf_colours_open(FILE *out)
{
	const char *terminal = getenv("TERM"), *no = getenv("NO_COLOR");

	colours =
		isatty(fileno(out)) && terminal && strcmp(terminal, "dumb") != 0 && !(no && no[0]);
}

const char *hf_colour(enum hf_colour colour)
{
	static const char *const codes[] = {
		[HF_PLAIN] = "\033[0m",	      [HF_GOOD] = "\033[32m", [HF_BAD] = "\033[1;31m",
		[HF_DOUBTFUL] = "\033[1;33m", [HF_FAINT] = "\033[2m", [HF_BOLD] = "\033[1m",
	};

	return colours ? codes[colour] : "";
}

uint32_t hf_screen_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return 0;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

struct cell {
	char *text;
	enum hf_colour colour;
};

struct hf_table {
	const char *headings[COLUMNS_MAX];
	uint32_t columns;
	struct cell *cells;
	uint32_t count, room;
};

struct hf_table *hf_table_new(const char *heading, ...)
{
	struct hf_table *t = calloc(1, sizeof(*t));
	va_list headings;

	if (!t || !heading)
		abort();
	va_start(headings, heading);
	do
		t->headings[t->columns++] = heading;
	while (t->columns < COLUMNS_MAX && (heading = va_arg(headings, const char *)));
	va_end(headings);
	return t;
}

void hf_table_cell(struct hf_table *t, enum hf_colour colour, const char *format, ...)
{
	va_list arguments;

	if (t->count == t->room) {
		t->room = t->room ? 2 * t->room : 64;
		t->cells = realloc(t->cells, t->room * sizeof(*t->cells));
	}
	va_start(arguments, format);
	if (!t->cells || vasprintf(&t->cells[t->count].text, format, arguments) < 0)
		abort(); /* a command, out of memory */
	va_end(arguments);
	t->cells[t->count++].colour = colour;
}

static bool is_optional(const struct hf_table *t, uint32_t column)
{
	return t->headings[column][0] == '?';
}

static bool is_number(const struct hf_table *t, uint32_t column)
{
	return t->headings[column][is_optional(t, column)] == '>';
}

static const char *heading_of(const struct hf_table *t, uint32_t column)
{
	return t->headings[column] + is_optional(t, column) + is_number(t, column);
}

static void measure(const struct hf_table *t, uint32_t *widths)
{
	if (!t->columns || t->columns > COLUMNS_MAX)
		abort();
	for (uint32_t c = 0; c < t->columns; c++)
		widths[c] = strlen(heading_of(t, c));
	for (uint32_t i = 0; i < t->count; i++)
		if (strlen(t->cells[i].text) > widths[i % t->columns])
			widths[i % t->columns] = strlen(t->cells[i].text);
}

/* Leaves out optional columns, the last ones first, until the rest fits: their width is 0. The last
 * column, if it is text, can be broken. */
static void fit(const struct hf_table *t, uint32_t *widths, uint32_t screen)
{
	uint32_t total = 0;

	for (uint32_t c = 0; c < t->columns; c++)
		total += widths[c] + GAP;
	if (!is_number(t, t->columns - 1) && widths[t->columns - 1] > NARROW)
		total -= widths[t->columns - 1] - NARROW;
	for (uint32_t c = t->columns; c-- > 0 && screen && total - GAP > screen;) {
		if (!is_optional(t, c))
			continue;
		total -= widths[c] + GAP;
		widths[c] = 0;
	}
}

static void put(FILE *out, const char *text, enum hf_colour colour, uint32_t width, bool right)
{
	int room = (int)width - (int)strlen(text);

	fprintf(out, "%*s%s%s%s", right && room > 0 ? room : 0, "", hf_colour(colour), text,
		colour == HF_PLAIN ? "" : hf_colour(HF_PLAIN));
	if (!right && room > 0)
		fprintf(out, "%*s", room, "");
}

/* How much of the text goes on this line: up to a space, if there is one. */
static size_t line_of(const char *text, size_t room)
{
	size_t end = room;

	if (strlen(text) <= room)
		return strlen(text);
	while (end && text[end] != ' ')
		end--;
	return end ? end : room;
}

static void put_last(FILE *out, const struct cell *cell, uint32_t indent, uint32_t screen)
{
	const char *text = cell->text;
	size_t room = screen - indent, part;

	if (!screen || indent + strlen(text) <= screen) {
		put(out, text, cell->colour, 0, false);
		return;
	}
	if (indent + NARROW > screen) {
		indent = 4;
		room = screen > 2 * indent ? screen - indent : NARROW;
		fprintf(out, "\n%*s", (int)indent, "");
	}
	for (;; text += part) {
		while (*text == ' ')
			text++;
		part = line_of(text, room);
		fprintf(out, "%s%.*s%s", hf_colour(cell->colour), (int)part, text,
			hf_colour(HF_PLAIN));
		if (!text[part])
			return;
		fprintf(out, "\n%*s", (int)indent, "");
	}
}

static void put_row(FILE *out, const struct hf_table *t, const struct cell *cells,
		    const uint32_t *widths, uint32_t screen)
{
	uint32_t indent = 0;

	for (uint32_t c = 0; c < t->columns; c++) {
		if (is_optional(t, c) && !widths[c])
			continue;
		if (c)
			fprintf(out, "%*s", GAP, "");
		indent += c ? GAP : 0;
		if (c + 1 == t->columns && !is_number(t, c))
			put_last(out, &cells[c], indent, screen);
		else
			put(out, cells[c].text, cells[c].colour, widths[c], is_number(t, c));
		indent += widths[c];
	}
	fputc('\n', out);
}

void hf_table_print(struct hf_table *t, FILE *out)
{
	struct cell headings[COLUMNS_MAX];
	uint32_t widths[COLUMNS_MAX], screen = hf_screen_width();

	measure(t, widths);
	fit(t, widths, screen);
	for (uint32_t c = 0; c < t->columns; c++)
		headings[c] = (struct cell){ (char *)heading_of(t, c), HF_FAINT };
	put_row(out, t, headings, widths, 0);
	for (uint32_t i = 0; i + t->columns <= t->count; i += t->columns)
		put_row(out, t, &t->cells[i], widths, screen);
	for (uint32_t i = 0; i < t->count; i++)
		free(t->cells[i].text);
	free(t->cells);
	free(t);
}

const char *hf_number_text(double number, char text[HF_NUMBER_TEXT])
{
	static const char units[] = " kMGTP";
	size_t unit = 0;

	while (number >= 9999.5 && unit + 2 < sizeof(units)) {
		number /= 1000;
		unit++;
	}
	if (!unit)
		snprintf(text, HF_NUMBER_TEXT, "%.0f", number);
	else
		snprintf(text, HF_NUMBER_TEXT, number < 99.95 ? "%.1f%c" : "%.0f%c", number,
			 units[unit]);
	return text;
}
