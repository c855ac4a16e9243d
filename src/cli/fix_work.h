/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_FIX_WORK_H
#define CLI_FIX_WORK_H

/*
 * fix_work.h - an entry of the journal carried out or taken back, and told
 *
 * What fix and undo have in common.
 */

#include "audit/journal.h"
#include "audit/work.h"
#include "base/attr.h"

enum { FIX_OK = 0, FIX_NOT_DONE = 1 };

/* The folder of --root without slashes at its end; "" where none was given, or "/". */
int fix_root(const char *option, char to[ROOT_PATH_MAX]) must_check;

/* "@what: strerror" on standard error; what the journal's errors mean is said in words. */
int fix_complain(const char *what, int error);

/*
 * Carries the entry out; what fails on the way is taken back, and both are told.  FIX_OK or
 * FIX_NOT_DONE.
 */
int fix_forward(const char *root, const struct journal *journal, struct journal_entry *entry);

/* Takes it back.  The same. */
int fix_back(const char *root, const struct journal *journal, struct journal_entry *entry);

#endif
