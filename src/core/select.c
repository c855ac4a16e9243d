/* SPDX-License-Identifier: Apache-2.0 */
#include "core/select.h"

/* Below zero: @a is of a better class than @b; zero: of the same. */
static int compare_class(const struct candidate *a, const struct candidate *b)
{
	if (a->prefer != b->prefer)
		return a->prefer ? -1 : 1;
	if (a->stratum != b->stratum)
		return a->stratum < b->stratum ? -1 : 1;
	if (a->is_host != b->is_host)
		return a->is_host ? -1 : 1;
	return 0;
}

static bool is_better(const struct candidate *candidates, int a, int b, int current)
{
	int class = compare_class(&candidates[a], &candidates[b]);

	if (class != 0)
		return class < 0;
	if (a == current || b == current)
		return a == current;
	return candidates[a].error.ns < candidates[b].error.ns;
}

static bool is_followable(const struct candidate *c)
{
	return c->is_usable && !c->noselect;
}

static bool is_requirement_met(const struct candidate *candidates, size_t n)
{
	bool is_required = false;

	for (size_t i = 0; i < n; i++) {
		if (!candidates[i].require)
			continue;
		if (is_followable(&candidates[i]))
			return true;
		is_required = true;
	}
	return !is_required;
}

int select_source(const struct candidate *candidates, size_t n, int current)
{
	int best = SELECT_NONE;

	if (!is_requirement_met(candidates, n))
		return SELECT_NONE;
	for (int i = 0; i < (int)n; i++)
		if (is_followable(&candidates[i]) &&
		    (best == SELECT_NONE || is_better(candidates, i, best, current)))
			best = i;
	return best;
}
