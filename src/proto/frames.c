/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/frames.h"

#include <stdlib.h>
#include <string.h>

#define MARK '\xff'

void frames_init(struct frames *f)
{
	*f = (struct frames){ .kept = NULL };
}

void frames_fini(struct frames *f)
{
	free(f->kept);
	frames_init(f);
}

/* Quiet connections keep no memory. */
static void forget(struct frames *f)
{
	free(f->kept);
	f->kept = NULL;
	f->used = f->size = 0;
	f->is_taken = false;
}

/* How much of @input comes before the first LF or mark; all of it where there is neither. */
static size_t until_end(struct slice input)
{
	const char *newline = memchr(input.p, '\n', input.n);
	size_t n = newline ? (size_t)(newline - input.p) : input.n;
	const char *mark = memchr(input.p, MARK, n);

	return mark ? (size_t)(mark - input.p) : n;
}

static bool make_room(struct frames *f, size_t n)
{
	size_t size = f->size ? f->size : 1024;
	char *larger;

	if (n <= f->size)
		return true;
	while (size < n)
		size *= 2;
	larger = realloc(f->kept, size);
	if (!larger)
		return false;
	f->kept = larger;
	f->size = size;
	return true;
}

/* Puts @more behind what is kept.  False: there is no memory, and all of it is forgotten. */
static bool keep(struct frames *f, struct slice more)
{
	if (more.n == 0)
		return true;
	if (!make_room(f, f->used + more.n)) {
		forget(f);
		return false;
	}
	memcpy(f->kept + f->used, more.p, more.n);
	f->used += more.n;
	return true;
}

static struct slice without_cr(struct slice line)
{
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

/* The line ends with @last; what came before it is kept. */
static enum frame_kind end_line(struct frames *f, struct slice last, struct slice *ret)
{
	if (f->is_skipping) {
		f->is_skipping = false;
		return FRAME_NONE;
	}
	if (f->used == 0) {
		*ret = without_cr(last);
		return FRAME_LINE;
	}
	if (!keep(f, last))
		return FRAME_TOO_LONG;
	f->is_taken = true;
	*ret = without_cr((struct slice){ f->kept, f->used });
	return FRAME_LINE;
}

static enum frame_kind skip_line(struct frames *f)
{
	forget(f);
	f->is_skipping = true;
	return FRAME_TOO_LONG;
}

static void advance(struct slice *input, size_t n)
{
	input->p += n;
	input->n -= n;
}

enum frame_kind frames_next(struct frames *f, struct slice *input, struct slice *ret)
{
	if (f->is_taken)
		forget(f);
	while (input->n) {
		struct slice part = { input->p, until_end(*input) };
		enum frame_kind kind;
		char end;

		advance(input, part.n);
		if (!f->is_skipping && part.n > FRAMES_MAX - f->used)
			return skip_line(f);
		if (input->n == 0)
			return f->is_skipping || keep(f, part) ? FRAME_NONE : skip_line(f);
		end = *input->p;
		advance(input, 1);
		if (end == MARK) {
			forget(f);
			f->is_skipping = false;
			return FRAME_MARK;
		}
		kind = end_line(f, part, ret);
		if (kind != FRAME_NONE)
			return kind;
	}
	return FRAME_NONE;
}
