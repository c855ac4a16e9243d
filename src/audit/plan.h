/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDIT_PLAN_H
#define AUDIT_PLAN_H

/*
 * plan.h - what is to be done to a system, as a list of small steps
 *
 * A plan is a value: it can be shown, written to the journal, read back, carried
 * out and taken back (audit/work.h), and the same plan is all of these.  Carrying
 * out goes from the first step to the last, taking back from the last to the first.
 *
 * That is why a command and its reverse are two steps of their own: a service is
 * to be started anew after its file was changed and after it was changed back.
 * So the step "undo: restart" stands before the file's, "do: restart" behind it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "audit/text.h"
#include "base/attr.h"
#include "os/swap.h"

#define PLAN_PATH_MAX  512
#define PLAN_WORDS_MAX 15
#define PLAN_NOTE_MAX  512

enum step_kind {
	STEP_FOLDER, /* `path` is made, with `mode`                                           */
	STEP_FILE,   /* `path` holds `before` and gets `after`; either may be no file at all   */
	STEP_BOOT,   /* `path` is written by a command of this plan and kept from before it    */
	STEP_REGENERATE, /* taking back: `words` write the STEP_BOOT files where these cannot come back */
	STEP_DO,     /* carrying out: `words` are run                                         */
	STEP_UNDO,   /* taking back: `words` are run                                          */
	STEPS
};

struct step {
	enum step_kind kind;
	char path[PLAN_PATH_MAX]; /* as the system itself names it: without --root's folder */
	mode_t mode;              /* of a folder or file that is made                     */
	struct swap_image before, after; /* STEP_BOOT: after is known once it has been done */
	bool has_after;           /* always, but for STEP_BOOT                            */
	bool may_fail;            /* STEP_DO, STEP_UNDO: told, and no reason to stop      */
	char *words[PLAN_WORDS_MAX + 1]; /* each allocated; NULL ends them                */
};

/* Something that is said and not done. */
struct plan_note {
	char rule[64];            /* the finding's id                                     */
	char text[PLAN_NOTE_MAX]; /* may hold several lines                               */
};

struct plan {
	struct step *steps;
	size_t n, size;
	size_t n_changes;         /* steps added, and contents of files exchanged          */
	struct plan_note *notes;
	size_t n_notes, notes_size;
	struct text rules;        /* the ids of what it mends, blank separated            */
	bool needs_reboot;
	bool has_failed;          /* no memory: it is not to be used                      */
};

void plan_fini(struct plan *plan);

/* Steps are added at the end.  Strings are copied, images are taken over (fini'd on failure). */
void plan_folder(struct plan *plan, const char *path, mode_t mode);
void plan_boot(struct plan *plan, const char *path, struct swap_image *before, mode_t mode);
void plan_command(struct plan *plan, enum step_kind kind, bool may_fail, const char *const *words);

/*
 * A file gets @after.  Where the plan changes that file already, its step gets the new bytes, and
 * @before is dropped: a plan has one step for one file, however many rules want it changed.
 */
void plan_file(struct plan *plan, const char *path, struct swap_image *before,
	       struct swap_image *after, mode_t mode);

/* What the plan makes @path hold, or NULL where it does not change it.  Borrowed. */
const struct swap_image *plan_content(const struct plan *plan, const char *path);

/* Is the same command in it already? */
bool plan_has_command(const struct plan *plan, enum step_kind kind, const char *const *words);

/* Moves that command to the end.  False where it is not there. */
bool plan_move_to_end(struct plan *plan, enum step_kind kind, const char *const *words);

/* Takes the last steps away, until @n are left: what they were for could not be done. */
void plan_cut(struct plan *plan, size_t n);

/* The same is said once. */
void plan_note(struct plan *plan, const char *rule, const char *format, ...) printf_like(3, 4);
void plan_rule(struct plan *plan, const char *id);

/* A fresh step at the end, or NULL (and has_failed). */
struct step *plan_step(struct plan *plan, enum step_kind kind, const char *path);

/* Adds a copy of @word (@n bytes) to the step's words.  False where it does not fit. */
bool step_word(struct step *step, struct slice word) must_check;

/* The words as somebody would type them. */
void step_command_text(const struct step *step, struct text *to);

#endif
