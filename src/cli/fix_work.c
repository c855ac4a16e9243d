/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fix_work.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/fix_text.h"

int fix_root(const char *option, char to[ROOT_PATH_MAX])
{
	size_t n = option ? strlen(option) : 0;

	while (n && option[n - 1] == '/')
		n--;
	if (n >= ROOT_PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(to, option ? option : "", n);
	to[n] = '\0';
	return 0;
}

int fix_complain(const char *what, int error)
{
	const char *why = strerror(-error);

	if (error == -EWOULDBLOCK)
		why = "another fix or undo is at work";
	else if (error == -EPERM)
		why = JOURNAL_FOLDER " is not root's alone, so it is not believed";
	else if (error == -EBADMSG)
		why = "the entry is damaged, or of a later version";
	else if (error == -EDQUOT)
		why = "the journal is full; take something back";
	fprintf(stderr, "vmtime: %s: %s\n", what, why);
	return FIX_NOT_DONE;
}

/* Works to the end and tells each step; what stopped it is left in @report for the caller. */
static enum work_end work_on(struct work *w, struct work_report *report)
{
	enum work_end end;

	while ((end = work_next(w, report)) == WORK_STEPPED) {
		fix_text_step(stdout, report);
		work_report_fini(report);
	}
	fflush(stdout);
	return end;
}

static int stop(enum work_end end, struct work_report *report)
{
	fix_text_stop(end, report);
	work_report_fini(report);
	return FIX_NOT_DONE;
}

int fix_forward(const char *root, const struct journal *journal, struct journal_entry *entry)
{
	struct work_report report;
	struct work w, back;
	enum work_end end;

	work_init(&w, root, journal, entry, WORK_FORWARD);
	end = work_on(&w, &report);
	if (end == WORK_DONE)
		return FIX_OK;
	(void)stop(end, &report);
	printf("taking back what was done:\n");
	work_init_rollback(&back, &w);
	end = work_on(&back, &report);
	if (end != WORK_DONE) {
		(void)stop(end, &report);
		fprintf(stderr, "vmtime: not all of it could be taken back; see: vmtime undo --list\n");
	}
	return FIX_NOT_DONE;
}

int fix_back(const char *root, const struct journal *journal, struct journal_entry *entry)
{
	struct work_report report;
	struct work w;
	enum work_end end;

	work_init(&w, root, journal, entry, WORK_BACK);
	end = work_on(&w, &report);
	return end == WORK_DONE ? FIX_OK : stop(end, &report);
}
