/* SPDX-License-Identifier: Apache-2.0 */

/* facts_cpu.c - the counter beneath the clocks, idle states, and stolen time */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/gather.h"
#include "os/processor.h"

#define CLOCKSOURCE "/sys/devices/system/clocksource/clocksource0/"
#define CPU         "/sys/devices/system/cpu/"
#define STATES_MAX  16

/* The text behind the colon of a line of /proc/cpuinfo, where its key is @key. */
static bool is_line_of(struct slice line, const char *key, struct slice *ret)
{
	struct slice name = slice_cut(&line, ':');

	if (!slice_equals(slice_trim(name), key))
		return false;
	*ret = slice_trim(line);
	return true;
}

static void read_flags(struct fact_cpu *cpu, struct slice flags)
{
	struct slice word;

	cpu->is_x86 = true;
	cpu->constant_tsc = cpu->nonstop_tsc = cpu->hypervisor = FACT_NO;
	while ((word = slice_word(&flags)).n) {
		if (slice_equals(word, "constant_tsc"))
			cpu->constant_tsc = FACT_YES;
		else if (slice_equals(word, "nonstop_tsc"))
			cpu->nonstop_tsc = FACT_YES;
		else if (slice_equals(word, "hypervisor"))
			cpu->hypervisor = FACT_YES;
	}
}

/* A processor's part is 1.5 kB; to read all of them takes the kernel long. */
#define CPUINFO_MAX 8192

/* The first processor speaks for all: that they differ the kernel says by its clocksource. */
static void read_cpuinfo(struct audit_facts *facts)
{
	struct fact_cpu *cpu = &facts->cpu;
	struct slice rest, value;
	char text[CPUINFO_MAX];

	rest = (struct slice){ text, gather_head(facts, "/proc/cpuinfo", text, sizeof text) };
	while (rest.n && !cpu->is_x86) {
		struct slice line = slice_cut(&rest, '\n');

		if (is_line_of(line, "vendor_id", &value))
			gather_cut(value, cpu->vendor, sizeof cpu->vendor);
		else if (is_line_of(line, "flags", &value))
			read_flags(cpu, value);
	}
}

static void ask_processor(struct audit_facts *facts)
{
	struct processor_facts cpuid;

	if (!facts->is_real)
		return;
	processor_read(&cpuid);
	if (cpuid.knows_invariant)
		facts->cpu.invariant_by_cpuid = cpuid.has_invariant_tsc ? FACT_YES : FACT_NO;
}

static void read_clocksource(struct audit_facts *facts)
{
	struct fact_clocksource *c = &facts->clocksource;

	gather_word(facts, CLOCKSOURCE "current_clocksource", c->current, sizeof c->current);
	gather_word(facts, CLOCKSOURCE "available_clocksource", c->available, sizeof c->available);
}

/* "POLL", "C1", "C1E" and "C1_ACPI" do not stop a counter; what has a larger number may. */
static bool is_deep(const char *name)
{
	return name[0] == 'C' && name[1] > '1' && name[1] <= '9';
}

static void read_idle(struct audit_facts *facts)
{
	struct fact_idle *idle = &facts->idle;
	char path[FACTS_PATH_MAX], name[FACTS_WORD_MAX], disabled[8];

	gather_word(facts, CPU "cpuidle/current_driver", idle->driver, sizeof idle->driver);
	for (unsigned i = 0; i < STATES_MAX; i++) {
		snprintf(path, sizeof path, CPU "cpu0/cpuidle/state%u/name", i);
		if (!gather_word(facts, path, name, sizeof name))
			return;
		snprintf(path, sizeof path, CPU "cpu0/cpuidle/state%u/disable", i);
		gather_word(facts, path, disabled, sizeof disabled);
		if (is_deep(name) && (!disabled[0] || strcmp(disabled, "0") == 0))
			strcpy(idle->deepest, name);
	}
}

/* user nice system idle iowait irq softirq steal; what follows is part of user and nice. */
#define TICKS 8
#define STEAL 7

static bool read_ticks(struct audit_facts *facts, struct fact_ticks *ret)
{
	char line[512];
	struct slice rest, word;
	struct fact_ticks ticks = { 0 };
	int64_t n;

	if (!gather_word(facts, "/proc/stat", line, sizeof line))
		return false;
	rest = slice_of(line);
	if (!slice_equals(slice_word(&rest), "cpu"))
		return false;
	for (unsigned i = 0; i < TICKS; i++) {
		word = slice_word(&rest);
		if (!word.n || !slice_to_int(word, &n) || n < 0)
			return false;
		ticks.all += (uint64_t)n;
		if (i == STEAL)
			ticks.stolen = (uint64_t)n;
	}
	*ret = ticks;
	return true;
}

void facts_look_again(struct audit_facts *facts)
{
	facts->steal.has_second =
		facts->steal.is_known && read_ticks(facts, &facts->steal.second);
}

void gather_cpu(struct audit_facts *facts)
{
	read_cpuinfo(facts);
	ask_processor(facts);
	read_clocksource(facts);
	read_idle(facts);
	facts->steal.is_known = read_ticks(facts, &facts->steal.first);
}
