/* SPDX-License-Identifier: Apache-2.0 */

/* undo.c - vmtime undo: what fix did, taken back */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/slice.h"
#include "cli/fix.h"
#include "cli/fix_text.h"
#include "cli/fix_work.h"
#include "cli/output.h"

static int print_entry(const struct journal *journal, unsigned number)
{
	struct journal_entry entry;
	int r = journal_load(journal, number, &entry);

	if (r < 0) {
		printf("%4u  cannot be read: %s\n", number, strerror(-r));
		return FIX_NOT_DONE;
	}
	printf("%4u  %s  %-8s %s\n", number, entry.made, journal_state_name(entry.state),
	       entry.plan.rules.n ? entry.plan.rules.p : "");
	for (size_t i = 0; i < entry.plan.n; i++)
		if (entry.plan.steps[i].kind == STEP_FILE)
			printf("        %s\n", entry.plan.steps[i].path);
	journal_entry_fini(&entry);
	return FIX_OK;
}

static int print_list(const struct journal *journal, const unsigned *list, int n)
{
	int r = FIX_OK;

	for (int i = 0; i < n; i++)
		r |= print_entry(journal, list[i]);
	if (!n)
		printf("There is nothing to take back.\n");
	return r;
}

/* A later run that changed one of the files, and must be taken back first; 0: none. */
static unsigned find_later(const struct journal *journal, const unsigned *list, int n,
			   const struct journal_entry *entry)
{
	unsigned found = 0;

	for (int i = 0; i < n && !found; i++) {
		struct journal_entry later;

		if (list[i] <= entry->number || journal_load(journal, list[i], &later) < 0)
			continue;
		for (size_t s = 0; s < later.plan.n && !found; s++)
			if (later.plan.steps[s].kind == STEP_FILE &&
			    plan_content(&entry->plan, later.plan.steps[s].path))
				found = list[i];
		journal_entry_fini(&later);
	}
	return found;
}

/* Says why it cannot be taken back, where it cannot. */
static int look(const char *root, const struct journal *journal, const unsigned *list, int n,
		const struct journal_entry *entry)
{
	unsigned later = find_later(journal, list, n, entry);
	struct text diffs = { 0 };
	bool is_changed = false;
	int r;

	if (later) {
		fprintf(stderr, "vmtime: run %u changed the same files later; take that back first\n",
		        later);
		return FIX_NOT_DONE;
	}
	r = work_look_back(root, entry, &diffs, &is_changed);
	if (diffs.n)
		fix_text_safe(stdout, diffs.p, diffs.n);
	text_fini(&diffs);
	if (r < 0) {
		fflush(stdout);
		return fix_complain("a file cannot be read, and nothing was touched", r);
	}
	if (!is_changed)
		return FIX_OK;
	fflush(stdout);
	fprintf(stderr, "vmtime: edited since by somebody else, as shown; nothing was touched\n");
	return FIX_NOT_DONE;
}

static int take_back(const struct options *options, const char *root, struct journal *journal,
		     const unsigned *list, int n, unsigned number)
{
	struct journal_entry entry;
	int r = journal_load(journal, number, &entry);

	if (r == -ENOENT) {
		fprintf(stderr, "vmtime: there is no run %u; see: vmtime undo --list\n", number);
		return FIX_NOT_DONE;
	}
	if (r < 0)
		return fix_complain("the entry cannot be read", r);
	r = look(root, journal, list, n, &entry);
	if (r == FIX_OK && (options->given & OPTION_DRY_RUN)) {
		printf("run %u could be taken back\n", number);
	} else if (r == FIX_OK) {
		bool needs_reboot = entry.plan.needs_reboot;

		r = fix_back(root, journal, &entry);
		if (r == FIX_OK)
			printf("run %u is taken back%s\n", number,
			       needs_reboot ? "; it takes a reboot until all of it is in force" : "");
	}
	journal_entry_fini(&entry);
	return r;
}

static int undo(const struct options *options, const char *root, struct journal *journal)
{
	const char *word = options->words[1];
	unsigned list[JOURNAL_ENTRIES];
	int n = journal_list(journal, list, JOURNAL_ENTRIES);
	int64_t number = 0;

	if (n < 0)
		return fix_complain("the journal cannot be read", n);
	if (options->given & OPTION_LIST)
		return print_list(journal, list, n);
	if (word && (!slice_to_int(slice_of(word), &number) || number < 1 || number > 9999))
		return options_usage_error("undo takes the number of a run, not", word);
	if (!word && !n)
		return print_list(journal, list, n);
	return take_back(options, root, journal, list, n, word ? (unsigned)number : list[n - 1]);
}

int undo_run(const struct options *options)
{
	char root[ROOT_PATH_MAX];
	struct journal journal;
	int r;

	if (options->words[1] && options->words[2])
		return options_usage_error("undo takes one number, not also", options->words[2]);
	r = fix_root(options->root, root);
	if (r < 0)
		return fix_complain("--root", r);
	r = journal_open(&journal, root, false);
	if (r == -EACCES)
		return output_complain("undo needs root: the journal is root's alone");
	if (r < 0 && r != -ENOENT)
		return fix_complain("the journal", r);
	if (r == -ENOENT) {
		if (options->words[1] && !(options->given & OPTION_LIST))
			return output_complain("there is no such run; nothing was done by fix here");
		printf("There is nothing to take back.\n");
		return output_finish() == EXIT_SHOWN ? FIX_OK : FIX_NOT_DONE;
	}
	r = undo(options, root, &journal);
	journal_close(&journal);
	return output_finish() == EXIT_SHOWN ? r : FIX_NOT_DONE;
}
