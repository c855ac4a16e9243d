/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/watch/history.h"

#include <math.h>
#include <string.h>

void history_init(struct history *h)
{
	h->n = 0;
	h->newest = 0;
	h->n_marks = 0;
}

static struct history_sample *next_place(struct history *h)
{
	h->newest = h->n == 0 ? 0 : (h->newest + 1) % HISTORY_SAMPLES;
	if (h->n < HISTORY_SAMPLES)
		h->n++;
	return &h->samples[h->newest];
}

void history_add(struct history *h, const struct report_status *status, vt_mono now)
{
	struct history_sample *sample = next_place(h);

	*sample = (struct history_sample){ .at = now };
	if (!status)
		return;
	sample->is_answered = true;
	sample->state = status->state;
	/* While nothing is followed the offset is not known, and reported as zero. */
	sample->has_offset = status->tracking.refid != 0;
	sample->offset = status->tracking.system_offset;
	sample->has_bound = status->has_bound;
	sample->bound = status->bound;
}

/* Numbers begin anew where the daemon's file is lost: the time tells such events apart. */
static struct history_mark *find_mark(struct history *h, const struct report_event *event)
{
	for (size_t i = h->n_marks; i-- > 0;)
		if (h->marks[i].event.number == event->number &&
		    h->marks[i].event.noticed.ns == event->noticed.ns)
			return &h->marks[i];
	return NULL;
}

static struct history_mark *new_mark(struct history *h)
{
	if (h->n_marks == HISTORY_MARKS) {
		h->n_marks--;
		memmove(h->marks, h->marks + 1, h->n_marks * sizeof h->marks[0]);
	}
	return &h->marks[h->n_marks++];
}

bool history_note(struct history *h, const struct report_event *event, vt_mono now, vt_real real)
{
	const vt_span age = vt_span_max(vt_real_since(real, event->at), VT_NS(0));
	struct history_mark *mark = find_mark(h, event);
	const bool is_new = !mark, has_ended = is_new || !mark->event.is_repaired;

	if (is_new)
		mark = new_mark(h);
	mark->event = *event;
	/* Placed once when it begins and once when it ends: a clock that is read again and again
	 * would let it tremble. */
	if (event->is_repaired && has_ended)
		mark->at = vt_mono_add(now, VT_NS(-age.ns));
	else if (is_new)
		mark->at = now;
	return is_new;
}

/* Whole widths since the origin of the clock; rounded down before it too. */
static int64_t stretch_of(vt_mono at, vt_span width)
{
	return at.ns / width.ns - (at.ns % width.ns < 0);
}

/* How bad a state is to look at. */
static int badness(enum report_state state)
{
	switch (state) {
	case REPORT_OK: return 0;
	case REPORT_STARTING: return 1;
	case REPORT_CONTESTED: return 2;
	case REPORT_HOLDOVER: return 3;
	case REPORT_DISRUPTED: return 4;
	}
	return 0;
}

static void fold_sample(struct history_fold *fold, const struct history_sample *sample)
{
	if (!sample->is_answered) {
		fold->is_silent = true;
		return;
	}
	if (fold->n++ == 0 || badness(sample->state) > badness(fold->state))
		fold->state = sample->state;
	if (sample->has_bound) {
		fold->bound =
			fold->has_bound ? vt_span_max(fold->bound, sample->bound) : sample->bound;
		fold->has_bound = true;
	}
	if (!sample->has_offset)
		return;
	fold->lowest =
		fold->has_offset ? vt_span_min(fold->lowest, sample->offset) : sample->offset;
	fold->highest =
		fold->has_offset ? vt_span_max(fold->highest, sample->offset) : sample->offset;
	fold->has_offset = true;
}

/* Marks one stretch with the event, and those before it in which the clock was wrong. */
static void fold_mark(const struct history_mark *mark, vt_span width, int64_t first,
                      struct history_fold *ret, size_t n)
{
	const struct report_event *event = &mark->event;
	const int64_t to = stretch_of(mark->at, width) - first;
	int64_t from =
		stretch_of(vt_mono_add(mark->at, VT_NS(-event->wrong_for.ns)), width) - first;

	for (from = from < 0 ? 0 : from; from <= to && from < (int64_t)n; from++) {
		ret[from].is_away = true;
		ret[from].away = event->size;
	}
	if (to >= 0 && to < (int64_t)n)
		ret[to].mark = mark;
}

void history_fold(const struct history *h, vt_mono end, vt_span width, struct history_fold *ret,
                  size_t n)
{
	const int64_t first = stretch_of(end, width) - (int64_t)n + 1;

	memset(ret, 0, n * sizeof *ret);
	for (size_t i = 0; i < h->n; i++) {
		const struct history_sample *sample =
			&h->samples[(h->newest + HISTORY_SAMPLES - i) % HISTORY_SAMPLES];
		const int64_t stretch = stretch_of(sample->at, width) - first;

		if (stretch < 0)
			break;
		if (stretch < (int64_t)n)
			fold_sample(&ret[stretch], sample);
	}
	for (size_t i = 0; i < h->n_marks; i++)
		fold_mark(&h->marks[i], width, first, ret, n);
}

void history_extent(const struct history_fold *folds, size_t n, vt_span *ret_largest,
                    vt_span *ret_typical)
{
	vt_span largest = VT_NS(0);
	double sum = 0;
	size_t counted = 0;

	for (size_t i = 0; i < n; i++) {
		const struct history_fold *fold = &folds[i];

		if (fold->has_bound)
			largest = vt_span_max(largest, fold->bound);
		if (fold->is_away)
			largest = vt_span_max(largest, vt_span_abs(fold->away));
		if (!fold->has_offset)
			continue;

		vt_span here = vt_span_max(vt_span_abs(fold->lowest), vt_span_abs(fold->highest));

		largest = vt_span_max(largest, here);
		/* Of the square root, so that one excursion does not decide what is usual. */
		sum += sqrt((double)here.ns);
		counted++;
	}
	*ret_largest = largest;
	*ret_typical = counted ? vt_span_from_ns(pow(sum / (double)counted, 2)) : VT_NS(0);
}
