/* SPDX-License-Identifier: Apache-2.0 */
#include "os/hook_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_good_name(const char *name)
{
	return name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                         "0123456789-_")] == '\0';
}

/* What is true of folders and files alike. */
static enum hook_verdict judge_owner(const struct stat *st)
{
	if (st->st_uid != 0)
		return HOOK_NOT_ROOTS;
	return st->st_mode & (S_IWGRP | S_IWOTH) ? HOOK_WRITABLE : HOOK_RUNS;
}

static enum hook_verdict judge(int folder, const char *name)
{
	struct stat st;

	if (!is_good_name(name))
		return HOOK_BAD_NAME;
	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return HOOK_NO_FILE;
	if (!(st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
		return HOOK_NO_PROGRAM;
	return judge_owner(&st);
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct hook_file *)a)->name, ((const struct hook_file *)b)->name);
}

static void add(struct hook_files *files, int folder, const char *name)
{
	struct hook_file *file = &files->files[files->n];

	/* The last place is for saying that there are more. */
	if (files->n == HOOK_FILES_MAX)
		return;
	files->n++;
	snprintf(file->name, sizeof file->name, "%s", name);
	file->verdict = files->n == HOOK_FILES_MAX ? HOOK_TOO_MANY : judge(folder, name);
}

int hook_files_list(const char *folder, struct hook_files *ret)
{
	const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *entries = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat st;
	int r;

	if (!entries || fstat(fd, &st) < 0) {
		r = errno == ELOOP ? -ENOTDIR : -errno;
		if (entries)
			closedir(entries);
		else if (fd >= 0)
			close(fd);
		return r;
	}
	ret->folder = judge_owner(&st);
	ret->n = 0;
	while (ret->folder == HOOK_RUNS && (entry = readdir(entries)))
		if (entry->d_name[0] != '.')
			add(ret, fd, entry->d_name);
	closedir(entries);
	qsort(ret->files, ret->n, sizeof ret->files[0], compare);
	return 0;
}

const char *hook_verdict_text(enum hook_verdict verdict)
{
	static const char *const texts[HOOK_VERDICTS] = {
		[HOOK_BAD_NAME] =
			"has other characters in its name than letters, digits, '-' and '_'",
		[HOOK_NO_FILE] = "is not a regular file",
		[HOOK_NOT_ROOTS] = "is not root's",
		[HOOK_WRITABLE] = "can be written to by others than root",
		[HOOK_NO_PROGRAM] = "is not executable",
		[HOOK_TOO_MANY] = "is one too many",
	};

	return texts[verdict];
}
