/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDIT_WORK_H
#define AUDIT_WORK_H

/*
 * work.h - carrying out what the journal holds, and taking it back
 *
 * It works from an entry of the journal, never from a plan that is only in
 * memory.  So the first run, the second one that finishes what a killed one
 * began, and undo are the same code.  Each step looks at what is there before it
 * does anything: a file that is as it shall be is left alone.
 *
 *     work_init(&w, root, &journal, &entry, WORK_FORWARD);
 *     while ((end = work_next(&w, &report)) == WORK_STEPPED) {
 *             ... say what was done ...
 *             work_report_fini(&report);
 *     }
 *
 * Below another root commands are recorded, not run: DID_RECORD.  They stand in
 * the journal, too.
 *
 * Taking back never destroys what somebody wrote since: work_look_back tells first,
 * before anything is touched.  What a generator of boot files wrote comes back byte
 * for byte where it still is what that run left; where it was written anew since (by
 * the installation of a kernel) the old bytes would lose that, and the generator
 * runs once more instead.
 */

#include <stdbool.h>
#include <stddef.h>

#include "audit/journal.h"
#include "audit/text.h"
#include "base/attr.h"
#include "os/command.h"

enum work_direction { WORK_FORWARD, WORK_BACK };

enum work_end {
	WORK_STEPPED, /* a step was done or needed nothing; more may follow              */
	WORK_DONE,    /* there are no more; the journal says so                          */
	WORK_CHANGED, /* somebody changed the step's file: it holds neither of what we know */
	WORK_REFUSED, /* the system said no: `error`                                     */
	WORK_FAILED,  /* a command ended with another status than 0, or could not be run */
};

enum work_did { DID_NOTHING, DID_WRITE, DID_REMOVE, DID_MAKE, DID_RUN, DID_RECORD };

struct work_report {
	const struct step *step; /* NULL: the journal itself                     */
	enum work_did did;
	int error;               /* -errno; 0                                    */
	struct command_result result; /* of DID_RUN                              */
	bool has_failed_quietly; /* a command whose failure is no reason to stop */
};

struct work {
	const char *root;
	const struct journal *journal;
	struct journal_entry *entry;
	enum work_direction direction;
	bool is_begun;
	bool has_failed; /* taking back: a command did; the entry stays      */
	size_t at;       /* forward: the next step.  Back: one past the next */
};

/* Borrows all of them.  @root is "" for the running system. */
void work_init(struct work *w, const char *root, const struct journal *journal,
	       struct journal_entry *entry, enum work_direction direction);

/*
 * The next step.  After WORK_CHANGED, WORK_REFUSED and WORK_FAILED nothing more is done; forward, a
 * new work backwards from there (work_init_rollback) restores what was.  Taking back, a command that
 * fails is reported as WORK_STEPPED with has_failed_quietly, and where it was one that matters the
 * end is WORK_FAILED, without a step: the entry stays, to be tried again.
 */
enum work_end work_next(struct work *w, struct work_report *ret) must_check;
void work_report_fini(struct work_report *report);

/* Takes back what @forward, which did not get to its end, has done so far. */
void work_init_rollback(struct work *w, const struct work *forward);

/*
 * Could the entry be taken back?  Adds to @diffs what somebody changed since, as diffs from what we
 * left to what is there.  0, or -errno with the file and the reason in @diffs; *@ret_is_changed: it cannot.
 */
int work_look_back(const char *root, const struct journal_entry *entry, struct text *diffs,
		   bool *ret_is_changed) must_check;

#endif
