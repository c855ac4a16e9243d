/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/plan_text.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

static const struct verb {
	const char *name;
	enum step_kind kind;
	bool may_fail;
} VERBS[] = {
	{ "folder", STEP_FOLDER, false },         { "file", STEP_FILE, false },
	{ "boot", STEP_BOOT, false },             { "regenerate", STEP_REGENERATE, false },
	{ "do", STEP_DO, false },                 { "try", STEP_DO, true },
	{ "undo", STEP_UNDO, false },             { "try-undo", STEP_UNDO, true },
};

static bool is_plain(char c)
{
	return c > ' ' && c < 0x7f && c != '%';
}

/* An empty word is a lone '%'. */
static void put_word(struct text *to, const char *word)
{
	text_addf(to, word[0] ? " " : " %%");
	for (; *word; word++)
		text_addf(to, is_plain(*word) ? "%c" : "%%%02X", (unsigned char)*word);
}

static const char *presence(bool exists)
{
	return exists ? "some" : "none";
}

static void put_step(struct text *to, const struct step *step)
{
	const char *name = "";

	for (size_t i = 0; i < COUNT(VERBS); i++)
		if (VERBS[i].kind == step->kind && VERBS[i].may_fail == step->may_fail)
			name = VERBS[i].name;
	text_addf(to, "%s", name);
	switch (step->kind) {
	case STEP_FOLDER:
		text_addf(to, " %04o", (unsigned)step->mode);
		put_word(to, step->path);
		break;
	case STEP_FILE:
		text_addf(to, " %04o %s %s", (unsigned)step->mode, presence(step->before.exists),
		          presence(step->after.exists));
		put_word(to, step->path);
		break;
	case STEP_BOOT:
		text_addf(to, " %04o %s", (unsigned)step->mode, presence(step->before.exists));
		put_word(to, step->path);
		break;
	case STEP_REGENERATE:
	case STEP_DO:
	case STEP_UNDO:
		for (size_t i = 0; step->words[i]; i++)
			put_word(to, step->words[i]);
		break;
	case STEPS: break;
	}
	text_addf(to, "\n");
}

void plan_text_write(const struct plan *plan, const char *made, struct text *to)
{
	text_addf(to, PLAN_TEXT_VERSION "\nmade %s\nrules", made);
	if (plan->rules.n)
		text_addf(to, " %s", plan->rules.p);
	text_addf(to, "\nreboot %s\n", plan->needs_reboot ? "yes" : "no");
	for (size_t i = 0; i < plan->n; i++)
		put_step(to, &plan->steps[i]);
	text_addf(to, "end\n");
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Takes a word off *@line, without its escapes. */
static bool take_word(struct slice *line, char *to, size_t size)
{
	struct slice word = slice_word(line);
	size_t n = 0;

	if (!word.n)
		return false;
	if (slice_equals(word, "%"))
		word.n = 0;
	for (size_t i = 0; i < word.n; i++) {
		char c = word.p[i];

		if (c == '%') {
			int high = i + 2 < word.n ? digit(word.p[i + 1]) : -1;
			int low = i + 2 < word.n ? digit(word.p[i + 2]) : -1;

			if (high < 0 || low < 0)
				return false;
			c = (char)(high * 16 + low);
			i += 2;
		}
		if (!c || n + 1 >= size)
			return false;
		to[n++] = c;
	}
	to[n] = '\0';
	return true;
}

static bool take_mode(struct slice *line, mode_t *ret)
{
	struct slice word = slice_word(line);
	mode_t mode = 0;

	if (word.n != 4)
		return false;
	for (size_t i = 0; i < word.n; i++) {
		if (word.p[i] < '0' || word.p[i] > '7')
			return false;
		mode = mode * 8 + (mode_t)(word.p[i] - '0');
	}
	*ret = mode;
	return true;
}

static bool take_presence(struct slice *line, bool *ret)
{
	struct slice word = slice_word(line);

	*ret = slice_equals(word, "some");
	return *ret || slice_equals(word, "none");
}

static bool take_words(struct slice *line, struct step *step)
{
	char word[PLAN_PATH_MAX];
	size_t n = 0;

	while (slice_trim(*line).n) {
		if (!take_word(line, word, sizeof word) || !step_word(step, slice_of(word)))
			return false;
		n++;
	}
	return n > 0;
}

static bool take_path(struct slice *line, struct step *step)
{
	return take_word(line, step->path, sizeof step->path) && step->path[0] == '/' &&
	       !strstr(step->path, "/../") && slice_trim(*line).n == 0;
}

static bool take_step(const struct verb *verb, struct slice *line, struct plan *plan)
{
	struct step *step = plan_step(plan, verb->kind, "");

	if (!step)
		return false;
	step->may_fail = verb->may_fail;
	switch (verb->kind) {
	case STEP_FOLDER: return take_mode(line, &step->mode) && take_path(line, step);
	case STEP_FILE:
		step->has_after = true;
		return take_mode(line, &step->mode) && take_presence(line, &step->before.exists) &&
		       take_presence(line, &step->after.exists) && take_path(line, step);
	case STEP_BOOT:
		return take_mode(line, &step->mode) && take_presence(line, &step->before.exists) &&
		       take_path(line, step);
	case STEP_REGENERATE:
	case STEP_DO:
	case STEP_UNDO: return take_words(line, step);
	case STEPS: break;
	}
	return false;
}

/* What is printed as it is must be fit for it. */
static bool is_printable(struct slice line)
{
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] != ' ' && !is_plain(line.p[i]))
			return false;
	return true;
}

/* False where the line is none of ours. */
static bool take_line(struct slice line, char *made, size_t size, struct plan *plan)
{
	struct slice verb = slice_word(&line);

	if (slice_equals(verb, "made"))
		return is_printable(slice_trim(line)) && slice_copy(slice_trim(line), made, size);
	if (slice_equals(verb, "rules")) {
		text_add(&plan->rules, slice_trim(line));
		return is_printable(slice_trim(line));
	}
	if (slice_equals(verb, "reboot")) {
		plan->needs_reboot = slice_equals(slice_trim(line), "yes");
		return true;
	}
	for (size_t i = 0; i < COUNT(VERBS); i++)
		if (slice_equals(verb, VERBS[i].name))
			return take_step(&VERBS[i], &line, plan);
	return false;
}

int plan_text_read(struct slice text, char *made, size_t size, struct plan *ret)
{
	struct plan plan = { 0 };
	struct slice line = slice_cut(&text, '\n');
	bool is_right = slice_equals(line, PLAN_TEXT_VERSION);

	made[0] = '\0';
	line = slice_cut(&text, '\n');
	for (; is_right && text.n; line = slice_cut(&text, '\n'))
		is_right = take_line(line, made, size, &plan);
	/* The last line proves that nothing is missing. */
	is_right = is_right && slice_equals(line, "end");
	if (!is_right || plan.has_failed) {
		int r = is_right ? -ENOMEM : -EBADMSG;

		plan_fini(&plan);
		return r;
	}
	*ret = plan;
	return 0;
}
