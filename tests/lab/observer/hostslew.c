/* SPDX-License-Identifier: Apache-2.0 */

/*
 * hostslew - make this machine's clock wander, as its own NTP daemon would
 *
 *     hostslew INTERVAL_S SIGMA_PPB SEED
 *
 * Every INTERVAL_S seconds the clock's frequency gets a new value from a normal distribution with
 * mean 0 and standard deviation SIGMA_PPB. The same seed gives the same values in the same order.
 * It is for the lab's host, an emulated machine; it refuses where the kernel was not told "lab.host".
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

/* Never on a machine that somebody works on. */
static int is_lab_host(void)
{
	char line[4096] = "";
	FILE *file = fopen("/proc/cmdline", "re");

	if (file == NULL)
		return 0;
	if (fgets(line, sizeof(line), file) == NULL)
		line[0] = '\0';
	fclose(file);
	return strstr(line, "lab.host") != NULL;
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

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: hostslew INTERVAL_S SIGMA_PPB SEED\n");
		return 2;
	}
	if (!is_lab_host()) {
		fprintf(stderr, "hostslew: this is not the lab's host, its clock is left alone\n");
		return 1;
	}

	double interval_s = strtod(argv[1], NULL);
	double sigma_ppb = strtod(argv[2], NULL);
	uint64_t state = strtoull(argv[3], NULL, 10);
	struct timespec pause = { (time_t)interval_s,
				  (long)((interval_s - (double)(time_t)interval_s) * 1e9) };

	for (;; nanosleep(&pause, NULL)) {
		/* The kernel counts frequency in 2^-16 parts per million. */
		struct timex change = {
			.modes = ADJ_FREQUENCY,
			.freq = lround(normal(&state) * sigma_ppb * 65.536),
		};

		if (adjtimex(&change) < 0) {
			perror("hostslew");
			return 1;
		}
	}
}
