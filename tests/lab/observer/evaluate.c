/* SPDX-License-Identifier: Apache-2.0 */

/*
 * evaluate - what a file of phcwatch's samples says
 *
 *     evaluate lock FILE START NS        from START until the error is below NS and stays there
 *     evaluate steady FILE FROM TO       the error's RMS and largest value between two instants
 *     evaluate jump FILE FROM NS         the first jump after FROM: what was lost, how it was repaired
 *     evaluate failures FILE FROM TO     how many samples failed between two instants
 *
 * Instants are CLOCK_MONOTONIC_RAW in seconds, as rawstamp writes them; TO may be 0: the end. The
 * answer is a line of NAME=VALUE words for a shell's eval. What did not happen has the value "never".
 *
 * An error below a limit counts only when no later sample is above it: a clock that was right for
 * a moment was not repaired. The half-width of a sample is not subtracted from its error.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A change of this size between two samples is a jump, not a slew. */
#define JUMP_NS 50e6

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

/* The first sample at or after from_s, or count where there is none. */
static size_t run_find(const struct run *run, double from_s)
{
	size_t i = 0;

	while (i < run->count && run->samples[i].raw_s < from_s)
		i++;
	return i;
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

static int evaluate_lock(const struct run *run, double start_s, double limit_ns)
{
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

static int evaluate_steady(const struct run *run, double from_s, double to_s)
{
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

/*
 * The repair's time counts from the last sample before the jump: the guest's clocks stood still in
 * a pause, so in its own time that is at most one sampling interval before it went on.
 */
static int evaluate_jump(const struct run *run, double from_s, double limit_ns)
{
	const struct sample *last = NULL;
	size_t first = run_find(run, from_s);

	/* The sample before FROM counts as the one before the jump, where none came in between. */
	for (size_t i = first > 0 ? first - 1 : 0; i < run->count; i++) {
		const struct sample *now = &run->samples[i];

		if (now->failed)
			continue;
		if (last != NULL && fabs(now->error_ns - last->error_ns) > JUMP_NS) {
			size_t repaired = run_settled(run, i, limit_ns);
			double worst = 0;

			for (size_t k = repaired; k < run->count; k++)
				if (!run->samples[k].failed)
					worst = fmax(worst, fabs(run->samples[k].error_ns));
			printf("lost_s=%.6f jump_at=%.9f ", (last->error_ns - now->error_ns) / 1e9,
			       last->raw_s);
			print_since("repair_s", run, repaired, last->raw_s);
			print_since("below_1us_s", run, run_settled(run, i, 1e3), last->raw_s);
			printf("worst_after_ns=%.0f ", worst);
			printf("end_ns=%.0f\n", run->samples[run->count - 1].error_ns);
			return 0;
		}
		last = now;
	}
	printf("lost_s=0 jump_at=never repair_s=never below_1us_s=never worst_after_ns=0 end_ns=0\n");
	return 0;
}

static int evaluate_failures(const struct run *run, double from_s, double to_s)
{
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
		int (*run)(const struct run *run, double first, double second);
	} commands[] = {
		{ "lock", evaluate_lock },
		{ "steady", evaluate_steady },
		{ "jump", evaluate_jump },
		{ "failures", evaluate_failures },
	};
	struct run run;

	if (argc != 5) {
		fprintf(stderr, "usage: evaluate lock|steady|jump|failures FILE NUMBER NUMBER\n");
		return 2;
	}

	int r = run_read(argv[2], &run);

	if (r < 0) {
		fprintf(stderr, "%s: %s\n", argv[2], strerror(-r));
		return 1;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(&run, strtod(argv[3], NULL), strtod(argv[4], NULL));
	fprintf(stderr, "evaluate: unknown command %s\n", argv[1]);
	return 2;
}
