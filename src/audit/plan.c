/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/plan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void step_fini(struct step *step)
{
	swap_image_fini(&step->before);
	swap_image_fini(&step->after);
	for (size_t i = 0; step->words[i]; i++)
		free(step->words[i]);
}

void plan_fini(struct plan *plan)
{
	for (size_t i = 0; i < plan->n; i++)
		step_fini(&plan->steps[i]);
	free(plan->steps);
	free(plan->notes);
	text_fini(&plan->rules);
	*plan = (struct plan){ 0 };
}

/* Room for one more element of @each bytes in @list. */
static bool make_room(void **list, size_t n, size_t *size, size_t each)
{
	size_t larger = *size ? *size * 2 : 8;
	void *p;

	if (n < *size)
		return true;
	p = realloc(*list, larger * each);
	if (!p)
		return false;
	*list = p;
	*size = larger;
	return true;
}

struct step *plan_step(struct plan *plan, enum step_kind kind, const char *path)
{
	struct step *step;
	void *list = plan->steps;
	bool fits = strlen(path) < PLAN_PATH_MAX && make_room(&list, plan->n, &plan->size, sizeof *step);

	plan->steps = list;
	if (!fits) {
		plan->has_failed = true;
		return NULL;
	}
	step = &plan->steps[plan->n++];
	plan->n_changes++;
	*step = (struct step){ .kind = kind };
	memcpy(step->path, path, strlen(path) + 1);
	return step;
}

bool step_word(struct step *step, struct slice word)
{
	size_t n = 0;

	while (step->words[n])
		n++;
	if (n == PLAN_WORDS_MAX)
		return false;
	step->words[n] = strndup(word.p, word.n);
	return step->words[n] != NULL;
}

void plan_folder(struct plan *plan, const char *path, mode_t mode)
{
	struct step *step;

	for (size_t i = 0; i < plan->n; i++)
		if (plan->steps[i].kind == STEP_FOLDER && strcmp(plan->steps[i].path, path) == 0)
			return;
	step = plan_step(plan, STEP_FOLDER, path);
	if (step)
		step->mode = mode;
}

void plan_boot(struct plan *plan, const char *path, struct swap_image *before, mode_t mode)
{
	struct step *step = NULL;
	bool is_known = false;

	for (size_t i = 0; i < plan->n && !is_known; i++)
		is_known = plan->steps[i].kind == STEP_BOOT && strcmp(plan->steps[i].path, path) == 0;
	if (!is_known)
		step = plan_step(plan, STEP_BOOT, path);
	if (!step) {
		swap_image_fini(before);
		return;
	}
	step->before = *before;
	step->mode = mode;
	*before = (struct swap_image){ 0 };
}

void plan_command(struct plan *plan, enum step_kind kind, bool may_fail, const char *const *words)
{
	struct step *step = plan_step(plan, kind, "");

	if (!step)
		return;
	step->may_fail = may_fail;
	for (size_t i = 0; words[i]; i++)
		if (!step_word(step, slice_of(words[i])))
			plan->has_failed = true;
}

static struct step *find_file(const struct plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->n; i++)
		if (plan->steps[i].kind == STEP_FILE && strcmp(plan->steps[i].path, path) == 0)
			return &plan->steps[i];
	return NULL;
}

void plan_file(struct plan *plan, const char *path, struct swap_image *before,
	       struct swap_image *after, mode_t mode)
{
	struct step *step = find_file(plan, path);

	if (step) {
		swap_image_fini(before);
		swap_image_fini(&step->after);
		step->after = *after;
		plan->n_changes++;
	} else {
		step = plan_step(plan, STEP_FILE, path);
		if (!step) {
			swap_image_fini(before);
			swap_image_fini(after);
			return;
		}
		step->before = *before;
		step->after = *after;
		step->has_after = true;
		step->mode = mode;
	}
	*before = *after = (struct swap_image){ 0 };
}

const struct swap_image *plan_content(const struct plan *plan, const char *path)
{
	const struct step *step = find_file(plan, path);

	return step ? &step->after : NULL;
}

static bool has_words(const struct step *step, const char *const *words)
{
	size_t i = 0;

	while (step->words[i] && words[i] && strcmp(step->words[i], words[i]) == 0)
		i++;
	return !step->words[i] && !words[i];
}

/* The place of the command in the plan; its length where it is not there. */
static size_t find_command(const struct plan *plan, enum step_kind kind, const char *const *words)
{
	size_t i = 0;

	while (i < plan->n && (plan->steps[i].kind != kind || !has_words(&plan->steps[i], words)))
		i++;
	return i;
}

bool plan_has_command(const struct plan *plan, enum step_kind kind, const char *const *words)
{
	return find_command(plan, kind, words) < plan->n;
}

bool plan_move_to_end(struct plan *plan, enum step_kind kind, const char *const *words)
{
	size_t i = find_command(plan, kind, words);
	struct step step;

	if (i == plan->n)
		return false;
	step = plan->steps[i];
	memmove(&plan->steps[i], &plan->steps[i + 1], (plan->n - i - 1) * sizeof step);
	plan->steps[plan->n - 1] = step;
	return true;
}

void plan_cut(struct plan *plan, size_t n)
{
	while (plan->n > n) {
		step_fini(&plan->steps[--plan->n]);
		plan->n_changes--;
	}
}

void plan_note(struct plan *plan, const char *rule, const char *format, ...)
{
	struct plan_note *note;
	void *list = plan->notes;
	char said[PLAN_NOTE_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(said, sizeof said, format, arguments);
	va_end(arguments);
	for (size_t i = 0; i < plan->n_notes; i++)
		if (strcmp(plan->notes[i].text, said) == 0)
			return;

	if (!make_room(&list, plan->n_notes, &plan->notes_size, sizeof *note)) {
		plan->has_failed = true;
		return;
	}
	plan->notes = list;
	note = &plan->notes[plan->n_notes++];
	snprintf(note->rule, sizeof note->rule, "%s", rule);
	memcpy(note->text, said, sizeof said);
}

void plan_rule(struct plan *plan, const char *id)
{
	struct slice rest = { plan->rules.p, plan->rules.n }, word;

	for (word = slice_word(&rest); word.n; word = slice_word(&rest))
		if (slice_equals(word, id))
			return;
	text_addf(&plan->rules, "%s%s", plan->rules.n ? " " : "", id);
}

/* In single quotes, where a shell would see more in it than a word. */
static void add_word(struct text *to, const char *word)
{
	static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-+=./:@%,";

	if (word[0] && word[strspn(word, PLAIN)] == '\0') {
		text_addf(to, "%s", word);
		return;
	}
	text_addf(to, "'");
	for (; *word; word++)
		text_addf(to, *word == '\'' ? "'\\''" : "%c", *word);
	text_addf(to, "'");
}

void step_command_text(const struct step *step, struct text *to)
{
	for (size_t i = 0; step->words[i]; i++) {
		if (i)
			text_addf(to, " ");
		add_word(to, step->words[i]);
	}
}
