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

/*
 * Adds a finding of the rule that is being judged.  Where there is no room it is counted, and what
 * is returned is written over by the next.
 */
struct finding *rule_find(struct findings *out, enum finding_severity severity,
			  enum audit_remedy remedy);

/* Write the finding's texts; foreign words go through rule_quote. */
void rule_evidence(struct finding *finding, const char *format, ...) printf_like(2, 3);
void rule_advice(struct finding *finding, const char *format, ...) printf_like(2, 3);
void rule_subject(struct finding *finding, const char *format, ...) printf_like(2, 3);

/* Foreign text for a sentence: printable ASCII, cut to fit.  Returns @to. */
#define RULE_QUOTE_MAX 160
const char *rule_quote(const char *text, char to[RULE_QUOTE_MAX]);

/*
 * The value of the last argument @name ("tsc", or "notsc" without one) on a kernel's command line:
 * copied to @to ("" where it has none).  False where the argument is not there.
 */
bool rule_argument(const char *line, const char *name, char *to, size_t size);

/*
 * Adds a finding about an argument that the running kernel was started with and should not be: to be
 * taken away, or only to be rebooted where GRUB does without it already, or, where it was not GRUB
 * that started the kernel, for a person.
 */
struct finding *rule_find_argument(const struct audit_facts *facts, struct findings *out,
				   enum finding_severity severity, const char *name);

/* Was the running kernel started by GRUB, whose files say what the next one is told? */
bool rule_is_by_grub(const struct audit_facts *facts);

/* A guest of a release that Red Hat's guide has a row for: it needs arguments that others do not. */
bool rule_is_old_guest(const struct audit_facts *facts);

/* A constant TSC that never stops: what makes half of the other rules harmless. */
enum fact rule_has_invariant_tsc(const struct audit_facts *facts);

/* A machine of its own: what a host's processor does is of no account in a guest. */
bool rule_is_bare(const struct audit_facts *facts);

/* Does @daemon ("chronyd") set this clock: now, or, where none does now, from the next boot on? */
bool rule_is_owner(const struct audit_facts *facts, const char *daemon);

/* An enabled unit of @daemon, or NULL. */
const struct fact_unit *rule_enabled(const struct audit_facts *facts, const char *daemon);

void rule_container(const struct audit_facts *facts, struct findings *out);

/* rules_tsc.c */
void rule_clocksource(const struct audit_facts *facts, struct findings *out);
void rule_tsc_watchdog(const struct audit_facts *facts, struct findings *out);
void rule_constant_tsc(const struct audit_facts *facts, struct findings *out);
void rule_cstates(const struct audit_facts *facts, struct findings *out);
void rule_frequency(const struct audit_facts *facts, struct findings *out);
void rule_cpupower(const struct audit_facts *facts, struct findings *out);

/* rules_kernel.c */
void rule_no_kvmclock(const struct audit_facts *facts, struct findings *out);
void rule_guest_counter(const struct audit_facts *facts, struct findings *out);
void rule_old_arguments(const struct audit_facts *facts, struct findings *out);
void rule_reboot(const struct audit_facts *facts, struct findings *out);
void rule_steal(const struct audit_facts *facts, struct findings *out);

/* rules_daemons.c */
void rule_two_daemons(const struct audit_facts *facts, struct findings *out);
void rule_no_daemon(const struct audit_facts *facts, struct findings *out);
void rule_ptp_kvm(const struct audit_facts *facts, struct findings *out);
void rule_refclock(const struct audit_facts *facts, struct findings *out);
void rule_refclock_device(const struct audit_facts *facts, struct findings *out);
void rule_refclock_poll(const struct audit_facts *facts, struct findings *out);
void rule_makestep(const struct audit_facts *facts, struct findings *out);
void rule_rtcsync(const struct audit_facts *facts, struct findings *out);

/* rules_agent.c */
void rule_guest_agent(const struct audit_facts *facts, struct findings *out);
void rule_hwclock(const struct audit_facts *facts, struct findings *out);
void rule_rtc_local(const struct audit_facts *facts, struct findings *out);

/* rules_libvirt.c */
void rule_domain_kvmclock(const struct audit_facts *facts, struct findings *out);
void rule_domain_clock(const struct audit_facts *facts, struct findings *out);
void rule_domain_timers(const struct audit_facts *facts, struct findings *out);
void rule_invtsc(const struct audit_facts *facts, struct findings *out);
void rule_agent_channel(const struct audit_facts *facts, struct findings *out);
void rule_sync_time(const struct audit_facts *facts, struct findings *out);

#endif
