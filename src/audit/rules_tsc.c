/* SPDX-License-Identifier: Apache-2.0 */

/* rules_tsc.c - the counter beneath all clocks, and what disturbs one that is not constant */

#include <string.h>

#include "audit/rules.h"
#include "base/slice.h"

static bool is_among(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], word) == 0)
			return true;
	return false;
}

static bool has_word(const char *list, const char *word)
{
	struct slice rest = slice_of(list), next;

	while ((next = slice_word(&rest)).n)
		if (slice_equals(next, word))
			return true;
	return false;
}

static bool is_slow(const char *clocksource)
{
	static const char *const SLOW[] = { "hpet", "acpi_pm", "jiffies", "refined-jiffies",
					    "pit" };

	return is_among(clocksource, SLOW, COUNT(SLOW));
}

void rule_clocksource(const struct audit_facts *facts, struct findings *out)
{
	const struct fact_clocksource *c = &facts->clocksource;
	char quote[RULE_QUOTE_MAX], all[RULE_QUOTE_MAX], value[FACTS_WORD_MAX];
	bool is_asked = rule_argument(facts->boot.running, "clocksource", value, sizeof value) &&
			strcmp(value, c->current) == 0;
	enum finding_severity severity = rule_is_bare(facts) ? FINDING_BROKEN : FINDING_WARNING;
	struct finding *f;

	if (!facts->cpu.is_x86 || !is_slow(c->current) || rule_is_old_guest(facts))
		return;
	if (is_asked)
		f = rule_find_argument(facts, out, severity, "clocksource");
	else
		f = rule_find(out, severity, REMEDY_ADVICE);
	rule_evidence(f, "the clocksource is %s (available: %s)%s", rule_quote(c->current, quote),
		      rule_quote(c->available, all),
		      is_asked ? "; the kernel's command line asks for it" : "");
	if (is_asked)
		rule_subject(f, "clocksource=%s", value);
	else
		rule_advice(f, "Look for \"clocksource\" in the kernel's messages: they tell why the "
			       "TSC was given up.");
}

void rule_tsc_watchdog(const struct audit_facts *facts, struct findings *out)
{
	const struct fact_clocksource *c = &facts->clocksource;
	char value[FACTS_WORD_MAX];
	struct finding *f;

	if (!facts->cpu.is_x86 || !rule_is_bare(facts))
		return;
	if (rule_has_invariant_tsc(facts) == FACT_YES && c->available[0] &&
	    !has_word(c->available, "tsc")) {
		f = rule_find(out, FINDING_BROKEN, REMEDY_ADVICE);
		rule_evidence(f, "the processor has a constant TSC, but the kernel does not offer tsc "
				 "among its clocksources: its watchdog has found it unstable");
		rule_advice(f, "Look for \"Marking clocksource 'tsc' as unstable\" in the kernel's "
			       "messages, and for newer firmware.");
		return;
	}
	if (!rule_argument(facts->boot.running, "tsc", value, sizeof value) ||
	    (strcmp(value, "reliable") != 0 && strcmp(value, "nowatchdog") != 0))
		return;
	f = rule_find(out, FINDING_NOTE, REMEDY_NONE);
	rule_evidence(f, "tsc=%s on the kernel's command line turns the watchdog off: a TSC that goes "
			 "wrong is not noticed", value);
}

void rule_constant_tsc(const struct audit_facts *facts, struct findings *out)
{
	const struct fact_cpu *cpu = &facts->cpu;
	struct finding *f;

	if (!cpu->is_x86 || !rule_is_bare(facts) || rule_has_invariant_tsc(facts) != FACT_NO)
		return;
	f = rule_find(out, FINDING_WARNING, REMEDY_NONE);
	rule_evidence(f, "/proc/cpuinfo shows%s constant_tsc and%s nonstop_tsc",
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
	struct finding *f;

	if (!facts->cpu.is_x86 || !idle->deepest[0] || !rule_is_bare(facts))
		return;
	if (invariant == FACT_YES) {
		f = rule_find(out, FINDING_NOTE, REMEDY_NONE);
		rule_evidence(f, "idle states down to %s are in use; the TSC runs on in them, so all "
				 "they cost is the time to wake up", rule_quote(idle->deepest, quote));
		return;
	}
	/* What is configured and not running is a finding of `reboot`; more than 1 is not enough. */
	if (invariant == FACT_UNKNOWN ||
	    (rule_argument(facts->boot.configured, argument, value, sizeof value) &&
	     (strcmp(value, "0") == 0 || strcmp(value, "1") == 0)))
		return;
	f = rule_find(out, FINDING_WARNING, REMEDY_ADD_KERNEL_ARGUMENT);
	rule_subject(f, "%s=1", argument);
	rule_evidence(f, "idle states down to %s are in use, and this TSC may stop in them",
		      rule_quote(idle->deepest, quote));
}

/* Does this governor keep one frequency?  In intel_pstate "powersave" does not. */
static bool is_steady(const struct fact_frequency *f)
{
	static const char *const STEADY[] = { "performance", "userspace" };

	if (f->is_fixed || is_among(f->governor, STEADY, COUNT(STEADY)))
		return !f->is_mixed || f->is_fixed;
	return strcmp(f->governor, "powersave") == 0 && strncmp(f->driver, "intel_", 6) != 0 &&
	       !f->is_mixed;
}

void rule_frequency(const struct audit_facts *facts, struct findings *out)
{
	const struct fact_frequency *frequency = &facts->frequency;
	enum fact constant = facts->cpu.constant_tsc;
	char governor[RULE_QUOTE_MAX], all[RULE_QUOTE_MAX];
	const char *wanted = has_word(frequency->governors, "performance") ? "performance"
			     : has_word(frequency->governors, "userspace") ? "userspace" : NULL;
	struct finding *f;

	if (!facts->cpu.is_x86 || !frequency->is_there || !rule_is_bare(facts) ||
	    constant == FACT_UNKNOWN || is_steady(frequency))
		return;
	rule_quote(frequency->governor, governor);
	if (constant == FACT_YES) {
		f = rule_find(out, FINDING_NOTE, REMEDY_NONE);
		rule_evidence(f, "the governor %s changes the processor's frequency; the TSC keeps its "
				 "own", governor);
		return;
	}
	f = rule_find(out, FINDING_WARNING, wanted ? REMEDY_FIX_FREQUENCY : REMEDY_ADVICE);
	rule_evidence(f, "the governor %s%s changes the frequency, and the TSC's with it (available: %s)",
		      governor, frequency->is_mixed ? " of some processors" : "",
		      rule_quote(frequency->governors, all));
	if (wanted)
		rule_subject(f, "%s", wanted);
	else
		rule_advice(f, "Set scaling_min_freq and scaling_max_freq to one value.");
}

void rule_cpupower(const struct audit_facts *facts, struct findings *out)
{
	const struct fact_cpupower *c = &facts->cpupower;
	const char *governors = facts->frequency.governors;
	char quote[RULE_QUOTE_MAX], all[RULE_QUOTE_MAX];
	struct finding *f;

	if (c->has_service != FACT_YES || !c->governor[0] || !rule_is_bare(facts))
		return;
	if (governors[0] && !has_word(governors, c->governor)) {
		f = rule_find(out, FINDING_WARNING, REMEDY_ADVICE);
		rule_evidence(f, "%s asks for the governor %s, which this processor does not have "
				 "(available: %s)", c->path, rule_quote(c->governor, quote),
			      rule_quote(governors, all));
		rule_advice(f, "Name one of these in CPUPOWER_START_OPTS.");
		return;
	}
	if (facts->cpu.constant_tsc != FACT_NO || c->is_enabled == FACT_YES)
		return;
	f = rule_find(out, FINDING_WARNING, REMEDY_ENABLE_CPUPOWER);
	rule_subject(f, "%s", c->unit);
	rule_evidence(f, "%s sets the governor %s, and %s is not enabled", c->path,
		      rule_quote(c->governor, quote), c->unit);
}
