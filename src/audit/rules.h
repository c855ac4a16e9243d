/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDIT_RULES_H
#define AUDIT_RULES_H

/*
 * rules.h - the rules themselves, for the table
 *
 * Private to audit/.  Each looks at facts and adds what it finds; it asks by itself for all that
 * it needs to know, and says nothing where that is unknown.
 */

#include "audit/findings.h"

/* Adds a finding of the rule that is being judged; NULL, counted, where there is no room. */
struct finding *rule_find(struct findings *out, enum finding_severity severity,
			  enum audit_remedy remedy);

/* Write the finding's texts; foreign words go through rule_quote. */
void rule_evidence(struct finding *finding, const char *format, ...) printf_like(2, 3);
void rule_advice(struct finding *finding, const char *format, ...) printf_like(2, 3);
void rule_subject(struct finding *finding, const char *format, ...) printf_like(2, 3);

/* Foreign text for a sentence: printable, at most 95 characters.  Returns @to. */
#define RULE_QUOTE_MAX 96
const char *rule_quote(const char *text, char to[RULE_QUOTE_MAX]);

/*
 * The value of the last argument @name ("tsc", or "notsc" without one) on a kernel's command line:
 * copied to @to ("" where it has none).  False where the argument is not there.
 */
bool rule_argument(const char *line, const char *name, char *to, size_t size);

/* A constant TSC that never stops: what makes half of the other rules harmless. */
enum fact rule_has_invariant_tsc(const struct audit_facts *facts);

void rule_container(const struct audit_facts *facts, struct findings *out);
void rule_clocksource(const struct audit_facts *facts, struct findings *out);
void rule_constant_tsc(const struct audit_facts *facts, struct findings *out);
void rule_cstates(const struct audit_facts *facts, struct findings *out);
void rule_ptp_kvm(const struct audit_facts *facts, struct findings *out);

#endif
