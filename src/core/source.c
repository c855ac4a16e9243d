/* SPDX-License-Identifier: Apache-2.0 */
#include "core/source.h"

#include <math.h>

#include "core/evidence.h"
#include "core/filter.h"

/*
 * A source that fails this often in a row, and for this long, is lost.  Often alone is not enough: a
 * disturbed one is asked sixteen times a second, and being busy for 0.2 s is no reason to leave it.
 */
#define FAILURES_TO_LOSE 3
#define TIME_TO_LOSE     VT_SEC(2)

/* A failing source is asked again after this, unless its own interval is shorter. */
#define RETRY VT_SEC(1)

/* Another crystal (migration) or another counter (clocksource): the rate may be off by this much. */
#define OTHER_CRYSTAL VT_PPM(50)

/* As many standard deviations as are taken for certain. */
#define CERTAIN_SIGMAS 5

/* Within a burst its rate is the estimated one, give or take a change that no reading has shown yet. */
#define UNSEEN VT_PPM(100)

/* What a drift file says may be another machine's, or another kernel's calibration of its TSC. */
#define UNPROVEN    VT_PPM(500)
#define PROVEN      VT_PPM(50)
#define PROOF_RADII 8 /* of a reading: so far it must have moved for a wrong rate to show */

#define FASTEST VT_PPM(100000) /* no kernel slews its clock faster */

/* Two sources may differ by this much without anything having happened. */
#define LARGE VT_MS(1)

/* A reading from before the wake-up that asked for it is no reading, give or take an odd driver. */
#define TOO_OLD VT_SEC(1)

void source_init(struct source *s, struct source_port *port, const struct source_conf *conf,
                 bool is_host, vt_rate rate, vt_rate rate_sigma)
{
	*s = (struct source){
		.port = port,
		.conf = *conf,
		.is_host = is_host,
		.trouble = TROUBLE_UNREAD,
	};
	estimator_init(&s->estimator, rate, rate_sigma);
	disrupt_init(&s->disrupt);
	poll_init(&s->poll, conf);
	statistics_init(&s->statistics);
}

static enum source_trouble trouble_of(enum source_outcome outcome)
{
	switch (outcome) {
	case SOURCE_READ: return TROUBLE_NONE;
	case SOURCE_BUSY: return TROUBLE_BUSY;
	case SOURCE_MISSING: return TROUBLE_MISSING;
	case SOURCE_REFUSED: return TROUBLE_REFUSED;
	case SOURCE_DENIED: return TROUBLE_DENIED;
	case SOURCE_BROKEN: return TROUBLE_BROKEN;
	}
	return TROUBLE_BROKEN;
}

/* Some troubles may pass by themselves within a few attempts. */
static bool is_passing(enum source_trouble trouble)
{
	return trouble == TROUBLE_BUSY || trouble == TROUBLE_BROKEN ||
	       trouble == TROUBLE_BACKWARDS;
}

bool source_is_usable(const struct source *s)
{
	if (!s->estimator.is_started)
		return false;
	return s->trouble == TROUBLE_NONE ||
	       (is_passing(s->trouble) && !s->is_lost);
}

vt_span source_error(const struct source *s)
{
	vt_span noise = { CERTAIN_SIGMAS * estimator_noise(&s->estimator).ns };
	vt_span read = vt_span_add(s->latest.radius, s->latest.local_radius);

	return vt_span_add(vt_span_add(read, noise), VT_NS((s->conf.delay.ns + 1) / 2));
}

static void read_again_in(struct source *s, vt_mono now, vt_span interval)
{
	s->interval = interval;
	s->next_read = vt_mono_add(now, interval);
}

/* Its readings can be compared with nothing that was before. */
static void restart(struct source *s)
{
	vt_rate rate = estimator_rate(&s->estimator);
	vt_rate sigma = estimator_rate_sigma(&s->estimator);

	/* All but the rate is forgotten, the noise too: it may be read in another way now. */
	estimator_init(&s->estimator, rate, (vt_rate){ sigma.ppb + OTHER_CRYSTAL.ppb });
	disrupt_init(&s->disrupt);
}

static enum source_verdict fail(struct source *s, vt_mono now, enum source_trouble trouble)
{
	vt_span retry = s->poll.longest;

	s->trouble = trouble;
	s->failures++;
	s->failures_in_a_row++;
	s->is_lost = s->failures_in_a_row >= FAILURES_TO_LOSE &&
	             vt_mono_since(now, s->last_good).ns >= TIME_TO_LOSE.ns;
	s->reach = s->reach << 1 & 0xff;
	/* What may pass is asked again soon, until it is lost. */
	if (is_passing(trouble) && !s->is_lost)
		retry = poll_disturbed(&s->poll);
	if (trouble == TROUBLE_BACKWARDS && s->failures_in_a_row >= FAILURES_TO_LOSE) {
		/* Then it was the one before them that lay in the future. */
		restart(s);
		s->has_reading = false;
	}
	read_again_in(s, now, vt_span_min(retry, RETRY));
	return SOURCE_FAILED;
}

static void note(struct source *s, const struct reading *r)
{
	s->trouble = s->is_unsteady ? TROUBLE_UNSTEADY : TROUBLE_NONE;
	s->failures_in_a_row = 0;
	s->is_lost = false;
	s->last_good = r->raw;
	s->readings++;
	s->reach = (s->reach << 1 | 1) & 0xff;
	s->has_reading = true;
	s->latest = *r;
}

/* Teaches the estimator a reading and the statistics how far off it was. */
static enum source_verdict learn(struct source *s, const struct reading *r, vt_mono now)
{
	struct innovation i;
	bool is_compared = estimator_expect(&s->estimator, r, &i);

	switch (estimator_update(&s->estimator, r)) {
	case ESTIMATOR_STALE:
		return fail(s, now, TROUBLE_BACKWARDS);
	case ESTIMATOR_FIRST:
		s->jump_noticed = r->raw;
		s->jump_blind = s->has_reading ? vt_mono_since(r->raw, s->latest.raw) : VT_NS(0);
		note(s, r);
		read_again_in(s, now, poll_first(&s->poll));
		return SOURCE_RESTARTED;
	case ESTIMATOR_SHOCK:
		note(s, r);
		read_again_in(s, now, poll_disturbed(&s->poll));
		break;
	case ESTIMATOR_FITS:
		note(s, r);
		read_again_in(s, now, s->is_doubted ? poll_disturbed(&s->poll) : poll_quiet(&s->poll));
		break;
	}
	/* This reading still tells how fast it ran before: what it is from now on the next ones will. */
	if (s->is_doubted)
		estimator_doubt(&s->estimator, OTHER_CRYSTAL, r);
	s->is_doubted = false;
	s->compared_after = is_compared ? i.since : VT_NS(0);
	s->surprise = is_compared ? i.size : VT_NS(0);
	if (is_compared)
		statistics_add(&s->statistics, r->raw, i.size);
	return SOURCE_STEERS;
}

/* Six of sixteen that are not as expected are no outliers; two are. */
#define UNSTEADY 6
#define STEADY   2

unsigned source_suspicions(const struct source *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 16; i++)
		n += s->suspicions >> i & 1;
	return n;
}

static void remember(struct source *s, bool is_suspicious)
{
	s->suspicions = (s->suspicions << 1 | is_suspicious) & 0xffff;
	if (source_suspicions(s) >= UNSTEADY)
		s->is_unsteady = true;
	else if (source_suspicions(s) <= STEADY)
		s->is_unsteady = false;
}

/* Starts the estimator anew from the readings that confirmed the jump. */
static enum source_verdict relearn(struct source *s, vt_mono now, enum source_verdict verdict)
{
	struct innovation first = { 0 };

	(void)estimator_expect(&s->estimator, &s->disrupt.suspects[0], &first);
	s->has_jumped = verdict == SOURCE_JUMPED;
	s->jump_size = first.size;
	s->surprise = VT_NS(0); /* that it was a jump is known by now */
	s->suspicions = 0;
	s->is_unsteady = false;
	estimator_restart(&s->estimator, OTHER_CRYSTAL);
	if (verdict == SOURCE_SLEWED)
		estimator_init(&s->estimator, disrupt_rate(&s->disrupt), OTHER_CRYSTAL);
	for (unsigned i = 0; i < s->disrupt.n; i++)
		(void)estimator_update(&s->estimator, &s->disrupt.suspects[i]);
	note(s, &s->disrupt.suspects[s->disrupt.n - 1]);
	s->is_doubted = false;
	statistics_init(&s->statistics);
	s->jump_noticed = s->disrupt.noticed;
	s->jump_blind = vt_mono_since(s->disrupt.noticed, s->disrupt.since);
	disrupt_init(&s->disrupt);
	read_again_in(s, now, poll_disturbed(&s->poll));
	return verdict;
}

static enum source_verdict suspect(struct source *s, const struct reading *r, vt_mono now)
{
	struct innovation i = { 0 };

	(void)estimator_expect(&s->estimator, r, &i);
	s->suspected = i.size;
	note(s, r);
	/* One that never agrees with itself is given time. */
	read_again_in(s, now, s->is_unsteady ? RETRY
	                                     : poll_suspicious(s->disrupt.is_urgent, r->radius));
	return SOURCE_SUSPECTED;
}

/*
 * Farther from a clock that another source has kept than both can be wrong: it did not drift there,
 * unless it was there before.  Once there is a suspicion, that it follows from this is not forgotten.
 */
static void hear_the_other(struct source *s, const struct reading *r,
                           const struct source_world *world)
{
	vt_span most = vt_span_add(vt_span_add(world->kept_within, source_error(s)), LARGE);
	vt_span apart = vt_span_sub(vt_span_abs(vt_real_since(r->remote, r->local)), r->radius);

	s->is_apart = world->is_kept && apart.ns > most.ns;
	if (s->disrupt.n > 0)
		return;
	s->disrupt.is_witnessed = s->is_apart;
	s->disrupt.drifted = most;
}

static enum source_verdict judge(struct source *s, const struct reading *r,
                                 const struct source_world *world)
{
	vt_mono now = world->now;
	unsigned suspects = s->disrupt.in_a_row;
	enum disrupt_verdict verdict;

	hear_the_other(s, r, world);
	verdict = disrupt_judge(&s->disrupt, &s->estimator, r);
	remember(s, verdict != DISRUPT_QUIET && verdict != DISRUPT_DISMISSED);
	switch (verdict) {
	case DISRUPT_QUIET:
		return learn(s, r, now);
	case DISRUPT_DISMISSED:
		s->outliers += suspects;
		return learn(s, r, now);
	case DISRUPT_SUSPECTED:
	case DISRUPT_AGAIN:
		return suspect(s, r, now);
	case DISRUPT_JUMPED:
		return relearn(s, now, SOURCE_JUMPED);
	case DISRUPT_SLEWED:
		return relearn(s, now, SOURCE_SLEWED);
	}
	return SOURCE_FAILED;
}

void source_disrupt(struct source *s, unsigned evidence)
{
	s->disrupt.is_proven = true;
	if (evidence & (EVIDENCE_MARKER | EVIDENCE_GENERATION))
		s->is_doubted = true;
}

void source_shift(struct source *s, vt_span change)
{
	/* TAI has none. */
	if (s->conf.is_tai)
		return;
	estimator_shift(&s->estimator, change);
	s->latest.remote = vt_real_add(s->latest.remote, change);
	for (unsigned i = 0; i < s->disrupt.n; i++)
		s->disrupt.suspects[i].remote = vt_real_add(s->disrupt.suspects[i].remote, change);
}

void source_urge(struct source *s)
{
	s->disrupt.is_urgent = true;
}

vt_rate source_unproven_rate(const struct source *s)
{
	const struct estimator *e = &s->estimator;
	double lasted = vt_span_seconds(vt_mono_since(s->latest.raw, e->began));
	vt_span radius = vt_span_max(e->began_radius, s->latest.radius);
	double hidden = PROOF_RADII * (double)radius.ns / fmax(lasted, 1e-9);

	if (e->readings >= 3 && hidden < PROVEN.ppb)
		return (vt_rate){ 0 };
	if (e->readings < 2)
		hidden = 0;
	return (vt_rate){ fmin(fmax(hidden, UNPROVEN.ppb), FASTEST.ppb) };
}

/*
 * How far off the rate can be that brackets of one burst are carried by.  Where the world may have
 * jumped it may as well be slewed, as fast as a kernel can.
 */
static vt_rate unknown_rate(const struct source *s)
{
	if (s->disrupt.n > 0)
		return FASTEST;
	return (vt_rate){ UNSEEN.ppb + source_unproven_rate(s).ppb +
		          CERTAIN_SIGMAS * estimator_rate_sigma(&s->estimator).ppb };
}

enum source_verdict source_read(struct source *s, const struct source_world *world)
{
	struct burst burst;
	struct reading r;
	struct filter_conf conf = {
		.offset = s->conf.offset,
		.precision = s->conf.precision,
		.steered = world->steered,
		.rate = estimator_rate(&s->estimator),
		.unknown = unknown_rate(s),
	};
	unsigned wanted = s->conf.filter < BURST_MAX ? s->conf.filter : BURST_MAX;
	enum source_outcome outcome;

	if (s->conf.is_tai && !world->is_tai_known)
		return fail(s, world->now, TROUBLE_NO_TAI);
	if (s->conf.is_tai)
		conf.offset = vt_span_add(conf.offset, world->utc_minus_tai);

	outcome = s->port->ops->read(s->port, wanted ? wanted : 1, &burst);
	if (outcome != SOURCE_READ)
		return fail(s, world->now, trouble_of(outcome));
	switch (filter_best(&burst, &conf, &r)) {
	case FILTER_EMPTY: return fail(s, world->now, TROUBLE_BROKEN);
	case FILTER_INSANE: return fail(s, world->now, TROUBLE_INSANE);
	case FILTER_READING: break;
	}
	s->contradicted += r.contradicted;
	if (s->has_reading && r.epoch != s->latest.epoch) {
		/* Another counter beneath CLOCK_MONOTONIC_RAW: its rate is not the one we learnt. */
		restart(s);
	} else if ((s->has_reading && r.raw.ns <= s->latest.raw.ns) ||
	           vt_mono_since(world->now, r.raw).ns > TOO_OLD.ns) {
		return fail(s, world->now, TROUBLE_BACKWARDS);
	}
	return judge(s, &r, world);
}
