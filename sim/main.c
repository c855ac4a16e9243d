/* SPDX-License-Identifier: Apache-2.0 */
/* vmtime-sim: lives through scenarios, prints what came of them, and judges. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/draw.h"
#include "sim/figures.h"
#include "sim/scenario.h"
#include "sim/trace.h"

#define SEEDS_MAX 64

struct options {
	uint64_t seed;
	unsigned seeds; /* 0: as the scenario says */
	const char *csv, *plot;
	double soak_hours;
};

static const struct option LONG[] = {
	{ "seed", required_argument, NULL, 's' },  { "seeds", required_argument, NULL, 'n' },
	{ "csv", required_argument, NULL, 'c' },   { "plot", required_argument, NULL, 'p' },
	{ "soak", required_argument, NULL, 'k' },  { "reference", no_argument, NULL, 'r' },
	{ "help", no_argument, NULL, 'h' },        { "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static const char HELP[] =
	"usage: vmtime-sim [OPTION...] SCENARIO...\n"
	"       vmtime-sim --soak HOURS [--seed N]\n"
	"\n"
	"Lives through each scenario, prints a row of figures, and exits with 1 where a limit of\n"
	"it is missed.\n"
	"\n"
	"  --seed N     the first seed; without it 1\n"
	"  --seeds N    how many worlds a scenario is lived through in, instead of what it says\n"
	"  --csv FILE   write what the observer saw of the first one\n"
	"  --plot FILE  draw it\n"
	"  --soak HOURS live through random worlds for so many simulated hours, and exit with 1\n"
	"               where the invariant was violated in one\n"
	"  --reference  print the directives of a scenario\n"
	"  --help       print this\n"
	"  --version    print the version\n";

/* The name without folders and extension.  Returns @to. */
static const char *title_of(const char *path, char *to, size_t size)
{
	const char *name = strrchr(path, '/');
	char *dot;

	snprintf(to, size, "%s", name ? name + 1 : path);
	dot = strrchr(to, '.');
	if (dot && dot != to)
		*dot = '\0';
	return to;
}

static int read_scenario(const char *path, struct scenario *ret)
{
	static char text[65536];
	struct conf_error error;
	char sentence[CONF_TEXT_MAX + CONF_PATH_MAX + 32];
	FILE *file = fopen(path, "re");
	size_t n;
	bool is_whole;

	if (!file) {
		fprintf(stderr, "vmtime-sim: %s: %s\n", path, strerror(errno));
		return -EIO;
	}
	n = fread(text, 1, sizeof text, file);
	is_whole = feof(file) && !ferror(file);
	fclose(file);
	if (!is_whole) {
		fprintf(stderr, "vmtime-sim: %s: cannot be read, or is too long\n", path);
		return -EIO;
	}
	if (scenario_read(path, (struct slice){ text, n }, ret, &error) < 0) {
		fprintf(stderr, "%s\n", conf_error_format(&error, sentence, sizeof sentence));
		return -EINVAL;
	}
	return 0;
}

static int write_trace(const struct trace *t, const char *path, const char *title, bool is_csv)
{
	FILE *to = path ? fopen(path, "we") : NULL;
	int r;

	if (!path)
		return 0;
	if (!to) {
		fprintf(stderr, "vmtime-sim: %s: %s\n", path, strerror(errno));
		return -EIO;
	}
	r = is_csv ? trace_csv(t, to) : trace_svg(t, title, to);
	if (fclose(to) != 0 && r == 0)
		r = -EIO;
	if (r < 0)
		fprintf(stderr, "vmtime-sim: %s: %s\n", path, strerror(-r));
	return r;
}

/* Returns 0, or 2 for trouble. */
static int write_traces(struct trace *trace, const struct options *o, const char *title)
{
	bool has_failed = write_trace(trace, o->csv, title, true) < 0;

	has_failed = write_trace(trace, o->plot, title, false) < 0 || has_failed;
	trace_fini(trace);
	return has_failed ? 2 : 0;
}

/* Lives through @s once; @trace may be NULL. */
static struct figures live(const struct scenario *s, uint64_t seed, struct world *w,
                           struct trace *trace)
{
	scenario_begin(s, seed, w);
	if (trace) {
		w->on_look = trace_look;
		w->context = trace;
	}
	if (world_live(w, s->measure) && s->measure.ns > 0)
		world_forget(w);
	(void)world_live(w, vt_span_sub(s->duration, s->measure));
	return figures_of(w);
}

static void tell_steps(const struct world *w, const char *title, uint64_t seed)
{
	const struct discipline_event *step;

	printf("%s, seed %" PRIu64 ": a step without its cause, of %u that were told:\n", title, seed,
	       w->steps_told);
	for (unsigned i = 0; (step = world_event(w, EVENT_STEPPED, i)) != NULL; i++)
		printf("  by %+.9f s, to %.6f s: %s\n", vt_span_seconds(step->size),
		       vt_span_seconds(vt_real_since(step->at, WORLD_BEGIN)),
		       step_cause_name(step->cause));
}

static void tell_violation(const struct world *w, const char *title, uint64_t seed)
{
	if (w->is_sleepless)
		printf("%s, seed %" PRIu64 ": the discipline does not sleep\n", title, seed);
	if (w->violations)
		printf("%s, seed %" PRIu64 ": at %.6f s %.1f ns off with a bound of %.0f ns\n", title,
		       seed, vt_span_seconds((vt_span){ w->violation_at.ns - WORLD_WAKES_NS }),
		       w->violation_error_ns, w->violation_bound_ns);
	if (w->unnoticed)
		printf("%s, seed %" PRIu64 ": a jump was seen and the status said ok, at %.6f s\n", title,
		       seed, vt_span_seconds((vt_span){ w->unnoticed_at.ns - WORLD_WAKES_NS }));
	if (w->uncaused || w->steps_told != w->clock.steps)
		tell_steps(w, title, seed);
}

static void print_head(void)
{
	printf("%-22s %5s", "scenario", "seeds");
	for (int f = 0; f < FIGURES; f++)
		printf(" %10s", FIGURE_NAMES[f]);
	printf("\n");
}

static void print_row(const char *title, unsigned seeds, const struct figures *f)
{
	char text[32];

	printf("%-22s %5u", title, seeds);
	for (int i = 0; i < FIGURES; i++)
		printf(" %10s", (i == FIGURE_OPTIMUM || i == FIGURE_RATIO) &&
		                        f->value[FIGURE_OPTIMUM] <= 0
		                ? "-"
		                : figure_format((enum figure)i, f->value[i], text, sizeof text));
	printf("\n");
}

/* Prints each limit that was missed.  The invariant is always one. */
static bool is_within(const struct scenario *s, const char *title, const struct figures *f)
{
	bool is_good = f->value[FIGURE_VIOLATIONS] <= 0 && f->value[FIGURE_UNNOTICED] <= 0 &&
	               f->value[FIGURE_UNCAUSED] <= 0;
	char got[32], most[32];

	for (unsigned i = 0; i < s->n_limits; i++) {
		const struct scenario_limit *l = &s->limits[i];

		if (f->value[l->figure] <= l->most)
			continue;
		is_good = false;
		printf("%s: missed: %s %s, at most %s\n", title, FIGURE_NAMES[l->figure],
		       figure_format(l->figure, f->value[l->figure], got, sizeof got),
		       figure_format(l->figure, l->most, most, sizeof most));
	}
	return is_good;
}

/* Returns 0, 1 for a limit that was missed, 2 for trouble. */
static int run_scenario(const char *path, const struct options *o, struct world *w)
{
	struct scenario s;
	struct figures each[SEEDS_MAX], all;
	struct trace trace = TRACE_INIT;
	char title[64];
	unsigned seeds;
	int r;

	if (read_scenario(path, &s) < 0)
		return 2;
	title_of(path, title, sizeof title);
	seeds = o->seeds ? o->seeds : s.seeds;
	for (unsigned i = 0; i < seeds; i++) {
		bool is_traced = i == 0 && (o->csv || o->plot);

		each[i] = live(&s, o->seed + i, w, is_traced ? &trace : NULL);
		tell_violation(w, title, o->seed + i);
	}
	all = figures_combine(each, seeds);
	print_row(title, seeds, &all);
	r = write_traces(&trace, o, title);
	return r ? r : !is_within(&s, title, &all);
}

/* What a drawn world was like, for the one who has to find out. */
static void tell_world(const struct scenario *s)
{
	printf("  boot %d offset %.9f s crystal %.0f known %.0f +/- %.0f walk %.1f flicker %.0f sine "
	       "%.0f/%.0f s ppb\n",
	       s->is_booting, vt_span_seconds(s->offset), s->crystal.ppb, s->known.ppb,
	       s->known_sigma.ppb, s->walk.ppb, s->flicker.ppb, s->sine.ppb,
	       vt_span_seconds(s->sine_period));
	printf("  steps %.0f ppb/%.0f s slews/%.0f s steals/%.0f s up to %.3f s; width %" PRId64
	       " ns spread %u asymmetry %u/%d losses %u late %u %% + %" PRId64 " ns dpoll %d/%d max %.0f\n",
	       s->steps.rate.ppb, vt_span_seconds(s->steps.every), vt_span_seconds(s->slews.every),
	       vt_span_seconds(s->steals.every), vt_span_seconds(s->steals.most), s->width.ns,
	       s->spread, s->asymmetry, s->is_asymmetry_given, s->losses, s->lateness,
	       s->latency.ns, s->source.dpoll, s->source.is_dpoll_given, s->max_slew.ppb);
	printf("  resume %d rtc %d second %d width %" PRId64 " ns dpoll %d noselect %d leap %d at %.6f s\n",
	       (int)s->resume, s->has_rtc, s->has_second, s->second_width.ns, s->second.dpoll,
	       s->second.noselect, s->has_leap, vt_span_seconds(s->leap_at));
	for (unsigned i = 0; i < s->n_inputs; i++)
		printf("  %.6f s evidence %#x every %.6f s until %.6f s polled %d leap %d\n",
		       vt_span_seconds((vt_span){ s->inputs[i].at.ns }), s->inputs[i].evidence,
		       vt_span_seconds(s->inputs[i].every),
		       vt_span_seconds((vt_span){ s->inputs[i].until.ns }), s->inputs[i].is_polled,
		       s->inputs[i].leap);
	for (unsigned i = 0; i < s->n_changes; i++)
		printf("  %.6f s kind %d span %.9f s ppb %.0f outcome %d\n",
		       vt_span_seconds((vt_span){ s->changes[i].at.ns }), (int)s->changes[i].kind,
		       vt_span_seconds(s->changes[i].span), s->changes[i].ppb,
		       (int)s->changes[i].outcome);
}

static bool is_wrong(const struct world *w)
{
	return w->violations || w->is_sleepless || w->unnoticed || w->uncaused ||
	       w->steps_told != w->clock.steps;
}

static int soak(const struct options *o, struct world *w)
{
	double hours = 0, blind_s = 0, longest_s = 0;
	uint64_t seed = o->seed, worlds = 0, violated = 0, blind = 0, looks = 0;
	time_t began = time(NULL);
	struct trace trace = TRACE_INIT;
	int r;

	for (; hours < o->soak_hours; seed++, worlds++) {
		bool is_traced = worlds == 0 && (o->csv || o->plot);
		struct scenario s;

		scenario_draw(&s, seed);
		(void)live(&s, seed, w, is_traced ? &trace : NULL);
		hours += vt_span_seconds(s.duration) / 3600;
		violated += is_wrong(w);
		blind += w->blind_windows;
		blind_s += vt_span_seconds(w->blind_total);
		longest_s = fmax(longest_s, vt_span_seconds(w->blind_longest));
		looks += w->looks_ok;
		tell_violation(w, "soak", seed);
		if (is_wrong(w))
			tell_world(&s);
		fflush(stdout);
		if (worlds % 10000 == 9999)
			fprintf(stderr, "%.0f hours, %" PRIu64 " worlds violated\n", hours, violated);
	}
	printf("soak: seeds %" PRIu64 " to %" PRIu64 ", %.0f simulated hours in %lld s, %" PRIu64
	       " looks, %" PRIu64 " worlds violated; %" PRIu64
	       " blind windows, %.3f s on average, %.3f s the longest\n",
	       o->seed, seed - 1, hours, (long long)(time(NULL) - began), looks, violated, blind,
	       blind ? blind_s / (double)blind : 0, longest_s);
	r = write_traces(&trace, o, "soak");
	return r ? r : violated > 0;
}

static int print_reference(void)
{
	char text[32768];

	scenario_reference(text, sizeof text);
	fputs(text, stdout);
	return 0;
}

static bool read_count(const char *text, double most, double *ret)
{
	double value;

	if (!slice_to_double(slice_of(text), &value) || value < 0 || value > most) {
		fprintf(stderr, "vmtime-sim: expected a number up to %.0f, got %s\n", most, text);
		return false;
	}
	*ret = value;
	return true;
}

/* Returns -1 to go on, or the exit code. */
static int read_options(int argc, char **argv, struct options *o)
{
	double value = 0;

	for (int c; (c = getopt_long(argc, argv, "h", LONG, NULL)) != -1;) {
		switch (c) {
		case 's':
			if (!read_count(optarg, 1e15, &value))
				return 2;
			o->seed = (uint64_t)value;
			break;
		case 'n':
			if (!read_count(optarg, SEEDS_MAX, &value))
				return 2;
			o->seeds = (unsigned)value;
			break;
		case 'k':
			if (!read_count(optarg, 1e9, &o->soak_hours))
				return 2;
			break;
		case 'c': o->csv = optarg; break;
		case 'p': o->plot = optarg; break;
		case 'r': return print_reference();
		case 'h': fputs(HELP, stdout); return 0;
		case 'V': puts("vmtime-sim " VMTIME_VERSION); return 0;
		default: return 2;
		}
	}
	return -1;
}

int main(int argc, char **argv)
{
	struct options o = { .seed = 1 };
	struct world *w;
	int worst = read_options(argc, argv, &o);

	if (worst >= 0)
		return worst;
	if (optind == argc && o.soak_hours <= 0) {
		fputs(HELP, stderr);
		return 2;
	}
	w = malloc(sizeof *w);
	if (!w) {
		perror("vmtime-sim");
		return 2;
	}
	worst = 0;
	if (o.soak_hours > 0) {
		worst = soak(&o, w);
	} else {
		print_head();
		for (int i = optind; i < argc; i++) {
			int r = run_scenario(argv[i], &o, w);

			worst = r > worst ? r : worst;
		}
	}
	free(w);
	return worst;
}
