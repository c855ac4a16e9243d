/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_fini(struct text *t)
{
	free(t->p);
	*t = (struct text){ 0 };
}

/* Room for @more bytes and a terminator. */
static bool make_room(struct text *t, size_t more)
{
	size_t size = t->size ? t->size : 256;
	char *p;

	while (size < t->n + more + 1)
		size *= 2;
	if (size == t->size)
		return true;
	p = t->has_failed ? NULL : realloc(t->p, size);
	if (!p) {
		text_fini(t);
		t->has_failed = true;
		return false;
	}
	t->p = p;
	t->size = size;
	return true;
}

void text_add(struct text *t, struct slice bytes)
{
	if (!make_room(t, bytes.n))
		return;
	if (bytes.n)
		memcpy(t->p + t->n, bytes.p, bytes.n);
	t->n += bytes.n;
	t->p[t->n] = '\0';
}

void text_addf(struct text *t, const char *format, ...)
{
	char line[1024], *longer;
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	if (n >= 0 && (size_t)n < sizeof line) {
		text_add(t, (struct slice){ line, (size_t)n });
		return;
	}
	va_start(arguments, format);
	n = vasprintf(&longer, format, arguments);
	va_end(arguments);
	if (n < 0) {
		text_fini(t);
		t->has_failed = true;
		return;
	}
	text_add(t, (struct slice){ longer, (size_t)n });
	free(longer);
}

int text_take(struct text *t, char **ret, size_t *ret_n)
{
	text_add(t, (struct slice){ "", 0 }); /* so that there are bytes, if only a terminator */
	if (t->has_failed) {
		t->has_failed = false;
		return -ENOMEM;
	}
	*ret = t->p;
	*ret_n = t->n;
	*t = (struct text){ 0 };
	return 0;
}
