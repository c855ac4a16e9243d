/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/scenario_table.h"

#include <string.h>

static const char *const DIRECTIONS[] = { [FORWARD] = "forward", [BACK] = "back", NULL };
static const char *const SPEEDS[] = { [FORWARD] = "fast", [BACK] = "slow", NULL };
static const char *const LEAPS[] = { "announced", "unannounced", NULL };
/* As evidence_name() has them, in the order of their bits. */
static const char *const EVIDENCE[] = {
	"readings", "marker", "generation", "suspend", "nudge", "clock-set", "late", "host-paused",
	"host-restored", "host-migrated", "host-stepped", NULL,
};
static const char *const RESUMES[] = { [STEP_RESUME_STEP] = "step", [STEP_RESUME_SLEW] = "slew",
	[STEP_RESUME_IGNORE] = "ignore", NULL };
static const char *const OUTCOMES[] = {
	[SOURCE_READ] = "read",       [SOURCE_BUSY] = "busy",     [SOURCE_MISSING] = "missing",
	[SOURCE_REFUSED] = "refused", [SOURCE_DENIED] = "denied", [SOURCE_BROKEN] = "broken",
	NULL,
};

static void *draft_open(void *target)
{
	struct scenario_builder *b = target;

	b->draft = (struct scenario_draft){ 0 };
	return &b->draft;
}

/* A scenario is never printed. */
static const void *draft_element(void *target, unsigned i)
{
	(void)target;
	(void)i;
	return NULL;
}

static int add(struct scenario_builder *b, struct conf_reader *reader, struct world_change change)
{
	struct scenario *s = &b->scenario;

	if (s->n_changes == SCENARIO_CHANGES)
		return conf_refuse(reader, "too much happens: at most %d lines", SCENARIO_CHANGES);
	s->changes[s->n_changes++] = change;
	return 0;
}

static int tell(struct scenario_builder *b, struct conf_reader *reader, struct world_input input)
{
	struct scenario *s = &b->scenario;

	if (s->n_inputs == SCENARIO_INPUTS)
		return conf_refuse(reader, "evidence: at most %d lines", SCENARIO_INPUTS);
	s->inputs[s->n_inputs++] = input;
	return 0;
}

static vt_mono when(const struct scenario_builder *b)
{
	return (vt_mono){ b->draft.at.ns };
}

static vt_span directed(const struct scenario_builder *b)
{
	return (vt_span){ b->draft.direction == BACK ? -b->draft.span.ns : b->draft.span.ns };
}

static double directed_ppb(const struct scenario_builder *b)
{
	return b->draft.direction == BACK ? -b->draft.rate.ppb : b->draft.rate.ppb;
}

/* A pause reads as a step of the reference, too. */
static int jump_close(void *target, struct conf_reader *reader)
{
	struct scenario_builder *b = target;

	return add(b, reader,
	           (struct world_change){ .at = when(b), .kind = WORLD_JUMP, .span = directed(b) });
}

static int set_close(void *target, struct conf_reader *reader)
{
	struct scenario_builder *b = target;

	return add(b, reader,
	           (struct world_change){ .at = when(b), .kind = WORLD_SET, .span = directed(b) });
}

static int rate_close(void *target, struct conf_reader *reader)
{
	struct scenario_builder *b = target;

	return add(b, reader,
	           (struct world_change){ .at = when(b), .kind = WORLD_RATE, .ppb = directed_ppb(b) });
}

static int slew_close(void *target, struct conf_reader *reader)
{
	struct scenario_builder *b = target;
	vt_mono end = vt_mono_add(when(b), b->draft.span);
	int err = add(b, reader,
	              (struct world_change){
			      .at = when(b), .kind = WORLD_SLEW, .ppb = directed_ppb(b) });

	return err ? err : add(b, reader, (struct world_change){ .at = end, .kind = WORLD_SLEW });
}

static int clocksource_close(void *target, struct conf_reader *reader)
{
	struct scenario_builder *b = target;

	return add(b, reader,
	           (struct world_change){ .at = when(b), .kind = WORLD_EPOCH, .ppb = directed_ppb(b) });
}

static int steal_close(void *target, struct conf_reader *reader)
{
	struct scenario_builder *b = target;

	return add(b, reader,
	           (struct world_change){ .at = when(b), .kind = WORLD_STEAL, .span = b->draft.span });
}

static int width_close(void *target, struct conf_reader *reader)
{
	struct scenario_builder *b = target;

	return add(b, reader,
	           (struct world_change){ .at = when(b), .kind = WORLD_WIDTH, .span = b->draft.span });
}

static int fail_close(void *target, struct conf_reader *reader)
{
	struct scenario_builder *b = target;
	vt_mono end = vt_mono_add(when(b), b->draft.span);
	int err = add(b, reader,
	              (struct world_change){ .at = when(b),
	                                     .kind = WORLD_OUTCOME,
	                                     .outcome = b->draft.outcome });

	return err ? err
	           : add(b, reader,
	                 (struct world_change){
				 .at = end, .kind = WORLD_OUTCOME, .outcome = SOURCE_READ });
}

/* Only the source's clock, not the truth. */
static int lie_close(void *target, struct conf_reader *reader)
{
	struct scenario_builder *b = target;
	struct world_change lie = {
		.at = when(b),
		.kind = WORLD_OFFSET,
		.source = b->draft.is_second,
		.span = directed(b),
	};
	int err = add(b, reader, lie);

	lie.at = vt_mono_add(lie.at, b->draft.every);
	lie.span = VT_NS(0);
	return err || b->draft.every.ns == 0 ? err : add(b, reader, lie);
}

static int flip_close(void *target, struct conf_reader *reader)
{
	struct scenario_builder *b = target;

	return add(b, reader,
	           (struct world_change){ .at = when(b), .kind = WORLD_FLIP, .span = b->draft.span });
}

/* The host inserts it; where it was announced our own kernel does so too, a tick later. */
static int leap_close(void *target, struct conf_reader *reader)
{
	struct scenario_builder *b = target;
	vt_mono tick = vt_mono_add(when(b), VT_MS(4));
	int err = add(b, reader,
	              (struct world_change){
			      .at = when(b), .kind = WORLD_JUMP, .span = VT_SEC(-1) });

	b->scenario.has_leap = true;
	b->scenario.leap_at = b->draft.at;
	if (err || b->draft.is_unannounced)
		return err;
	err = tell(b, reader, (struct world_input){ .at = { 1000000000 }, .leap = 1 });
	if (err)
		return err;
	return add(b, reader,
	           (struct world_change){ .at = tick, .kind = WORLD_SET, .span = VT_SEC(-1) });
}

static int evidence_close(void *target, struct conf_reader *reader)
{
	struct scenario_builder *b = target;
	const struct scenario_draft *d = &b->draft;
	vt_mono at = vt_mono_add(when(b), d->after);

	return tell(b, reader, (struct world_input){ .at = at,
	                                             .until = vt_mono_add(at, d->span),
	                                             .every = d->every,
	                                             .evidence = 1u << d->evidence,
	                                             .is_polled = d->is_polled });
}

/* The kernel sets our clock by the RTC when it wakes up, give or take what that does not show. */
static int suspend_close(void *target, struct conf_reader *reader)
{
	struct scenario_builder *b = target;
	vt_span slept = b->draft.span;
	int err = tell(b, reader, (struct world_input){ .at = when(b),
	                                                .evidence = EVIDENCE_SUSPEND | EVIDENCE_CLOCK_SET,
	                                                .size = slept });

	if (!err)
		err = add(b, reader, (struct world_change){
					     .at = when(b), .kind = WORLD_JUMP, .span = slept });
	slept.ns -= slept.ns % 1000000000 + 300000000;
	return err ? err : add(b, reader, (struct world_change){
						  .at = when(b), .kind = WORLD_SET, .span = slept });
}

static int limit_close(void *target, struct conf_reader *reader)
{
	struct scenario_builder *b = target;
	struct scenario *s = &b->scenario;
	struct scenario_limit limit = { .figure = b->draft.figure };

	if (!figure_read(slice_of(b->draft.value), &limit.most))
		return conf_refuse(reader, "limit: expected a number, with ns, us, ms, s, min, h "
		                           "or %% behind it where it has a unit");
	if (s->n_limits == SCENARIO_LIMITS)
		return conf_refuse(reader, "limit: at most %d of them", SCENARIO_LIMITS);
	s->limits[s->n_limits++] = limit;
	return 0;
}

#define IN(member)       CONF_AT(struct scenario_builder, scenario.member)
#define IN_DRAFT(member) CONF_AT(struct scenario_draft, member)

#define AGES (INT64_C(4000000000) * CONF_NS_PER_S)
#define RATES (INT64_C(100000) * CONF_UNITS_PER_PPM)

#define SPAN(name, at)                            \
	{                                         \
		CONF_SPAN, name, at, 0, AGES, NULL \
	}
#define SPAN_ABOVE_0(name, at)                    \
	{                                         \
		CONF_SPAN, name, at, 1, AGES, NULL \
	}
#define RATE(name, at)                             \
	{                                          \
		CONF_RATE, name, at, 0, RATES, NULL \
	}
#define COUNTED(name, at, min, max)                 \
	{                                           \
		CONF_COUNT, name, at, min, max, NULL \
	}
#define CHOICE(name, at, of)                   \
	{                                      \
		CONF_CHOICE, name, at, 0, 0, of \
	}
#define AT     SPAN("AT", IN_DRAFT(at))
#define SIZE   SPAN("SIZE", IN_DRAFT(span))
#define WAY    CHOICE("DIRECTION", IN_DRAFT(direction), DIRECTIONS)
#define SPEED  CHOICE("DIRECTION", IN_DRAFT(direction), SPEEDS)
#define SPEEDS_RATE RATE("RATE", IN_DRAFT(rate))

#define HAPPENS(how) .open = draft_open, .close = how, .element = draft_element

/* clang-format off */
static const struct conf_row STEPS_OPTIONS[] = {
	{ "every", CONF_SET, { SPAN_ABOVE_0("SPAN", IN(steps.every)) }, .help = "The time between two." },
	{ "jitter", CONF_SET, { SPAN("SPAN", IN(steps.jitter)) }, .help = "Up to so much is added." },
};
static const struct conf_table STEPS_TABLE = CONF_TABLE(STEPS_OPTIONS);

static const struct conf_row SLEWS_OPTIONS[] = {
	{ "lasting", CONF_SET, { SPAN_ABOVE_0("LEAST", IN(slews.shortest)),
	                         SPAN_ABOVE_0("MOST", IN(slews.longest)) }, .help = "How long each takes." },
	{ "every", CONF_SET, { SPAN_ABOVE_0("SPAN", IN(slews.every)) }, .help = "The time between two." },
	{ "jitter", CONF_SET, { SPAN("SPAN", IN(slews.jitter)) }, .help = "Up to so much is added." },
};
static const struct conf_table SLEWS_TABLE = CONF_TABLE(SLEWS_OPTIONS);

static const struct conf_row STEALS_OPTIONS[] = {
	{ "every", CONF_SET, { SPAN_ABOVE_0("SPAN", IN(steals.every)) }, .help = "The time between two." },
	{ "jitter", CONF_SET, { SPAN("SPAN", IN(steals.jitter)) }, .help = "Up to so much is added." },
};
static const struct conf_table STEALS_TABLE = CONF_TABLE(STEALS_OPTIONS);

static const struct conf_row BRACKET_OPTIONS[] = {
	{ "spread", CONF_SET, { COUNTED("TIMES", IN(spread), 0, 1000) }, .initial = "2",
	  .help = "Brackets of a burst are wider by up to this many times." },
	{ "asymmetry", CONF_SET, { COUNTED("PERCENT", IN(asymmetry), 0, 100) },
	  .given = IN(is_asymmetry_given),
	  .help = "Where in the bracket the value is taken; without it anywhere." },
};
static const struct conf_table BRACKET_TABLE = CONF_TABLE(BRACKET_OPTIONS);

static const struct conf_row SOURCE_OPTIONS[] = {
	{ "poll", CONF_SET, { { CONF_INT, "N", IN(source.poll), -7, 24, NULL } }, .initial = "4",
	  .help = "As in vmtime.conf." },
	{ "dpoll", CONF_SET, { { CONF_INT, "N", IN(source.dpoll), -7, 24, NULL } }, .initial = "0",
	  .given = IN(source.is_dpoll_given), .help = "As in vmtime.conf." },
	{ "precision", CONF_SET, { SPAN("SPAN", IN(source.precision)) }, .initial = "0ns",
	  .help = "As in vmtime.conf." },
	{ "filter", CONF_SET, { COUNTED("N", IN(source.filter), 1, 64) }, .initial = "64",
	  .help = "As in vmtime.conf." },
};
static const struct conf_table SOURCE_TABLE = CONF_TABLE(SOURCE_OPTIONS);

static const struct conf_row SECOND_OPTIONS[] = {
	{ "dpoll", CONF_SET, { { CONF_INT, "N", IN(second.dpoll), -7, 24, NULL } }, .initial = "0",
	  .given = IN(second.is_dpoll_given), .help = "As in vmtime.conf." },
	{ "noselect", CONF_SET, .given = IN(second.noselect), .help = "As in vmtime.conf." },
};
static const struct conf_table SECOND_TABLE = CONF_TABLE(SECOND_OPTIONS);

static const struct conf_row LIE_OPTIONS[] = {
	{ "for", CONF_SET, { SPAN_ABOVE_0("SPAN", IN_DRAFT(every)) }, .help = "For so long; without it for good." },
	{ "second", CONF_SET, .given = IN_DRAFT(is_second), .help = "The second source does, not the first." },
};
static const struct conf_table LIE_TABLE = CONF_TABLE(LIE_OPTIONS);

static const struct conf_row EVIDENCE_OPTIONS[] = {
	{ "after", CONF_SET, { SPAN("SPAN", IN_DRAFT(after)) }, .help = "So much later." },
	{ "every", CONF_SET, { SPAN_ABOVE_0("SPAN", IN_DRAFT(every)) }, .help = "Again and again, ..." },
	{ "for", CONF_SET, { SPAN_ABOVE_0("SPAN", IN_DRAFT(span)) }, .help = "... for so long." },
	{ "polled", CONF_SET, .given = IN_DRAFT(is_polled), .help = "It wakes nobody, and is seen at the next wake-up." },
};
static const struct conf_table EVIDENCE_TABLE = CONF_TABLE(EVIDENCE_OPTIONS);

static const struct conf_row ROWS[] = {
	{ "duration", CONF_SET, { SPAN_ABOVE_0("SPAN", IN(duration)) }, .initial = "1h",
	  .help = "How long the world lives." },
	{ "measure", CONF_SET, { SPAN("AT", IN(measure)) }, .initial = "0s",
	  .help = "From when on errors, readings and wake-ups count; the invariant is held all the time." },
	{ "look", CONF_SET, { SPAN_ABOVE_0("SPAN", IN(look)) }, .initial = "50ms",
	  .help = "The mean time between two looks of the observer." },
	{ "seeds", CONF_SET, { COUNTED("N", IN(seeds), 1, 64) }, .initial = "1",
	  .help = "How many worlds; the figures are their medians, of what must not be the worst." },

	{ "offset", CONF_SET, { SPAN("SPAN", IN(offset)) }, .initial = "0s",
	  .help = "Our clock is behind by this in the beginning." },
	{ "crystal", CONF_SET, { RATE("RATE", IN(crystal)) }, .initial = "0ppb",
	  .help = "The reference's rate against CLOCK_MONOTONIC_RAW in the beginning." },
	{ "walk", CONF_SET, { RATE("RATE", IN(walk)) }, .help = "The rate walks by this in a second, at random." },
	{ "flicker", CONF_SET, { RATE("RATE", IN(flicker)) }, .help = "The rate flickers, one standard deviation." },
	{ "sine", CONF_SET, { RATE("RATE", IN(sine)), SPAN_ABOVE_0("PERIOD", IN(sine_period)) },
	  .help = "The rate swings by this much to either side." },
	{ "steps", CONF_SET, { RATE("RATE", IN(steps.rate)) }, .options = &STEPS_TABLE,
	  .help = "The rate is drawn anew, around the crystal's, one standard deviation." },
	{ "slews", CONF_SET, { SPAN("LEAST", IN(slews.least)), SPAN("MOST", IN(slews.most)) },
	  .options = &SLEWS_TABLE, .help = "The host's NTP corrects it by so much, slewed, either way." },

	{ "noise", CONF_SET, { SPAN("SPAN", IN(noise)) },
	  .help = "Readings are wrong by this, one standard deviation, and do not say so." },
	{ "bracket", CONF_SET, { SPAN_ABOVE_0("WIDTH", IN(width)) }, .options = &BRACKET_TABLE,
	  .help = "Readings are bursts of brackets at least this wide; without it they are precise." },
	{ "losses", CONF_SET, { COUNTED("PERCENT", IN(losses), 0, 100) }, .help = "So many readings fail." },
	{ "outliers", CONF_SET, { COUNTED("PERCENT", IN(outliers), 0, 100), SPAN("SIZE", IN(outlier)) },
	  .help = "So many readings lie, by half of SIZE at least." },
	{ "lateness", CONF_SET, { COUNTED("PERCENT", IN(lateness), 0, 1000) },
	  .help = "A wake-up is late by up to this share of the wait." },
	{ "latency", CONF_SET, { SPAN("SPAN", IN(latency)) }, .initial = "60us",
	  .help = "A wake-up is late by this in any case." },
	{ "steals", CONF_SET, { SPAN("LEAST", IN(steals.least)), SPAN("MOST", IN(steals.most)) },
	  .options = &STEALS_TABLE, .help = "For so long nothing of ours runs, again and again." },

	{ "boot", CONF_SET, .given = IN(is_booting), .help = "Nothing has steered since the machine started." },
	{ "drift", CONF_SET, { RATE("RATE", IN(known)), RATE("SIGMA", IN(known_sigma)) },
	  .help = "What a drift file says of the reference's rate, right or wrong." },
	{ "maxslewrate", CONF_SET, { { CONF_PPM, "PPM", IN(max_slew), 1, RATES, NULL } },
	  .initial = "83333.333", .help = "As in vmtime.conf." },
	{ "makestep", CONF_SET, { SPAN("THRESHOLD", IN(makestep_threshold)),
	                          { CONF_INT, "LIMIT", IN(makestep_limit), INT32_MIN, INT32_MAX, NULL } },
	  .given = IN(is_makestep_given), .help = "As in vmtime.conf, with a unit." },
	{ "resume", CONF_SET, { CHOICE("RULE", IN(resume), RESUMES) }, .initial = "step",
	  .help = "As in vmtime.conf." },
	{ "rtc", CONF_SET, .given = IN(has_rtc), .help = "There is an RTC, which shows the reference's seconds." },
	{ "notified", CONF_SET, .given = IN(is_telling),
	  .help = "The kernel tells when somebody sets our clock." },
	{ "source", CONF_SET, .options = &SOURCE_TABLE, .help = "Options of the refclock line." },

	{ "second", CONF_SET, { SPAN("WIDTH", IN(second_width)) }, .given = IN(has_second),
	  .options = &SECOND_TABLE,
	  .help = "A second source, of the same reference, with brackets at least so wide." },

	{ "pause", CONF_SET, { AT, SIZE }, HAPPENS(jump_close),
	  .help = "The guest is stopped, and knows nothing of the time that goes on." },
	{ "jump", CONF_SET, { AT, WAY, SIZE }, HAPPENS(jump_close), .help = "The host's clock is stepped." },
	{ "lie", CONF_SET, { AT, WAY, SPAN("SIZE", IN_DRAFT(span)) }, HAPPENS(lie_close),
	  .options = &LIE_TABLE,
	  .help = "The source's clock jumps, and it alone: the truth goes on." },
	{ "flip", CONF_SET, { AT, SIZE }, HAPPENS(flip_close),
	  .help = "Every second reading shows so much more from now on; 0s ends that." },
	{ "suspend", CONF_SET, { AT, SIZE }, HAPPENS(suspend_close),
	  .help = "Suspended by our own kernel, which sets the clock to the second and tells." },
	{ "evidence", CONF_SET, { AT, CHOICE("KIND", IN_DRAFT(evidence), EVIDENCE) },
	  HAPPENS(evidence_close), .options = &EVIDENCE_TABLE,
	  .help = "Something besides the readings speaks of a disruption." },
	{ "set", CONF_SET, { AT, WAY, SIZE }, HAPPENS(set_close), .help = "Somebody else steps our clock." },
	{ "rate", CONF_SET, { AT, SPEED, SPEEDS_RATE }, HAPPENS(rate_close),
	  .help = "The reference runs at this rate from now on: another crystal." },
	{ "slew", CONF_SET, { AT, SPEED, SPEEDS_RATE }, HAPPENS(slew_close),
	  .options = &(const struct conf_table){ (const struct conf_row[]){
		{ "for", CONF_SET, { SPAN_ABOVE_0("SPAN", IN_DRAFT(span)) }, .help = "For so long." } }, 1, NULL },
	  .help = "The host slews its clock." },
	{ "clocksource", CONF_SET, { AT, SPEED, SPEEDS_RATE }, HAPPENS(clocksource_close),
	  .help = "Another counter beneath CLOCK_MONOTONIC_RAW, against which the reference runs so." },
	{ "steal", CONF_SET, { AT, SIZE }, HAPPENS(steal_close), .help = "For so long nothing of ours runs." },
	{ "width", CONF_SET, { AT, SIZE }, HAPPENS(width_close), .help = "Brackets are this wide from now on." },
	{ "fail", CONF_SET, { AT, SIZE, CHOICE("OUTCOME", IN_DRAFT(outcome), OUTCOMES) }, HAPPENS(fail_close),
	  .help = "The source answers this for so long." },
	{ "leap", CONF_SET, { AT, CHOICE("HOW", IN_DRAFT(is_unannounced), LEAPS) }, HAPPENS(leap_close),
	  .help = "It is midnight, and a second is inserted; by our own kernel too where it was announced." },

	{ "limit", CONF_SET, { CHOICE("FIGURE", IN_DRAFT(figure), FIGURE_NAMES),
	                       { CONF_TEXT, "MOST", IN_DRAFT(value), 0, 31, NULL } }, HAPPENS(limit_close),
	  .help = "A figure that must not be larger." },
};
/* clang-format on */

const struct conf_table SCENARIO_TABLE = CONF_TABLE(ROWS);
