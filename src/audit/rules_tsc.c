/* SPDX-License-Identifier: Apache-2.0 */

/* rules_tsc.c - the counter beneath all clocks, and what disturbs one that is not constant */

#include <string.h>

#include "audit/rules.h"

void rule_container(const struct audit_facts *facts, struct findings *out)
{
	struct finding *f;

	if (facts->place.is_container != FACT_YES)
		return;
	f = rule_find(out, FINDING_NOTE, REMEDY_ADVICE);
	rule_evidence(f, "this is a container: its clock is that of the machine that it runs on, "
			 "and is not its to fix");
	rule_advice(f, "Run vmtime check on that machine.");
}

static bool is_slow(const char *clocksource)
{
	static const char *const SLOW[] = { "hpet", "acpi_pm", "jiffies", "refined-jiffies",
					    "pit" };

	for (size_t i = 0; i < COUNT(SLOW); i++)
		if (strcmp(SLOW[i], clocksource) == 0)
			return true;
	return false;
}

void rule_clocksource(const struct audit_facts *facts, struct findings *out)
{
	const struct fact_clocksource *c = &facts->clocksource;
	char quote[RULE_QUOTE_MAX], all[RULE_QUOTE_MAX], value[FACTS_WORD_MAX];
	bool is_asked = rule_argument(facts->boot.running, "clocksource", value, sizeof value);
	bool is_host = facts->place.is_host == FACT_YES && facts->place.is_guest != FACT_YES;
	struct finding *f;

	if (!facts->cpu.is_x86 || !is_slow(c->current))
		return;
	f = rule_find(out, is_host ? FINDING_BROKEN : FINDING_WARNING,
		      is_asked ? REMEDY_REMOVE_KERNEL_ARGUMENT : REMEDY_ADVICE);
	rule_evidence(f, "the clocksource is %s; available: %s%s", rule_quote(c->current, quote),
		      rule_quote(c->available, all),
		      is_asked ? "; the kernel's command line asks for it" : "");
	if (is_asked)
		rule_subject(f, "clocksource=%s", value);
	else
		rule_advice(f, "Look for \"clocksource\" in the kernel's messages: it tells why the "
			       "TSC was given up.");
}

void rule_constant_tsc(const struct audit_facts *facts, struct findings *out)
{
	const struct fact_cpu *cpu = &facts->cpu;
	struct finding *f;

	if (!cpu->is_x86 || facts->place.is_guest == FACT_YES ||
	    rule_has_invariant_tsc(facts) != FACT_NO)
		return;
	f = rule_find(out, FINDING_WARNING, REMEDY_NONE);
	rule_evidence(f, "/proc/cpuinfo has%s constant_tsc and%s nonstop_tsc",
		      cpu->constant_tsc == FACT_YES ? "" : " no",
		      cpu->nonstop_tsc == FACT_YES ? "" : " no");
}

/* intel_idle does not listen to the ACPI driver's argument. */
static const char *argument_for(const char *driver)
{
	return strcmp(driver, "intel_idle") == 0 ? "intel_idle.max_cstate" : "processor.max_cstate";
}

void rule_cstates(const struct audit_facts *facts, struct findings *out)
{
	const struct fact_idle *idle = &facts->idle;
	enum fact invariant = rule_has_invariant_tsc(facts);
	const char *argument = argument_for(idle->driver);
	char value[FACTS_WORD_MAX], quote[RULE_QUOTE_MAX];
	bool is_configured = rule_argument(facts->boot.configured, argument, value, sizeof value);
	struct finding *f;

	if (!idle->deepest[0] || facts->place.is_guest == FACT_YES || invariant == FACT_UNKNOWN)
		return;
	if (invariant == FACT_YES) {
		f = rule_find(out, FINDING_NOTE, REMEDY_NONE);
		rule_evidence(f, "idle states down to %s are in use (%s); the TSC does not stop in them, "
				 "so they only delay timers and packets",
			      rule_quote(idle->deepest, quote), idle->driver);
		return;
	}
	f = rule_find(out, FINDING_WARNING,
		      is_configured ? REMEDY_REBOOT : REMEDY_ADD_KERNEL_ARGUMENT);
	rule_subject(f, "%s=%s", argument, is_configured ? value : "1");
	rule_evidence(f, "idle states down to %s are in use and the TSC may stop in them%s",
		      rule_quote(idle->deepest, quote),
		      is_configured ? "; it is configured, and takes a reboot" : "");
}
