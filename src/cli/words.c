/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/words.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/attr.h"

const char *words_safe(const char *text, char *to, size_t size)
{
	size_t used = 0;

	/* Each turn adds at most four bytes, and the terminator needs one. */
	for (size_t i = 0; text[i] && used + 5 <= size; i++) {
		const unsigned char c = (unsigned char)text[i];

		if (c < ' ' || c > '~' || c == '\\')
			used += (size_t)snprintf(to + used, 5, "\\x%02x", c);
		else
			to[used++] = (char)c;
	}
	to[used] = '\0';
	return to;
}

/* Below a minute: about three digits.  @is_bound: rounded up. */
static void short_span(char *to, double ns, bool is_bound)
{
	static const struct {
		double unit_ns;
		const char *name;
	} units[] = { { 1, "ns" }, { 1e3, "us" }, { 1e6, "ms" }, { 1e9, "s" } };
	size_t u = 0, n;

	while (u + 1 < COUNT(units) && ns >= 999.5 * units[u].unit_ns)
		u++;

	const double value = ns / units[u].unit_ns;
	const int digits = u == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
	const double step = pow(10, -digits);
	/* Without the hair, 4.57 would be rounded up to 4.58 for its last binary digit. */
	const double shown = is_bound ? fmax(0, ceil(value / step - 1e-9)) * step : value;

	/* "1 s", not "1.00 s". */
	n = (size_t)snprintf(to, WORDS_SPAN_MAX, "%.*f", digits, shown);
	while (digits > 0 && (to[n - 1] == '0' || to[n - 1] == '.'))
		if (to[--n] == '.')
			break;
	snprintf(to + n, WORDS_SPAN_MAX - n, " %s", units[u].name);
}

/* @s, or the next multiple of @unit when it must not be less. */
static uint64_t rounded(uint64_t s, uint64_t unit, bool is_bound)
{
	return is_bound ? (s + unit - 1) / unit * unit : s;
}

static const char *span_or_bound(char *to, vt_span span, bool is_bound)
{
	const uint64_t ns = span.ns < 0 ? 0 - (uint64_t)span.ns : (uint64_t)span.ns;
	uint64_t s = ns / 1000000000 + (is_bound && ns % 1000000000 ? 1 : 0);

	if (ns == INT64_MAX) {
		snprintf(to, WORDS_SPAN_MAX, "for ever");
	} else if (ns < UINT64_C(60000000000)) {
		short_span(to, (double)ns, is_bound);
	} else if (s < 3600) {
		snprintf(to, WORDS_SPAN_MAX, "%" PRIu64 " min %" PRIu64 " s", s / 60, s % 60);
	} else if (s < 86400) {
		s = rounded(s, 60, is_bound);
		snprintf(to, WORDS_SPAN_MAX, "%" PRIu64 " h %" PRIu64 " min", s / 3600,
		         s / 60 % 60);
	} else {
		s = rounded(s, 3600, is_bound);
		snprintf(to, WORDS_SPAN_MAX, "%" PRIu64 " d %" PRIu64 " h", s / 86400,
		         s / 3600 % 24);
	}
	return to;
}

const char *words_span(char to[WORDS_SPAN_MAX], vt_span span)
{
	return span_or_bound(to, span, false);
}

const char *words_bound(char to[WORDS_SPAN_MAX], vt_span span)
{
	return span_or_bound(to, span, true);
}

const char *words_time(char to[WORDS_TIME_MAX], vt_real at)
{
	const time_t s = (time_t)(at.ns / 1000000000 - (at.ns % 1000000000 < 0 ? 1 : 0));
	struct tm tm;

	if (!gmtime_r(&s, &tm) || strftime(to, WORDS_TIME_MAX, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		snprintf(to, WORDS_TIME_MAX, "?");
	return to;
}

const char *words_method(const char *method)
{
	/* clang-format off */
	static const struct {
		const char *name, *meaning;
	} methods[] = {
		{ "precise",  "precise: both clocks read at one instant by the hardware"            },
		{ "extended", "extended: each value bracketed by the kernel"                        },
		{ "basic",    "basic: each value bracketed by vmtimed itself, about a microsecond"  },
		{ "vmclock",  "vmclock: the processor's counter, by the page of the host"           },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(methods); i++)
		if (strcmp(method, methods[i].name) == 0)
			return methods[i].meaning;
	return method;
}
