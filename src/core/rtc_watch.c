/* SPDX-License-Identifier: Apache-2.0 */
#include "core/rtc_watch.h"

/* With a source it is only remembered; without one a pause must not go unnoticed for long. */
#define WITH_SOURCE    VT_SEC(60)
#define WITHOUT_SOURCE VT_SEC(10)

/* The second look must be another second of the RTC's. */
#define AGAIN VT_MS(1100)

/* Each of two looks is right to half a second; a crystal does nothing in the time between them. */
#define SUDDEN VT_SEC(2)
#define AGREES VT_MS(1100)

void rtc_watch_init(struct rtc_watch *w, vt_mono now)
{
	*w = (struct rtc_watch){ .next = now };
}

vt_mono rtc_watch_deadline(const struct rtc_watch *w)
{
	return w->next;
}

void rtc_watch_miss(struct rtc_watch *w, vt_mono now)
{
	w->next = vt_mono_add(now, WITHOUT_SOURCE);
}

/* By how much more the RTC advanced from @a to @b than CLOCK_MONOTONIC_RAW did. */
static vt_span ran_on(const struct rtc_look *a, const struct rtc_look *b)
{
	return vt_span_sub(vt_real_since(b->rtc, a->rtc), vt_mono_since(b->raw, a->raw));
}

/* What our clock lacks by the RTC, if it was right when @a was looked at. */
static vt_span lacks(const struct rtc_look *a, const struct rtc_look *b)
{
	return vt_span_sub(vt_real_since(b->rtc, a->rtc), vt_real_since(b->local, a->local));
}

static enum rtc_verdict remember(struct rtc_watch *w, const struct rtc_look *look, vt_span next)
{
	w->is_started = true;
	w->is_suspected = false;
	w->before = *look;
	w->next = vt_mono_add(look->raw, next);
	return RTC_WATCH_QUIET;
}

enum rtc_verdict rtc_watch_look(struct rtc_watch *w, const struct rtc_look *look, bool has_source,
                                vt_span *ret_correction)
{
	vt_span sudden;

	if (has_source || !w->is_started)
		return remember(w, look, has_source ? WITH_SOURCE : WITHOUT_SOURCE);
	sudden = ran_on(&w->before, look);
	if (vt_span_abs(sudden).ns <= SUDDEN.ns)
		return remember(w, look, WITHOUT_SOURCE);
	if (!w->is_suspected ||
	    vt_span_abs(vt_span_sub(sudden, w->suspected)).ns > AGREES.ns) {
		w->is_suspected = true;
		w->suspected = sudden;
		w->next = vt_mono_add(look->raw, AGAIN);
		return RTC_WATCH_SUSPECTED;
	}
	*ret_correction = lacks(&w->before, look);
	(void)remember(w, look, WITHOUT_SOURCE);
	return RTC_WATCH_JUMPED;
}
