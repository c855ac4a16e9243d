/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/agent_reader.h"

#define RESET_BYTE '\xff'

/* In qemu-ga's words, where it has them: programs look for them. */
#define WHY_STRAY "JSON parse error, stray '\xef\xbf\xbd'"
#define WHY_WORD  "JSON parse error, expecting an object"
#define WHY_DEEP  "JSON nesting depth limit exceeded"
#define WHY_LONG  "JSON token size limit exceeded"

void agent_reader_reset(struct agent_reader *r)
{
	r->state = AGENT_READER_OUTSIDE;
	r->depth = 0;
	r->is_in_string = r->is_escaped = false;
	r->used = 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool opens(char c)
{
	return c == '{' || c == '[';
}

static const char *skip(struct agent_reader *r, const char *why)
{
	r->state = AGENT_READER_SKIPPING;
	return why;
}

/* One byte of a request.  NULL, or why it is none. */
static const char *take_inside(struct agent_reader *r, char c)
{
	if (r->used == sizeof r->bytes)
		return skip(r, WHY_LONG);
	r->bytes[r->used++] = c;
	if (r->is_in_string) {
		if (r->is_escaped)
			r->is_escaped = false;
		else if (c == '\\')
			r->is_escaped = true;
		else if (c == '"')
			r->is_in_string = false;
		return NULL;
	}
	if (c == '"')
		r->is_in_string = true;
	else if (opens(c) && ++r->depth > AGENT_READER_DEPTH)
		return skip(r, WHY_DEEP);
	else if (c == '}' || c == ']')
		r->depth--;
	return NULL;
}

static const char *take(struct agent_reader *r, char c)
{
	if (c == RESET_BYTE) {
		agent_reader_reset(r);
		return WHY_STRAY;
	}
	switch (r->state) {
	case AGENT_READER_INSIDE: return take_inside(r, c);
	case AGENT_READER_SKIPPING:
		if (c == '\n')
			agent_reader_reset(r);
		return NULL;
	case AGENT_READER_IN_WORD:
		if (is_blank(c))
			agent_reader_reset(r);
		if (!opens(c))
			return NULL;
		break;
	case AGENT_READER_OUTSIDE:
		if (is_blank(c))
			return NULL;
		if (!opens(c)) {
			r->state = AGENT_READER_IN_WORD;
			return WHY_WORD;
		}
		break;
	}
	agent_reader_reset(r);
	r->state = AGENT_READER_INSIDE;
	return take_inside(r, c);
}

enum agent_reader_outcome agent_reader_feed(struct agent_reader *r, struct slice input,
                                            size_t *ret_taken, struct slice *ret_request,
                                            const char **ret_why)
{
	for (size_t i = 0; i < input.n; i++) {
		const char *why = take(r, input.p[i]);

		*ret_taken = i + 1;
		if (why) {
			*ret_why = why;
			return AGENT_READER_BAD;
		}
		if (r->state == AGENT_READER_INSIDE && r->depth == 0) {
			*ret_request = (struct slice){ r->bytes, r->used };
			agent_reader_reset(r);
			return AGENT_READER_REQUEST;
		}
	}
	*ret_taken = input.n;
	return AGENT_READER_MORE;
}
