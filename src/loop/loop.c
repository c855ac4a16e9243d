/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include <ev.h>

#include "base/log.h"

struct loop {
	const struct loop_ops *ops;
	void *daemon;
	bool *wants_end;
	struct ev_loop *ev;
	ev_prepare prepare;
	ev_check check;
	ev_timer timer;
	ev_signal term, interrupt, hangup;
	ev_io *io;          /* as many as there may be fds */
	struct pollfd *fds; /* likewise; n_fds of them are in use */
	size_t n_fds;
};

static void on_signal(struct ev_loop *ev, ev_signal *w, int events)
{
	struct loop *l = ev_userdata(ev);

	(void)events;
	if (w->signum == SIGHUP) {
		l->ops->reload(l->daemon);
		return;
	}
	log_info("ending on signal %d", w->signum);
	*l->wants_end = true;
}

/* libev tells each fd by itself; the components want to see them together, in check. */
static void on_io(struct ev_loop *ev, ev_io *w, int events)
{
	struct loop *l = ev_userdata(ev);
	struct pollfd *fd = &l->fds[w - l->io];

	if (events & EV_READ)
		fd->revents |= POLLIN;
	if (events & EV_WRITE)
		fd->revents |= POLLOUT;
}

/* A timer needs no action of its own: check runs after whatever woke us. */
static void on_timer(struct ev_loop *ev, ev_timer *w, int events)
{
	(void)ev;
	(void)w;
	(void)events;
}

static int wanted_events(short events)
{
	return (events & POLLIN ? EV_READ : 0) | (events & POLLOUT ? EV_WRITE : 0);
}

/* Before waiting: wait for what the components want now. */
static void on_prepare(struct ev_loop *ev, ev_prepare *w, int events)
{
	struct loop *l = ev_userdata(ev);
	vt_span wait = vt_mono_since(l->ops->deadline(l->daemon), l->ops->now());

	(void)w;
	(void)events;
	l->n_fds = l->ops->prepare(l->daemon, l->fds);
	for (size_t i = 0; i < l->n_fds; i++) {
		l->fds[i].revents = 0;
		ev_io_set(&l->io[i], l->fds[i].fd, wanted_events(l->fds[i].events));
		ev_io_start(ev, &l->io[i]);
	}
	l->timer.repeat = wait.ns > 0 ? vt_span_seconds(vt_span_min(wait, VT_SEC(3600))) : 1e-9;
	ev_now_update(ev);
	ev_timer_again(ev, &l->timer);
}

/* Lowest priority, so that all that happened has been noted by then. */
static void on_check(struct ev_loop *ev, ev_check *w, int events)
{
	struct loop *l = ev_userdata(ev);

	(void)w;
	(void)events;
	for (size_t i = 0; i < l->n_fds; i++)
		ev_io_stop(ev, &l->io[i]);
	l->ops->dispatch(l->daemon, l->ops->now(), l->fds);
	if (*l->wants_end)
		ev_break(ev, EVBREAK_ALL);
}

static void watch_signal(struct loop *l, ev_signal *w, int number)
{
	ev_signal_init(w, on_signal, number);
	ev_set_priority(w, EV_MAXPRI);
	ev_signal_start(l->ev, w);
}

/* main held them back until somebody would take notice. */
static void let_signals_in(void)
{
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGHUP);
	sigprocmask(SIG_UNBLOCK, &held, NULL);
}

static void run(struct loop *l, size_t max_fds)
{
	ev_set_userdata(l->ev, l);
	for (size_t i = 0; i < max_fds; i++)
		ev_init(&l->io[i], on_io);
	ev_init(&l->timer, on_timer);
	watch_signal(l, &l->term, SIGTERM);
	watch_signal(l, &l->interrupt, SIGINT);
	watch_signal(l, &l->hangup, SIGHUP);
	let_signals_in();
	ev_prepare_init(&l->prepare, on_prepare);
	ev_prepare_start(l->ev, &l->prepare);
	ev_check_init(&l->check, on_check);
	ev_set_priority(&l->check, EV_MINPRI);
	ev_check_start(l->ev, &l->check);
	ev_run(l->ev, 0);
}

int loop_run(const struct loop_ops *ops, void *daemon, size_t max_fds, bool *wants_end)
{
	struct loop l = {
		.ops = ops,
		.daemon = daemon,
		.wants_end = wants_end,
		.ev = ev_loop_new(EVBACKEND_POLL | EVFLAG_NOENV),
		.io = calloc(max_fds, sizeof *l.io),
		.fds = calloc(max_fds, sizeof *l.fds),
	};
	int r = 0;

	if (l.ev && l.io && l.fds)
		run(&l, max_fds);
	else
		r = log_err(ENOMEM, "event loop");
	if (l.ev)
		ev_loop_destroy(l.ev);
	free(l.io);
	free(l.fds);
	return r;
}
