/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/draft.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "os/root_path.h"

bool draft_exists(const struct draft *d, const char *path)
{
	const struct swap_image *planned = plan_content(d->plan, path);
	char real[ROOT_PATH_MAX];
	struct stat st;

	if (planned)
		return planned->exists;
	return root_path(d->facts->root, path, real, sizeof real) == 0 && stat(real, &st) == 0;
}

static int copy_image(const struct swap_image *from, struct swap_image *ret)
{
	struct swap_image image = *from;

	if (from->exists) {
		image.data = malloc(from->length + 1);
		if (!image.data)
			return -ENOMEM;
		memcpy(image.data, from->data, from->length + 1);
	}
	*ret = image;
	return 0;
}

static int read_disk(const struct draft *d, const char *path, struct swap_image *ret)
{
	char real[ROOT_PATH_MAX];
	int r = root_path(d->facts->root, path, real, sizeof real);

	return r < 0 ? r : swap_read(real, ret);
}

int draft_read(const struct draft *d, const char *path, struct swap_image *ret)
{
	const struct swap_image *planned = plan_content(d->plan, path);
	int r = planned ? copy_image(planned, ret) : read_disk(d, path, ret);

	/* What check would not read is not edited either. */
	if (r == 0 && ret->length > FACTS_FILE_LIMIT) {
		swap_image_fini(ret);
		return -EFBIG;
	}
	return r;
}

void draft_write(struct draft *d, const char *path, struct text *after, mode_t mode)
{
	struct swap_image old = { 0 }, new = { .exists = true };

	if (text_take(after, &new.data, &new.length) < 0 ||
	    (!plan_content(d->plan, path) && read_disk(d, path, &old) < 0)) {
		free(new.data);
		d->plan->has_failed = true;
		return;
	}
	draft_folder_of(d, path);
	plan_file(d->plan, path, &old, &new, mode);
}

void draft_folder_of(struct draft *d, const char *path)
{
	char folder[PLAN_PATH_MAX];
	char *slash;

	snprintf(folder, sizeof folder, "%s", path);
	slash = strrchr(folder, '/');
	if (!slash || slash == folder)
		return;
	*slash = '\0';
	if (draft_exists(d, folder))
		return;
	draft_folder_of(d, folder);
	plan_folder(d->plan, folder, 0755);
}

bool draft_keep(struct draft *d, const char *path)
{
	char real[ROOT_PATH_MAX];
	struct swap_image image;
	struct stat st;
	int r;

	if (root_path(d->facts->root, path, real, sizeof real) < 0 || stat(real, &st) < 0 ||
	    !S_ISREG(st.st_mode))
		return true;
	r = swap_read(real, &image);
	if (r < 0) {
		draft_note(d, "the boot files are left alone: %s cannot be kept for undo: %s", path,
			   strerror(-r));
		return false;
	}
	plan_boot(d->plan, path, &image, st.st_mode & 07777);
	return true;
}

/*
 * What is run stands behind the last thing that asked for it; what is run to take back stays before
 * the first, so that it too comes last.
 */
static void command(struct draft *d, enum step_kind kind, bool may_fail, const char *const *words)
{
	bool is_there = kind == STEP_DO ? plan_move_to_end(d->plan, kind, words)
	                                : plan_has_command(d->plan, kind, words);

	if (!is_there)
		plan_command(d->plan, kind, may_fail, words);
}

void draft_do(struct draft *d, const char *const *words)
{
	command(d, STEP_DO, false, words);
}

void draft_try(struct draft *d, const char *const *words)
{
	command(d, STEP_DO, true, words);
}

void draft_undo(struct draft *d, const char *const *words)
{
	command(d, STEP_UNDO, false, words);
}

void draft_try_undo(struct draft *d, const char *const *words)
{
	command(d, STEP_UNDO, true, words);
}

void draft_regenerate(struct draft *d, const char *const *words)
{
	command(d, STEP_REGENERATE, false, words);
}

void draft_service(struct draft *d, enum step_kind kind, const char *action, const char *unit)
{
	command(d, kind, false,
	        strcmp(action, "daemon-reload") == 0 ? WORDS("systemctl", action)
	                                             : WORDS("systemctl", action, unit));
}

void draft_note(struct draft *d, const char *format, ...)
{
	char text[PLAN_NOTE_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	plan_note(d->plan, d->rule, "%s", text);
}

/* What the outcome of an edit means for the plan. */
static bool take_edit(struct draft *d, const char *path, enum edit_end end, struct text *after,
		      const struct edit_reason *why)
{
	switch (end) {
	case EDIT_NOTHING: return true;
	case EDIT_REFUSED:
		draft_note(d, "%s is left alone: %s", path, why->text);
		return false;
	case EDIT_APPENDED:
		draft_note(d, "a line is added at the end of %s: %s", path, why->text);
		break;
	case EDIT_DONE: break;
	}
	draft_write(d, path, after, 0644);
	return true;
}

bool draft_change(struct draft *d, const char *path, draft_edit *edit, const void *what,
		  bool *ret_is_changed)
{
	struct swap_image before;
	struct edit_reason why = { "" };
	struct text after = { 0 };
	enum edit_end end;
	bool is_right;
	int r = draft_read(d, path, &before);

	*ret_is_changed = false;
	if (r < 0) {
		draft_note(d, "%s is left alone: %s", path, strerror(-r));
		return false;
	}
	end = edit((struct slice){ before.data, before.length }, what, &after, &why);
	is_right = take_edit(d, path, end, &after, &why);
	*ret_is_changed = is_right && end != EDIT_NOTHING;
	text_fini(&after);
	swap_image_fini(&before);
	return is_right;
}
