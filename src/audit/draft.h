/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDIT_DRAFT_H
#define AUDIT_DRAFT_H

/*
 * draft.h - what the remedies share while a plan is made
 *
 * Private to audit/remedies.c and remedy_*.c.  Files are read as the plan leaves
 * them so far, so that several remedies may change one file.
 */

#include "audit/edit.h"
#include "audit/remedies.h"

struct draft {
	const struct audit_facts *facts;
	struct plan *plan;
	const char *rule; /* the finding's id that is being mended */
	enum remedy_daemon daemon;
};

/* The words of a command, for draft_do and its like. */
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

bool draft_exists(const struct draft *d, const char *path);

/* The text of @path now, or as the plan leaves it.  *@ret is the caller's to fini.  0 or -errno. */
int draft_read(const struct draft *d, const char *path, struct swap_image *ret) must_check;

/* The plan gives @path the text of @after, which is emptied; a new file gets @mode. */
void draft_write(struct draft *d, const char *path, struct text *after, mode_t mode);

/* The plan makes the folder of @path where it is missing. */
void draft_folder_of(struct draft *d, const char *path);

/*
 * The plan keeps what a generator is going to write.  A file that is not there is not kept.  False
 * after a note, where one is there and cannot be kept: then the generator must not run.
 */
bool draft_keep(struct draft *d, const char *path);

/* Each command once in a plan. */
void draft_do(struct draft *d, const char *const *words);
void draft_try(struct draft *d, const char *const *words);
void draft_undo(struct draft *d, const char *const *words);
void draft_try_undo(struct draft *d, const char *const *words);
void draft_regenerate(struct draft *d, const char *const *words);

/* Something that is said and not done, for the finding at hand. */
void draft_note(struct draft *d, const char *format, ...) printf_like(2, 3);

/*
 * Changes @path by @edit, which gets its text and adds to its second argument.  True where the file
 * says it now; false after a note.  *@ret_is_changed: the plan changes it.
 */
typedef enum edit_end draft_edit(struct slice before, const void *what, struct text *after,
				 struct edit_reason *why);
bool draft_change(struct draft *d, const char *path, draft_edit *edit, const void *what,
		  bool *ret_is_changed);

/* "systemctl ACTION UNIT": as one command, to be run now or when it is taken back. */
void draft_service(struct draft *d, enum step_kind kind, const char *action, const char *unit);

/* The remedies.  Each says by a note what it could not do. */
void remedy_kernel_argument(struct draft *d, const char *argument, bool is_removal);
void remedy_frequency(struct draft *d, const char *governor);
void remedy_enable_cpupower(struct draft *d, const char *unit);
void remedy_load_ptp_kvm(struct draft *d);
void remedy_refclock(struct draft *d, const char *device);
void remedy_makestep(struct draft *d, const char *subject);
void remedy_rtcsync(struct draft *d, const char *path);
void remedy_sync_time(struct draft *d, const char *path);

#endif
