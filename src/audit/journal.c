/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/plan_text.h"

#define NAME_MAX_HERE (ROOT_PATH_MAX + 64) /* of a path within the journal */
#define LEVELS_FILE   "levels" /* how many folders were made for the journal, as a digit */

static const char *const STATES[] = {
	[JOURNAL_BEGUN] = "begun",
	[JOURNAL_DONE] = "done",
	[JOURNAL_UNDOING] = "undoing",
	[JOURNAL_REGENERATING] = "regenerating",
};

const char *journal_state_name(enum journal_state state)
{
	return state == JOURNAL_REGENERATING ? STATES[JOURNAL_UNDOING] : STATES[state];
}

/* Makes the folders of @path, below @root, that are missing; says how many. */
static int make_folders(const char *root, unsigned *ret_levels)
{
	char name[] = JOURNAL_FOLDER, real[ROOT_PATH_MAX];
	int r = 0;

	*ret_levels = 0;
	for (char *end = name + 1; r == 0 && end; ) {
		end = strchr(end, '/');
		if (end)
			*end = '\0';
		r = root_path(root, name, real, ROOT_PATH_MAX);
		if (r == 0)
			/* The journal's own is nobody else's to look into. */
			r = swap_make_folder(real, end ? 0755 : 0700);
		if (r == 0)
			++*ret_levels;
		r = r == -EEXIST ? 0 : r;
		if (end)
			*end++ = '/';
	}
	return r;
}

static int write_text(const char *path, const char *text)
{
	char *copy = strdup(text);
	struct swap_image image = { true, copy, strlen(text) };
	int r = copy ? swap_write(path, &image, 0600) : -ENOMEM;

	free(copy);
	return r;
}

/* Root's, or whose we are, and nobody else may write in it. */
static int check_owner(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	return st.st_uid == geteuid() && !(st.st_mode & 022) ? 0 : -EPERM;
}

static int open_folder(struct journal *journal)
{
	int fd = open(journal->real, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	r = check_owner(fd);
	if (r == 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	journal->fd = fd;
	snprintf(journal->path, sizeof journal->path, "/proc/self/fd/%d", fd);
	if (access(journal->path, F_OK) < 0)
		memcpy(journal->path, journal->real, sizeof journal->path);
	return 0;
}

/* Reads a number from the name of an entry; 0 for any other name. */
static unsigned number_of(const char *name, const char **ret_rest)
{
	unsigned number = 0;
	size_t n;

	for (n = 0; n < 4 && name[n] >= '0' && name[n] <= '9'; n++)
		number = number * 10 + (unsigned)(name[n] - '0');
	*ret_rest = name + n;
	return n == 4 ? number : 0;
}

static int remove_tree(const char *path)
{
	char file[NAME_MAX_HERE + 256];
	DIR *folder = opendir(path);
	struct dirent *e;
	int r = 0;

	if (!folder)
		return errno == ENOENT ? 0 : -errno;
	while ((e = readdir(folder))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(file, sizeof file, "%s/%s", path, e->d_name);
		if (unlink(file) < 0)
			r = -errno;
	}
	closedir(folder);
	if (r == 0 && rmdir(path) < 0)
		r = -errno;
	return r;
}

static int compare_numbers(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

/*
 * Lists the entries.  What a killed program left half made ("0007.new") or half removed
 * ("0007.old") is removed: it is no entry.
 */
int journal_list(const struct journal *journal, unsigned *to, size_t size)
{
	DIR *folder = opendir(journal->path);
	struct dirent *e;
	size_t n = 0;

	if (!folder)
		return -errno;
	while ((e = readdir(folder))) {
		char path[NAME_MAX_HERE + 256];
		const char *rest;
		unsigned number = number_of(e->d_name, &rest);

		if (number && !*rest && n < size)
			to[n++] = number;
		if (!number || (strcmp(rest, ".new") != 0 && strcmp(rest, ".old") != 0))
			continue;
		snprintf(path, sizeof path, "%s/%s", journal->path, e->d_name);
		(void)remove_tree(path);
	}
	closedir(folder);
	qsort(to, n, sizeof *to, compare_numbers);
	return (int)n;
}

int journal_open(struct journal *journal, const char *root, bool makes)
{
	char levels_path[NAME_MAX_HERE];
	unsigned levels = 0;
	int r = 0;

	*journal = (struct journal){ .fd = -1 };
	if (makes)
		r = make_folders(root, &levels);
	/* The last component must not be a link, which open_folder sees: O_NOFOLLOW. */
	if (r == 0)
		r = root_path(root, "/var/lib/vmtime", journal->real, ROOT_PATH_MAX);
	if (r == 0 && strlen(journal->real) + sizeof "/undo" > sizeof journal->real)
		r = -ENAMETOOLONG;
	if (r < 0)
		return r;
	strcat(journal->real, "/undo");
	r = open_folder(journal);
	if (r < 0 || !levels)
		return r;
	snprintf(levels_path, sizeof levels_path, "%s/" LEVELS_FILE, journal->path);
	r = write_text(levels_path, (char[]){ (char)('0' + levels), '\0' });
	if (r < 0)
		journal_close(journal);
	return r;
}

/* Removes the folder and those above it that were made for it. */
static void remove_folders(const struct journal *journal)
{
	char path[NAME_MAX_HERE], levels[4], real[ROOT_PATH_MAX];
	struct swap_image image;
	unsigned n = 1;

	snprintf(path, sizeof path, "%s/" LEVELS_FILE, journal->path);
	if (swap_read(path, &image) == 0) {
		snprintf(levels, sizeof levels, "%.1s", image.exists ? image.data : "1");
		n = levels[0] >= '1' && levels[0] <= '4' ? (unsigned)(levels[0] - '0') : 1;
		swap_image_fini(&image);
	}
	swap_clean(path);
	(void)unlink(path);
	memcpy(real, journal->real, sizeof real);
	while (n-- && rmdir(real) == 0)
		*strrchr(real, '/') = '\0';
}

void journal_close(struct journal *journal)
{
	unsigned one;

	if (journal->fd < 0)
		return;
	if (journal_list(journal, &one, 1) == 0)
		remove_folders(journal);
	close(journal->fd);
	journal->fd = -1;
}

static void name_of(const struct journal *journal, unsigned number, const char *what,
		    char to[NAME_MAX_HERE])
{
	snprintf(to, NAME_MAX_HERE, "%s/%04u%s", journal->path, number, what);
}

/* Writes one image of step @i into the folder @base. */
static int write_image(const char *base, size_t i, const char *which,
		       const struct swap_image *image)
{
	char path[NAME_MAX_HERE + 32];

	if (!image->exists)
		return 0;
	snprintf(path, sizeof path, "%s/%zu.%s", base, i + 1, which);
	return swap_write(path, image, 0600);
}

static int write_entry(const char *base, const struct plan *plan, const char *made)
{
	struct text text = { 0 };
	char path[NAME_MAX_HERE + 32];
	int r = swap_make_folder(base, 0700);

	for (size_t i = 0; r == 0 && i < plan->n; i++) {
		r = write_image(base, i, "before", &plan->steps[i].before);
		if (r == 0 && plan->steps[i].has_after)
			r = write_image(base, i, "after", &plan->steps[i].after);
	}
	if (r < 0)
		return r;
	plan_text_write(plan, made, &text);
	snprintf(path, sizeof path, "%s/plan", base);
	r = text.has_failed ? -ENOMEM : write_text(path, text.p);
	text_fini(&text);
	snprintf(path, sizeof path, "%s/state", base);
	return r == 0 ? write_text(path, STATES[JOURNAL_BEGUN]) : r;
}

int journal_add(struct journal *journal, const struct plan *plan, const char *made,
		unsigned *ret_number)
{
	char fresh[NAME_MAX_HERE], final[NAME_MAX_HERE];
	unsigned list[JOURNAL_ENTRIES], number;
	int n = journal_list(journal, list, COUNT(list)), r;

	if (n < 0)
		return n;
	number = n ? list[n - 1] + 1 : 1;
	if (n == JOURNAL_ENTRIES || number > 9999)
		return -EDQUOT;
	name_of(journal, number, ".new", fresh);
	name_of(journal, number, "", final);
	r = write_entry(fresh, plan, made);
	/* From the rename on there is an entry. */
	if (r == 0 && rename(fresh, final) < 0)
		r = -errno;
	if (r == 0)
		r = swap_sync_folder_of(final);
	if (r < 0) {
		(void)remove_tree(fresh);
		return r;
	}
	*ret_number = number;
	return 0;
}

/* Reads an image that must be there where it `exists`; for STEP_BOOT's after, may be. */
static int read_image(const char *base, size_t i, const char *which, struct swap_image *image,
		      bool is_wanted)
{
	struct swap_image found;
	char path[NAME_MAX_HERE + 32];
	int r;

	snprintf(path, sizeof path, "%s/%zu.%s", base, i + 1, which);
	r = swap_read(path, &found);
	if (r < 0)
		return r;
	if (is_wanted && !found.exists)
		return -EBADMSG;
	*image = found;
	return 0;
}

static int read_images(const char *base, struct plan *plan)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < plan->n; i++) {
		struct step *step = &plan->steps[i];

		if (step->before.exists)
			r = read_image(base, i, "before", &step->before, true);
		if (r == 0 && step->kind == STEP_FILE && step->after.exists)
			r = read_image(base, i, "after", &step->after, true);
		if (r == 0 && step->kind == STEP_BOOT) {
			r = read_image(base, i, "after", &step->after, false);
			step->has_after = step->after.exists;
		}
	}
	return r;
}

static int read_state(const char *base, enum journal_state *ret)
{
	struct swap_image image;
	char path[NAME_MAX_HERE + 32];
	int r;

	snprintf(path, sizeof path, "%s/state", base);
	r = swap_read(path, &image);
	if (r < 0)
		return r;
	r = -EBADMSG;
	for (size_t i = 0; i < COUNT(STATES); i++)
		if (image.exists && strcmp(image.data, STATES[i]) == 0) {
			*ret = (enum journal_state)i;
			r = 0;
		}
	swap_image_fini(&image);
	return r;
}

static int read_plan(const char *base, struct journal_entry *entry)
{
	struct swap_image image;
	char path[NAME_MAX_HERE + 32];
	int r;

	snprintf(path, sizeof path, "%s/plan", base);
	r = swap_read(path, &image);
	if (r < 0)
		return r;
	r = image.exists ? plan_text_read((struct slice){ image.data, image.length }, entry->made,
	                                  sizeof entry->made, &entry->plan)
	                 : -EBADMSG;
	swap_image_fini(&image);
	return r;
}

int journal_load(const struct journal *journal, unsigned number, struct journal_entry *ret)
{
	struct journal_entry entry = { .number = number };
	char base[NAME_MAX_HERE];
	struct stat st;
	int r;

	name_of(journal, number, "", base);
	if (stat(base, &st) < 0)
		return -errno;
	r = read_state(base, &entry.state);
	if (r == 0)
		r = read_plan(base, &entry);
	if (r == 0)
		r = read_images(base, &entry.plan);
	if (r < 0) {
		journal_entry_fini(&entry);
		return r;
	}
	*ret = entry;
	return 0;
}

void journal_entry_fini(struct journal_entry *entry)
{
	plan_fini(&entry->plan);
	*entry = (struct journal_entry){ 0 };
}

int journal_mark(const struct journal *journal, struct journal_entry *entry,
		 enum journal_state state)
{
	char path[NAME_MAX_HERE];
	int r;

	name_of(journal, entry->number, "/state", path);
	r = write_text(path, STATES[state]);
	if (r == 0)
		entry->state = state;
	return r;
}

int journal_keep(const struct journal *journal, const struct journal_entry *entry, size_t i,
		 const struct swap_image *after)
{
	char base[NAME_MAX_HERE];

	name_of(journal, entry->number, "", base);
	return write_image(base, i, "after", after);
}

int journal_remove(const struct journal *journal, unsigned number)
{
	char path[NAME_MAX_HERE], gone[NAME_MAX_HERE];
	int r;

	name_of(journal, number, "", path);
	name_of(journal, number, ".old", gone);
	/* From the rename on there is none. */
	if (rename(path, gone) < 0)
		return -errno;
	r = swap_sync_folder_of(path);
	return r < 0 ? r : remove_tree(gone);
}

int journal_age(const struct journal *journal, unsigned number, int64_t *ret_real_s)
{
	char path[NAME_MAX_HERE];
	struct stat st;

	name_of(journal, number, "/plan", path);
	if (stat(path, &st) < 0)
		return -errno;
	*ret_real_s = st.st_mtim.tv_sec;
	return 0;
}
