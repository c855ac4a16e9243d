/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/shell_file.h"

#include <string.h>

/* A word being read: where we are, and where its value goes, if anybody wants it. */
struct scan {
	struct slice text;
	size_t at;
	bool is_plain, is_unterminated;

	char *to; /* NULL: only where it ends is asked */
	size_t size, used;
	bool is_full;

	const char *name, *before; /* $NAME has this value; NULL: none has one */
};

/* The byte @ahead of us; 0 behind the end, where no NUL of the text is told from it. */
static char peek(const struct scan *s, size_t ahead)
{
	return ahead < s->text.n - s->at ? s->text.p[s->at + ahead] : '\0';
}

static bool is_over(const struct scan *s)
{
	return s->at >= s->text.n;
}

static void put(struct scan *s, char c)
{
	if (!s->to)
		return;
	if (c == '\0' || s->used + 1 >= s->size)
		s->is_full = true;
	else
		s->to[s->used++] = c;
}

static void put_next(struct scan *s)
{
	put(s, s->text.p[s->at++]);
}

/* How many bytes end the line here: LF, CR LF, or a CR at the end of the text. */
static size_t line_end(const struct scan *s)
{
	if (peek(s, 0) == '\n')
		return 1;
	if (peek(s, 0) != '\r')
		return 0;
	if (s->at + 1 == s->text.n)
		return 1;
	return peek(s, 1) == '\n' ? 2 : 0;
}

/* Past "\" and the end of the line that it joins to the next. */
static bool skip_continuation(struct scan *s)
{
	struct scan behind = *s;

	if (peek(s, 0) != '\\')
		return false;
	behind.at++;
	if (!line_end(&behind))
		return false;
	s->at = behind.at + line_end(&behind);
	return true;
}

static bool is_name_start(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_name(char c)
{
	return is_name_start(c) || (c >= '0' && c <= '9');
}

static size_t name_length(struct slice text, size_t at)
{
	size_t n = 0;

	if (at >= text.n || !is_name_start(text.p[at]))
		return 0;
	while (at + n < text.n && is_name(text.p[at + n]))
		n++;
	return n;
}

static void scan_single(struct scan *s)
{
	s->at++;
	while (!is_over(s) && peek(s, 0) != '\'')
		put_next(s);
	if (is_over(s))
		s->is_unterminated = true;
	else
		s->at++;
}

static void scan_backtick(struct scan *s)
{
	s->is_plain = false;
	put_next(s);
	while (!is_over(s) && peek(s, 0) != '`') {
		if (peek(s, 0) == '\\' && peek(s, 1))
			put_next(s);
		put_next(s);
	}
	if (is_over(s))
		s->is_unterminated = true;
	else
		put_next(s);
}

/* Past a quoted piece within "$(...)", byte by byte. */
static void copy_quoted(struct scan *s, char quote)
{
	put_next(s);
	while (!is_over(s) && peek(s, 0) != quote) {
		if (quote == '"' && peek(s, 0) == '\\' && peek(s, 1))
			put_next(s);
		put_next(s);
	}
	if (!is_over(s))
		put_next(s);
}

/* From "$(" or "${" to what closes it, as it is written. */
static void scan_bracket(struct scan *s, char open, char close)
{
	unsigned depth = 0;

	s->is_plain = false;
	put_next(s);
	while (!is_over(s)) {
		char c = peek(s, 0);

		if (c == '\'' || c == '"') {
			copy_quoted(s, c);
			continue;
		}
		if (c == '\\' && peek(s, 1))
			put_next(s);
		put_next(s);
		depth += c == open;
		if (c == close && --depth == 0)
			return;
	}
	s->is_unterminated = true;
}

/* Puts in the value that the variable itself had before; false where it is another. */
static bool scan_itself(struct scan *s)
{
	bool has_brace = peek(s, 1) == '{';
	size_t at = s->at + 1 + has_brace;
	size_t n = name_length(s->text, at);

	if (!s->before || n != strlen(s->name) || memcmp(s->text.p + at, s->name, n) != 0)
		return false;
	if (has_brace && (at + n >= s->text.n || s->text.p[at + n] != '}'))
		return false;
	for (const char *c = s->before; *c; c++)
		put(s, *c);
	s->at = at + n + has_brace;
	return true;
}

static void scan_dollar(struct scan *s)
{
	char next = peek(s, 1);

	if (scan_itself(s))
		return;
	if (next == '(')
		scan_bracket(s, '(', ')');
	else if (next == '{')
		scan_bracket(s, '{', '}');
	else {
		if (is_name(next) || (next && strchr("@*#?$!-'\"", next)))
			s->is_plain = false;
		put_next(s);
	}
}

static void scan_double(struct scan *s)
{
	s->at++;
	while (!is_over(s) && peek(s, 0) != '"') {
		char c = peek(s, 0);

		if (skip_continuation(s))
			continue;
		if (c == '$') {
			/* A quote behind it ends the string: the dollar is one. */
			if (peek(s, 1) == '"' || peek(s, 1) == '\'')
				put_next(s);
			else
				scan_dollar(s);
			continue;
		}
		if (c == '`') {
			scan_backtick(s);
			continue;
		}
		if (c == '\\' && peek(s, 1) && strchr("$`\"\\", peek(s, 1)))
			s->at++;
		put_next(s);
	}
	if (is_over(s))
		s->is_unterminated = true;
	else
		s->at++;
}

static bool ends_word(const struct scan *s)
{
	return is_over(s) || line_end(s) || (peek(s, 0) && strchr(" \t\n;&|<>()", peek(s, 0)));
}

/* To the end of the word that begins here. */
static void scan_word(struct scan *s)
{
	while (!ends_word(s)) {
		if (skip_continuation(s))
			continue;
		switch (peek(s, 0)) {
		case '\'': scan_single(s); break;
		case '"': scan_double(s); break;
		case '`': scan_backtick(s); break;
		case '$': scan_dollar(s); break;
		case '\\':
			s->at++;
			if (!is_over(s))
				put_next(s);
			break;
		default: put_next(s); break;
		}
	}
}

/* Past a comment that begins here. */
static void skip_comment(struct scan *s)
{
	while (!is_over(s) && peek(s, 0) != '\n')
		s->at++;
}

/* Past all that stands between two words: blanks, ends of lines, comments. */
static void skip_between(struct scan *s)
{
	for (;;) {
		if (skip_continuation(s))
			continue;
		if (is_over(s))
			return;
		if (line_end(s))
			s->at += line_end(s);
		else if (peek(s, 0) && strchr(" \t\r;&|<>()", peek(s, 0)))
			s->at++;
		else if (peek(s, 0) == '#')
			skip_comment(s);
		else
			return;
	}
}

/* Past a command: words and what stands between them, up to the end of the line or a ";". */
static void skip_command(struct scan *s)
{
	while (!is_over(s) && !line_end(s) && peek(s, 0) != ';') {
		size_t at = s->at;

		scan_word(s);
		if (s->at == at && !skip_continuation(s) && !line_end(s) && peek(s, 0) != ';') {
			s->at++;
			if (peek(s, 0) == '#')
				skip_comment(s);
		}
	}
}

/* Where a name and a "=" or "+=" begin, @ret is what they say; at the value then. */
static bool scan_name(struct scan *s, struct shell_assignment *ret)
{
	size_t n = name_length(s->text, s->at);
	bool is_append;

	if (!n)
		return false;
	is_append = peek(s, n) == '+' && peek(s, n + 1) == '=';
	if (!is_append && peek(s, n) != '=')
		return false;
	ret->name = (struct slice){ s->text.p + s->at, n };
	ret->is_append = is_append;
	ret->begin = s->at;
	s->at += n + 1 + is_append;
	return true;
}

static void skip_blanks(struct scan *s)
{
	while (peek(s, 0) == ' ' || peek(s, 0) == '\t')
		s->at++;
}

/* Past "export" or "readonly" and the blanks behind it. */
static bool skip_keyword(struct scan *s)
{
	static const char *const WORDS[] = { "export", "readonly" };

	for (size_t i = 0; i < COUNT(WORDS); i++) {
		size_t n = strlen(WORDS[i]);

		if (name_length(s->text, s->at) != n || memcmp(s->text.p + s->at, WORDS[i], n) != 0)
			continue;
		if (peek(s, n) != ' ' && peek(s, n) != '\t')
			continue;
		s->at += n;
		skip_blanks(s);
		return i == 0;
	}
	return false;
}

static unsigned count_lines(struct slice text, size_t from, size_t to)
{
	unsigned n = 0;

	for (size_t i = from; i < to; i++)
		n += text.p[i] == '\n';
	return n;
}

bool shell_file_next(struct shell_file *file, struct shell_assignment *ret)
{
	struct scan s = { .text = file->text, .at = file->at };
	struct shell_assignment found = { 0 };

	for (;;) {
		skip_between(&s);
		if (is_over(&s)) {
			file->line += count_lines(file->text, file->at, s.at);
			file->at = s.at;
			return false;
		}
		found.is_exported = skip_keyword(&s);
		if (scan_name(&s, &found))
			break;
		skip_command(&s);
	}
	found.line = file->line + count_lines(file->text, file->at, found.begin);
	found.value_begin = s.at;
	s.is_plain = true;
	s.is_unterminated = false; /* of what stood before */
	scan_word(&s);
	found.is_array = peek(&s, 0) == '(';
	found.end = s.at;
	found.raw = (struct slice){ file->text.p + found.value_begin, s.at - found.value_begin };
	found.is_plain = s.is_plain && !s.is_unterminated && !found.is_array;
	found.is_unterminated = s.is_unterminated;
	file->line += count_lines(file->text, file->at, s.at);
	file->at = s.at;
	*ret = found;
	return true;
}

/* Reads the value behind what @to holds already, @used bytes; false where it does not fit. */
static bool read_value(const struct shell_assignment *a, const char *name, const char *before,
		       char *to, size_t size, size_t used, bool *ret_is_plain)
{
	struct scan s = { .text = a->raw, .is_plain = true, .to = to, .size = size, .used = used,
			  .name = name, .before = before };

	scan_word(&s);
	if (s.is_full)
		return false;
	to[s.used] = '\0';
	*ret_is_plain = s.is_plain && !s.is_unterminated && !a->is_array;
	return true;
}

bool shell_assignment_value(const struct shell_assignment *assignment, char *to, size_t size)
{
	bool is_plain;

	if (size && read_value(assignment, "", NULL, to, size, 0, &is_plain))
		return true;
	if (size)
		to[0] = '\0';
	return false;
}

/* What the longest variable that is followed may hold. */
#define FOLLOWED_MAX 4096

bool shell_file_follow(struct slice text, const char *name, char *value, size_t size,
		       bool *is_plain)
{
	struct shell_file file = { text, 0, 1 };
	struct shell_assignment a;
	char before[FOLLOWED_MAX];
	bool is_assigned = false, is_value_plain;

	while (shell_file_next(&file, &a)) {
		bool is_independent;

		if (!slice_equals(a.name, name))
			continue;
		is_assigned = true;
		if (!slice_copy(slice_of(value), before, sizeof before))
			before[0] = '\0';
		is_independent = !a.is_append && a.is_plain;
		if (!read_value(&a, name, before, value, size, a.is_append ? strlen(before) : 0,
				&is_value_plain)) {
			strcpy(value, before);
			is_value_plain = false;
		}
		*is_plain = is_value_plain && (is_independent || *is_plain);
	}
	return is_assigned;
}

bool shell_file_value(struct slice text, const char *name, char *to, size_t size, bool *is_plain)
{
	bool ignored, *plain = is_plain ? is_plain : &ignored;

	to[0] = '\0';
	*plain = true;
	return shell_file_follow(text, name, to, size, plain);
}

bool shell_quote(const char *value, char *to, size_t size)
{
	size_t used = 0;

	if (size < 3)
		goto too_long;
	to[used++] = '"';
	for (const char *c = value; *c; c++) {
		bool is_special = strchr("$`\"\\", *c) != NULL;

		if (used + is_special + 3 > size)
			goto too_long;
		if (is_special)
			to[used++] = '\\';
		to[used++] = *c;
	}
	to[used++] = '"';
	to[used] = '\0';
	return true;

too_long:
	if (size)
		to[0] = '\0';
	return false;
}
