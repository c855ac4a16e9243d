/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/work.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "audit/line_diff.h"
#include "os/root_path.h"

#define OWN_TIME_S 3600 /* a boot file that is younger than its entry by more was written by others */

void work_report_fini(struct work_report *report)
{
	command_result_fini(&report->result);
	*report = (struct work_report){ 0 };
}

void work_init(struct work *w, const char *root, const struct journal *journal,
	       struct journal_entry *entry, enum work_direction direction)
{
	*w = (struct work){ .root = root, .journal = journal, .entry = entry, .direction = direction };
	w->at = direction == WORK_FORWARD ? 0 : entry->plan.n;
}

void work_init_rollback(struct work *w, const struct work *forward)
{
	work_init(w, forward->root, forward->journal, forward->entry, WORK_BACK);
	w->at = forward->at;
}

/* Is the file also one that a command of the plan writes? */
static bool is_boot_file(const struct plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->n; i++)
		if (plan->steps[i].kind == STEP_BOOT && strcmp(plan->steps[i].path, path) == 0)
			return true;
	return false;
}

static bool is_edited(const struct plan *plan, const char *path)
{
	return plan_content(plan, path) != NULL;
}

static int read_there(const char *root, const struct step *step, char real[ROOT_PATH_MAX],
		      struct swap_image *ret)
{
	int r = root_path(root, step->path, real, ROOT_PATH_MAX);

	return r < 0 ? r : swap_read(real, ret);
}

/* Makes the step's file hold @wanted, unless it does. */
static int bring(const char *root, const struct step *step, const struct swap_image *wanted,
		 struct work_report *report)
{
	char real[ROOT_PATH_MAX];
	struct swap_image there;
	int r = read_there(root, step, real, &there);

	if (r < 0)
		return r;
	swap_clean(real);
	if (!swap_image_equals(&there, wanted)) {
		r = swap_write(real, wanted, step->mode ? step->mode : 0644);
		report->did = wanted->exists ? DID_WRITE : DID_REMOVE;
	}
	swap_image_fini(&there);
	return r;
}

static enum work_end run(const struct work *w, const struct step *step, struct work_report *report)
{
	if (w->root[0]) {
		report->did = DID_RECORD;
		return WORK_STEPPED;
	}
	report->did = DID_RUN;
	report->error = command_run(step->words, &report->result);
	if (report->error == 0 && report->result.status == 0)
		return WORK_STEPPED;
	if (step->may_fail) {
		report->has_failed_quietly = true;
		return WORK_STEPPED;
	}
	return WORK_FAILED;
}

static enum work_end refuse(struct work_report *report, int error)
{
	report->error = error;
	return error < 0 ? WORK_REFUSED : WORK_STEPPED;
}

static enum work_end make_folder(const struct work *w, const struct step *step,
				 struct work_report *report)
{
	char real[ROOT_PATH_MAX];
	int r = root_path(w->root, step->path, real, ROOT_PATH_MAX);

	if (r == 0)
		r = swap_make_folder(real, step->mode);
	report->did = r == 0 ? DID_MAKE : DID_NOTHING;
	return refuse(report, r == -EEXIST ? 0 : r);
}

static enum work_end remove_folder(const struct work *w, const struct step *step,
				   struct work_report *report)
{
	char real[ROOT_PATH_MAX];
	int r = root_path(w->root, step->path, real, ROOT_PATH_MAX);

	if (r == 0)
		r = swap_remove_folder(real);
	report->did = DID_REMOVE;
	return refuse(report, r);
}

/*
 * Neither the old nor the new content: somebody was faster.  What a command of this plan writes
 * may be anything when a run that was killed is finished.
 */
static enum work_end write_file(const struct work *w, const struct step *step,
				struct work_report *report)
{
	char real[ROOT_PATH_MAX];
	struct swap_image there;
	bool is_known;
	int r = read_there(w->root, step, real, &there);

	if (r < 0)
		return refuse(report, r);
	is_known = swap_image_equals(&there, &step->before) ||
	           swap_image_equals(&there, &step->after) ||
	           is_boot_file(&w->entry->plan, step->path);
	swap_image_fini(&there);
	if (!is_known)
		return WORK_CHANGED;
	return refuse(report, bring(w->root, step, &step->after, report));
}

static enum work_end do_step(const struct work *w, const struct step *step,
			     struct work_report *report)
{
	switch (step->kind) {
	case STEP_FOLDER: return make_folder(w, step, report);
	case STEP_FILE: return write_file(w, step, report);
	case STEP_DO: return run(w, step, report);
	case STEP_BOOT:
	case STEP_REGENERATE:
	case STEP_UNDO:
	case STEPS: break;
	}
	return WORK_STEPPED;
}

/* Writes down what the commands made of the boot files, and that all is done. */
static int finish_forward(const struct work *w)
{
	struct plan *plan = &w->entry->plan;
	char real[ROOT_PATH_MAX];
	int r = 0;

	for (size_t i = 0; r == 0 && i < plan->n; i++) {
		const struct step *step = &plan->steps[i];
		struct swap_image there;

		if (step->kind != STEP_BOOT &&
		    !(step->kind == STEP_FILE && is_boot_file(plan, step->path)))
			continue;
		r = read_there(w->root, step, real, &there);
		if (r < 0)
			break;
		r = journal_keep(w->journal, w->entry, i, &there);
		swap_image_fini(&there);
	}
	return r < 0 ? r : journal_mark(w->journal, w->entry, JOURNAL_DONE);
}

static enum work_end next_forward(struct work *w, struct work_report *report)
{
	const struct plan *plan = &w->entry->plan;
	int r;

	if (w->at < plan->n) {
		report->step = &plan->steps[w->at++];
		return do_step(w, report->step, report);
	}
	r = finish_forward(w);
	return r < 0 ? refuse(report, r) : WORK_DONE;
}

/* Some loader entry beside @real that the plan does not know: a kernel was installed since. */
static bool has_new_sibling(const char *root, const struct plan *plan, const struct step *step)
{
	char folder[PLAN_PATH_MAX], path[PLAN_PATH_MAX + 256], real[ROOT_PATH_MAX];
	const char *slash = strrchr(step->path, '/');
	struct dirent *e;
	bool is_new = false;
	DIR *d;

	if (!slash || !strstr(step->path, "/loader/entries/"))
		return false;
	snprintf(folder, sizeof folder, "%.*s", (int)(slash - step->path), step->path);
	if (root_path(root, folder, real, ROOT_PATH_MAX) < 0 || !(d = opendir(real)))
		return false;
	while (!is_new && (e = readdir(d))) {
		size_t n = strlen(e->d_name);

		if (n < 5 || strcmp(e->d_name + n - 5, ".conf") != 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
		is_new = !is_boot_file(plan, path);
	}
	closedir(d);
	return is_new;
}

/* Was the boot file @there written by others since?  @real is its path. */
static bool is_foreign(const struct work *w, const struct step *step,
		       const struct swap_image *there, const char *real)
{
	struct stat st;
	int64_t made_s;

	if (swap_image_equals(there, &step->before))
		return false;
	if (w->entry->state == JOURNAL_DONE)
		return !swap_image_equals(there, &step->after);
	/* The run was killed; what it wrote it wrote soon. */
	return stat(real, &st) == 0 && journal_age(w->journal, w->entry->number, &made_s) == 0 &&
	       st.st_mtim.tv_sec > made_s + OWN_TIME_S;
}

/* Are there boot files that must be made anew, because their old bytes would lose something? */
static int must_regenerate(const struct work *w, bool *ret)
{
	const struct plan *plan = &w->entry->plan;

	*ret = false;
	for (size_t i = 0; i < plan->n && !*ret; i++) {
		const struct step *step = &plan->steps[i];
		char real[ROOT_PATH_MAX];
		struct swap_image there;
		int r;

		if (step->kind != STEP_BOOT || is_edited(plan, step->path))
			continue;
		/* What the run did not change is not ours to bring back: grubenv, mostly. */
		if (w->entry->state == JOURNAL_DONE && swap_image_equals(&step->before, &step->after))
			continue;
		r = read_there(w->root, step, real, &there);
		if (r < 0)
			return r;
		*ret = is_foreign(w, step, &there, real) || has_new_sibling(w->root, plan, step);
		swap_image_fini(&there);
	}
	return 0;
}

/* Says in the journal which way it goes, so that whoever finishes goes the same. */
static int begin_back(struct work *w)
{
	bool regenerates;
	int r;

	w->is_begun = true;
	if (w->entry->state == JOURNAL_UNDOING || w->entry->state == JOURNAL_REGENERATING)
		return 0;
	r = must_regenerate(w, &regenerates);
	if (r < 0)
		return r;
	return journal_mark(w->journal, w->entry,
	                    regenerates ? JOURNAL_REGENERATING : JOURNAL_UNDOING);
}

static enum work_end undo_boot(const struct work *w, const struct step *step,
			       struct work_report *report)
{
	if (w->entry->state == JOURNAL_REGENERATING || is_edited(&w->entry->plan, step->path))
		return WORK_STEPPED;
	if (step->has_after && swap_image_equals(&step->before, &step->after))
		return WORK_STEPPED;
	return refuse(report, bring(w->root, step, &step->before, report));
}

/* A command that fails is told, and the files come back all the same. */
static enum work_end undo_command(struct work *w, const struct step *step,
				  struct work_report *report)
{
	if (run(w, step, report) == WORK_FAILED) {
		w->has_failed = true;
		report->has_failed_quietly = true;
	}
	return WORK_STEPPED;
}

static enum work_end undo_step(struct work *w, const struct step *step, struct work_report *report)
{
	switch (step->kind) {
	case STEP_FOLDER: return remove_folder(w, step, report);
	case STEP_FILE: return refuse(report, bring(w->root, step, &step->before, report));
	case STEP_BOOT: return undo_boot(w, step, report);
	case STEP_REGENERATE:
		return w->entry->state == JOURNAL_REGENERATING ? undo_command(w, step, report)
		                                               : WORK_STEPPED;
	case STEP_UNDO: return undo_command(w, step, report);
	case STEP_DO:
	case STEPS: break;
	}
	return WORK_STEPPED;
}

static enum work_end next_back(struct work *w, struct work_report *report)
{
	int r = 0;

	if (!w->is_begun)
		r = begin_back(w);
	if (r < 0)
		return refuse(report, r);
	if (w->at > 0) {
		report->step = &w->entry->plan.steps[--w->at];
		return undo_step(w, report->step, report);
	}
	if (w->has_failed)
		return WORK_FAILED;
	r = journal_remove(w->journal, w->entry->number);
	return r < 0 ? refuse(report, r) : WORK_DONE;
}

enum work_end work_next(struct work *w, struct work_report *ret)
{
	*ret = (struct work_report){ 0 };
	return w->direction == WORK_FORWARD ? next_forward(w, ret) : next_back(w, ret);
}

static void add_diff(struct text *diffs, const struct step *step, const struct swap_image *there)
{
	struct slice ours = { step->after.data, step->after.length };
	struct slice theirs = { there->data, there->length };
	char name[PLAN_PATH_MAX + 32];

	snprintf(name, sizeof name, "%s (as fix left it)", step->path);
	line_diff(diffs, name, step->path, ours, theirs);
	if (!there->exists || !step->after.exists)
		text_addf(diffs, "%s %s\n", step->path, there->exists ? "was made" : "was removed");
}

int work_look_back(const char *root, const struct journal_entry *entry, struct text *diffs,
		   bool *ret_is_changed)
{
	bool is_changed = false, is_half = entry->state != JOURNAL_DONE;

	for (size_t i = 0; i < entry->plan.n; i++) {
		const struct step *step = &entry->plan.steps[i];
		char real[ROOT_PATH_MAX];
		struct swap_image there;
		int r;

		if (step->kind != STEP_FILE || (is_half && is_boot_file(&entry->plan, step->path)))
			continue;
		r = read_there(root, step, real, &there);
		if (r < 0) {
			text_addf(diffs, "%s: %s\n", step->path, strerror(-r));
			return r;
		}
		if (!swap_image_equals(&there, &step->before) &&
		    !swap_image_equals(&there, &step->after)) {
			is_changed = true;
			add_diff(diffs, step, &there);
		}
		swap_image_fini(&there);
	}
	*ret_is_changed = is_changed;
	return 0;
}
