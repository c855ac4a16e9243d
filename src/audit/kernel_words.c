/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/kernel_words.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Takes the next word off *@rest, with the blanks that stand before it, which it does not include. */
static struct slice take_word(struct slice *rest, struct slice *ret_blanks)
{
	struct slice word;
	bool is_quoted = false;
	size_t n = 0;

	while (n < rest->n && is_blank(rest->p[n]))
		n++;
	*ret_blanks = (struct slice){ rest->p, n };
	word = (struct slice){ rest->p + n, 0 };
	while (n + word.n < rest->n && (is_quoted || !is_blank(word.p[word.n]))) {
		is_quoted ^= word.p[word.n] == '"';
		word.n++;
	}
	*rest = (struct slice){ word.p + word.n, rest->n - n - word.n };
	return word;
}

static bool has_name_of(struct slice word, const char *argument)
{
	size_t n = strcspn(argument, "=");

	return word.n >= n && memcmp(word.p, argument, n) == 0 && (word.n == n || word.p[n] == '=');
}

bool kernel_words_are_whole(struct slice line)
{
	bool is_quoted = false;

	for (size_t i = 0; i < line.n; i++)
		is_quoted ^= line.p[i] == '"';
	return !is_quoted;
}

bool kernel_words_have(struct slice line, const char *argument)
{
	struct slice blanks, word;

	while ((word = take_word(&line, &blanks)).n)
		if (slice_equals(word, argument))
			return true;
	return false;
}

bool kernel_words_contradict(struct slice line, const char *argument)
{
	struct slice blanks, word;

	while ((word = take_word(&line, &blanks)).n)
		if (has_name_of(word, argument) && !slice_equals(word, argument))
			return true;
	return false;
}

bool kernel_words_end_in(struct slice line, const char *argument)
{
	struct slice blanks, word;
	bool is_right = false;

	while ((word = take_word(&line, &blanks)).n)
		if (has_name_of(word, argument))
			is_right = slice_equals(word, argument);
	return is_right;
}

/* Without the words that share the name of @argument. */
static void copy_others(struct slice line, const char *argument, struct text *to)
{
	size_t from = to->n;
	struct slice blanks, word;

	while ((word = take_word(&line, &blanks)).n) {
		if (has_name_of(word, argument))
			continue;
		if (to->n > from)
			text_add(to, blanks);
		text_add(to, word);
	}
}

void kernel_words_drop(struct slice line, const char *argument, struct text *to)
{
	copy_others(line, argument, to);
}

void kernel_words_put(struct slice line, const char *argument, struct text *to)
{
	size_t from = to->n;

	if (kernel_words_have(line, argument) && !kernel_words_contradict(line, argument)) {
		text_add(to, line);
		return;
	}
	copy_others(line, argument, to);
	text_addf(to, "%s%s", to->n > from ? " " : "", argument);
}
