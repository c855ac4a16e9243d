/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDIT_TEXT_H
#define AUDIT_TEXT_H

/*
 * text.h - a text that grows while it is written
 *
 * Adding does not fail: a text for which there was no memory says so once, at
 * the end, and is empty.  Begin with { 0 }.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/slice.h"

struct text {
	char *p; /* terminated; NULL until something was added */
	size_t n, size;
	bool has_failed;
};

void text_fini(struct text *t);

void text_add(struct text *t, struct slice bytes);
void text_addf(struct text *t, const char *format, ...) printf_like(2, 3);

/* Moves the bytes to the caller, who frees them.  0 or -ENOMEM; @t is empty afterwards. */
int text_take(struct text *t, char **ret, size_t *ret_n) must_check;

#endif
