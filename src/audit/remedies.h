/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDIT_REMEDIES_H
#define AUDIT_REMEDIES_H

/*
 * remedies.h - from what was found to what is to be done
 *
 * Each remedy (enum audit_remedy) becomes steps of a plan, by what the facts say
 * of this distribution: its paths, its generator of boot files, its services.
 * Nothing is changed here; files are read.  What cannot be done, or not safely,
 * becomes a note that says why and what a person would do.
 *
 * A plan that was carried out leaves nothing of the same remedies to do.
 */

#include <stdbool.h>

#include "audit/facts.h"
#include "audit/findings.h"
#include "audit/plan.h"
#include "base/attr.h"

/* Which daemon is to follow the host's clock. */
enum remedy_daemon { REMEDY_ANY_DAEMON, REMEDY_CHRONY, REMEDY_VMTIMED };

struct remedy_choice {
	enum remedy_daemon daemon;
	char *const *ids;  /* the findings to mend; none: every warning and worse */
	unsigned n_ids;
};

/* Is the finding one that the choice wants mended? */
bool remedy_is_wanted(const struct remedy_choice *choice, const struct finding *finding);

/* Is there a choice between chrony and vmtimed to be made, and both are there? */
bool remedies_ask_daemon(const struct audit_facts *facts, const struct findings *findings,
			 const struct remedy_choice *choice);

/* Adds what mends the findings to @plan, which is empty.  0 or -ENOMEM. */
int remedies_plan(const struct audit_facts *facts, const struct findings *findings,
		  const struct remedy_choice *choice, struct plan *plan) must_check;

#endif
