/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_SYS_TREE_H
#define TESTS_UNIT_SYS_TREE_H

/*
 * sys_tree.h - a made-up /sys and /dev below a directory of its own
 *
 * What os/ reads from /sys can be laid out by a test, without a right, and
 * removed again.  Included by one test program each; failures end the test.
 */

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct sys_tree {
	char root[64];
};

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void sys_tree_init(struct sys_tree *t)
{
	snprintf(t->root, sizeof t->root, "/tmp/vmtime-test-XXXXXX");
	assert_non_null(mkdtemp(t->root));
}

static inline void sys_tree_fini(struct sys_tree *t)
{
	nftw(t->root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* Makes the directories that lead to @path, below the root; writes the full path to @full. */
static inline void sys_tree_way(const struct sys_tree *t, const char *path, char full[512])
{
	assert_true(strlen(t->root) + strlen(path) < 512);
	strcpy(full, t->root);
	strcat(full, path);
	for (char *slash = full + strlen(t->root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(full, 0700);
		*slash = '/';
	}
}

/* A file with this text; one that is there already is overwritten, as sysfs would show it. */
static inline void sys_tree_file(const struct sys_tree *t, const char *path, const char *text)
{
	char full[512];

	sys_tree_way(t, path, full);

	FILE *f = fopen(full, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static inline void sys_tree_link(const struct sys_tree *t, const char *path, const char *target)
{
	char full[512];

	sys_tree_way(t, path, full);
	assert_int_equal(symlink(target, full), 0);
}

/* A PTP clock as sysfs shows it; @device "major:minor", or NULL for a kernel that does not tell. */
static inline void sys_tree_ptp(const struct sys_tree *t, const char *entry, const char *name,
                                const char *device)
{
	char path[128];

	snprintf(path, sizeof path, "/sys/class/ptp/%s/clock_name", entry);
	if (name)
		sys_tree_file(t, path, name);
	snprintf(path, sizeof path, "/sys/class/ptp/%s/dev", entry);
	if (device)
		sys_tree_file(t, path, device);
}

#endif
