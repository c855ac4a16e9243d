/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_MEMORY_FILES_H
#define UNIT_MEMORY_FILES_H

/*
 * memory_files.h - a loader of configuration over files that a test makes up
 */

#include <errno.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "conf/conf.h"

struct memory_file {
	const char *path;
	const char *text;
	size_t n;  /* of the text; 0: up to its terminator   */
	int error; /* other than 0: what reading it returns  */
};

/* Sorted by name; the end is a file without a path. */
struct memory_files {
	const struct memory_file *files;
};

static inline int memory_read(void *context, const char *path, char *to, size_t size, size_t *ret_n)
{
	const struct memory_files *memory = context;

	for (const struct memory_file *file = memory->files; file->path; file++) {
		size_t n = file->n || !file->text ? file->n : strlen(file->text);

		if (strcmp(file->path, path) != 0)
			continue;
		if (file->error)
			return file->error;
		if (n > size)
			return -EFBIG;
		if (n)
			memcpy(to, file->text, n);
		*ret_n = n;
		return 0;
	}
	return -ENOENT;
}

static inline int memory_expand(void *context, const char *pattern,
				int (*found)(void *list, const char *path), void *list)
{
	const struct memory_files *memory = context;
	int err = 0;

	for (const struct memory_file *file = memory->files; file->path && !err; file++)
		if (fnmatch(pattern, file->path, FNM_PATHNAME | FNM_PERIOD) == 0)
			err = found(list, file->path);
	return err;
}

static inline bool memory_is_in(const char *path, const char *directory)
{
	size_t n = strlen(directory);

	return strncmp(path, directory, n) == 0 && path[n] == '/' && !strchr(path + n + 1, '/');
}

static inline int memory_list(void *context, const char *directory, const char *suffix,
			      int (*found)(void *list, const char *path), void *list)
{
	const struct memory_files *memory = context;
	bool is_there = false;
	int err = 0;

	for (const struct memory_file *file = memory->files; file->path && !err; file++) {
		size_t n = strlen(file->path), n_suffix = strlen(suffix);

		if (!memory_is_in(file->path, directory))
			continue;
		is_there = true;
		if (file->error == -EPERM) /* stands for a directory that cannot be listed */
			return -EACCES;
		if (n > n_suffix && strcmp(file->path + n - n_suffix, suffix) == 0)
			err = found(list, file->path);
	}
	return is_there ? err : -ENOENT;
}

static inline struct conf_loader memory_loader(struct memory_files *memory)
{
	return (struct conf_loader){ memory, memory_read, memory_expand, memory_list };
}

#endif
