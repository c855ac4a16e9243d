/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/gather.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/files.h"
#include "os/root_path.h"

#define NAMES_MAX 1024

void gather_cut(struct slice s, char *to, size_t size)
{
	if (s.n >= size)
		s.n = size - 1;
	memcpy(to, s.p, s.n);
	to[s.n] = '\0';
}

bool gather_has_word(const char *list, const char *word)
{
	struct slice rest = slice_of(list), next;

	while ((next = slice_word(&rest)).n)
		if (slice_equals(next, word))
			return true;
	return false;
}

void gather_unread(struct audit_facts *facts, const char *what, int error)
{
	struct fact_unread *unread;

	for (unsigned i = 0; i < facts->n_unread; i++)
		if (strcmp(facts->unread[i].what, what) == 0)
			return;
	if (facts->n_unread == FACTS_UNREAD) {
		facts->n_unread_lost++;
		return;
	}
	unread = &facts->unread[facts->n_unread++];
	snprintf(unread->what, sizeof unread->what, "%s", what);
	unread->needs_root = error == EACCES || error == EPERM;
	snprintf(unread->why, sizeof unread->why, "%s",
		 error == EFBIG ? "it is larger than 4 MiB"
				: error == E2BIG ? "it has more names than are looked at"
				: error ? strerror(error) : "it is not understood");
}

static bool is_absent(int error)
{
	return error == ENOENT || error == ENOTDIR;
}

enum fact_file gather_read(struct audit_facts *facts, const char *path, char **ret,
			   size_t *ret_length)
{
	char full[PATH_MAX];
	int r = root_path(facts->root, path, full, sizeof full);

	if (r == 0)
		r = file_read(full, FACTS_FILE_LIMIT, ret, ret_length);
	if (r == 0)
		return FACT_FILE_READ;
	if (is_absent(-r))
		return FACT_FILE_ABSENT;
	gather_unread(facts, path, -r);
	return r == -EACCES || r == -EPERM ? FACT_FILE_REFUSED : FACT_FILE_ODD;
}

size_t gather_head(struct audit_facts *facts, const char *path, char *to, size_t size)
{
	char full[PATH_MAX];
	ssize_t n;
	int fd;

	to[0] = '\0';
	if (root_path(facts->root, path, full, sizeof full))
		return 0;
	fd = open(full, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		if (errno == EACCES || errno == EPERM)
			gather_unread(facts, path, errno);
		return 0;
	}
	n = file_read_up_to(fd, to, size - 1);
	close(fd);
	to[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

bool gather_word(struct audit_facts *facts, const char *path, char *to, size_t size)
{
	char full[PATH_MAX], text[FACTS_LINE_MAX + 1];
	ssize_t n;

	to[0] = '\0';
	if (root_path(facts->root, path, full, sizeof full))
		return false;
	n = file_read_small(AT_FDCWD, full, text, sizeof text);
	if (n == -EACCES || n == -EPERM)
		gather_unread(facts, path, EACCES);
	if (n < 0)
		return false;
	text[strcspn(text, "\n")] = '\0';
	gather_cut(slice_of(text), to, size);
	return true;
}

bool gather_exists(const struct audit_facts *facts, const char *path)
{
	char full[PATH_MAX];
	struct stat st;

	return root_path(facts->root, path, full, sizeof full) == 0 && stat(full, &st) == 0;
}

/* The path of the name itself: its folder's links are followed, its own is not. */
static bool path_of_name(const struct audit_facts *facts, const char *path, char full[PATH_MAX])
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t n;

	if (!slash || (size_t)(slash - path) >= sizeof folder)
		return false;
	gather_cut((struct slice){ path, (size_t)(slash - path) }, folder, sizeof folder);
	if (root_path(facts->root, folder, full, PATH_MAX))
		return false;
	n = strlen(full);
	return snprintf(full + n, PATH_MAX - n, "%s", slash) < (int)(PATH_MAX - n);
}

bool gather_has_name(const struct audit_facts *facts, const char *path)
{
	char full[PATH_MAX];
	struct stat st;

	return path_of_name(facts, path, full) && lstat(full, &st) == 0;
}

bool gather_link(const struct audit_facts *facts, const char *path, char *to, size_t size)
{
	char full[PATH_MAX];
	ssize_t n;

	to[0] = '\0';
	if (!path_of_name(facts, path, full))
		return false;
	n = readlink(full, to, size);
	if (n < 0 || (size_t)n == size) {
		to[0] = '\0';
		return false;
	}
	to[n] = '\0';
	return true;
}

enum fact_file gather_state(const struct audit_facts *facts, const char *path)
{
	char full[PATH_MAX];
	struct stat st;

	if (root_path(facts->root, path, full, sizeof full))
		return FACT_FILE_ODD;
	if (stat(full, &st) < 0)
		return is_absent(errno) ? FACT_FILE_ABSENT
					: errno == EACCES ? FACT_FILE_REFUSED : FACT_FILE_ODD;
	return S_ISREG(st.st_mode) ? FACT_FILE_READ : FACT_FILE_ODD;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), n_suffix = strlen(suffix);

	return name[0] != '.' && n > n_suffix && strcmp(name + n - n_suffix, suffix) == 0;
}

bool gather_list(struct audit_facts *facts, const char *folder, const char *suffix,
		 void (*found)(struct audit_facts *facts, const char *path, void *context),
		 void *context)
{
	char full[PATH_MAX], path[FACTS_PATH_MAX], *names[NAMES_MAX];
	const struct dirent *entry;
	size_t n = 0;
	DIR *dir;

	if (root_path(facts->root, folder, full, sizeof full))
		return false;
	dir = opendir(full);
	if (!dir) {
		if (!is_absent(errno))
			gather_unread(facts, folder, errno);
		return false;
	}
	while (n < NAMES_MAX && (entry = readdir(dir)))
		if (has_suffix(entry->d_name, suffix) && (names[n] = strdup(entry->d_name)))
			n++;
	if (n == NAMES_MAX && readdir(dir))
		gather_unread(facts, folder, E2BIG);
	closedir(dir);
	qsort(names, n, sizeof names[0], compare_names);
	for (size_t i = 0; i < n; i++) {
		if (snprintf(path, sizeof path, "%s/%s", folder, names[i]) < (int)sizeof path)
			found(facts, path, context);
		free(names[i]);
	}
	return true;
}
