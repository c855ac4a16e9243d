/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/line_diff.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CONTEXT   3
#define CELLS_MAX 4000000u /* of the table of common lengths: 16 MB */

struct lines {
	struct slice *at; /* each with its LF, if it has one */
	size_t n;
};

/* One line of the result: kept (in both), taken away or added. */
struct change {
	char kind; /* ' ', '-', '+' */
	struct slice line;
};

struct script {
	struct change *list;
	size_t n;
};

static bool split(struct slice text, struct lines *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n' || i + 1 == text.n;
	ret->at = calloc(n + 1, sizeof *ret->at);
	ret->n = 0;
	if (!ret->at)
		return false;
	while (text.n) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t length = end ? (size_t)(end - text.p) + 1 : text.n;

		ret->at[ret->n++] = (struct slice){ text.p, length };
		text.p += length;
		text.n -= length;
	}
	return true;
}

static bool are_equal(struct slice a, struct slice b)
{
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static void put(struct script *s, char kind, struct slice line)
{
	s->list[s->n++] = (struct change){ kind, line };
}

static void put_exchanged(struct script *s, const struct lines *a, const struct lines *b)
{
	for (size_t i = 0; i < a->n; i++)
		put(s, '-', a->at[i]);
	for (size_t j = 0; j < b->n; j++)
		put(s, '+', b->at[j]);
}

/* Compares what is left between the common beginning and the common end. */
static void put_middle(struct script *s, const struct lines *a, const struct lines *b)
{
	size_t width = b->n + 1, i = 0, j = 0;
	uint32_t *common;

	/* common[i * width + j]: how many lines a[i..] and b[j..] have in common, in order. */
	common = (a->n + 1) <= CELLS_MAX / width ? calloc((a->n + 1) * width, sizeof *common) : NULL;
	if (!common) {
		put_exchanged(s, a, b);
		return;
	}
	for (size_t x = a->n; x-- > 0;)
		for (size_t y = b->n; y-- > 0;) {
			uint32_t down = common[(x + 1) * width + y], right = common[x * width + y + 1];

			common[x * width + y] = are_equal(a->at[x], b->at[y])
			                        ? common[(x + 1) * width + y + 1] + 1
			                        : down > right ? down : right;
		}
	while (i < a->n || j < b->n) {
		if (i < a->n && j < b->n && are_equal(a->at[i], b->at[j])) {
			put(s, ' ', a->at[i++]);
			j++;
		} else if (i < a->n && (j == b->n || common[(i + 1) * width + j] >= common[i * width + j + 1])) {
			put(s, '-', a->at[i++]);
		} else {
			put(s, '+', b->at[j++]);
		}
	}
	free(common);
}

static bool compare(const struct lines *a, const struct lines *b, struct script *ret)
{
	size_t head = 0, tail = 0;
	struct lines left, right;

	*ret = (struct script){ calloc(a->n + b->n + 1, sizeof *ret->list), 0 };
	if (!ret->list)
		return false;
	while (head < a->n && head < b->n && are_equal(a->at[head], b->at[head]))
		head++;
	while (tail < a->n - head && tail < b->n - head &&
	       are_equal(a->at[a->n - 1 - tail], b->at[b->n - 1 - tail]))
		tail++;
	for (size_t i = 0; i < head; i++)
		put(ret, ' ', a->at[i]);
	left = (struct lines){ a->at + head, a->n - head - tail };
	right = (struct lines){ b->at + head, b->n - head - tail };
	put_middle(ret, &left, &right);
	for (size_t i = a->n - tail; i < a->n; i++)
		put(ret, ' ', a->at[i]);
	return true;
}

/* The end of the hunk that the change at @from begins: what is kept for long ends it. */
static size_t find_end(const struct script *s, size_t from)
{
	size_t kept = 0, end = from;

	for (size_t i = from; i < s->n; i++) {
		if (s->list[i].kind != ' ') {
			kept = 0;
			end = i + 1;
		} else if (++kept > 2 * CONTEXT) {
			break;
		}
	}
	return s->n - end > CONTEXT ? end + CONTEXT : s->n;
}

/* "12,3": where there are no lines, the number of the line before. */
static void put_range(struct text *to, char sign, size_t first, size_t n)
{
	text_addf(to, "%c%zu", sign, n ? first : first - 1);
	if (n != 1)
		text_addf(to, ",%zu", n);
}

static void put_hunk(struct text *to, const struct script *s, size_t from, size_t end, size_t old,
		     size_t new)
{
	size_t n_old = 0, n_new = 0;

	for (size_t i = from; i < end; i++) {
		n_old += s->list[i].kind != '+';
		n_new += s->list[i].kind != '-';
	}
	text_addf(to, "@@ ");
	put_range(to, '-', old, n_old);
	text_addf(to, " ");
	put_range(to, '+', new, n_new);
	text_addf(to, " @@\n");
	for (size_t i = from; i < end; i++) {
		struct slice line = s->list[i].line;

		text_addf(to, "%c", s->list[i].kind);
		text_add(to, line);
		if (line.p[line.n - 1] != '\n')
			text_addf(to, "\n\\ No newline at end of file\n");
	}
}

static void put_hunks(struct text *to, const struct script *s)
{
	size_t old = 1, new = 1, done = 0;

	for (size_t i = 0; i < s->n; i++) {
		size_t from, end;

		if (s->list[i].kind == ' ')
			continue;
		from = i - done > CONTEXT ? i - CONTEXT : done;
		end = find_end(s, i);
		for (; done < from; done++) {
			old++;
			new++;
		}
		put_hunk(to, s, from, end, old, new);
		for (; done < end; done++) {
			old += s->list[done].kind != '+';
			new += s->list[done].kind != '-';
		}
		i = end - 1;
	}
}

void line_diff(struct text *to, const char *old_name, const char *new_name, struct slice before,
	       struct slice after)
{
	struct lines a = { 0 }, b = { 0 };
	struct script script = { 0 };

	if (before.n == after.n && (!before.n || memcmp(before.p, after.p, before.n) == 0))
		return;
	text_addf(to, "--- %s\n+++ %s\n", old_name, new_name);
	if (split(before, &a) && split(after, &b) && compare(&a, &b, &script))
		put_hunks(to, &script);
	else
		to->has_failed = true;
	free(a.at);
	free(b.at);
	free(script.list);
}
