/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

/*
 * slice.h - a borrowed piece of text: pointer and length, no terminator
 *
 * Parsers take slices, so that they never read past what they were given and
 * never copy.  A slice borrows: whoever owns the bytes must outlive it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
	const char *p;
	size_t n;
};

/* Borrows a terminated string. */
struct slice slice_of(const char *text);

/* Returns what stands before the first @at and moves *@rest behind it; all of it where there is none. */
struct slice slice_cut(struct slice *rest, char at);

/* Without blanks (space, tab, CR, LF, VT, FF) at both ends. */
struct slice slice_trim(struct slice s);

/* Takes the next blank-separated word off *@rest; empty when there is none. */
struct slice slice_word(struct slice *rest);

bool slice_equals(struct slice s, const char *text);

/* As slice_equals, with A-Z and a-z alike (ASCII only, no locale). */
bool slice_equals_nocase(struct slice s, const char *text);

/* Copies with a terminator.  False, and *@to untouched, where it does not fit or holds a NUL. */
bool slice_copy(struct slice s, char *to, size_t size);

/*
 * Reads all of @s as a decimal number: optional sign, digits, for the double also a fraction and
 * an exponent.  No locale, no hexadecimal, no infinity.  False, and *@ret untouched, for anything
 * else and for what does not fit; the eighteen first digits count.
 */
bool slice_to_int(struct slice s, int64_t *ret);
bool slice_to_double(struct slice s, double *ret);

/*
 * Reads as slice_to_double and gives the number x 10^@scale as an integer, rounded half away from
 * zero: exact where a double is not.  False, and *@ret untouched, also where it does not fit.
 */
bool slice_to_scaled(struct slice s, int scale, int64_t *ret);

#endif
