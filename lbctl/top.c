// SPDX-License-Identifier: BSD-2-Clause
/* The status, live: as `lbctl status` prints it, each second, on the whole screen. */
#include <ncurses.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lbctl/cluster.h"
#include "lbctl/command.h"
#include "lbctl/problems.h"
#include "lbctl/status.h"
#include "lbctl/table.h"
#include "lib/log.h"

#define REFRESH_MS 1000

enum { PAIR_GOOD = 1, PAIR_BAD };

static void put(const char *text, int pair)
{
	if (pair)
		attron(COLOR_PAIR(pair) | A_BOLD);
	addstr(text);
	if (pair)
		attroff(COLOR_PAIR(pair) | A_BOLD);
}

static void draw_head(const json_t *status)
{
	const char *state = hf_text(status, "state");
	char when[32];
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(when, sizeof(when), "%H:%M:%S", &tm);
	printw("%s, asked at %s, %s: ", hf_text(status, "cluster"), hf_text(status, "asked"), when);
	put(state, strcmp(state, "fine") == 0 ? PAIR_GOOD : PAIR_BAD);
	addstr("   (q: quit)\n\n");
}

static void draw_problems(const json_t *problems)
{
	char nodes[200];
	json_t *p;
	size_t i;

	json_array_foreach (problems, i, p) {
		hf_problem_nodes(p, nodes, sizeof(nodes));
		put("! ", PAIR_BAD);
		printw("%s%s%s\n    try: %s\n", nodes, nodes[0] ? ": " : "", hf_text(p, "text"),
		       hf_text(p, "remedy"));
	}
	addch('\n');
}

static void draw_number(const json_t *object, const char *key, bool whole)
{
	const json_t *value = json_object_get(object, key);
	char text[HF_NUMBER_TEXT], more[HF_NUMBER_TEXT + 2] = "?";

	if (json_is_number(value))
		snprintf(more, sizeof(more), "%s%s",
			 whole ? "" : ">=", hf_number_text(json_number_value(value), text));
	printw(" %9s", more);
}

static void draw_nodes(const json_t *nodes)
{
	json_t *n;
	size_t i;

	attron(A_DIM);
	printw("%-14.14s %-7s %-9s %5s %9s %9s %9s %9s\n", "node", "state", "", "vips", "records",
	       "flows", "packets/s", "drops/s");
	attroff(A_DIM);
	json_array_foreach (nodes, i, n) {
		printw("%-14.14s ", hf_text(n, "name"));
		put(hf_text(n, "state"),
		    strcmp(hf_text(n, "state"), "alive") == 0 ? PAIR_GOOD : PAIR_BAD);
		printw("%*s %-9s", 7 - (int)strlen(hf_text(n, "state")), "",
		       !json_object_get(n, "ready") ? "?"
		       : hf_flag(n, "draining")	    ? "drained"
		       : hf_flag(n, "ready")	    ? "ready"
						    : "not ready");
		if (json_object_get(n, "vips_announced"))
			printw(" %2ld/%2ld", (long)hf_number(n, "vips_announced"),
			       (long)hf_number(n, "vips"));
		else
			printw("     ?");
		draw_number(n, "records", true);
		draw_number(n, "pins", true);
		draw_number(n, "packets_per_second", true);
		draw_number(n, "drops_per_second", true);
		addch('\n');
	}
	addch('\n');
}

static void draw_pools(const json_t *pools)
{
	json_t *p;
	size_t i;

	attron(A_DIM);
	printw("%-20.20s %-10s %7s %9s %9s\n", "pool", "state", "usable", "flows", "packets/s");
	attroff(A_DIM);
	json_array_foreach (pools, i, p) {
		bool well = hf_number(p, "usable") == hf_number(p, "total") &&
			    strcmp(hf_text(p, "state"), "normal") == 0;

		printw("%-20.20s ", hf_text(p, "name"));
		put(hf_text(p, "state"), well ? PAIR_GOOD : PAIR_BAD);
		printw("%*s %3ld/%3ld", 10 - (int)strlen(hf_text(p, "state")), "",
		       (long)hf_number(p, "usable"), (long)hf_number(p, "total"));
		draw_number(p, "flows", hf_flag(p, "whole"));
		draw_number(p, "packets_per_second", hf_flag(p, "whole"));
		addch('\n');
	}
}

static void draw(const struct hf_context *c)
{
	json_t *status = hf_status_make(c);

	erase();
	draw_head(status);
	draw_problems(json_object_get(status, "problems"));
	draw_nodes(json_object_get(status, "nodes"));
	draw_pools(json_object_get(status, "pools"));
	refresh();
	json_decref(status);
}

int hf_command_top(const struct hf_context *c)
{
	int key;

	if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO)) {
		hf_error("this is for terminals; `lbctl status` prints the same");
		return HF_EXIT_WRONG;
	}
	if (!initscr()) {
		hf_error("this terminal can't show it; `lbctl status` prints the same");
		return HF_EXIT_FAILED;
	}
	if (has_colors()) {
		start_color();
		use_default_colors();
		init_pair(PAIR_GOOD, COLOR_GREEN, -1);
		init_pair(PAIR_BAD, COLOR_RED, -1);
	}
	cbreak();
	noecho();
	curs_set(0);
	keypad(stdscr, TRUE);
	timeout(REFRESH_MS);
	do {
		draw(c);
		key = getch();
	} while (key != 'q' && key != 'Q');
	endwin();
	return HF_EXIT_FINE;
}
