/* SPDX-License-Identifier: Apache-2.0 */

/*
 * remedy_boot.c - the kernel's command line, by each distribution's own way
 *
 * Debian and Ubuntu: /etc/default/grub and its drop-ins, which a shell reads one
 * after the other; update-grub writes grub.cfg from them.  A drop-in of our own
 * comes last, so it is right whatever the others say.  RHEL 7: the same without
 * drop-ins, by grub2-mkconfig.  RHEL 8 and later and Fedora: grubby changes the
 * loader entries there are; the defaults are for entries to come.
 */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/draft.h"
#include "audit/kernel_words.h"
#include "audit/shell_file.h"
#include "os/root_path.h"

#define ALWAYS   "GRUB_CMDLINE_LINUX"
#define ORDINARY "GRUB_CMDLINE_LINUX_DEFAULT"
#define OURS     "zz-vmtime.cfg"
#define FILES_MAX 64
#define KERNEL_COMMAND_LINE "/etc/kernel/cmdline"

/* The files that make the command line, in the order in which they are read. */
struct defaults {
	unsigned n;
	char paths[FILES_MAX][PLAN_PATH_MAX];
};

struct change {
	const char *variable, *argument;
	bool is_removal;
};

static enum edit_end edit_variable(struct slice before, const void *what, struct text *after,
				   struct edit_reason *why)
{
	const struct change *c = what;

	return edit_kernel_line(before, c->variable, c->argument, c->is_removal, after, why);
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* As grub-mkconfig: *.cfg, by name. */
static void list_drop_ins(const struct draft *d, struct defaults *to)
{
	const struct fact_boot *boot = &d->facts->boot;
	char real[ROOT_PATH_MAX];
	unsigned first = to->n;
	struct dirent *e;
	DIR *folder = NULL;

	if (boot->drop_ins[0] && root_path(d->facts->root, boot->drop_ins, real, sizeof real) == 0)
		folder = opendir(real);
	if (!folder)
		return;
	while (to->n < FILES_MAX && (e = readdir(folder))) {
		size_t n = strlen(e->d_name);

		if (n > 4 && e->d_name[0] != '.' && strcmp(e->d_name + n - 4, ".cfg") == 0)
			snprintf(to->paths[to->n++], PLAN_PATH_MAX, "%s/%s", boot->drop_ins, e->d_name);
	}
	closedir(folder);
	qsort(to->paths + first, to->n - first, sizeof to->paths[0], compare_paths);
}

/* Does the file give @variable a value at all?  One that cannot be read does not. */
static bool assigns(const struct draft *d, const char *path, const char *variable)
{
	struct swap_image image;
	char value[FACTS_LINE_MAX];
	bool is_there;

	if (draft_read(d, path, &image) < 0)
		return false;
	is_there = shell_file_value((struct slice){ image.data, image.length }, variable, value,
	                            sizeof value, NULL);
	swap_image_fini(&image);
	return is_there;
}

/* Takes @argument, and what contradicts it, out of @variable wherever it is assigned. */
static bool remove_everywhere(struct draft *d, const struct defaults *files, const char *variable,
			      const char *argument)
{
	const struct change change = { variable, argument, true };
	bool is_right = true, is_changed;

	for (unsigned i = 0; i < files->n; i++)
		if (assigns(d, files->paths[i], variable))
			is_right &= draft_change(d, files->paths[i], edit_variable, &change, &is_changed);
	return is_right;
}

/* Takes what contradicts @argument out of the other variable, which stands behind ours. */
static bool remove_contradiction(struct draft *d, const struct defaults *files, const char *argument)
{
	char value[FACTS_LINE_MAX] = "";
	bool is_plain = true, has_one = false;

	for (unsigned i = 0; i < files->n; i++) {
		struct swap_image image;

		if (draft_read(d, files->paths[i], &image) < 0)
			continue;
		(void)shell_file_follow((struct slice){ image.data, image.length }, ORDINARY, value,
		                        sizeof value, &is_plain);
		has_one |= kernel_words_contradict(slice_of(value), argument);
		swap_image_fini(&image);
	}
	return !has_one || remove_everywhere(d, files, ORDINARY, argument);
}

/* Debian's way out: a file of ours that is read last. */
static bool add_by_drop_in(struct draft *d, const char *argument)
{
	char path[PLAN_PATH_MAX];
	struct swap_image before;
	struct text after = { 0 };

	snprintf(path, sizeof path, "%s/" OURS, d->facts->boot.drop_ins);
	if (draft_read(d, path, &before) < 0) {
		draft_note(d, "%s cannot be read", path);
		return false;
	}
	text_add(&after, (struct slice){ before.data, before.length });
	if (!before.exists)
		text_addf(&after, "# Made by vmtime fix; vmtime undo takes it away.\n");
	text_addf(&after, ALWAYS "=\"$" ALWAYS " %s\"\n", argument);
	swap_image_fini(&before);
	draft_write(d, path, &after, 0644);
	return true;
}

/* The file whose word about the variable is the last one; "" where none says anything. */
static const char *find_last(const struct draft *d, const struct defaults *files)
{
	const char *last = "";

	for (unsigned i = 0; i < files->n; i++)
		if (assigns(d, files->paths[i], ALWAYS))
			last = files->paths[i];
	return last;
}

/* May it be edited?  With Debian's drop-in beside it nothing has to be tried. */
static bool add_to_file(struct draft *d, const char *path, const char *argument)
{
	const struct change change = { ALWAYS, argument, false };
	bool has_drop_ins = d->facts->boot.drop_ins[0] != '\0', is_changed;
	struct swap_image image;
	struct edit_reason why = { "" };
	struct text after = { 0 };
	enum edit_end end = EDIT_REFUSED;

	if (!has_drop_ins)
		return draft_change(d, path, edit_variable, &change, &is_changed);
	if (draft_exists(d, path) && draft_read(d, path, &image) == 0) {
		end = edit_variable((struct slice){ image.data, image.length }, &change, &after, &why);
		swap_image_fini(&image);
	}
	text_fini(&after);
	if (end == EDIT_DONE || end == EDIT_NOTHING)
		return draft_change(d, path, edit_variable, &change, &is_changed);
	if (why.text[0])
		draft_note(d, "a file beside %s is used: %s", path, why.text);
	return add_by_drop_in(d, argument);
}

static bool add_argument(struct draft *d, const struct defaults *files, const char *argument)
{
	const struct fact_boot *boot = &d->facts->boot;
	const char *last = find_last(d, files);
	bool has_drop_ins = boot->drop_ins[0] != '\0';

	if (!remove_contradiction(d, files, argument))
		return false;
	if (has_drop_ins && last[0] && strcmp(last, boot->defaults) != 0)
		return add_by_drop_in(d, argument);
	if (!has_drop_ins && !draft_exists(d, boot->defaults)) {
		draft_note(d, "%s is not there, and is not made: write %s into it by hand",
		           boot->defaults, argument);
		return false;
	}
	return add_to_file(d, boot->defaults, argument);
}

/* What the files say in the end. */
struct effect {
	char always[FACTS_LINE_MAX], ordinary[FACTS_LINE_MAX];
};

static void find_effect(const struct draft *d, const struct defaults *files, struct effect *ret)
{
	bool is_plain = true;

	*ret = (struct effect){ "", "" };
	for (unsigned i = 0; i < files->n; i++) {
		struct swap_image image;
		struct slice text;

		if (draft_read(d, files->paths[i], &image) < 0)
			continue;
		text = (struct slice){ image.data, image.length };
		(void)shell_file_follow(text, ALWAYS, ret->always, sizeof ret->always, &is_plain);
		(void)shell_file_follow(text, ORDINARY, ret->ordinary, sizeof ret->ordinary, &is_plain);
		swap_image_fini(&image);
	}
}

static bool is_configured(const struct effect *effect, const char *argument)
{
	return kernel_words_have(slice_of(effect->always), argument) &&
	       !kernel_words_contradict(slice_of(effect->always), argument) &&
	       !kernel_words_contradict(slice_of(effect->ordinary), argument);
}

/* By editing, unless it says so already. */
static bool configure(struct draft *d, const struct defaults *files, const char *argument)
{
	struct effect effect;

	find_effect(d, files, &effect);
	if (is_configured(&effect, argument))
		return true;
	if (kernel_words_are_whole(slice_of(effect.always)))
		return add_argument(d, files, argument);
	draft_note(d, "a quote in the value of " ALWAYS " is not closed: nothing can be added to it");
	return false;
}

static bool edit_defaults(struct draft *d, const char *argument, bool is_removal)
{
	struct defaults *files = calloc(1, sizeof *files);
	bool is_right;

	if (!files) {
		d->plan->has_failed = true;
		return false;
	}
	snprintf(files->paths[files->n++], PLAN_PATH_MAX, "%s", d->facts->boot.defaults);
	list_drop_ins(d, files);
	if (is_removal) {
		is_right = remove_everywhere(d, files, ALWAYS, argument);
		is_right &= remove_everywhere(d, files, ORDINARY, argument);
	} else {
		is_right = configure(d, files, argument);
	}
	free(files);
	return is_right;
}

static bool keep_entries(struct draft *d)
{
	const struct fact_boot *boot = &d->facts->boot;
	char real[ROOT_PATH_MAX], path[PLAN_PATH_MAX + 256];
	struct dirent *e;
	bool is_kept = true;
	DIR *folder = NULL;

	if (root_path(d->facts->root, boot->entries, real, sizeof real) == 0)
		folder = opendir(real);
	if (!folder)
		return true;
	while (is_kept && (e = readdir(folder))) {
		size_t n = strlen(e->d_name);

		if (n < 6 || strcmp(e->d_name + n - 5, ".conf") != 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", boot->entries, e->d_name);
		is_kept = draft_keep(d, path);
	}
	closedir(folder);
	return is_kept;
}

/* The loader entries of today by grubby, and the defaults for those to come. */
static void change_by_grubby(struct draft *d, const char *argument, bool is_removal)
{
	const struct fact_boot *boot = &d->facts->boot;
	char add[FACTS_PATH_MAX + 16], remove[FACTS_PATH_MAX + 16];
	size_t n_steps = d->plan->n;

	snprintf(add, sizeof add, "--args=%s", argument);
	snprintf(remove, sizeof remove, "--remove-args=%s", argument);
	draft_regenerate(d, WORDS("grubby", "--update-kernel=ALL", is_removal ? add : remove));
	/* grubby writes the last two as well, some of its releases. */
	if (!keep_entries(d) || !draft_keep(d, boot->grubenv) ||
	    !draft_keep(d, KERNEL_COMMAND_LINE) || !draft_keep(d, boot->defaults)) {
		plan_cut(d->plan, n_steps);
		return;
	}
	if (draft_exists(d, boot->defaults))
		(void)edit_defaults(d, argument, is_removal);
	draft_do(d, WORDS("grubby", "--update-kernel=ALL", is_removal ? remove : add));
	d->plan->needs_reboot = true;
}

static void change_by_generator(struct draft *d, const char *argument, bool is_removal)
{
	const struct fact_boot *boot = &d->facts->boot;
	size_t n_steps = d->plan->n, n_changes;
	bool is_kept;
	const char *debian[] = { boot->command, NULL };
	const char *red_hat[] = { "grub2-mkconfig", "-o", boot->config, NULL };
	const char *const *words = boot->tool == BOOT_UPDATE_GRUB ? debian : red_hat;

	draft_regenerate(d, words);
	is_kept = draft_keep(d, boot->config);
	n_changes = d->plan->n_changes;
	/* What could be done of it is undone where it is not all: half of it would mislead. */
	if (!is_kept || !edit_defaults(d, argument, is_removal) || d->plan->n_changes == n_changes) {
		plan_cut(d->plan, n_steps);
		return;
	}
	draft_do(d, words);
	d->plan->needs_reboot = true;
}

void remedy_kernel_argument(struct draft *d, const char *argument, bool is_removal)
{
	const char *what = is_removal ? "take it out of" : "add it to";

	if (!d->facts->system.is_supported || d->facts->boot.tool == BOOT_UNKNOWN) {
		draft_note(d, "%s: how this system makes its boot entries is not known to fix; %s the "
			      "kernel's command line by hand", argument, what);
		return;
	}
	switch (d->facts->boot.tool) {
	case BOOT_GRUBBY: change_by_grubby(d, argument, is_removal); break;
	case BOOT_UPDATE_GRUB:
	case BOOT_GRUB2_MKCONFIG: change_by_generator(d, argument, is_removal); break;
	case BOOT_UNKNOWN: return;
	}
}
