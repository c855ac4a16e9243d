/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libvirt_drive.c - the libvirt back end by itself, driven by lines of text
 *
 *     libvirt_drive URI WORKERS
 *
 * Reads "get NUMBER TIMEOUT_MS", "set NUMBER TIMEOUT_MS", "info ...", "reset ...", "nudge ..." and
 * "drop NUMBER" from its input, until it ends.  Prints a line for each sign, each outcome, and each
 * change of the trouble; each begins with CLOCK_REALTIME in nanoseconds.  "gap NANOSECONDS" tells
 * of a turn of its loop that took longer than 50 ms: something waited where nothing may.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hostd/libvirt.h"
#include "os/clock_read.h"

#define GAP VT_MS(50)

static const char *const SIGNS[] = {
	[SIGN_APPEARED] = "appeared", [SIGN_GONE] = "gone",         [SIGN_STOPPED] = "stopped",
	[SIGN_RUNNING] = "running",   [SIGN_AGENT_UP] = "agent-up", [SIGN_AGENT_DOWN] = "agent-down",
	[SIGN_CHANGED] = "changed",
};

static const char *const KINDS[] = {
	[WORK_INFO] = "info",   [WORK_GET_TIME] = "get", [WORK_SET_TIME] = "set",
	[WORK_RESET_RTC] = "reset", [WORK_NUDGE] = "nudge", [WORK_STATUS] = "status",
	[WORK_QUALITY] = "quality",
};

static const char *const RESULTS[] = {
	[WORK_DONE] = "done",           [WORK_REFUSED] = "refused",     [WORK_FROZEN] = "frozen",
	[WORK_UNSUPPORTED] = "unsupported", [WORK_TIMED_OUT] = "timed-out", [WORK_GARBAGE] = "garbage",
	[WORK_LOST] = "lost",           [WORK_STOPPED] = "stopped",
};

static const char *const AGENTS[] = {
	[AGENT_NONE] = "none", [AGENT_UNKNOWN] = "unknown", [AGENT_QEMU_GA] = "qemu-ga",
	[AGENT_VMTIMED] = "vmtimed",
};

static int64_t clock_ns(clockid_t id)
{
	int64_t ns = 0;

	if (clock_read_ns(&OS_CALLS, id, &ns) < 0)
		abort();
	return ns;
}

static vt_mono mono_now(void)
{
	return (vt_mono){ clock_ns(CLOCK_MONOTONIC_RAW) };
}

static void print_sign(const struct sign *s)
{
	printf("%" PRId64 " sign %s %u reason=%s age_ns=%" PRId64, clock_ns(CLOCK_REALTIME),
	       SIGNS[s->kind], s->guest, host_reason_name(s->reason),
	       vt_mono_since(mono_now(), s->at).ns);
	if (s->kind == SIGN_APPEARED)
		printf(" is_running=%d has_agent=%d name=%s uuid=%s", s->is_running, s->has_agent, s->name,
		       s->uuid);
	if (s->kind == SIGN_APPEARED || s->kind == SIGN_CHANGED)
		printf(" cid=%u", s->cid);
	printf("\n");
}

static void print_outcome(const struct work_outcome *o)
{
	printf("%" PRId64 " outcome %s %u %s number=%" PRIu64 " was_sent=%d sent=%" PRId64
	       " took_ns=%" PRId64 " guest_time=%" PRId64 " agent=%s text=%s\n",
	       clock_ns(CLOCK_REALTIME), KINDS[o->kind], o->guest, RESULTS[o->result], o->number,
	       o->was_sent, o->sent.real.ns, vt_mono_since(o->answered.mono, o->sent.mono).ns,
	       o->guest_time.ns, AGENTS[o->agent], o->text);
}

static void pop_all(struct backend *b)
{
	struct sign sign;
	struct work_outcome outcome;

	while (b->ops->pop_sign(b, &sign))
		print_sign(&sign);
	while (b->ops->pop_outcome(b, &outcome))
		print_outcome(&outcome);
}

/* "set 3 5000" */
static void obey(struct backend *b, char *line, uint64_t number)
{
	char word[16];
	unsigned guest, timeout_ms = 0;

	if (sscanf(line, "%15s %u %u", word, &guest, &timeout_ms) < 2) {
		fprintf(stderr, "libvirt_drive: what is \"%s\"?\n", line);
		exit(1);
	}
	if (strcmp(word, "drop") == 0) {
		b->ops->drop(b, guest);
		return;
	}
	for (unsigned kind = 0; kind < COUNT(KINDS); kind++) {
		if (strcmp(word, KINDS[kind]) == 0)
			b->ops->begin(b, guest, &(struct work){ .kind = kind, .number = number,
			                                        .timeout = VT_MS(timeout_ms) });
	}
}

/* Obeys the whole lines of what has come.  False: the input has ended. */
static bool read_lines(struct backend *b, char *text, size_t size, size_t *n, uint64_t *number)
{
	ssize_t got = read(STDIN_FILENO, text + *n, size - *n - 1);
	char *end;

	if (got <= 0)
		return got < 0 && errno == EINTR;
	*n += (size_t)got;
	text[*n] = 0;
	while ((end = strchr(text, '\n'))) {
		*end = 0;
		obey(b, text, ++*number);
		*n -= (size_t)(end + 1 - text);
		memmove(text, end + 1, *n + 1);
	}
	return true;
}

static int wait_ms(vt_mono until)
{
	int64_t ns = vt_mono_since(until, mono_now()).ns;

	return until.ns == INT64_MAX ? -1 : ns <= 0 ? 0 : (int)(ns / 1000000 + 1);
}

static void drive(struct backend *b)
{
	static char text[65536];
	char trouble[REPORT_TEXT_MAX] = "";
	uint64_t number = 0;
	size_t n = 0;

	for (;;) {
		struct pollfd fds[] = { { b->fd, POLLIN, 0 }, { STDIN_FILENO, POLLIN, 0 } };
		vt_mono began;

		poll(fds, 2, wait_ms(b->ops->deadline(b)));
		began = mono_now();
		if (fds[1].revents && !read_lines(b, text, sizeof text, &n, &number))
			return;
		b->ops->dispatch(b, mono_now());
		pop_all(b);
		if (strcmp(trouble, b->trouble) != 0)
			printf("%" PRId64 " trouble %s\n", clock_ns(CLOCK_REALTIME), b->trouble);
		snprintf(trouble, sizeof trouble, "%s", b->trouble);
		if (vt_mono_since(mono_now(), began).ns > GAP.ns)
			printf("%" PRId64 " gap %" PRId64 "\n", clock_ns(CLOCK_REALTIME),
			       vt_mono_since(mono_now(), began).ns);
	}
}

int main(int argc, char **argv)
{
	struct backend *b;
	int r;

	if (argc != 3) {
		fprintf(stderr, "usage: libvirt_drive URI WORKERS\n");
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	r = libvirt_open(&(struct libvirt_settings){ .uri = argv[1],
	                                             .workers = (unsigned)atoi(argv[2]) }, &b);
	if (r < 0) {
		fprintf(stderr, "libvirt_drive: %s\n", strerror(-r));
		return 1;
	}
	drive(b);
	libvirt_close(b);
	printf("%" PRId64 " closed\n", clock_ns(CLOCK_REALTIME));
	return 0;
}
