/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/guests_watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/attr.h"
#include "cli/fleet_ask.h"
#include "cli/guest_text.h"
#include "cli/instant.h"
#include "cli/output.h"
#include "cli/watch/painter.h"
#include "cli/watch/terminal.h"

#define EVERY VT_SEC(1)
#define CTRL_L 12

static const enum screen_style STYLES_OF[] = {
	[GUEST_FINE] = STYLE_GOOD, [GUEST_BUSY] = STYLE_WARN,   [GUEST_WRONG] = STYLE_BAD,
	[GUEST_IDLE] = STYLE_FAINT, [GUEST_TITLE] = STYLE_TITLE, [GUEST_ASIDE] = STYLE_PLAIN,
};

struct guests_watch {
	const char *socket;
	struct terminal terminal;
	struct screen shown, wanted;
	int signals; /* signalfd */
	sigset_t caught;
	bool is_coloured, is_done;
	int signal; /* that is to end us; 0: none */
	vt_mono next;
};

/* --- One frame --- */

static void draw_report(struct guests_watch *w, struct fleet_report *report)
{
	char line[GUEST_LINE_MAX];
	enum guest_concern concern;
	struct guest_lines lines;

	guest_text_sort(report);
	guest_lines_begin(&lines, report, instant_real());
	for (int row = 0; row < w->wanted.rows && guest_lines_next(&lines, line, &concern); row++)
		screen_text(&w->wanted, 0, row, w->wanted.columns, STYLES_OF[concern], line);
}

static void draw(struct guests_watch *w)
{
	char sentence[ASK_SENTENCE_MAX], *to;
	struct fleet_report report;
	size_t size, used;

	if (terminal_is_busy(&w->terminal))
		return;
	screen_clear(&w->wanted);
	if (fleet_ask_guests(w->socket, &report, sentence) == 0) {
		draw_report(w, &report);
		free(report.guests);
	} else {
		screen_text(&w->wanted, 0, 0, w->wanted.columns, STYLE_BAD, sentence);
	}
	to = terminal_frame(&w->terminal, &size);
	used = painter_write(&w->shown, &w->wanted, w->is_coloured, to, size);
	terminal_send(&w->terminal, used);
	screen_copy(&w->shown, &w->wanted);
}

/* --- The terminal --- */

static int fit(struct guests_watch *w)
{
	int columns, rows, r;

	terminal_size(&w->terminal, &columns, &rows);
	r = screen_resize(&w->shown, columns, rows);
	if (r == 0)
		r = screen_resize(&w->wanted, columns, rows);
	if (r == 0)
		r = terminal_reserve(&w->terminal,
		                     PAINTER_BYTES_MAX(w->shown.columns, w->shown.rows));
	w->next = instant_mono();
	return r;
}

static int take_over(struct guests_watch *w)
{
	int r = terminal_enter(&w->terminal);

	return r < 0 ? r : fit(w);
}

/* Lets @number do to us what it does to everybody. */
static void suffer(const struct guests_watch *w, int number)
{
	raise(number);
	sigprocmask(SIG_UNBLOCK, &w->caught, NULL);
	sigprocmask(SIG_BLOCK, &w->caught, NULL);
}

static int take_signals(struct guests_watch *w)
{
	struct signalfd_siginfo info;
	int r = 0;

	while (r == 0 && !w->is_done && read(w->signals, &info, sizeof info) == sizeof info)
		switch ((int)info.ssi_signo) {
		case SIGWINCH: r = fit(w); break;
		case SIGCONT: r = take_over(w); break;
		case SIGTSTP:
			terminal_leave(&w->terminal);
			suffer(w, SIGTSTP);
			r = take_over(w);
			break;
		default:
			w->signal = (int)info.ssi_signo;
			w->is_done = true;
			break;
		}
	return r;
}

static int take_keys(struct guests_watch *w)
{
	for (;;)
		switch (terminal_key(&w->terminal)) {
		case 0: return 0;
		case -1: return -EIO;
		case 'q':
		case 'Q': w->is_done = true; return 0;
		case CTRL_L:
			screen_forget(&w->shown);
			w->next = instant_mono();
			break;
		default: break;
		}
}

static int turn(struct guests_watch *w)
{
	enum { SIGNALS, KEYS, OUT, FDS };
	struct pollfd fds[FDS] = {
		[SIGNALS] = { .fd = w->signals, .events = POLLIN },
		[KEYS] = { .fd = w->terminal.in, .events = POLLIN },
		[OUT] = { .fd = terminal_is_busy(&w->terminal) ? w->terminal.out : -1,
		          .events = POLLOUT },
	};
	int r;

	if (poll(fds, FDS, instant_timeout_ms(w->next)) < 0)
		return errno == EINTR ? 0 : -errno;
	r = take_signals(w);
	if (r == 0 && !w->is_done && (fds[KEYS].revents & POLLIN))
		r = take_keys(w);
	/* A terminal that hung up tells nothing but that, for ever. */
	if (r == 0 && (fds[KEYS].revents & (POLLHUP | POLLERR | POLLNVAL)))
		r = -EIO;
	if (r == 0 && !w->is_done && instant_mono().ns >= w->next.ns) {
		draw(w);
		w->next = vt_mono_add(instant_mono(), EVERY);
	}
	return r == 0 && !w->is_done ? terminal_flush(&w->terminal) : r;
}

static int catch_signals(struct guests_watch *w)
{
	static const int wanted[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH };

	sigemptyset(&w->caught);
	for (size_t i = 0; i < COUNT(wanted); i++)
		sigaddset(&w->caught, wanted[i]);
	if (sigprocmask(SIG_BLOCK, &w->caught, NULL) < 0)
		return -errno;
	w->signals = signalfd(-1, &w->caught, SFD_NONBLOCK | SFD_CLOEXEC);
	return w->signals < 0 ? -errno : 0;
}

static int screen_run(struct guests_watch *w)
{
	int r = terminal_open(&w->terminal, 0);

	if (r == 0)
		r = catch_signals(w);
	if (r == 0)
		r = take_over(w);
	while (r == 0 && !w->is_done)
		r = turn(w);
	terminal_close(&w->terminal);
	if (w->signals >= 0)
		close(w->signals);
	screen_fini(&w->shown);
	screen_fini(&w->wanted);
	/* Only now, that nothing is left to be put right. */
	if (w->signal)
		suffer(w, w->signal);
	if (r == 0)
		return 0;
	fprintf(stderr, "vmtime: the terminal cannot be used: %s\n", strerror(-r));
	return 1;
}

/* --- Elsewhere --- */

static int lines_run(const char *socket)
{
	char sentence[ASK_SENTENCE_MAX], line[GUEST_LINE_MAX];
	struct fleet_report report;
	enum guest_concern concern;
	struct guest_lines lines;

	for (;;) {
		if (fleet_ask_guests(socket, &report, sentence) == 0) {
			guest_text_sort(&report);
			guest_lines_begin(&lines, &report, instant_real());
			while (guest_lines_next(&lines, line, &concern))
				puts(line);
			free(report.guests);
		} else {
			puts(sentence);
		}
		putchar('\n');
		if (output_flush() != 0)
			return 1;
		poll(NULL, 0, (int)(EVERY.ns / 1000000));
	}
}

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

int guests_watch(const char *socket)
{
	const char *term = getenv("TERM");
	struct guests_watch w = {
		.socket = socket,
		.terminal = { .in = -1, .out = -1 },
		.signals = -1,
		.is_coloured = !is_set("NO_COLOR"),
	};

	if (!isatty(STDOUT_FILENO) || !term || !*term || strcmp(term, "dumb") == 0)
		return lines_run(socket);
	return screen_run(&w);
}
