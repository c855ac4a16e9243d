/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

/*
 * units.h - quantities as types
 *
 * Each quantity is its own one-member struct whose member name is the unit, so
 * that an instant on one clock cannot be passed where an instant on another, or
 * a length, is meant.  Instants are integer nanoseconds; a double holds only
 * rates.  Arithmetic saturates and never wraps: a saturated length is "for
 * ever", which is the safe answer wherever vmtime asks "how long".
 */

#include <stdint.h>

typedef struct {
	int64_t ns;
} vt_span; /* a length of time, may be negative */

typedef struct {
	int64_t ns;
} vt_mono; /* instant on CLOCK_MONOTONIC_RAW, which nothing steers */

typedef struct {
	int64_t ns;
} vt_real; /* instant since 1970-01-01 UTC, not counting leap seconds, as CLOCK_REALTIME */

typedef struct {
	double ppb;
} vt_rate; /* fractional frequency, 1e-9 */

#define VT_NS(n)  ((vt_span){ (n) })
#define VT_US(n)  ((vt_span){ (n) * INT64_C(1000) })
#define VT_MS(n)  ((vt_span){ (n) * INT64_C(1000000) })
#define VT_SEC(n) ((vt_span){ (n) * INT64_C(1000000000) })
#define VT_PPM(n) ((vt_rate){ (n) * 1e3 })

#define VT_SPAN_MAX   ((vt_span){ INT64_MAX })
#define VT_MONO_NEVER ((vt_mono){ INT64_MAX }) /* a deadline that does not come */

static inline int64_t vt_sat_add(int64_t a, int64_t b)
{
	int64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return a < 0 ? INT64_MIN : INT64_MAX;
	return sum;
}

static inline int64_t vt_sat_sub(int64_t a, int64_t b)
{
	int64_t difference;

	if (__builtin_sub_overflow(a, b, &difference))
		return a < 0 ? INT64_MIN : INT64_MAX;
	return difference;
}

static inline vt_span vt_span_add(vt_span a, vt_span b)
{
	return (vt_span){ vt_sat_add(a.ns, b.ns) };
}

static inline vt_span vt_span_sub(vt_span a, vt_span b)
{
	return (vt_span){ vt_sat_sub(a.ns, b.ns) };
}

static inline vt_span vt_span_abs(vt_span a)
{
	return (vt_span){ a.ns < 0 ? vt_sat_sub(0, a.ns) : a.ns };
}

static inline vt_span vt_span_min(vt_span a, vt_span b)
{
	return a.ns < b.ns ? a : b;
}

static inline vt_span vt_span_max(vt_span a, vt_span b)
{
	return a.ns > b.ns ? a : b;
}

/* The length from @earlier to @later; negative when the names lie. */
static inline vt_span vt_mono_since(vt_mono later, vt_mono earlier)
{
	return (vt_span){ vt_sat_sub(later.ns, earlier.ns) };
}

static inline vt_mono vt_mono_add(vt_mono at, vt_span span)
{
	return (vt_mono){ vt_sat_add(at.ns, span.ns) };
}

static inline vt_mono vt_mono_min(vt_mono a, vt_mono b)
{
	return a.ns < b.ns ? a : b;
}

static inline vt_span vt_real_since(vt_real later, vt_real earlier)
{
	return (vt_span){ vt_sat_sub(later.ns, earlier.ns) };
}

static inline vt_real vt_real_add(vt_real at, vt_span span)
{
	return (vt_real){ vt_sat_add(at.ns, span.ns) };
}

/* Seconds as a double, for rates and filter internals; never for an instant. */
static inline double vt_span_seconds(vt_span span)
{
	return (double)span.ns / 1e9;
}

/* Rounds to the nearest nanosecond and saturates; NaN becomes 0. */
static inline vt_span vt_span_from_ns(double ns)
{
	int64_t whole;
	double rest;

	if (!(ns == ns))
		return (vt_span){ 0 };
	if (ns >= 0x1p63)
		return (vt_span){ INT64_MAX };
	if (ns <= -0x1p63)
		return (vt_span){ INT64_MIN };
	/* Not (int64_t)(ns + 0.5): above 2^52 that sum itself rounds, to the next even number. */
	whole = (int64_t)ns;
	rest = ns - (double)whole;
	return (vt_span){ whole + (rest >= 0.5) - (rest <= -0.5) };
}

/* How far a clock that is off by @rate strays in @elapsed; signed. */
static inline vt_span vt_rate_over(vt_rate rate, vt_span elapsed)
{
	return vt_span_from_ns((double)elapsed.ns * rate.ppb / 1e9);
}

#endif
