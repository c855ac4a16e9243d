/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_TEXT_H
#define HOSTD_TEXT_H

/*
 * text.h - a text that grows
 *
 * For answers of a megabyte that are written piece by piece.  Running out of memory is
 * remembered and told once, at the end: text_take().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/units.h"

struct text {
	char *p;
	size_t n, size;
	bool is_broken; /* something did not fit into memory */
};

#define TEXT_INIT         \
	{                 \
		.p = NULL \
	}

void text_add(struct text *t, const char *p, size_t n);
void text_put(struct text *t, const char *s);
void text_int(struct text *t, int64_t value);

/* In seconds, exact: "-1.5", "0.000000001". */
void text_seconds(struct text *t, vt_span span);

/*
 * A foreign string for a label's value of Prometheus, or for JSON, without the quotes around it.
 * Bytes that are not UTF-8 and control characters become '?': one guest's name must not make the
 * whole answer unreadable.
 */
void text_escaped(struct text *t, const char *s);

/*
 * 0, and the text with a NUL behind its @ret_n bytes is the caller's to free(); or -ENOMEM and
 * outputs untouched.  Either way @t is empty again.
 */
int text_take(struct text *t, char **ret, size_t *ret_n) must_check;

#endif
