/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/loop.h"

#include <errno.h>
#include <signal.h>

#include <ev.h>

#include "base/log.h"

struct loop {
	struct daemon *daemon;
	struct ev_loop *ev;
	ev_prepare prepare;
	ev_check check;
	ev_timer timer;
	ev_signal term, interrupt, hangup;
	ev_io io[DAEMON_FDS];
	struct pollfd fds[DAEMON_FDS];
	size_t n_fds;
};

static void on_signal(struct ev_loop *ev, ev_signal *w, int events)
{
	struct loop *l = ev_userdata(ev);

	(void)events;
	if (w->signum == SIGHUP) {
		daemon_reload(l->daemon);
		return;
	}
	log_info("ending on signal %d", w->signum);
	l->daemon->wants_end = true;
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
	vt_span wait = vt_mono_since(daemon_deadline(l->daemon), daemon_clock_now());

	(void)w;
	(void)events;
	l->n_fds = daemon_prepare(l->daemon, l->fds);
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
	daemon_dispatch(l->daemon, daemon_clock_now(), l->fds);
	if (l->daemon->wants_end)
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

/*
 * poll, not epoll: these are a handful of fds, set anew at each turn, and those of the back ends are
 * epolls of thousands of sockets, which the kernel goes through each time that one is put into another.
 */
int loop_run(struct daemon *d)
{
	struct loop l = { .daemon = d, .ev = ev_loop_new(EVBACKEND_POLL | EVFLAG_NOENV) };

	if (!l.ev)
		return log_err(ENOMEM, "event loop");
	ev_set_userdata(l.ev, &l);
	for (size_t i = 0; i < COUNT(l.io); i++)
		ev_init(&l.io[i], on_io);
	ev_init(&l.timer, on_timer);
	watch_signal(&l, &l.term, SIGTERM);
	watch_signal(&l, &l.interrupt, SIGINT);
	watch_signal(&l, &l.hangup, SIGHUP);
	let_signals_in();
	ev_prepare_init(&l.prepare, on_prepare);
	ev_prepare_start(l.ev, &l.prepare);
	ev_check_init(&l.check, on_check);
	ev_set_priority(&l.check, EV_MINPRI);
	ev_check_start(l.ev, &l.check);
	ev_run(l.ev, 0);
	ev_loop_destroy(l.ev);
	return 0;
}
