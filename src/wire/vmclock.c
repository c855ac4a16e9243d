/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/vmclock.h"

#define MAGIC   UINT32_C(0x4b4c4356) /* "VCLK" */
#define VERSION 1

#define SHIFT_MAX 63 /* beyond that a count would be shorter than 2^-63 s: no counter */

#define NS_PER_S UINT64_C(1000000000)

/* The page's flags. */
#define HAS_TAI_OFFSET   (UINT64_C(1) << 0)
#define HAS_PERIOD_ERROR (UINT64_C(1) << 4)
#define HAS_TIME_ERROR   (UINT64_C(1) << 6)
#define HAS_GENERATION   (UINT64_C(1) << 8)
#define IS_NOTIFIED      (UINT64_C(1) << 9)

static uint64_t get(const unsigned char *bytes, size_t at, size_t n)
{
	uint64_t value = 0;

	for (size_t i = n; i > 0; i--)
		value = value << 8 | bytes[at + i - 1];
	return value;
}

static uint32_t get32(const unsigned char *bytes, size_t at)
{
	return (uint32_t)get(bytes, at, 4);
}

static uint64_t get64(const unsigned char *bytes, size_t at)
{
	return get(bytes, at, 8);
}

/* s16, two's complement. */
static int64_t get_signed16(const unsigned char *bytes, size_t at)
{
	int64_t value = (int64_t)get(bytes, at, 2);

	return value < 0x8000 ? value : value - 0x10000;
}

static struct vmclock_page take_apart(const unsigned char *b, size_t size)
{
	uint64_t flags = get64(b, 0x18);
	bool has_generation = size >= VMCLOCK_BYTES && (flags & HAS_GENERATION);

	return (struct vmclock_page){
		.sequence = get32(b, VMCLOCK_SEQUENCE_AT),
		.marker = get64(b, VMCLOCK_MARKER_AT),
		.has_generation = has_generation,
		.generation = has_generation ? get64(b, 0x68) : 0,
		.is_notified = flags & IS_NOTIFIED,
		.counter = b[0x0a],
		.time_type = b[0x0b],
		.status = b[0x22],
		.leap = b[0x26],
		.has_tai_offset = flags & HAS_TAI_OFFSET,
		.utc_minus_tai = VT_SEC(get_signed16(b, 0x24)),
		.has_time_error = flags & HAS_TIME_ERROR,
		.has_period_error = flags & HAS_PERIOD_ERROR,
		.counter_value = get64(b, 0x28),
		.period_shift = b[0x27],
		.period = get64(b, 0x30),
		.period_error = get64(b, 0x40),
		.time_s = get64(b, 0x48),
		.time_fraction = get64(b, 0x50),
		.time_error_ns = get64(b, 0x60),
	};
}

enum vmclock_outcome vmclock_decode(const void *bytes, size_t length, struct vmclock_page *ret)
{
	const unsigned char *b = bytes;
	size_t size;

	if (length < VMCLOCK_BYTES_FIRST)
		return VMCLOCK_TOO_SMALL;
	if (get32(b, 0x00) != MAGIC)
		return VMCLOCK_NO_MAGIC;
	size = get32(b, 0x04);
	if (size < VMCLOCK_BYTES_FIRST)
		return VMCLOCK_TOO_SMALL;
	if (get(b, 0x08, 2) != VERSION)
		return VMCLOCK_BAD_VERSION;
	if (b[VMCLOCK_SEQUENCE_AT] & 1)
		return VMCLOCK_WRITING;
	*ret = take_apart(b, size < length ? size : length);
	return VMCLOCK_READ;
}

const char *vmclock_explain(enum vmclock_outcome outcome)
{
	switch (outcome) {
	case VMCLOCK_READ: return "is as it should be";
	case VMCLOCK_WRITING: return "is being written without end";
	case VMCLOCK_NO_MAGIC: return "is not a vmclock page";
	case VMCLOCK_TOO_SMALL: return "is too small";
	case VMCLOCK_BAD_VERSION: return "is of a version that is not known";
	}
	return "";
}

static bool is_utc(const struct vmclock_page *p)
{
	return p->time_type == VMCLOCK_UTC || (p->time_type == VMCLOCK_TAI && p->has_tai_offset);
}

enum vmclock_clock vmclock_as_clock(const struct vmclock_page *p, enum vmclock_counter counter)
{
	if (p->counter == VMCLOCK_NO_COUNTER)
		return VMCLOCK_WITHOUT_TIME;
	if (p->counter != (unsigned)counter || counter == VMCLOCK_NO_COUNTER)
		return VMCLOCK_OTHER_COUNTER;
	if (!is_utc(p))
		return VMCLOCK_NOT_UTC;
	if (p->status != VMCLOCK_SYNCHRONIZED && p->status != VMCLOCK_FREERUNNING)
		return VMCLOCK_NOT_TRUSTED;
	if (!p->has_time_error || !p->has_period_error)
		return VMCLOCK_WITHOUT_ERROR;
	if (p->period == 0 || p->period_shift > SHIFT_MAX)
		return VMCLOCK_IMPOSSIBLE;
	if (p->time_type == VMCLOCK_UTC && p->leap == VMCLOCK_LEAP_POSITIVE_NOW)
		return VMCLOCK_LEAPING;
	return VMCLOCK_CLOCK;
}

const char *vmclock_explain_clock(enum vmclock_clock clock)
{
	switch (clock) {
	case VMCLOCK_CLOCK: return "tells the time";
	case VMCLOCK_WITHOUT_TIME: return "tells no time";
	case VMCLOCK_OTHER_COUNTER: return "tells the time by a counter that cannot be read";
	case VMCLOCK_NOT_UTC: return "tells a time that is not UTC";
	case VMCLOCK_NOT_TRUSTED: return "tells a time that its host does not vouch for";
	case VMCLOCK_WITHOUT_ERROR: return "does not tell how wrong its time can be";
	case VMCLOCK_IMPOSSIBLE: return "tells a time that no counter can have";
	case VMCLOCK_LEAPING: return "is in a leap second";
	}
	return "";
}

/* 128 bits without a type for them: not every compiler has one. */
struct wide {
	uint64_t high, low;
};

static struct wide multiply(uint64_t a, uint64_t b)
{
	const uint64_t half = UINT32_MAX;
	uint64_t low = (a & half) * (b & half);
	uint64_t one = (a >> 32) * (b & half) + (low >> 32);
	uint64_t two = (a & half) * (b >> 32) + (one & half);

	return (struct wide){
		.high = (a >> 32) * (b >> 32) + (one >> 32) + (two >> 32),
		.low = two << 32 | (low & half),
	};
}

/* @counts of @period each: seconds, and 2^-64 s.  @shift: at most SHIFT_MAX. */
static struct wide last(uint64_t counts, uint64_t period, unsigned shift)
{
	struct wide w = multiply(counts, period);

	if (shift == 0)
		return w;
	return (struct wide){
		.high = w.high >> shift,
		.low = w.high << (64 - shift) | w.low >> shift,
	};
}

static struct wide add(struct wide a, struct wide b, bool *ret_overflows)
{
	uint64_t low = a.low + b.low;
	uint64_t high;
	bool overflows = __builtin_add_overflow(a.high, b.high, &high);

	overflows |= __builtin_add_overflow(high, (uint64_t)(low < a.low), &high);
	*ret_overflows = overflows;
	return (struct wide){ high, low };
}

/* Rounded down.  False where it does not fit. */
static bool to_ns(struct wide time, int64_t *ret_ns)
{
	uint64_t ns;

	if (__builtin_mul_overflow(time.high, NS_PER_S, &ns) ||
	    __builtin_add_overflow(ns, multiply(time.low, NS_PER_S).high, &ns) || ns > INT64_MAX)
		return false;
	*ret_ns = (int64_t)ns;
	return true;
}

/* What both errors come to after @counts; for ever where that is more than fits. */
static vt_span radius_after(const struct vmclock_page *p, uint64_t counts)
{
	vt_span drifted = VT_SPAN_MAX;

	(void)to_ns(last(counts, p->period_error, p->period_shift), &drifted.ns);
	if (p->time_error_ns > INT64_MAX)
		return VT_SPAN_MAX;
	/* The error's part of a nanosecond, and the time's, which are both rounded down. */
	return vt_span_add(vt_span_add(VT_NS((int64_t)p->time_error_ns), drifted), VT_NS(2));
}

bool vmclock_time_at(const struct vmclock_page *p, uint64_t value, vt_real *ret,
                     vt_span *ret_radius)
{
	uint64_t counts = value - p->counter_value;
	struct wide reference = { p->time_s, p->time_fraction };
	bool overflows;
	int64_t ns;

	if (value < p->counter_value)
		return false;

	struct wide time = add(reference, last(counts, p->period, p->period_shift), &overflows);

	if (overflows || !to_ns(time, &ns))
		return false;
	*ret = (vt_real){ ns };
	if (p->time_type == VMCLOCK_TAI)
		*ret = vt_real_add(*ret, p->utc_minus_tai);
	*ret_radius = radius_after(p, counts);
	return true;
}
