/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_HOOK_FILES_H
#define OS_HOOK_FILES_H

/*
 * hook_files.h - the programs in a folder that may be run, in the order of their names
 *
 * They are run with all of our rights.  So only what root alone could have put
 * there is run: a regular file (not a link to one) of root's that nobody else
 * may write to, in a folder of which the same is true.  Names are those that
 * run-parts(8) takes, which keeps editors' backups and packages' leftovers out.
 */

#include <stddef.h>

#include "base/attr.h"

#define HOOK_FILES_MAX 64
#define HOOK_NAME_MAX  256

enum hook_verdict {
	HOOK_RUNS,
	HOOK_BAD_NAME,   /* other characters than letters, digits, '-' and '_' */
	HOOK_NO_FILE,    /* not a regular file                                  */
	HOOK_NOT_ROOTS,  /* somebody else's                                     */
	HOOK_WRITABLE,   /* its group or everybody may write to it              */
	HOOK_NO_PROGRAM, /* nobody may execute it                               */
	HOOK_TOO_MANY,   /* one beyond HOOK_FILES_MAX; there may be more        */
	HOOK_VERDICTS,
};

struct hook_file {
	char name[HOOK_NAME_MAX];
	enum hook_verdict verdict;
};

struct hook_files {
	enum hook_verdict
		folder; /* HOOK_RUNS, or why nothing in it is looked at: NOT_ROOTS, WRITABLE */
	size_t n;
	struct hook_file files[HOOK_FILES_MAX]; /* by name, in the order of their bytes */
};

/*
 * Looks into @folder.  Hidden files are not mentioned.  0, or -errno with *@ret untouched: -ENOENT
 * where there is no such folder, -ENOTDIR where it is none or a link.
 */
int hook_files_list(const char *folder, struct hook_files *ret) must_check;

/* A sentence's end: "is not root's"; NULL for HOOK_RUNS. */
const char *hook_verdict_text(enum hook_verdict verdict);

#endif
