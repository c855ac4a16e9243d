/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_JURY_H
#define CORE_JURY_H

/*
 * jury.h - what the other sources say
 *
 * Whom to follow, of all that can be followed; and, when one was proven to have
 * jumped, whether the others saw it.  A pause of this machine is seen by each of
 * them, a step of the host's clock by that clock alone.
 *
 * A source that was read since and is where it was expected contradicts, if it
 * could have seen a jump of that size at all: one that is read once a minute by
 * way of a network is no witness against a millisecond.  One that has jumped as
 * far, or is about to prove it, agrees.  The others know nothing, nor does one that was first read
 * after it may have happened.  Two ways to
 * read the host's own clock are one witness, not two.
 */

#include "core/source.h"

/* EVIDENCE_SECOND_AGREES, EVIDENCE_CONTRADICTED, both, or 0; @jumped: the index of who has jumped. */
unsigned jury_hear(const struct source *sources, int n, int jumped);

/* @s may be followed again, if it was held. */
void jury_release(struct source *s);

/* Which one to follow: an index, or SELECT_NONE.  @current: the one that is followed now. */
int jury_select(const struct source *sources, int n, int current);

/* Whether @s could be followed, if there were no other. */
bool jury_is_selectable(const struct source *s);

/* Whether any but @source could be followed. */
bool jury_has_other(const struct source *sources, int n, int source);

#endif
