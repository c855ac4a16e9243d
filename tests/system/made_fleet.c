/* SPDX-License-Identifier: Apache-2.0 */
/*
 * made_fleet.c - a made-up fleet behind the real HTTP
 *
 *     made_fleet N [--port P] [--address A] [--certificate FILE] [--key FILE] [--token FILE]
 *     made_fleet N --measure
 *
 * Serves N guests that do not exist as vmtime-hostd serves those that do, until its input ends.
 * The first line that it prints is "port P".  Guests have an hour of history, and most of what can
 * happen has happened to some of them.  Lines on its input change them:
 *
 *     offset NAME SECONDS    state NAME STATE    synchronized 0|1    clocksource NAME
 *     agent NAME 0|1         gone NAME           alert TEXT...         name NAME NEW
 *
 * Each line is answered by "ok".  With --measure it prints how long each answer takes to make.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hostd/api.h"
#include "hostd/http.h"

#define POINTS 62

struct made {
	struct fleet_host host;
	unsigned n;
	struct fleet_guest guests[FLEET_GUESTS_MAX];
	struct fleet_counters counters;
	vt_real began;
};

const vt_span FLEET_BUCKET_EDGES[FLEET_BUCKETS] = {
	{ 5000000 },     { 10000000 },    { 20000000 },    { 50000000 },     { 100000000 },
	{ 200000000 },   { 500000000 },   { 1000000000 },  { 2000000000 },   { 5000000000 },
	{ 10000000000 }, { 30000000000 }, { 60000000000 }, { 600000000000 },
};

const char *fleet_mark_name(enum fleet_mark mark)
{
	static const char *const NAMES[FLEET_MARKS] = { "measured", "stopped", "disrupted", "set",
		                                        "nudged",   "right",   "failed" };

	return NAMES[mark];
}

static const struct made *made_of(const struct fleet *f)
{
	return (const void *)f;
}

/* A number that looks drawn, from two that are not. */
static unsigned drawn(unsigned a, unsigned b)
{
	unsigned x = a * 2654435761u ^ b * 2246822519u;

	x ^= x >> 15;
	x *= 2246822519u;
	x ^= x >> 13;
	return x;
}

int fleet_report(const struct fleet *f, struct host_instant now, struct fleet_report *ret)
{
	const struct made *made = made_of(f);
	struct fleet_guest *guests = malloc((made->n + 1) * sizeof *guests);

	if (!guests)
		return -ENOMEM;
	memcpy(guests, made->guests, made->n * sizeof *guests);
	for (unsigned i = 0; i < made->n; i++)
		guests[i].offset_age = VT_SEC(drawn(i, (unsigned)(now.real.ns / 60000000000)) % 60);
	*ret = (struct fleet_report){ .host = made->host, .n = made->n, .guests = guests };
	ret->host.uptime = VT_SEC(273600 + (now.real.ns - made->began.ns) / 1000000000);
	return 0;
}

void fleet_report_fini(struct fleet_report *report)
{
	free(report->guests);
}

const struct fleet_counters *fleet_counters(const struct fleet *f)
{
	return &made_of(f)->counters;
}

static size_t index_of(const struct made *made, const char *name)
{
	size_t i = 0;

	while (i < made->n && strcmp(made->guests[i].name, name) != 0)
		i++;
	return i;
}

/* A point a minute, and around the latest disruption what belongs to it. */
size_t fleet_history(const struct fleet *f, const char *name, const char *backend,
                     struct fleet_point points[FLEET_HISTORY_MAX])
{
	const struct made *made = made_of(f);
	const unsigned at = (unsigned)index_of(made, name);
	const struct fleet_guest *g = &made->guests[at];
	const int64_t phase = drawn(at, 7) % 60, end = made->began.ns;
	size_t n = 0;

	(void)backend;
	if (at == made->n || !g->has_offset)
		return 0;
	for (int64_t m = POINTS; m > 0; m--) {
		const vt_real when = { end - (m * 60 + phase) * 1000000000 };
		const int64_t wobble = (int64_t)(drawn(at, (unsigned)m) % 2000000) - 1000000;

		points[n++] = (struct fleet_point){
			.at = when,
			.has_offset = true,
			.offset = g->state == FLEET_FAILED && when.ns > g->last.at.ns
			                  ? g->offset
			                  : VT_NS(wobble * (1 + at % 4) / 3),
			.uncertainty = VT_US(300 + drawn(at, (unsigned)m + 99) % 900)
		};
		if (!g->last.is_there || g->last.at.ns < when.ns ||
		    g->last.at.ns > when.ns + 60000000000)
			continue;
		points[n++] = (struct fleet_point){ .at = g->last.at,
			                            .mark = FLEET_MARK_DISRUPTED,
			                            .reason = g->last.reason };
		points[n++] = (struct fleet_point){ .at = vt_real_add(g->last.at, VT_MS(4)),
			                            .has_offset = true,
			                            .offset = g->last.lost,
			                            .uncertainty = VT_MS(2) };
		points[n++] = (struct fleet_point){ .at = vt_real_add(g->last.at, VT_MS(30)),
			                            .mark = FLEET_MARK_SET };
		points[n++] =
			(struct fleet_point){ .at = vt_real_add(g->last.at, g->last.took),
			                      .mark = g->state == FLEET_FAILED ? FLEET_MARK_FAILED
			                                                       : FLEET_MARK_RIGHT,
			                      .has_offset = true,
			                      .offset = g->offset,
			                      .uncertainty = g->uncertainty };
	}
	points[n++] = (struct fleet_point){ .at = made->began,
		                            .has_offset = true,
		                            .offset = g->offset,
		                            .uncertainty = g->uncertainty };
	return n;
}

/* --- who they are --- */

static void give_disruption(struct fleet_guest *g, unsigned i, vt_real now)
{
	static const enum host_reason REASONS[] = { HOST_REASON_PAUSE, HOST_REASON_RESTORE,
		                                    HOST_REASON_MIGRATION, HOST_REASON_RESUME };

	g->last = (struct fleet_disruption){
		.is_there = true,
		.reason = REASONS[i % 4],
		.end = i % 2 ? FLEET_END_SET : FLEET_END_RIGHT,
		.at = { now.ns - (int64_t)(drawn(i, 3) % 3500 + 40) * 1000000000 },
		.has_stopped = i % 4 != 2,
		.stopped = VT_MS(drawn(i, 4) % 90000),
		.has_lost = true,
		.lost = VT_MS(i % 2 ? drawn(i, 4) % 90000 : drawn(i, 5) % 60),
		.has_took = true,
		.took = VT_MS(20 + drawn(i, 6) % 900)
	};
	g->disruptions = 1 + drawn(i, 8) % 9;
	g->sets = i % 2 + drawn(i, 9) % 3;
	g->state = FLEET_VERIFIED;
}

static void give_trouble(struct fleet_guest *g, unsigned i, vt_real now)
{
	switch (i % 97) {
	case 11:
		g->state = FLEET_STOPPED;
		g->is_running = false;
		break;
	case 23:
		give_disruption(g, i, now);
		g->state = FLEET_FAILED;
		g->last.has_took = false;
		g->last.end = FLEET_END_FAILED;
		g->offset = VT_MS(12300);
		g->failures = 3;
		snprintf(g->note, sizeof g->note,
		         "set-time was answered by yes, and the clock is as "
		         "wrong as before; tried again in 32 s");
		break;
	case 37:
		g->agent = FLEET_AGENT_NONE;
		g->agent_version[0] = '\0';
		g->has_vmtimed = g->was_measured = g->has_offset = false;
		snprintf(g->note, sizeof g->note, "nobody answers on the agent's port");
		break;
	case 53:
		g->state = FLEET_FROZEN;
		snprintf(g->note, sizeof g->note,
		         "its filesystems are frozen; tried again after the thaw");
		break;
	default: break;
	}
}

static void make_guest(struct fleet_guest *g, unsigned i, vt_real now)
{
	static const char *const KINDS[] = { "web", "db", "build", "mail", "cache" };

	*g = (struct fleet_guest){ .state = FLEET_WATCHING,
		                   .is_running = true,
		                   .was_measured = true,
		                   .has_offset = true,
		                   .offset = VT_NS((int64_t)(drawn(i, 1) % 3000000) - 1500000),
		                   .uncertainty = VT_US(200 + drawn(i, 2) % 900),
		                   .agent = FLEET_AGENT_QEMU_GA,
		                   .agent_version = "7.2.19" };
	snprintf(g->name, sizeof g->name, "%s-%04u", KINDS[i % 5], i);
	snprintf(g->backend, sizeof g->backend, "%s", i % 5 == 4 ? "qemu" : "libvirt");
	snprintf(g->uuid, sizeof g->uuid, "7f0e3f36-2f3c-4a53-8d6f-%012x", drawn(i, 12));
	if (i % 3 == 0) {
		g->has_vmtimed = true;
		snprintf(g->vmtimed_state, sizeof g->vmtimed_state, "ok");
		g->offset = VT_NS(g->offset.ns / 200);
		g->uncertainty = VT_NS(g->uncertainty.ns / 60);
		g->nudges = i % 4;
	}
	if (i % 5 < 3)
		give_disruption(g, i, now);
	give_trouble(g, i, now);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct fleet_guest *)a)->name, ((const struct fleet_guest *)b)->name);
}

static void make_fleet(struct made *made, unsigned n, vt_real now)
{
	made->n = n;
	made->began = now;
	made->host = (struct fleet_host){ .version = VMTIME_VERSION,
		                          .clocksource = "tsc",
		                          .quality = { .daemon = "chronyd",
		                                       .is_synchronized = true,
		                                       .has_root_distance = true,
		                                       .root_distance = VT_US(834) },
		                          .threshold = VT_MS(100) };
	for (unsigned i = 0; i < n; i++) {
		make_guest(&made->guests[i], i, now);
		made->counters.ends[made->guests[i].last.end] += made->guests[i].disruptions;
		made->counters.to_right.counts[i % (FLEET_BUCKETS + 1)]++;
		made->counters.to_right.sum.ns += 80000000;
	}
	made->counters.to_right.n = n;
	made->counters.measurements = 62 * n;
	qsort(made->guests, n, sizeof *made->guests, by_name);
}

/* --- changing them --- */

static void change_guest(struct made *made, const char *verb, struct fleet_guest *g,
                         const char *value)
{
	if (strcmp(verb, "offset") == 0) {
		g->was_measured = g->has_offset = true;
		g->offset = VT_NS((int64_t)(strtod(value, NULL) * 1e9));
	} else if (strcmp(verb, "agent") == 0) {
		g->agent = atoi(value) ? FLEET_AGENT_QEMU_GA : FLEET_AGENT_NONE;
		g->has_vmtimed = false;
	} else if (strcmp(verb, "name") == 0) {
		snprintf(g->name, sizeof g->name, "%s", value);
	} else if (strcmp(verb, "gone") == 0) {
		made->n--;
		memmove(g, g + 1, (size_t)(made->guests + made->n - g) * sizeof *g);
	} else if (strcmp(verb, "state") == 0) {
		for (unsigned s = 0; s < FLEET_STATES; s++)
			if (strcmp(fleet_state_name(s), value) == 0)
				g->state = s;
		g->is_running = g->state != FLEET_STOPPED;
	}
}

static void change(struct made *made, char *line)
{
	char *verb = strtok(line, " \n"), *first = strtok(NULL, " \n"), *rest = strtok(NULL, "\n");
	size_t at = first ? index_of(made, first) : made->n;

	if (!verb || !first)
		return;
	if (strcmp(verb, "synchronized") == 0)
		made->host.quality.is_synchronized = made->host.quality.has_root_distance =
			atoi(first);
	else if (strcmp(verb, "clocksource") == 0)
		snprintf(made->host.clocksource, sizeof made->host.clocksource, "%s", first);
	else if (strcmp(verb, "alert") == 0 && made->host.n_alerts < FLEET_ALERTS_MAX)
		snprintf(made->host.alerts[made->host.n_alerts++], sizeof made->host.alerts[0],
		         "%s %s", first, rest ? rest : "");
	else if (at < made->n)
		change_guest(made, verb, &made->guests[at], rest ? rest : "");
}

/* --- the program --- */

static struct host_instant now(void)
{
	struct timespec mono, real;

	clock_gettime(CLOCK_MONOTONIC_RAW, &mono);
	clock_gettime(CLOCK_REALTIME, &real);
	return (struct host_instant){ { mono.tv_sec * 1000000000 + mono.tv_nsec },
		                      { real.tv_sec * 1000000000 + real.tv_nsec } };
}

static int by_value(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

#define RUNS 101

static void measure(const struct made *made)
{
	for (unsigned kind = 0; kind < API_KINDS; kind++) {
		int64_t ns[RUNS];
		size_t n = 0;

		for (int i = 0; i < RUNS; i++) {
			const struct api_query query = { .kind = kind };
			const struct host_instant begin = now();
			char *text;

			if (api_answer((const void *)made, &query, "kvm7", begin, &text, &n))
				abort();
			ns[i] = now().mono.ns - begin.mono.ns;
			free(text);
		}
		qsort(ns, RUNS, sizeof *ns, by_value);
		printf("%s kind %u of %u guests: median %.1f ms, worst of %d %.1f ms, %zu bytes\n",
		       "answer", kind, made->n, (double)ns[RUNS / 2] / 1e6, RUNS,
		       (double)ns[RUNS - 1] / 1e6, n);
	}
}

static void serve(struct made *made, struct http *http)
{
	struct pollfd fds[] = { { .fd = http_fd(http), .events = POLLIN },
		                { .fd = STDIN_FILENO, .events = POLLIN } };
	char line[512];

	for (;;) {
		const struct host_instant at = now();
		const vt_span wait = vt_mono_since(http_deadline(http, at.mono), at.mono);
		const int64_t ms = wait.ns <= 0 ? 0 : wait.ns / 1000000 + 1;

		poll(fds, 2, ms > 1000000 ? 1000000 : (int)ms);
		http_dispatch(http, now());
		if (!(fds[1].revents & (POLLIN | POLLHUP)))
			continue;
		if (!fgets(line, sizeof line, stdin))
			return;
		change(made, line);
		puts("ok");
	}
}

static void read_options(int argc, char **argv, struct http_conf *conf)
{
	for (int i = 2; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (strcmp(argv[i], "--port") == 0)
			conf->port = (uint16_t)atoi(value);
		else if (strcmp(argv[i], "--address") == 0 &&
		         !address_read(slice_of(value), &conf->address))
			exit(2);
		else if (strcmp(argv[i], "--token") == 0)
			conf->token_file = value;
		else if (strcmp(argv[i], "--certificate") == 0)
			conf->certificate = value;
		else if (strcmp(argv[i], "--key") == 0)
			conf->key = value;
		else
			continue;
		i++;
	}
}

int main(int argc, char **argv)
{
	static struct made made;
	struct http_conf conf = { .address = { ADDRESS_IPV4, { 127, 0, 0, 1 } } };
	const int n = argc > 1 ? atoi(argv[1]) : -1;
	struct http *http;
	char why[512];

	if (n < 0 || n > FLEET_GUESTS_MAX)
		return 2;
	setvbuf(stdin, NULL, _IONBF, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	make_fleet(&made, (unsigned)n, now().real);
	if (argc > 2 && strcmp(argv[2], "--measure") == 0) {
		measure(&made);
		return 0;
	}
	read_options(argc, argv, &conf);
	const int r = http_open(&conf, (const void *)&made, &http, why, sizeof why);
	if (r) {
		fprintf(stderr, "%s\n", why);
		return r == -EOPNOTSUPP ? 77 : 1;
	}
	printf("port %u\n", http_port(http));
	serve(&made, http);
	http_close(http);
	return 0;
}
