/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

/*
 * words.h - values as people say them
 *
 * Every string that came over the socket passes words_safe on its way to the
 * terminal: a device's name must not move the cursor.
 */

#include <stddef.h>

#include "base/units.h"

#define WORDS_SAFE_MAX (256 * 4 + 1) /* room for any text of a report, however it is escaped */
#define WORDS_SPAN_MAX 48
#define WORDS_TIME_MAX 48

/* Returns @to: @text with everything but printable ASCII, and '\', as \xNN. */
const char *words_safe(const char *text, char *to, size_t size);

/*
 * Returns @to: "912 ns", "12.3 us", "4.56 ms", "10.002 s", "3 min 20 s", "2 h 3 min", "5 d 4 h".
 * The magnitude alone; its sign is for the sentence to say.
 */
const char *words_span(char to[WORDS_SPAN_MAX], vt_span span);

/* As words_span, but never smaller than what it stands for. */
const char *words_bound(char to[WORDS_SPAN_MAX], vt_span span);

/* Returns @to: "2026-11-23 14:55:03 UTC". */
const char *words_time(char to[WORDS_TIME_MAX], vt_real at);

/* What a method of reading means; @method itself where it is not known here. */
const char *words_method(const char *method);

#endif
