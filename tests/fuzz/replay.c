/* SPDX-License-Identifier: Apache-2.0 */

/*
 * replay.c - runs a fuzzer's corpus without the fuzzer
 *
 *     replay_NAME DIRECTORY...
 *
 * Each file of each directory goes through the fuzzer's one function once, so that what a fuzzer
 * ever found stays found with any compiler.  A directory without files is a mistake and fails.
 */

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#define INPUT_MAX (4 << 20)

/* 1 when @path was a file and was run, 0 when it is none, -1 when it cannot be read. */
static int replay_file(const char *path, uint8_t *bytes)
{
	struct stat st;
	FILE *file;
	size_t n;
	bool is_read;

	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return 0;
	file = fopen(path, "re");
	if (!file) {
		perror(path);
		return -1;
	}
	n = fread(bytes, 1, INPUT_MAX, file);
	is_read = !ferror(file) && feof(file);
	fclose(file);
	if (!is_read) {
		fprintf(stderr, "%s: cannot be read whole\n", path);
		return -1;
	}
	/* A copy of just this size, so that a sanitizer sees a read behind the end. */
	uint8_t *input = malloc(n ? n : 1);
	if (!input)
		return -1;
	for (size_t i = 0; i < n; i++)
		input[i] = bytes[i];
	LLVMFuzzerTestOneInput(input, n);
	free(input);
	return 1;
}

/* Returns how many files were run, or -1. */
static int replay_directory(const char *directory, uint8_t *bytes)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;
	char path[4096];
	int n_run = 0, result = 0;

	if (!dir) {
		perror(directory);
		return -1;
	}
	while (result >= 0 && (entry = readdir(dir))) {
		snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
		result = replay_file(path, bytes);
		n_run += result > 0;
	}
	closedir(dir);
	return result < 0 ? -1 : n_run;
}

int main(int argc, char **argv)
{
	uint8_t *bytes = malloc(INPUT_MAX);
	int status = bytes && argc > 1 ? 0 : 1;

	for (int i = 1; i < argc && !status; i++) {
		int n_run = replay_directory(argv[i], bytes);

		if (n_run >= 0)
			printf("%s: %d inputs\n", argv[i], n_run);
		status = n_run < 1;
	}
	free(bytes);
	return status;
}
