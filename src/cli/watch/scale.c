/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/watch/scale.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/attr.h"

#define S   INT64_C(1000000000)
#define MIN (60 * S)
#define H   (60 * MIN)
#define D   (24 * H)

/* What people call round, in rising order; a scale ends at one of these. */
static const struct round {
	int64_t ns;
	bool is_decade; /* worth a label though it is not the top */
} ROUND[] = {
	/* clang-format off */
	{ 1, true },           { 2, false },           { 5, false },
	{ 10, true },          { 20, false },          { 50, false },
	{ 100, true },         { 200, false },         { 500, false },
	{ 1000, true },        { 2000, false },        { 5000, false },
	{ 10000, true },       { 20000, false },       { 50000, false },
	{ 100000, true },      { 200000, false },      { 500000, false },
	{ 1000000, true },     { 2000000, false },     { 5000000, false },
	{ 10000000, true },    { 20000000, false },    { 50000000, false },
	{ 100000000, true },   { 200000000, false },   { 500000000, false },
	{ S, true },           { 2 * S, false },       { 5 * S, false },
	{ 10 * S, true },      { 20 * S, false },      { MIN, true },
	{ 2 * MIN, false },    { 5 * MIN, false },     { 10 * MIN, true },
	{ 20 * MIN, false },   { H, true },            { 2 * H, false },
	{ 5 * H, false },      { 12 * H, false },      { D, true },
	{ 2 * D, false },      { 5 * D, false },       { 10 * D, true },
	{ 50 * D, false },     { 100 * D, true },      { 500 * D, false },
	{ 1000 * D, true },    { 10000 * D, true },    { 100000 * D, true },
	/* clang-format on */
};

struct scale scale_fit(vt_span largest, vt_span typical)
{
	const int64_t most = vt_span_abs(largest).ns, usual = vt_span_abs(typical).ns;
	struct scale s = { { 1 }, { ROUND[COUNT(ROUND) - 1].ns } };

	for (size_t i = COUNT(ROUND); i-- > 0;)
		/* With room above it, so that the edge of a band can be seen. */
		if (ROUND[i].ns / 3 * 2 >= most && ROUND[i].ns >= 10)
			s.top.ns = ROUND[i].ns;
	while (s.linear.ns * 10 <= usual && s.linear.ns * 10 < s.top.ns)
		s.linear.ns *= 10;
	return s;
}

double scale_height(const struct scale *s, vt_span offset)
{
	const double linear = (double)s->linear.ns;
	const double height = asinh((double)offset.ns / linear) / asinh((double)s->top.ns / linear);

	return height > 1 ? 1 : height < -1 ? -1 : height;
}

size_t scale_ticks(const struct scale *s, vt_span *ret, size_t max)
{
	size_t n = 0;

	for (size_t i = COUNT(ROUND); i-- > 0 && n < max;)
		if (ROUND[i].ns == s->top.ns ||
		    (ROUND[i].is_decade && ROUND[i].ns < s->top.ns && ROUND[i].ns >= s->linear.ns))
			ret[n++].ns = ROUND[i].ns;
	return n;
}

const char *scale_label(char to[SCALE_LABEL_MAX], vt_span value)
{
	static const struct {
		int64_t ns;
		const char *name;
	} units[] = { { D, "d" },        { H, "h" },     { MIN, "min" }, { S, "s" },
		      { 1000000, "ms" }, { 1000, "us" }, { 1, "ns" } };
	const int64_t ns = vt_span_abs(value).ns;

	if (ns == 0) {
		snprintf(to, SCALE_LABEL_MAX, "0");
		return to;
	}
	for (size_t i = 0; i < COUNT(units); i++)
		if (ns >= units[i].ns) {
			snprintf(to, SCALE_LABEL_MAX, "%c%" PRId64 " %s", value.ns < 0 ? '-' : '+',
			         ns / units[i].ns % 1000000, units[i].name);
			break;
		}
	return to;
}
