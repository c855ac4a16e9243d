/* SPDX-License-Identifier: Apache-2.0 */
#include "core/incident.h"

#include <math.h>

#include "core/evidence.h"

/* What is said so long before a disruption is noticed, or after its end, belongs to it. */
#define BELONGS VT_SEC(5)

#define BELIEFS      4
#define BELIEF_EVERY VT_SEC(30)

static bool is_recent(vt_mono at, vt_mono now)
{
	vt_span since = vt_mono_since(now, at);

	return since.ns >= 0 && since.ns <= BELONGS.ns;
}

void incident_hint(struct incident *i, unsigned evidence, vt_mono now)
{
	if (!is_recent(i->hinted, now))
		i->hints = 0;
	i->hints |= evidence;
	i->hinted = now;
}

bool incident_believes(struct incident *i, vt_mono now)
{
	vt_span since = vt_mono_since(now, i->believed);

	i->beliefs = i->has_believed
	                     ? fmin(i->beliefs + (double)since.ns / (double)BELIEF_EVERY.ns, BELIEFS)
	                     : BELIEFS;
	i->has_believed = true;
	i->believed = now;
	if (i->beliefs < 1)
		return false;
	i->beliefs--;
	return true;
}

bool incident_open(struct incident *i, unsigned evidence, vt_real shows, vt_span blind_for,
                   vt_mono now)
{
	if (i->hints != 0 && is_recent(i->hinted, now))
		evidence |= i->hints;
	i->hints = 0;
	if (i->is_open) {
		i->it.evidence |= evidence;
		return false;
	}
	i->is_open = true;
	i->noticed = now;
	i->it = (struct disruption){
		.number = i->it.number + 1,
		.end = DISRUPTION_OPEN,
		.cause = cause_of(evidence),
		.evidence = evidence,
		.source = -1,
		.noticed_at = shows,
		.blind_for = blind_for,
	};
	return true;
}

void incident_reopen(struct incident *i, vt_mono now)
{
	i->is_open = true;
	i->it.end = DISRUPTION_OPEN;
	i->noticed = now;
}

unsigned incident_evidence(const struct incident *i, vt_mono now)
{
	if (i->is_open)
		return i->it.evidence;
	return is_recent(i->hinted, now) ? i->hints : 0;
}

void incident_close(struct incident *i, enum disruption_end end, enum step_cause cause,
                    vt_span size, vt_real at, vt_mono now)
{
	i->is_open = false;
	i->closed = now;
	i->it.end = end;
	i->it.cause = cause;
	i->it.size = size;
	i->it.repaired_at = at;
	i->it.disrupted_for = vt_mono_since(now, i->noticed);
}

bool incident_rename(struct incident *i, unsigned evidence, vt_mono now)
{
	enum step_cause cause;

	/* These are known before the reading that they lead to: they begin another disruption. */
	if (evidence & (EVIDENCE_MARKER | EVIDENCE_SUSPEND))
		return false;
	/* Only what happened to a machine that lost time can be told better by others. */
	if (i->is_open || i->it.number == 0 || !is_recent(i->closed, now) ||
	    !cause_is_jump(i->it.cause))
		return false;
	i->it.evidence |= evidence;
	cause = cause_of(i->it.evidence);
	if (cause == i->it.cause)
		return false;
	i->it.cause = cause;
	return true;
}
