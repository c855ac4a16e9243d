/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/watch/watch.h"

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
#include "cli/instant.h"
#include "cli/watch/feed.h"
#include "cli/watch/lines.h"
#include "cli/watch/painter.h"
#include "cli/watch/terminal.h"
#include "cli/watch/view.h"

#define ASK_EVERY VT_MS(500)
#define TICK      VT_SEC(1)
#define CTRL_L    12

/* What a line of 33600 baud carries; frames that cost more are fewer. */
#define BYTES_PER_SECOND 4096
#define BYTES_AT_ONCE    16384

struct watch {
	struct feed feed;
	struct terminal terminal;
	struct screen shown, wanted;
	struct view_model model;
	int signals; /* signalfd; -1: none */
	sigset_t caught;
	bool is_coloured;
	bool is_due; /* there is something new to be drawn        */
	bool is_done;
	int signal;    /* that is to end us; 0: none                */
	int error;     /* of the terminal; 0: none                  */
	vt_mono tick;  /* when to draw though nothing is new         */
	double credit; /* bytes that may be sent; below zero: wait   */
	vt_mono credited;
};

/* The signals that need the terminal put right first, but for those that we were told to ignore. */
static int catch_signals(struct watch *w)
{
	static const int wanted[] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH
	};

	sigemptyset(&w->caught);
	for (size_t i = 0; i < COUNT(wanted); i++) {
		struct sigaction action;

		if (sigaction(wanted[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			sigaddset(&w->caught, wanted[i]);
	}
	if (sigprocmask(SIG_BLOCK, &w->caught, NULL) < 0)
		return -errno;
	w->signals = signalfd(-1, &w->caught, SFD_NONBLOCK | SFD_CLOEXEC);
	return w->signals < 0 ? -errno : 0;
}

/* Lets @number do to us what it does to everybody. */
static void suffer(const struct watch *w, int number)
{
	raise(number);
	sigprocmask(SIG_UNBLOCK, &w->caught, NULL);
	sigprocmask(SIG_BLOCK, &w->caught, NULL);
}

/* Both screens have the size of the terminal, and nothing of it is known. */
static int fit(struct watch *w)
{
	int columns, rows, r;

	terminal_size(&w->terminal, &columns, &rows);
	r = screen_resize(&w->shown, columns, rows);
	if (r == 0)
		r = screen_resize(&w->wanted, columns, rows);
	if (r == 0)
		r = terminal_reserve(&w->terminal,
		                     PAINTER_BYTES_MAX(w->shown.columns, w->shown.rows));
	w->is_due = true;
	return r;
}

/* After the terminal was somebody else's. */
static int take_over(struct watch *w)
{
	int r = terminal_enter(&w->terminal);

	return r < 0 ? r : fit(w);
}

static int handle_signal(struct watch *w, int number)
{
	switch (number) {
	case SIGWINCH: return fit(w);
	case SIGCONT: return take_over(w);
	case SIGTSTP:
		terminal_leave(&w->terminal);
		suffer(w, SIGTSTP);
		return take_over(w);
	default:
		w->signal = number;
		w->is_done = true;
		return 0;
	}
}

static int take_signals(struct watch *w)
{
	struct signalfd_siginfo info;
	int r = 0;

	while (r == 0 && !w->is_done && read(w->signals, &info, sizeof info) == sizeof info)
		r = handle_signal(w, (int)info.ssi_signo);
	return r;
}

static void zoom(struct watch *w, int by)
{
	const unsigned zoom = w->model.zoom;

	if (by > 0 && zoom + 1 < CHART_ZOOMS)
		w->model.zoom++;
	if (by < 0 && zoom > 0)
		w->model.zoom--;
	w->is_due = true;
}

static int take_keys(struct watch *w)
{
	for (;;)
		switch (terminal_key(&w->terminal)) {
		case 0: return 0;
		case -1: return -EIO;
		case 'q':
		case 'Q': w->is_done = true; return 0;
		case '+': zoom(w, 1); break;
		case '-': zoom(w, -1); break;
		case CTRL_L:
			screen_forget(&w->shown);
			w->is_due = true;
			break;
		default: break;
		}
}

/* All that are known, or at least the one that the status told of. */
static void take_events(struct watch *w, vt_mono now)
{
	const struct report_events *events = &w->feed.events;
	struct history *h = &w->model.history;
	const vt_real real = instant_real();

	for (unsigned i = 0; i < events->n; i++)
		history_note(h, &events->events[i], now, real);
	if (events->n == 0)
		history_note(h, &w->model.status.last_event, now, real);
}

static void take_answer(struct watch *w, bool is_answer, vt_mono now)
{
	struct view_model *m = &w->model;

	if (!is_answer && m->is_answering)
		m->since = now;
	m->is_answering = is_answer;
	m->has_status |= is_answer;
	history_add(&m->history, is_answer ? &m->status : NULL, now);
}

static void take_answers(struct watch *w, vt_mono now)
{
	enum feed_outcome outcome;

	while ((outcome = feed_pop(&w->feed, &w->model.status, w->model.trouble)) != FEED_NOTHING) {
		if (outcome == FEED_EVENTS)
			take_events(w, now);
		else
			take_answer(w, outcome == FEED_STATUS, now);
		w->is_due = true;
	}
}

static void give_credit(struct watch *w, vt_mono now)
{
	w->credit += vt_span_seconds(vt_mono_since(now, w->credited)) * BYTES_PER_SECOND;
	if (w->credit > BYTES_AT_ONCE)
		w->credit = BYTES_AT_ONCE;
	w->credited = now;
}

/* One whole frame or none: a frame that is late is left out, and the next one is of its time. */
static void paint(struct watch *w, vt_mono now)
{
	size_t size, used;
	char *to;

	give_credit(w, now);
	if (now.ns >= w->tick.ns)
		w->is_due = true;
	if (!w->is_due || terminal_is_busy(&w->terminal) || w->credit < 0)
		return;
	view_draw(&w->model, now, instant_real(), &w->wanted);
	to = terminal_frame(&w->terminal, &size);
	used = painter_write(&w->shown, &w->wanted, w->is_coloured, to, size);
	terminal_send(&w->terminal, used);
	screen_copy(&w->shown, &w->wanted);
	w->credit -= (double)used;
	w->is_due = false;
	w->tick = vt_mono_add(now, TICK);
}

static vt_mono deadline(const struct watch *w)
{
	vt_mono until = feed_deadline(&w->feed);

	if (terminal_is_busy(&w->terminal))
		return until;
	if (w->credit < 0)
		return vt_mono_min(until, vt_mono_add(w->credited, VT_MS(100)));
	return vt_mono_min(until, w->tick);
}

static int turn(struct watch *w)
{
	enum { SIGNALS, KEYS, OUT, FEED, FDS };
	struct pollfd fds[FDS] = {
		[SIGNALS] = { .fd = w->signals, .events = POLLIN },
		[KEYS] = { .fd = w->terminal.in, .events = POLLIN },
		[OUT] = { .fd = terminal_is_busy(&w->terminal) ? w->terminal.out : -1,
		          .events = POLLOUT },
	};
	size_t n = feed_prepare(&w->feed, &fds[FEED]);
	vt_mono now;
	int r;

	if (poll(fds, FEED + n, instant_timeout_ms(deadline(w))) < 0)
		return errno == EINTR ? 0 : -errno;
	now = instant_mono();
	r = take_signals(w);
	if (r == 0 && !w->is_done && (fds[KEYS].revents & POLLIN))
		r = take_keys(w);
	/* A terminal that hung up tells nothing but that, for ever. */
	if (r == 0 && (fds[KEYS].revents & (POLLHUP | POLLERR | POLLNVAL)))
		r = -EIO;
	feed_dispatch(&w->feed, now, &fds[FEED], n);
	take_answers(w, now);
	if (r == 0 && !w->is_done)
		paint(w, now);
	return r == 0 && !w->is_done ? terminal_flush(&w->terminal) : r;
}

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

static struct watch *watch_new(const char *socket)
{
	struct watch *w = calloc(1, sizeof *w);
	const vt_mono now = instant_mono();

	if (!w)
		return NULL;
	w->signals = -1;
	w->terminal.in = w->terminal.out = -1;
	w->is_coloured = !is_set("NO_COLOR");
	w->tick = w->credited = now;
	w->credit = BYTES_AT_ONCE;
	view_init(
		&w->model,
		glyphs_choose(getenv("TERM"), getenv("LC_ALL"), getenv("LC_CTYPE"), getenv("LANG")),
		now);
	feed_init(&w->feed, socket, ASK_EVERY, now);
	return w;
}

static void watch_free(struct watch *w)
{
	terminal_close(&w->terminal);
	if (w->signals >= 0)
		close(w->signals);
	feed_fini(&w->feed);
	screen_fini(&w->shown);
	screen_fini(&w->wanted);
	free(w);
}

static int complain(int error)
{
	fprintf(stderr, "vmtime: the terminal cannot be used: %s\n", strerror(-error));
	return 1;
}

static int screen_run(struct watch *w)
{
	int r = catch_signals(w);

	if (r == 0)
		r = take_over(w);
	while (r == 0 && !w->is_done)
		r = turn(w);
	terminal_leave(&w->terminal);
	/* Only now, that nothing is left to be put right. */
	if (w->signal)
		suffer(w, w->signal);
	return r < 0 ? complain(r) : 0;
}

int watch_run(const char *socket)
{
	const char *term = getenv("TERM");
	struct watch *w;
	int r;

	if (!isatty(STDOUT_FILENO) || !term || !*term || strcmp(term, "dumb") == 0)
		return lines_run(socket);
	w = watch_new(socket);
	if (!w)
		return complain(-ENOMEM);
	r = terminal_open(&w->terminal, 0);
	r = r < 0 ? complain(r) : screen_run(w);
	watch_free(w);
	return r;
}
