/* SPDX-License-Identifier: Apache-2.0 */

/*
 * evaluate - what a file of phcwatch's samples says
 *
 *     evaluate lock FILE START NS        from START until the error is below NS and stays there
 *     evaluate steady FILE FROM TO       the error's RMS and largest value between two instants
 *     evaluate jump FILE FROM NS [STATUS]    the first jump after FROM: what was lost, how it was repaired
 *     evaluate jumps FILE FROM NS [STATUS]   all of them: how many, and the repairs' percentiles
 *     evaluate table FILE FROM NS [STATUS]   all of them, a line each, for people
 *     evaluate status FILE FROM TO STATUS    what the daemon said of itself between two instants
 *     evaluate failures FILE FROM TO     how many samples failed between two instants
 *
 * STATUS is a file of statuswatch's. Instants are CLOCK_MONOTONIC_RAW in seconds, as rawstamp writes them; TO may be 0: the end. The
 * answer is a line of NAME=VALUE words for a shell's eval. What did not happen has the value "never".
 *
 * An error below a limit counts only when no later sample is above it: a clock that was right for
 * a moment was not repaired. The half-width of a sample is not subtracted from its error.
 *
 * What the daemon said is held against what it could know. From a jump to the first reading after it,
 * nothing in a guest can tell (the blind window); it shows from outside by the count of readings, which
 * each reply carries. The error that goes with a reply is the smallest of the samples around its question and
 * its answer. A *lie* is a reply "ok" with a bound that this error exceeds, unless no reading had been
 * taken since the jump. *Worst while ok* is the largest error that goes with a reply "ok", the blind
 * window included.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A change of this size between two samples is a jump, not a slew. */
#define JUMP_NS 5e6
/* No sampling interval is longer while a guest runs that has time for it. */
#define HOLE_S 0.02
/* What an "ok" promises that names no bound. */
#define OK_NS 1e6
/* A jump that comes this soon after another cannot have been waited for. */
#define OVERTAKEN_S 1.3

struct sample {
	double raw_s;
	double error_ns;
	double half_width_ns;
	int failed;
};

struct run {
	struct sample *samples;
	size_t count;
};

/* What the daemon said; bound_ns is NaN and a count -1 where it did not tell. */
struct status {
	double asked_s;
	double answered_s;
	char state[32];
	double bound_ns;
	long readings;
	long steps;
};

struct replies {
	struct status *statuses;
	size_t count;
};

/* One jump: the samples before and after it, and where the next one begins (or the end). */
struct jump {
	size_t before;
	size_t after;
	size_t end;
};

/* What became of a jump; an instant that never came is NaN. All but the errors in seconds. */
struct outcome {
	double lost_s;
	double repair_s;
	double noticed_s;
	double blind_s;
	double worst_ok_ns;
	size_t lies;
};

static int run_read(const char *path, struct run *ret_run)
{
	struct run run = { 0 };
	char line[256];
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return -errno;
	while (fgets(line, sizeof(line), file) != NULL) {
		struct sample sample = { 0 };

		if (sscanf(line, "%lf %lf %lf", &sample.raw_s, &sample.error_ns,
			   &sample.half_width_ns) != 3) {
			/* The last line of a killed observer may be cut short. */
			if (strchr(line, '-') == NULL || strchr(line, '\n') == NULL)
				continue;
			sample.failed = 1;
		}
		if (run.count % 1024 == 0) {
			run.samples = realloc(run.samples, (run.count + 1024) * sizeof(sample));
			if (run.samples == NULL)
				abort();
		}
		run.samples[run.count++] = sample;
	}
	fclose(file);
	*ret_run = run;
	return 0;
}

static int replies_read(const char *path, struct replies *ret_replies)
{
	struct replies replies = { 0 };
	char line[512];
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return -errno;
	while (fgets(line, sizeof(line), file) != NULL) {
		struct status status = { .bound_ns = NAN };
		char bound[32], readings[32], steps[32];

		if (sscanf(line, "%lf %lf %31s %31s %31s %31s", &status.asked_s, &status.answered_s,
			   status.state, bound, readings, steps) != 6)
			continue;
		if (strcmp(bound, "-") != 0)
			status.bound_ns = strtod(bound, NULL);
		status.readings = strcmp(readings, "-") != 0 ? strtol(readings, NULL, 10) : -1;
		status.steps = strcmp(steps, "-") != 0 ? strtol(steps, NULL, 10) : -1;
		if (replies.count % 1024 == 0) {
			replies.statuses = realloc(replies.statuses,
						   (replies.count + 1024) * sizeof(status));
			if (replies.statuses == NULL)
				abort();
		}
		replies.statuses[replies.count++] = status;
	}
	fclose(file);
	*ret_replies = replies;
	return 0;
}

/* The first sample at or after from_s, or count where there is none. */
static size_t run_find(const struct run *run, double from_s)
{
	size_t low = 0, high = run->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (run->samples[middle].raw_s < from_s)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The first sample not before first from which on every error is below limit_ns; else count. */
static size_t run_settled(const struct run *run, size_t first, double limit_ns)
{
	size_t settled = run->count;

	for (size_t i = run->count; i > first; i--) {
		if (run->samples[i - 1].failed)
			continue;
		if (fabs(run->samples[i - 1].error_ns) >= limit_ns)
			break;
		settled = i - 1;
	}
	return settled;
}

static void print_since(const char *name, const struct run *run, size_t i, double start_s)
{
	if (i < run->count)
		printf("%s=%.6f ", name, run->samples[i].raw_s - start_s);
	else
		printf("%s=never ", name);
}

static int evaluate_lock(const struct run *run, double start_s, double limit_ns,
			 const struct replies *replies)
{
	(void)replies;
	size_t first = run_find(run, start_s);
	double before_ns = NAN;

	for (size_t i = first; i > 0 && isnan(before_ns); i--)
		if (!run->samples[i - 1].failed)
			before_ns = run->samples[i - 1].error_ns;
	printf("used=%zu before_ns=%.0f ", run->count - first, before_ns);
	print_since("lock_s", run, run_settled(run, first, limit_ns), start_s);
	printf("\n");
	return 0;
}

static int evaluate_steady(const struct run *run, double from_s, double to_s,
			 const struct replies *replies)
{
	(void)replies;
	double sum = 0, squares = 0, largest = 0, width = 0;
	size_t used = 0;

	for (size_t i = run_find(run, from_s); i < run->count; i++) {
		const struct sample *sample = &run->samples[i];

		if (to_s > 0 && sample->raw_s > to_s)
			break;
		if (sample->failed)
			continue;
		used++;
		sum += sample->error_ns;
		squares += sample->error_ns * sample->error_ns;
		largest = fmax(largest, fabs(sample->error_ns));
		width = fmax(width, sample->half_width_ns);
	}
	if (used == 0) {
		printf("used=0 rms_ns=never max_ns=never mean_ns=never width_ns=never\n");
		return 0;
	}
	printf("used=%zu rms_ns=%.1f max_ns=%.0f mean_ns=%.1f width_ns=%.0f\n", used,
	       sqrt(squares / (double)used), largest, sum / (double)used, width);
	return 0;
}

/* The first jump among the samples from first on; 0 where there is none. */
static int run_jump(const struct run *run, size_t first, double limit_ns, struct jump *ret_jump)
{
	size_t last = run->count;

	for (size_t i = first; i < run->count; i++) {
		if (run->samples[i].failed)
			continue;
		/* A change that brings the error below the limit is a repair. */
		if (last < run->count && fabs(run->samples[i].error_ns) >= limit_ns &&
		    fabs(run->samples[i].error_ns - run->samples[last].error_ns) > JUMP_NS) {
			*ret_jump = (struct jump) { .before = last, .after = i, .end = run->count };
			return 1;
		}
		last = i;
	}
	return 0;
}

/* The same with the end that the jump after it sets. */
static int run_next_jump(const struct run *run, size_t first, double limit_ns, struct jump *ret_jump)
{
	struct jump next;

	if (!run_jump(run, first, limit_ns, ret_jump))
		return 0;
	if (run_jump(run, ret_jump->after, limit_ns, &next))
		ret_jump->end = next.after;
	return 1;
}

static int is_ok(const struct status *status)
{
	return strcmp(status->state, "ok") == 0;
}

/*
 * Whether it tells that something happened, by its state, by a step more than there were, or by coming
 * unasked: what is over at once was never anything but "ok".
 */
static int tells(const struct status *status, long steps)
{
	int is_unasked = status->asked_s >= status->answered_s;

	return !is_ok(status) || is_unasked || (steps >= 0 && status->steps > steps);
}

/* The error that goes with a reply, whenever between question and answer it was made; 0: not known. */
static double error_of(const struct run *run, const struct status *status)
{
	size_t i = run_find(run, status->asked_s);
	double smallest_ns = INFINITY;

	for (i = i > 0 ? i - 1 : 0; i < run->count; i++) {
		const struct sample *sample = &run->samples[i];

		if (!sample->failed)
			smallest_ns = fmin(smallest_ns,
					   fabs(sample->error_ns) - sample->half_width_ns);
		if (sample->raw_s >= status->answered_s)
			break;
	}
	return isfinite(smallest_ns) ? fmax(smallest_ns, 0) : 0;
}

static int is_lie(const struct run *run, const struct status *status)
{
	double bound_ns = isnan(status->bound_ns) ? OK_NS : status->bound_ns;

	return is_ok(status) && error_of(run, status) > bound_ns;
}

/*
 * Where the time of a repair begins: at the last sample before the jump. The guest's clocks stood still
 * in a pause, so in its own time that is at most one sampling interval before it went on. Where they
 * did not quite stand still (QEMU reads a kvm-clock once more after the memory of a snapshot or
 * a migration has been written), it went on not earlier than HOLE_S before the first sample after it.
 */
static double jump_start(const struct run *run, const struct jump *jump)
{
	return fmax(run->samples[jump->before].raw_s, run->samples[jump->after].raw_s - HOLE_S);
}

/* What the daemon said from one jump to the next; fills the fields of ret that depend on it. */
static void judge_replies(const struct run *run, const struct jump *jump, double limit_ns,
			  const struct replies *replies, struct outcome *ret)
{
	double jump_s = jump_start(run, jump);
	double end_s = run->samples[jump->end - 1].raw_s;
	long readings = -1, steps = -1;

	for (size_t i = 0; i < replies->count; i++) {
		const struct status *status = &replies->statuses[i];

		if (status->answered_s < jump_s && status->steps >= 0)
			steps = status->steps;
		if (status->asked_s < run->samples[jump->after].raw_s || status->asked_s > end_s)
			continue;
		/* The reading that the first reply after the jump counts may be older than the jump. */
		if (readings < 0)
			readings = status->readings;
		if (isnan(ret->noticed_s) && tells(status, steps))
			ret->noticed_s = status->answered_s - jump_s;
		if (!is_ok(status))
			continue;
		ret->worst_ok_ns = fmax(ret->worst_ok_ns, error_of(run, status));
		if (error_of(run, status) >= limit_ns)
			ret->blind_s = status->answered_s - jump_s;
		if (status->readings > readings && is_lie(run, status))
			ret->lies++;
	}
}

static struct outcome judge(const struct run *run, const struct jump *jump, double limit_ns,
			    const struct replies *replies)
{
	struct run part = { run->samples, jump->end };
	size_t repaired = run_settled(&part, jump->after, limit_ns);
	double jump_s = jump_start(run, jump);
	struct outcome outcome = { .repair_s = NAN, .noticed_s = NAN };

	outcome.lost_s = (run->samples[jump->before].error_ns - run->samples[jump->after].error_ns) / 1e9;
	/* The last sample of a part is the next jump's: it repairs nothing. */
	if (repaired < jump->end)
		outcome.repair_s = run->samples[repaired].raw_s - jump_s;
	judge_replies(run, jump, limit_ns, replies, &outcome);
	return outcome;
}

static void print_seconds(const char *name, double value)
{
	if (isnan(value))
		printf("%s=never ", name);
	else
		printf("%s=%.6f ", name, value);
}

static int evaluate_jump(const struct run *run, double from_s, double limit_ns,
			 const struct replies *replies)
{
	size_t first = run_find(run, from_s);
	struct jump jump;

	/* The sample before FROM counts as the one before the jump, where none came in between. */
	if (!run_jump(run, first > 0 ? first - 1 : 0, limit_ns, &jump)) {
		printf("lost_s=0 jump_at=never repair_s=never below_1us_s=never worst_after_ns=0 end_ns=0 hole_s=0 "
		       "noticed_s=never blind_s=0 worst_ok_ns=0 lies=0\n");
		return 0;
	}

	struct outcome outcome = judge(run, &jump, limit_ns, replies);
	double jump_s = jump_start(run, &jump);
	double worst = 0;

	for (size_t k = run_settled(run, jump.after, limit_ns); k < run->count; k++)
		if (!run->samples[k].failed)
			worst = fmax(worst, fabs(run->samples[k].error_ns));
	printf("lost_s=%.6f jump_at=%.9f hole_s=%.6f ", outcome.lost_s, jump_s,
	       run->samples[jump.after].raw_s - run->samples[jump.before].raw_s);
	print_seconds("repair_s", outcome.repair_s);
	print_since("below_1us_s", run, run_settled(run, jump.after, 1e3), jump_s);
	printf("worst_after_ns=%.0f end_ns=%.0f ", worst, run->samples[run->count - 1].error_ns);
	print_seconds("noticed_s", outcome.noticed_s);
	printf("blind_s=%.6f worst_ok_ns=%.0f lies=%zu\n", outcome.blind_s, outcome.worst_ok_ns,
	       outcome.lies);
	return 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The smallest value that so many percent of the values do not exceed; sorts them. */
static double percentile(double *values, size_t count, double percent)
{
	if (count == 0)
		return NAN;
	qsort(values, count, sizeof(*values), by_value);

	size_t rank = (size_t)ceil(percent / 100 * (double)count);

	return values[rank > 0 ? rank - 1 : 0];
}

static void print_percentiles(const char *name, double *values, size_t count)
{
	char word[64];

	for (int percent = 50; percent <= 100; percent += percent == 50 ? 45 : 5) {
		snprintf(word, sizeof(word), "%s_p%d_s", name, percent);
		print_seconds(word, percentile(values, count, percent));
	}
}

static int evaluate_jumps(const struct run *run, double from_s, double limit_ns,
			  const struct replies *replies)
{
	double *repairs = calloc(run->count + 1, sizeof(double));
	double *notices = calloc(run->count + 1, sizeof(double));
	size_t count = 0, repaired = 0, noticed = 0, overtaken = 0, lies = 0;
	double lost_s = 0, worst_ns = 0;
	struct jump jump;

	if (repairs == NULL || notices == NULL)
		abort();
	for (size_t i = run_find(run, from_s); run_next_jump(run, i, limit_ns, &jump); i = jump.after) {
		struct outcome outcome = judge(run, &jump, limit_ns, replies);
		double length_s = run->samples[jump.end - 1].raw_s - run->samples[jump.before].raw_s;

		count++;
		lost_s += outcome.lost_s;
		lies += outcome.lies;
		worst_ns = fmax(worst_ns, outcome.worst_ok_ns);
		if (!isnan(outcome.repair_s))
			repairs[repaired++] = outcome.repair_s;
		else if (jump.end < run->count && length_s < OVERTAKEN_S)
			overtaken++;
		if (!isnan(outcome.noticed_s))
			notices[noticed++] = outcome.noticed_s;
	}
	printf("jumps=%zu repaired=%zu overtaken=%zu unrepaired=%zu lost_s=%.6f ", count, repaired,
	       overtaken, count - repaired - overtaken, lost_s);
	print_percentiles("repair", repairs, repaired);
	print_percentiles("noticed", notices, noticed);
	printf("worst_ok_ns=%.0f lies=%zu\n", worst_ns, lies);
	free(repairs);
	free(notices);
	return 0;
}

static int evaluate_table(const struct run *run, double from_s, double limit_ns,
			  const struct replies *replies)
{
	struct jump jump;

	printf("%10s %12s %12s %12s %12s %14s %6s\n", "lost s", "noticed s", "< limit s", "blind s",
	       "worst ok ms", "gap s", "lies");
	for (size_t i = run_find(run, from_s); run_next_jump(run, i, limit_ns, &jump); i = jump.after) {
		struct outcome outcome = judge(run, &jump, limit_ns, replies);

		printf("%10.3f %12.3f %12.3f %12.3f %12.3f %14.3f %6zu\n", outcome.lost_s,
		       outcome.noticed_s, outcome.repair_s, outcome.blind_s,
		       outcome.worst_ok_ns / 1e6,
		       run->samples[jump.end - 1].raw_s - run->samples[jump.before].raw_s,
		       outcome.lies);
	}
	return 0;
}

/* Between jumps: there is no blind window, so each reply has to hold. */
static int evaluate_status(const struct run *run, double from_s, double to_s,
			   const struct replies *replies)
{
	size_t count = 0, ok = 0, lies = 0;
	double worst_ns = 0;

	for (size_t i = 0; i < replies->count; i++) {
		const struct status *status = &replies->statuses[i];

		if (status->asked_s < from_s || (to_s > 0 && status->answered_s > to_s))
			continue;
		count++;
		ok += is_ok(status);
		lies += is_lie(run, status);
		if (is_ok(status))
			worst_ns = fmax(worst_ns, error_of(run, status));
	}
	printf("replies_n=%zu ok=%zu lies=%zu worst_ok_ns=%.0f\n", count, ok, lies, worst_ns);
	return 0;
}

static int evaluate_failures(const struct run *run, double from_s, double to_s,
			 const struct replies *replies)
{
	(void)replies;
	size_t failed = 0, good = 0;

	for (size_t i = run_find(run, from_s); i < run->count; i++) {
		if (to_s > 0 && run->samples[i].raw_s > to_s)
			break;
		if (run->samples[i].failed)
			failed++;
		else
			good++;
	}
	printf("failed=%zu good=%zu\n", failed, good);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const struct run *run, double first, double second,
			   const struct replies *replies);
	} commands[] = {
		{ "lock", evaluate_lock },     { "steady", evaluate_steady },
		{ "jump", evaluate_jump },     { "jumps", evaluate_jumps },
		{ "table", evaluate_table },   { "status", evaluate_status },
		{ "failures", evaluate_failures },
	};
	struct run run;
	struct replies replies = { 0 };

	if (argc < 5 || argc > 6) {
		fprintf(stderr, "usage: evaluate lock|steady|jump|jumps|table|status|failures "
				"FILE NUMBER NUMBER [STATUS]\n");
		return 2;
	}

	int r = run_read(argv[2], &run);

	if (r == 0 && argc == 6)
		r = replies_read(argv[5], &replies);
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", argv[argc == 6 ? 5 : 2], strerror(-r));
		return 1;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(&run, strtod(argv[3], NULL), strtod(argv[4], NULL),
					       &replies);
	fprintf(stderr, "evaluate: unknown command %s\n", argv[1]);
	return 2;
}
