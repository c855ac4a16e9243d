/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

/*
 * scratch.h - a folder of one's own for the length of a test
 *
 * Needs cmocka.h before it.  Everything fails the test where it does not work.
 */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct scratch {
	char folder[64];
	char path[512]; /* of the latest scratch_path */
};

static inline int scratch_setup(void **state)
{
	struct scratch *s = calloc(1, sizeof *s);

	if (!s)
		return -1;
	snprintf(s->folder, sizeof s->folder, "/tmp/vmtime-test-XXXXXX");
	*state = s;
	return mkdtemp(s->folder) ? 0 : -1;
}

static inline int scratch_remove_one(const char *path, const struct stat *st, int kind,
				     struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static inline int scratch_teardown(void **state)
{
	struct scratch *s = *state;
	int r = nftw(s->folder, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);

	free(s);
	return r;
}

/* The path of @name in the folder; valid until the next call. */
static inline const char *scratch_path(struct scratch *s, const char *name)
{
	int n = snprintf(s->path, sizeof s->path, "%s/%s", s->folder, name);

	assert_in_range(n, 1, sizeof s->path - 1);
	return s->path;
}

/* Makes the folders that @path, below the scratch folder, stands in. */
static inline void scratch_make_parents(const char *path)
{
	char part[512];

	snprintf(part, sizeof part, "%s", path);
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, 0755) < 0)
			assert_int_equal(errno, EEXIST);
		*slash = '/';
	}
}

static inline void scratch_write(struct scratch *s, const char *name, const char *data,
				 size_t length)
{
	const char *path = scratch_path(s, name);
	int fd;

	scratch_make_parents(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, length), (ssize_t)length);
	assert_int_equal(close(fd), 0);
}

static inline void scratch_write_text(struct scratch *s, const char *name, const char *text)
{
	scratch_write(s, name, text, strlen(text));
}

/* The file holds exactly @text. */
static inline void scratch_check_text(struct scratch *s, const char *name, const char *text)
{
	char data[4096];
	int fd = open(scratch_path(s, name), O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, data, sizeof data - 1);
	assert_true(n >= 0);
	data[n] = '\0';
	close(fd);
	assert_string_equal(data, text);
}

static inline int scratch_exists(struct scratch *s, const char *name)
{
	struct stat st;

	return lstat(scratch_path(s, name), &st) == 0;
}

#endif
