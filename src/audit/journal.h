/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDIT_JOURNAL_H
#define AUDIT_JOURNAL_H

/*
 * journal.h - what was done to a system, written down before it is done
 *
 * /var/lib/vmtime/undo, root's alone, has a folder for each run of fix: 0001,
 * 0002 and so on.  In it are the whole plan, every byte that each file held and
 * is to hold, and one word that says how far things are.  It is made under
 * another name and gets its own when all of it is on the disk, so an entry is
 * whole or is none.  Its bytes never change; only the word does, and what a
 * generator has written is added.  docs/fix.md has the format.
 *
 * So whoever comes after a kill or a power cut can finish what was begun, and
 * can take it back.  An entry that was taken back is removed, and the folders
 * that were made for the journal go with the last one.
 *
 * One program at a time: the folder is locked.  It is only believed where it
 * belongs to us and nobody else may write in it.  Since the daemon's user may
 * own the folder above it, it is opened once and reached by that descriptor,
 * through /proc; where there is no /proc, by its name.
 */

#include "audit/plan.h"
#include "base/attr.h"
#include "os/root_path.h"

#define JOURNAL_FOLDER  "/var/lib/vmtime/undo"
#define JOURNAL_ENTRIES 256 /* entries that are kept; then one must be taken back or removed */

enum journal_state {
	JOURNAL_BEGUN,        /* nothing, some or all of it is done          */
	JOURNAL_DONE,
	JOURNAL_UNDOING,      /* some of it is taken back                    */
	JOURNAL_REGENERATING, /* likewise; boot files are to be made anew    */
};

struct journal {
	int fd;                     /* of the folder, locked                       */
	char path[ROOT_PATH_MAX];   /* reaches it whatever its name leads to       */
	char real[ROOT_PATH_MAX]; /* its name, for messages and to remove it     */
};

struct journal_entry {
	unsigned number;
	enum journal_state state;
	char made[32]; /* when: "2026-11-23T21:12:00Z" */
	struct plan plan;
};

/*
 * Opens and locks the journal of the tree @root.  With @makes it is made where there is none.
 * 0 or -errno: -ENOENT there is none, -EWOULDBLOCK another program is at it, -EPERM it is not ours
 * or others may write in it.
 */
int journal_open(struct journal *journal, const char *root, bool makes) must_check;

/* Closes it; removes it where it is empty, with the folders that were made for it. */
void journal_close(struct journal *journal);

/* The numbers of the entries, oldest first; at most @size.  The number of them, or -errno. */
int journal_list(const struct journal *journal, unsigned *to, size_t size) must_check;

/* Writes @plan down as begun.  0, and its number; or -errno: then there is no entry. */
int journal_add(struct journal *journal, const struct plan *plan, const char *made,
		unsigned *ret_number) must_check;

/*
 * Reads entry @number.  0, and *@ret is the caller's to fini; or -errno, -EBADMSG for one that is
 * damaged or of a later version.
 */
int journal_load(const struct journal *journal, unsigned number,
		 struct journal_entry *ret) must_check;
void journal_entry_fini(struct journal_entry *entry);

/* Changes the word, on the disk and in @entry. */
int journal_mark(const struct journal *journal, struct journal_entry *entry,
		 enum journal_state state) must_check;

/* Writes down what step @i's file holds now, after its command has run. */
int journal_keep(const struct journal *journal, const struct journal_entry *entry, size_t i,
		 const struct swap_image *after) must_check;

/* Removes an entry that was taken back. */
int journal_remove(const struct journal *journal, unsigned number) must_check;

/* When the entry's folder was made, in seconds of CLOCK_REALTIME. */
int journal_age(const struct journal *journal, unsigned number, int64_t *ret_real_s) must_check;

/* "begun", "done", "being undone". */
const char *journal_state_name(enum journal_state state);

#endif
