/* SPDX-License-Identifier: Apache-2.0 */
#include "core/jury.h"

#include "core/evidence.h"
#include "core/select.h"

/* What two clocks may have moved apart by themselves between two readings; as disrupt.c has it. */
#define PLAUSIBLE     VT_PPM(100)
#define UNSUSPICIOUS  VT_US(20)

/* Two that jumped together are noticed within their own intervals of each other, and this. */
#define TOGETHER VT_MS(250)

bool jury_is_selectable(const struct source *s)
{
	return source_is_usable(s) && !s->is_held && !s->conf.noselect;
}

/* How exactly @s can say by how much it jumped, or that it did not. */
static vt_span exactness(const struct source *s)
{
	vt_span drifted = vt_rate_over(PLAUSIBLE, s->compared_after);

	return vt_span_add(vt_span_add(UNSUSPICIOUS, drifted), source_error(s));
}

static bool is_alike(vt_span a, vt_span b, vt_span most)
{
	return vt_span_abs(vt_span_sub(a, b)).ns <= most.ns;
}

static unsigned witness_of(const struct source *jumped, const struct source *other)
{
	vt_span most = vt_span_add(exactness(jumped), exactness(other));
	vt_span apart = vt_span_abs(vt_mono_since(other->jump_noticed, jumped->jump_noticed));
	vt_span together = vt_span_max(jumped->jump_blind, other->jump_blind);

	if (other->disrupt.n > 0)
		return is_alike(other->suspected, jumped->jump_size, most) ? EVIDENCE_SECOND_AGREES : 0;
	if (other->has_jumped && apart.ns <= vt_span_add(together, TOGETHER).ns)
		return is_alike(other->jump_size, jumped->jump_size, most) ? EVIDENCE_SECOND_AGREES : 0;
	/* It was read for the first time, or anew, when that may have been over. */
	if (vt_mono_since(other->jump_noticed, jumped->jump_noticed).ns > -jumped->jump_blind.ns)
		return 0;
	if (other->latest.raw.ns < jumped->jump_noticed.ns ||
	    vt_span_abs(jumped->jump_size).ns <= 2 * most.ns)
		return 0;
	return EVIDENCE_CONTRADICTED;
}

unsigned jury_hear(const struct source *sources, int n, int jumped)
{
	unsigned evidence = 0;

	for (int i = 0; i < n; i++)
		if (i != jumped && jury_is_selectable(&sources[i]) &&
		    !(sources[jumped].port->shows_host && sources[i].port->shows_host))
			evidence |= witness_of(&sources[jumped], &sources[i]);
	return evidence;
}

bool jury_has_other(const struct source *sources, int n, int source)
{
	for (int i = 0; i < n; i++)
		if (i != source && jury_is_selectable(&sources[i]))
			return true;
	return false;
}

void jury_release(struct source *s)
{
	s->was_held = s->was_held || s->is_held;
	s->is_held = false;
}

int jury_select(const struct source *sources, int n, int current)
{
	struct candidate candidates[SOURCES_MAX];

	for (int i = 0; i < n; i++) {
		const struct source *s = &sources[i];

		candidates[i] = (struct candidate){
			.is_usable = source_is_usable(s) && !s->is_held,
			.prefer = s->conf.prefer,
			.noselect = s->conf.noselect,
			.require = s->conf.require,
			.is_host = s->is_host,
			.stratum = s->conf.stratum,
			.error = source_error(s),
		};
	}
	return select_source(candidates, (size_t)n, current);
}
