/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CHECK_TEXT_H
#define CLI_CHECK_TEXT_H

/*
 * check_text.h - findings as people read them
 */

#include <stdbool.h>
#include <stdio.h>

#include "audit/facts.h"
#include "audit/findings.h"

/* The list, worst first, and what was not looked at. */
void check_text_print(FILE *out, const struct audit_facts *facts, const struct findings *findings,
                      bool is_coloured);

/* What of the time daemons' files is not understood, so that nothing is found about it. */
void check_text_trouble(FILE *out, const struct audit_facts *facts);

/* All that is known about a rule, and what it finds here. */
void check_text_explain(FILE *out, const struct finding_rule *rule,
                        const struct findings *findings);

/* "a KVM guest", "a host": where check found itself. */
const char *check_text_place(const struct audit_facts *facts);

/* A container, or a folder without anything in it: nothing can be said of its clock. */
bool check_text_is_blind(const struct audit_facts *facts);

/* Is it one that `vmtime fix` can do? */
bool check_text_is_fixable(enum audit_remedy remedy);

#endif
