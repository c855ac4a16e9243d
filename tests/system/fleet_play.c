/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fleet_play.c - many guests whose clocks are known, as their QEMUs would show them
 *
 *     fleet_play FOLDER NUMBER
 *
 * Listens at FOLDER/vm-0000.qmp and FOLDER/vm-0000.qga and so on, one client each as QEMU does, and
 * speaks QMP and the guest agent's protocol there.  Each guest has a clock: the host's and
 * an error.  It stands still while the guest is stopped, and so does its agent.  A request
 * takes `delay` to be answered, and is carried out in the middle of it.
 *
 * Commands come on stdin, one a line; GUESTS is "all" or a number.  Each is answered by its
 * output and "ok":
 *
 *     stop GUESTS                  STOP
 *     resume GUESTS LOST           RESUME; the clock has lost LOST more microseconds
 *     clock GUESTS ERROR           it is ahead of the host's by ERROR microseconds
 *     delay GUESTS MICROSECONDS
 *     mode GUESTS WORD             how the agent behaves, see fleet_play.h
 *     monitor GUESTS WORD          how the monitor behaves: well, mute, cut, gone
 *     forget GUESTS                the figures
 *     report GUESTS                a line of JSON each
 */

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "fleet_play.h"

static const char *const MODE_NAMES[] = { "well",    "hang", "garbage", "half",    "flood", "deep", "liar",
	                                  "hwclock", "dull", "frozen",  "stumble", "lossy", "stale" };
_Static_assert(sizeof MODE_NAMES / sizeof *MODE_NAMES == MODES, "every mode has a name");
static const char *const MONITOR_NAMES[] = { "well", "mute", "cut", "gone" };
_Static_assert(sizeof MONITOR_NAMES / sizeof *MONITOR_NAMES == MONITORS, "every kind has a name");

int64_t read_clock(int id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

int64_t guest_time(const struct guest *g)
{
	return (g->is_running ? read_clock(CLOCK_REALTIME) : g->stopped) + g->error;
}

void die(const char *what)
{
	perror(what);
	exit(1);
}

/* --- Sockets --- */

#define STDIN_TAG UINT64_MAX
#define TIMER_TAG (UINT64_MAX - 1)

void watch(struct fleet *f, int fd, uint64_t tag, bool wants_write)
{
	struct epoll_event e = { .events = EPOLLIN | (wants_write ? EPOLLOUT : 0), .data.u64 = tag };

	if (epoll_ctl(f->epoll, EPOLL_CTL_ADD, fd, &e) < 0 &&
	    (errno != EEXIST || epoll_ctl(f->epoll, EPOLL_CTL_MOD, fd, &e) < 0))
		die("epoll_ctl");
}

static int listen_at(struct fleet *f, unsigned i, const char *what)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s/vm-%04u.%s", f->folder, i, what);
	unlink(address.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1) < 0)
		die(address.sun_path);
	return fd;
}

static void hang_up(int *fd, size_t *used)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	*used = 0;
}

void say(int fd, const char *text)
{
	if (fd >= 0)
		(void)send(fd, text, strlen(text), MSG_NOSIGNAL);
}

/* --- The monitor --- */

static void tell_event(struct guest *g, const char *name)
{
	char text[200];
	int64_t now = read_clock(CLOCK_REALTIME);

	snprintf(text, sizeof text,
	         "{\"timestamp\": {\"seconds\": %lld, \"microseconds\": %lld}, \"event\": \"%s\"}\r\n",
	         (long long)(now / SECOND), (long long)(now % SECOND / 1000), name);
	say(g->qmp, text);
}

void stop(struct guest *g)
{
	if (!g->is_running)
		return;
	g->stopped = read_clock(CLOCK_REALTIME);
	g->is_running = false;
	tell_event(g, "STOP");
}

void resume(struct guest *g, int64_t lost)
{
	int64_t now = read_clock(CLOCK_REALTIME);

	if (!g->is_running)
		g->error -= now - g->stopped;
	g->error -= lost;
	g->is_running = true;
	g->resumed = read_clock(CLOCK_MONOTONIC);
	g->first_set = 0;
	tell_event(g, "RESUME");
}

static void answer_monitor(struct guest *g, unsigned index, const char *line)
{
	const char *id_text = strstr(line, "\"id\":");
	long long id = id_text ? atoll(id_text + 5) : 0;
	char text[400];

	if (strstr(line, "query-status"))
		snprintf(text, sizeof text,
		         "{\"return\": {\"status\": \"%s\", \"singlestep\": false, \"running\": %s}, "
		         "\"id\": %lld}\r\n",
		         g->is_running ? "running" : "paused", g->is_running ? "true" : "false", id);
	else if (strstr(line, "query-uuid"))
		snprintf(text, sizeof text,
		         "{\"return\": {\"UUID\": \"00000000-0000-4000-8000-%012u\"}, \"id\": %lld}\r\n",
		         index, id);
	else if (strstr(line, "qmp_capabilities") || strstr(line, "rtc-reset-reinjection"))
		snprintf(text, sizeof text, "{\"return\": {}, \"id\": %lld}\r\n", id);
	else
		snprintf(text, sizeof text,
		         "{\"id\": %lld, \"error\": {\"class\": \"CommandNotFound\", \"desc\": \"The "
		         "command has not been found\"}}\r\n",
		         id);
	say(g->qmp, text);
}

static void greet(struct guest *g)
{
	static const char GREETING[] =
		"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 0, \"major\": 9}, "
		"\"package\": \"\"}, \"capabilities\": [\"oob\"]}}\r\n";

	switch (g->monitor) {
	case M_WELL: say(g->qmp, GREETING); break;
	case M_CUT:
		(void)send(g->qmp, GREETING, 20, MSG_NOSIGNAL);
		hang_up(&g->qmp, &g->qmp_used);
		break;
	case M_MUTE:
	case M_GONE:
	case MONITORS: break;
	}
}

/* --- Input --- */

/* Splits what has come into lines; an agent takes the byte 0xFF for the end of one, too. */
static void take_lines(struct guest *g, unsigned index, char *in, size_t *used, bool is_agent)
{
	size_t from = 0;

	for (size_t i = 0; i < *used; i++) {
		if (in[i] != '\n' && in[i] != '\xff')
			continue;
		in[i] = '\0';
		if (i > from && is_agent)
			take_request(g, in + from);
		else if (i > from)
			answer_monitor(g, index, in + from);
		from = i + 1;
	}
	*used -= from;
	memmove(in, in + from, *used);
	if (*used == LINE_MAX_)
		*used = 0;
}

static void hear(struct fleet *f, unsigned index, enum role role)
{
	struct guest *g = &f->guests[index];
	bool is_agent = role == QGA;
	char *in = is_agent ? g->qga_in : g->qmp_in;
	size_t *used = is_agent ? &g->qga_used : &g->qmp_used;
	int *fd = is_agent ? &g->qga : &g->qmp;
	ssize_t n;

	if (*fd < 0)
		return;
	n = recv(*fd, in + *used, LINE_MAX_ - *used, 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n > 0) {
		g->asked_stopped += is_agent && !g->is_running;
		*used += (size_t)n;
		take_lines(g, index, in, used, is_agent);
		return;
	}
	hang_up(fd, used);
	if (is_agent)
		g->n = 0;
	/* The next one that waits. */
	watch(f, is_agent ? g->qga_listener : g->qmp_listener,
	      (uint64_t)index * ROLES + (is_agent ? QGA_LISTENER : QMP_LISTENER), false);
}

static void welcome(struct fleet *f, unsigned index, enum role role)
{
	struct guest *g = &f->guests[index];
	bool is_agent = role == QGA_LISTENER;
	int *fd = is_agent ? &g->qga : &g->qmp, listener = is_agent ? g->qga_listener : g->qmp_listener;

	if (*fd >= 0) { /* one at a time */
		epoll_ctl(f->epoll, EPOLL_CTL_DEL, listener, NULL);
		return;
	}
	*fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (*fd < 0)
		return;
	watch(f, *fd, (uint64_t)index * ROLES + (is_agent ? QGA : QMP), false);
	if (!is_agent)
		greet(g);
}

/* --- Time --- */

static void serve_all(struct fleet *f)
{
	int64_t now = read_clock(CLOCK_MONOTONIC), next = INT64_MAX;
	struct itimerspec t = { .it_value = { 0 } };

	for (unsigned i = 0; i < f->n; i++) {
		int64_t at = serve(f, &f->guests[i], now);

		next = at < next ? at : next;
	}
	if (next != INT64_MAX)
		t.it_value = (struct timespec){ next / SECOND, next % SECOND + 1 };
	if (timerfd_settime(f->timer, TFD_TIMER_ABSTIME, &t, NULL) < 0)
		die("timerfd_settime");
}

/* --- Commands --- */

static unsigned find_word(const char *const *words, unsigned n, const char *word)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	fprintf(stderr, "fleet_play: no such word: %s\n", word);
	exit(1);
}

static void set_monitor(struct fleet *f, unsigned index, enum monitor monitor)
{
	struct guest *g = &f->guests[index];

	g->monitor = monitor;
	hang_up(&g->qmp, &g->qmp_used);
	if (monitor == M_GONE) {
		char path[200];

		close(g->qmp_listener);
		snprintf(path, sizeof path, "%s/vm-%04u.qmp", f->folder, index);
		unlink(path);
		g->qmp_listener = -1;
	} else {
		if (g->qmp_listener < 0)
			g->qmp_listener = listen_at(f, index, "qmp");
		watch(f, g->qmp_listener, (uint64_t)index * ROLES + QMP_LISTENER, false);
	}
}

static void report(const struct guest *g, unsigned index)
{
	printf("{\"name\": \"vm-%04u\", \"error_us\": %lld, \"set_after_us\": %lld, "
	       "\"error_before_us\": %lld, \"error_after_us\": %lld, \"worst_sent_us\": %lld, "
	       "\"sets\": %u, \"gets\": %u, \"needless\": %u, \"asked_stopped\": %u}\n",
	       index, (long long)(g->error / 1000),
	       (long long)(g->first_set ? (g->first_set - g->resumed) / 1000 : -1),
	       (long long)(g->error_before / 1000), (long long)(g->error_after / 1000),
	       (long long)(g->worst_sent / 1000), g->sets, g->gets, g->needless, g->asked_stopped);
}

static void obey_for(struct fleet *f, unsigned i, const char *verb, const char *word)
{
	struct guest *g = &f->guests[i];

	if (strcmp(verb, "stop") == 0)
		stop(g);
	else if (strcmp(verb, "resume") == 0)
		resume(g, atoll(word) * 1000);
	else if (strcmp(verb, "clock") == 0)
		g->error = atoll(word) * 1000;
	else if (strcmp(verb, "delay") == 0)
		g->delay = atoll(word) * 1000;
	else if (strcmp(verb, "mode") == 0)
		g->mode = (enum mode)find_word(MODE_NAMES, MODES, word);
	else if (strcmp(verb, "monitor") == 0)
		set_monitor(f, i, (enum monitor)find_word(MONITOR_NAMES, MONITORS, word));
	else if (strcmp(verb, "forget") == 0)
		g->first_set = g->worst_sent = g->sets = g->gets = g->needless = g->asked_stopped = 0;
	else if (strcmp(verb, "report") == 0)
		report(g, i);
}

static void obey(struct fleet *f, const char *line)
{
	char verb[32] = "", whom[32] = "all", word[32] = "0";

	sscanf(line, "%31s %31s %31s", verb, whom, word);
	if (strcmp(whom, "all") != 0)
		obey_for(f, (unsigned)atoi(whom) % f->n, verb, word);
	for (unsigned i = 0; strcmp(whom, "all") == 0 && i < f->n; i++)
		obey_for(f, i, verb, word);
	puts("ok");
	fflush(stdout);
}

/* Ends with its stdin. */
static void hear_commands(struct fleet *f)
{
	static char in[4096];
	static size_t used;
	ssize_t n = read(0, in + used, sizeof in - used - 1);
	char *end;

	if (n <= 0)
		exit(0);
	used += (size_t)n;
	in[used] = '\0';
	while ((end = strchr(in, '\n'))) {
		*end = '\0';
		obey(f, in);
		used -= (size_t)(end + 1 - in);
		memmove(in, end + 1, used + 1);
	}
}

static void dispatch(struct fleet *f, const struct epoll_event *e)
{
	unsigned index = (unsigned)(e->data.u64 / ROLES);
	enum role role = (enum role)(e->data.u64 % ROLES);
	uint64_t ticks;

	if (e->data.u64 == STDIN_TAG) {
		hear_commands(f);
	} else if (e->data.u64 == TIMER_TAG) {
		if (read(f->timer, &ticks, sizeof ticks) < 0 && errno != EAGAIN)
			die("timer");
	} else if (role == QMP_LISTENER || role == QGA_LISTENER) {
		welcome(f, index, role);
	} else {
		if (role == QGA && e->events & EPOLLOUT)
			flood(f, &f->guests[index]);
		if (e->events & ~(uint32_t)EPOLLOUT)
			hear(f, index, role);
	}
}

static void open_guests(struct fleet *f)
{
	for (unsigned i = 0; i < f->n; i++) {
		struct guest *g = &f->guests[i];

		*g = (struct guest){ .qmp = -1, .qga = -1, .is_running = true, .delay = SECOND / 1000 };
		/* Whoever looks for the monitor finds the agent. */
		g->qga_listener = listen_at(f, i, "qga");
		g->qmp_listener = listen_at(f, i, "qmp");
		watch(f, g->qga_listener, (uint64_t)i * ROLES + QGA_LISTENER, false);
		watch(f, g->qmp_listener, (uint64_t)i * ROLES + QMP_LISTENER, false);
	}
}

int main(int argc, char **argv)
{
	struct epoll_event events[256];
	struct fleet f = { .folder = argc == 3 ? argv[1] : NULL };
	struct rlimit limit;

	f.n = argc == 3 ? (unsigned)atoi(argv[2]) : 0;
	if (f.n == 0 || f.n > GUESTS_MAX) {
		fprintf(stderr, "usage: fleet_play FOLDER NUMBER\n");
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	f.guests = calloc(f.n, sizeof *f.guests);
	f.epoll = epoll_create1(EPOLL_CLOEXEC);
	f.timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (!f.guests || f.epoll < 0 || f.timer < 0)
		die("fleet_play");
	open_guests(&f);
	watch(&f, 0, STDIN_TAG, false);
	watch(&f, f.timer, TIMER_TAG, false);
	puts("ok");
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(f.epoll, events, 256, -1);

		for (int i = 0; i < n; i++)
			dispatch(&f, &events[i]);
		serve_all(&f);
	}
}
