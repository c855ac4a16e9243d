/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

/*
 * value.h - one word of a directive, between text and a member of a struct
 *
 * A struct conf_value describes the word: its kind, its range and where it goes.  Reading,
 * printing and the sentence "expected ..." all use that description, so what is printed can be
 * read again and gives the same value, bit for bit: decimal numbers become integers of a fixed
 * unit (ns for lengths of time, 1e-15 for rates) without passing through floating point.
 * No locale, no hexadecimal, no infinity; more digits than the unit holds are rounded.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/slice.h"

enum conf_kind {
	CONF_NONE,    /* ends a list of values                                                */
	CONF_INT,     /* whole number                                           -> int        */
	CONF_COUNT,   /* whole number, not negative                             -> unsigned   */
	CONF_SECONDS, /* decimal number of seconds: chrony's unit               -> vt_span    */
	CONF_PPM,     /* decimal number of parts per million: chrony's unit     -> vt_rate    */
	CONF_SPAN,    /* whole number with its unit: ns us ms s min h           -> vt_span    */
	CONF_RATE,    /* whole number with its unit: ppb ppm                    -> vt_rate    */
	CONF_DECIMAL, /* decimal number without a unit                          -> double     */
	CONF_TEXT,    /* a word of at most `max` bytes                          -> char[]     */
	CONF_PATH,    /* the same, from / : a daemon leaves the folder it began in -> char[]     */
	CONF_REFID,   /* one to four printable characters, first in the top byte -> uint32_t  */
	CONF_ADDRESS, /* an IPv4 or IPv6 address                                -> char[]     */
	CONF_SWITCH,  /* on or off                                              -> bool       */
	CONF_PORT,    /* on, off, or a port from CONF_PORT_MIN to max; on is `min` -> unsigned, off is 0 */
	CONF_CHOICE,  /* one of `choices`, stored by its index                  -> an enum    */
	CONF_FLAGS,   /* one of `choices`, added as 1 << index                  -> unsigned   */
};

/* Room for any value as text: the `max` of a CONF_TEXT is below it. */
#define CONF_WORD_MAX 512

/* Where a member stands in a struct, so that 0 means: nowhere. */
#define CONF_AT(type, member) (offsetof(type, member) + 1)

struct conf_value {
	enum conf_kind kind;
	const char *name; /* for people: THRESHOLD                                            */
	size_t at;        /* CONF_AT; 0: the word is checked and not kept                     */
	int64_t min, max; /* numbers: the number, ns, 1e-15, 1e-9 of a decimal; text: `max` bytes */
	const char *const *choices; /* names in the order of the enum or the bits, then NULL  */
};

#define CONF_PORT_MIN      1024 /* below it a port takes privileges that a daemon has given up */
#define CONF_NS_PER_S      INT64_C(1000000000)
#define CONF_UNITS_PER_PPM INT64_C(1000000000) /* 1e-15 per 1e-6 */
#define CONF_UNITS_PER_ONE INT64_C(1000000000) /* of a CONF_DECIMAL */

/* A decimal up to this survives being a double, to the last 1e-9. */
#define CONF_DECIMAL_MAX (1000000 * CONF_UNITS_PER_ONE)

/* Room for an address as text. */
#define CONF_ADDRESS_MAX 46

/* Stores @s in @target.  False, and @target untouched, where it is not what @value describes. */
bool conf_value_read(const struct conf_value *value, struct slice s, void *target) must_check;

/*
 * Writes the value in @target as it is to be read again; "" for an empty text or refid 0.  @size is
 * at least CONF_WORD_MAX.  Returns @to.
 */
const char *conf_value_format(const struct conf_value *value, const void *target, char *to,
			      size_t size);

/* Writes what conf_value_read accepts: "a whole number from -7 to 24".  Returns @to. */
const char *conf_value_expected(const struct conf_value *value, char *to, size_t size);

#endif
