/* SPDX-License-Identifier: Apache-2.0 */

/*
 * labclock - do to a machine of the lab what its own NTP daemon or its administrator would do
 *
 *     labclock slew INTERVAL_S SIGMA_PPB SEED   let the clock wander, until killed
 *     labclock step SECONDS                     add SECONDS, which may be negative, at one stroke
 *     labclock leap insert|none                 announce a leap second for the end of this UTC day
 *     labclock eve SECONDS                      set the clock to SECONDS before the next midnight UTC
 *     labclock offset                           print CLOCK_REALTIME minus CLOCK_MONOTONIC_RAW, in seconds
 *
 * Every INTERVAL_S seconds a wandering clock's frequency gets a new value from a normal distribution
 * with mean 0 and standard deviation SIGMA_PPB. The same seed gives the same values in the same order.
 * It is for the lab's machines, which are emulated; it refuses where the kernel was not told which
 * accelerator the lab runs on.
 */
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

#define NS_PER_S INT64_C(1000000000)
#define DAY_S INT64_C(86400)

/* Never on a machine that somebody works on. */
static int is_lab(void)
{
	char line[4096] = "";
	FILE *file = fopen("/proc/cmdline", "re");

	if (file == NULL)
		return 0;
	if (fgets(line, sizeof(line), file) == NULL)
		line[0] = '\0';
	fclose(file);
	return strstr(line, "lab.accelerator=") != NULL;
}

/* A 64-bit mixer: uniform in (0, 1]. */
static double uniform(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	z ^= z >> 31;
	return ((double)(z >> 11) + 1) / 9007199254740992.0;
}

static double normal(uint64_t *state)
{
	double radius = sqrt(-2 * log(uniform(state)));

	return radius * cos(6.283185307179586 * uniform(state));
}

static int slew(char **argv)
{
	double interval_s = strtod(argv[0], NULL);
	double sigma_ppb = strtod(argv[1], NULL);
	uint64_t state = strtoull(argv[2], NULL, 10);
	struct timespec pause = { (time_t)interval_s,
				  (long)((interval_s - (double)(time_t)interval_s) * 1e9) };

	for (;; nanosleep(&pause, NULL)) {
		/* The kernel counts frequency in 2^-16 parts per million. */
		struct timex change = {
			.modes = ADJ_FREQUENCY,
			.freq = lround(normal(&state) * sigma_ppb * 65.536),
		};

		if (adjtimex(&change) < 0)
			return -1;
	}
}

/* One addition inside the kernel: nothing passes between a reading and a setting. */
static int step_ns(int64_t ns)
{
	int64_t s = ns / NS_PER_S;
	struct timex change = { .modes = ADJ_SETOFFSET | ADJ_NANO };

	ns %= NS_PER_S;
	if (ns < 0) {
		ns += NS_PER_S;
		s--;
	}
	change.time.tv_sec = s;
	change.time.tv_usec = ns;
	return adjtimex(&change);
}

static int step(char **argv)
{
	return step_ns(llround(strtod(argv[0], NULL) * 1e9));
}

static int leap(char **argv)
{
	struct timex change = { 0 };

	if (adjtimex(&change) < 0)
		return -1;
	change.modes = ADJ_STATUS;
	change.status &= ~(STA_INS | STA_DEL);
	if (strcmp(argv[0], "insert") == 0)
		change.status |= STA_INS;
	return adjtimex(&change);
}

static int eve(char **argv)
{
	struct timespec now;
	int64_t before_ns = llround(strtod(argv[0], NULL) * 1e9);

	clock_gettime(CLOCK_REALTIME, &now);
	return step_ns((DAY_S - now.tv_sec % DAY_S) * NS_PER_S - now.tv_nsec - before_ns);
}

/* Read as two clocks, one after the other: exact to what passes in between. */
static int offset(char **argv)
{
	struct timespec real, raw;

	(void)argv;
	clock_gettime(CLOCK_MONOTONIC_RAW, &raw);
	clock_gettime(CLOCK_REALTIME, &real);
	printf("%.6f\n", (double)(real.tv_sec - raw.tv_sec) + (double)(real.tv_nsec - raw.tv_nsec) / 1e9);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int arguments;
		int (*run)(char **argv);
	} commands[] = {
		{ "slew", 3, slew },
		{ "step", 1, step },
		{ "leap", 1, leap },
		{ "eve", 1, eve },
		{ "offset", 0, offset },
	};

	if (!is_lab()) {
		fprintf(stderr, "labclock: this is not a machine of the lab, its clock is left alone\n");
		return 1;
	}
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(argv[1], commands[i].name) != 0 || argc - 2 != commands[i].arguments)
			continue;
		if (commands[i].run(argv + 2) >= 0)
			return 0;
		perror("labclock");
		return 1;
	}
	fprintf(stderr, "usage: labclock slew INTERVAL_S SIGMA_PPB SEED | step SECONDS | "
			"leap insert|none | eve SECONDS | offset\n");
	return 2;
}
