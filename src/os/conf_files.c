/* SPDX-License-Identifier: Apache-2.0 */
#include "os/conf_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "os/files.h"

static bool is_null_device(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

/* Returns an fd to close, or -errno. */
static int open_regular(const char *path)
{
	/* Without O_NONBLOCK the open itself would wait for a FIFO's other end. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	int err = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		err = -errno;
	else if (S_ISDIR(st.st_mode))
		err = -EISDIR;
	else if (!S_ISREG(st.st_mode) && !is_null_device(&st))
		err = -EOPNOTSUPP;
	if (!err)
		return fd;
	close(fd);
	return err;
}

int conf_files_read(void *context, const char *path, char *to, size_t size, size_t *ret_n)
{
	int fd = open_regular(path);
	char more;
	ssize_t n, n_more = 0;

	(void)context;
	if (fd < 0)
		return fd;
	n = file_read_up_to(fd, to, size);
	/* A full buffer may be the whole file or its beginning. */
	if (n >= 0 && (size_t)n == size)
		n_more = file_read_up_to(fd, &more, 1);
	close(fd);
	if (n < 0 || n_more < 0)
		return (int)(n < 0 ? n : n_more);
	if (n_more)
		return -EFBIG;
	*ret_n = (size_t)n;
	return 0;
}

static int compare_entries(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), n_suffix = strlen(suffix);

	return name[0] != '.' && n > n_suffix && strcmp(name + n - n_suffix, suffix) == 0;
}

/* A pattern on its way to paths: what matched so far, and whom to tell. */
struct expansion {
	char path[PATH_MAX];
	int (*found)(void *list, const char *path);
	void *list;
};

static int expand_rest(struct expansion *x, size_t used, const char *rest);

/* Puts the component @name behind what matched so far and goes on with @rest. */
static int enter(struct expansion *x, size_t used, const char *name, size_t length,
		 const char *rest)
{
	if (used + length + 1 >= sizeof x->path)
		return -ENAMETOOLONG;
	memcpy(x->path + used, name, length);
	used += length;
	if (*rest)
		x->path[used++] = '/';
	x->path[used] = '\0';
	return expand_rest(x, used, rest);
}

/* Tries each name of the folder that matched so far, in the order of their bytes. */
static int enter_matching(struct expansion *x, size_t used, const char *pattern, const char *rest)
{
	struct dirent **entries;
	int n = scandir(used ? x->path : ".", &entries, NULL, compare_entries);
	int err = 0;

	if (n < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;

		if (!err && fnmatch(pattern, name, FNM_PERIOD) == 0)
			err = enter(x, used, name, strlen(name), rest);
		x->path[used] = '\0'; /* what `enter` put behind it */
		free(entries[i]);
	}
	free(entries);
	return err;
}

static int expand_rest(struct expansion *x, size_t used, const char *rest)
{
	size_t length = strcspn(rest, "/");
	const char *behind = rest + length + strspn(rest + length, "/");
	char component[NAME_MAX + 1];
	struct stat st;

	if (!*rest)
		return lstat(x->path, &st) == 0 ? x->found(x->list, x->path) : 0;
	if (length > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(component, rest, length);
	component[length] = '\0';
	if (!strpbrk(component, "*?["))
		return enter(x, used, component, length, behind);
	return enter_matching(x, used, component, behind);
}

/*
 * Written out, though the C library has glob(): that one also knows about home folders and so
 * brings the whole user database into a static build, a tenth of its size.
 */
int conf_files_expand(void *context, const char *pattern,
		      int (*found)(void *list, const char *path), void *list)
{
	struct expansion x = { .found = found, .list = list };
	size_t used = pattern[0] == '/';

	(void)context;
	if (used)
		x.path[0] = '/';
	return expand_rest(&x, used, pattern + strspn(pattern, "/"));
}

int conf_files_list(void *context, const char *directory, const char *suffix,
		    int (*found)(void *list, const char *path), void *list)
{
	struct dirent **entries;
	int n = scandir(directory, &entries, NULL, compare_entries);
	char path[PATH_MAX];
	int err = 0;

	(void)context;
	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		int length;

		if (!err && has_suffix(entries[i]->d_name, suffix)) {
			length =
				snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
			err = (size_t)length < sizeof path ? found(list, path) : -ENAMETOOLONG;
		}
		free(entries[i]);
	}
	free(entries);
	return err;
}
