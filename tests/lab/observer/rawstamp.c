/* SPDX-License-Identifier: Apache-2.0 */

/*
 * rawstamp - the instant of a program's start, on the clock that the samples carry
 *
 *     rawstamp FILE [PROGRAM [ARGUMENT...]]
 *
 * Writes CLOCK_MONOTONIC_RAW in seconds to FILE and becomes PROGRAM in the next moment, so what is
 * measured from that stamp includes the program's loading. "-" is the standard output.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct timespec now;

	if (argc < 2) {
		fprintf(stderr, "usage: rawstamp FILE [PROGRAM [ARGUMENT...]]\n");
		return 2;
	}

	FILE *file = strcmp(argv[1], "-") == 0 ? stdout : fopen(argv[1], "we");

	if (file == NULL) {
		perror(argv[1]);
		return 1;
	}
	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	fprintf(file, "%lld.%09ld\n", (long long)now.tv_sec, now.tv_nsec);
	fclose(file);
	if (argc == 2)
		return 0;
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}
