/* SPDX-License-Identifier: Apache-2.0 */
/* What an outcome tells: of the clock, of the agent, of vmtimed. */
#include <stdio.h>
#include <string.h>

#include "hostd/measure.h"
#include "hostd/sequence_run.h"

/* A vmtimed reads within its turn; its word from before that is of before the nudge. */
#define NUDGE_TAKES         VT_MS(20)
#define NUDGE_TAKES_DELAYED VT_MS(300)

/* How long it is not looked for again where there was none. */
#define PROBE_PAUSE VT_SEC(300)

/* Of the questions that a note may be about. */
static void keep_words(struct sequence *s, const struct work_outcome *outcome)
{
	if (outcome->kind != WORK_GET_TIME && outcome->kind != WORK_SET_TIME)
		return;
	snprintf(s->said, sizeof s->said, "%.*s", (int)sizeof s->said - 1, outcome->text);
}

/* An outcome that is no answer to the question. */
static enum cue cue_of_trouble(struct sequence *s, const struct work_outcome *outcome)
{
	switch (outcome->result) {
	case WORK_DONE: return CUE_YES;
	case WORK_REFUSED:
	case WORK_GARBAGE: keep_words(s, outcome); return CUE_NO;
	case WORK_FROZEN: return CUE_FROZEN;
	case WORK_UNSUPPORTED: keep_words(s, outcome); return CUE_CANNOT;
	case WORK_TIMED_OUT:
	case WORK_LOST: return outcome->was_sent ? CUE_SILENT : CUE_UNSENT;
	case WORK_STOPPED: return CUE_UNSENT;
	}
	return CUE_SILENT;
}

/* Is the clock right, by the latest measurement? */
static enum cue judge(struct sequence *s, const struct measurement *m)
{
	vt_span threshold = sequence_threshold(s);
	vt_span least = vt_span_sub(vt_span_abs(m->offset), m->uncertainty);

	if (least.ns > threshold.ns)
		return CUE_WRONG;
	s->is_vague = m->uncertainty.ns > threshold.ns;
	return s->is_vague ? CUE_VAGUE : CUE_RIGHT;
}

static void remember(struct sequence *s, const struct measurement *m, vt_mono at)
{
	s->has_offset = true;
	s->is_by_vmtimed = s->is_silent = false;
	s->offset = m->offset;
	s->uncertainty = m->uncertainty;
	s->measured = at;
	if (s->trip.ns == 0 || m->round_trip.ns < s->trip.ns)
		s->trip = m->round_trip;
}

/* The first measurement of a disruption tells what was lost; one that finds the clock wrong makes one. */
static void note_loss(struct sequence *s, enum cue cue, const struct measurement *m,
                      struct host_instant now)
{
	if (cue == CUE_WRONG && !s->is_open)
		sequence_disrupted(s, HOST_REASON_NONE, now);
	if (!s->is_open || s->last.has_lost)
		return;
	/* Its vmtimed was told and has put it right before anybody measured: nothing is known of it. */
	if (s->step == SEQUENCE_CONFIRM && cue != CUE_WRONG)
		return;
	s->last.has_lost = true;
	s->last.lost = m->offset;
}

static void note_right(struct sequence *s, const struct measurement *m)
{
	vt_span least = vt_span_sub(vt_span_abs(m->offset), m->uncertainty);

	/* What went wrong on the way here is of no interest any more; how the latest disruption ended is. */
	if (s->is_note_of_peace || s->is_run)
		s->note[0] = '\0';
	if (s->step == SEQUENCE_VERIFY && s->is_set_refused)
		sequence_note(s, "the clock was set, though its agent answered with an error: %s",
		              s->said);
	else if (s->rules->quality.is_synchronized)
		return;
	else if (least.ns > s->rules->threshold.ns)
		sequence_note(s, "off by %.3f s, and left so: this host's own clock is not synchronised",
		              vt_span_seconds(m->offset));
	else if (s->step == SEQUENCE_VERIFY)
		sequence_note(s, "set by a host whose own clock is not synchronised");
}

/* "It is set", and whether it was. */
static void judge_answer(struct sequence *s, enum cue cue, struct host_instant now)
{
	if (cue == CUE_WRONG && s->is_set_answered) {
		sequence_result_push(s, (struct sequence_result){ .kind = SEQUENCE_FALSE_YES,
		                                                  .at = now.real });
		sequence_note(s, "its agent said that the time was set, and it is off by %.3f s",
		              vt_span_seconds(s->offset));
	} else if (cue == CUE_WRONG && s->is_set_refused) {
		sequence_note(s, "off by %.3f s, and its agent does not set the time: %s",
		              vt_span_seconds(s->offset), s->said);
	} else if (cue == CUE_WRONG) {
		sequence_note(s, "off by %.3f s after the time was set",
		              vt_span_seconds(s->offset));
	} else if (cue == CUE_RIGHT && s->is_set_refused) {
		sequence_result_push(s, (struct sequence_result){ .kind = SEQUENCE_FALSE_NO,
		                                                  .at = now.real });
	}
}

static enum cue cue_of_time(struct sequence *s, const struct work_outcome *outcome,
                            struct host_instant now)
{
	struct measurement m;
	enum cue cue;

	if (!outcome->was_sent)
		return CUE_NO;
	if (measure(outcome, s->rules->clock_error, &m) != MEASURE_GOOD) {
		sequence_result_push(s, (struct sequence_result){ .kind = SEQUENCE_DISCARDED,
		                                                  .at = now.real });
		sequence_note(s, "not measured: this host's own clock was moved meanwhile");
		return CUE_MOVED;
	}
	remember(s, &m, outcome->answered.mono);
	cue = judge(s, &m);
	note_loss(s, cue, &m, now);
	sequence_result_push(s, (struct sequence_result){ .kind = SEQUENCE_MEASURED,
	                                                  .is_disruption = s->is_open,
	                                                  .at = outcome->answered.real,
	                                                  .offset = m.offset,
	                                                  .uncertainty = m.uncertainty });
	if (s->step == SEQUENCE_VERIFY)
		judge_answer(s, cue, now);
	if (cue != CUE_WRONG)
		note_right(s, &m);
	if (s->step == SEQUENCE_CONFIRM)
		s->is_contradicted = cue == CUE_WRONG;
	return cue;
}

/* A guest that only vmtimed can speak for: it says that its clock was wrong. */
static void note_vmtimeds_loss(struct sequence *s, const struct host_reply *reply,
                               struct host_instant now)
{
	if (s->step != SEQUENCE_ASK || sequence_can_measure(s))
		return;
	if (!s->is_open) {
		sequence_disrupted(s, HOST_REASON_NONE, now);
		s->has_nudged = true;
	}
	if (reply->has_offset && !s->last.has_lost) {
		s->last.has_lost = true;
		s->last.lost = reply->offset;
	}
}

/* It has looked since the nudge, and there is nothing that it could read; but the agent is there. */
static bool is_no_help(const struct sequence *s, enum report_state state, vt_mono now)
{
	bool is_without_source = state == REPORT_STARTING || state == REPORT_HOLDOVER;

	return s->step == SEQUENCE_ASK && is_without_source && now.ns >= s->believed.ns &&
	       sequence_can_measure(s);
}

static enum cue cue_of_status(struct sequence *s, const struct work_outcome *outcome,
                              struct host_instant now)
{
	const struct host_reply *reply = &outcome->reply;
	bool is_ok = reply->state == REPORT_OK || reply->state == REPORT_CONTESTED;
	bool is_near = !reply->has_offset ||
	               vt_span_abs(reply->offset).ns <= s->rules->threshold.ns;

	s->vmtimed = KNOWN_YES;
	s->has_vmtimed_state = true;
	s->vmtimed_state = reply->state;
	if (!sequence_can_measure(s) && reply->has_offset && reply->has_bound) {
		s->has_offset = s->is_by_vmtimed = true;
		s->offset = reply->offset;
		s->uncertainty = reply->bound;
		s->measured = outcome->answered.mono;
		sequence_result_push(s, (struct sequence_result){ .kind = SEQUENCE_MEASURED,
		                                                  .at = outcome->answered.real,
		                                                  .offset = reply->offset,
		                                                  .uncertainty = reply->bound });
	}
	if (reply->state == REPORT_DISRUPTED || !is_near)
		note_vmtimeds_loss(s, reply, now);
	if (!is_ok || !is_near) {
		s->is_contradicted = false;
		sequence_note(s, "its vmtimed says that its clock is not right yet");
		return is_no_help(s, reply->state, now.mono) ? CUE_NO : CUE_WRONG;
	}
	if (s->step == SEQUENCE_ASK && now.mono.ns < s->believed.ns)
		return CUE_WRONG;
	if (s->is_note_of_peace || s->step == SEQUENCE_ASK)
		s->note[0] = '\0';
	return CUE_RIGHT;
}

static void hear_info(struct sequence *s, const struct work_outcome *outcome, enum cue cue,
                      struct host_instant now)
{
	bool can_all = outcome->can_get_time && outcome->can_set_time;

	/* Once is enough, unless the answer leaves something to be wished for. */
	s->next_info = cue == CUE_YES && can_all ? VT_MONO_NEVER
	                                         : vt_mono_add(now.mono, PROBE_PAUSE);
	if (cue != CUE_YES)
		return;
	s->agent = outcome->agent;
	s->can_get_time = outcome->can_get_time;
	s->can_set_time = outcome->can_set_time;
	snprintf(s->version, sizeof s->version, "%s", outcome->version);
	if (s->agent == AGENT_VMTIMED && s->vmtimed == KNOWN_NOT)
		s->next_probe = now.mono;
}

static void hear_nudge(struct sequence *s, const struct work_outcome *outcome, enum cue cue,
                       struct host_instant now)
{
	if (cue != CUE_YES)
		return;
	s->vmtimed = KNOWN_YES;
	s->has_nudged = true;
	s->nudges++;
	s->asked = 0;
	s->believed = vt_mono_add(now.mono, outcome->reply.is_delayed ? NUDGE_TAKES_DELAYED
	                                                              : NUDGE_TAKES);
	sequence_result_push(s, (struct sequence_result){ .kind = SEQUENCE_NUDGED, .at = now.real });
}

static void hear_set(struct sequence *s, const struct work_outcome *outcome, enum cue cue)
{
	s->is_set_answered = cue == CUE_YES;
	s->is_set_refused = cue == CUE_NO || cue == CUE_CANNOT;
	if (!outcome->was_sent || cue == CUE_FROZEN)
		return;
	s->sets++;
	s->has_set = true;
	sequence_result_push(
	    s, (struct sequence_result){ .kind = SEQUENCE_SENT,
	                                 .is_disruption = s->is_open,
	                                 .at = outcome->sent.real,
	                                 .after = vt_mono_since(outcome->sent.mono, s->noticed) });
}

/* There is no vmtimed, or none any more. */
static void miss_vmtimed(struct sequence *s, enum cue cue, struct host_instant now)
{
	bool is_gone = cue == CUE_CANNOT || cue == CUE_UNSENT || s->vmtimed != KNOWN_YES;

	s->vmtimed = is_gone ? KNOWN_NO : KNOWN_NOT;
	s->has_vmtimed_state = false;
	s->next_probe = vt_mono_add(now.mono, is_gone ? PROBE_PAUSE : s->rules->interval);
}

static void note_trouble(struct sequence *s, enum cue cue)
{
	s->is_silent = cue == CUE_SILENT || cue == CUE_UNSENT;
	switch (cue) {
	case CUE_NO: sequence_note(s, "its agent does not tell the time: %s", s->said); break;
	case CUE_FROZEN: sequence_note(s, "its filesystems are frozen"); break;
	case CUE_CANNOT: sequence_note(s, "its agent cannot tell the time: %s", s->said); break;
	case CUE_SILENT:
	case CUE_UNSENT: sequence_note(s, "its agent does not answer"); break;
	case CUE_YES:
	case CUE_RIGHT:
	case CUE_WRONG:
	case CUE_VAGUE:
	case CUE_MOVED:
	case CUES: break;
	}
}

static bool is_vmtimeds(enum work_kind kind)
{
	return kind == WORK_NUDGE || kind == WORK_STATUS || kind == WORK_QUALITY;
}

enum cue sequence_cue(struct sequence *s, const struct work_outcome *outcome,
                      struct host_instant now)
{
	enum cue cue = cue_of_trouble(s, outcome);

	if (outcome->kind == WORK_GET_TIME && cue == CUE_YES)
		cue = cue_of_time(s, outcome, now);
	else if (outcome->kind == WORK_GET_TIME)
		note_trouble(s, cue);
	else if (outcome->kind == WORK_STATUS && cue == CUE_YES)
		cue = cue_of_status(s, outcome, now);
	else if (is_vmtimeds(outcome->kind) && cue != CUE_YES && cue != CUE_NO)
		miss_vmtimed(s, cue, now);

	if (outcome->kind == WORK_SET_TIME)
		hear_set(s, outcome, cue);
	else if (outcome->kind == WORK_NUDGE)
		hear_nudge(s, outcome, cue, now);
	else if (outcome->kind == WORK_INFO)
		hear_info(s, outcome, cue, now);
	else if (outcome->kind == WORK_RESET_RTC && cue == CUE_CANNOT)
		s->can_reset_rtc = false;
	if (cue != CUE_FROZEN && !is_vmtimeds(outcome->kind))
		s->is_frozen = false;
	return cue;
}
