/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/slice.h"

struct finding *rule_find(struct findings *out, enum finding_severity severity,
			  enum audit_remedy remedy)
{
	struct finding *finding;

	if (out->n == FINDINGS_MAX) {
		out->n_lost++;
		out->n--;
	}
	finding = &out->list[out->n++];
	*finding = (struct finding){ .rule = out->rule, .severity = severity, .remedy = remedy };
	return finding;
}

void rule_evidence(struct finding *finding, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(finding->evidence, sizeof finding->evidence, format, args);
	va_end(args);
}

void rule_advice(struct finding *finding, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(finding->advice, sizeof finding->advice, format, args);
	va_end(args);
}

void rule_subject(struct finding *finding, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(finding->subject, sizeof finding->subject, format, args);
	va_end(args);
}

const char *rule_quote(const char *text, char to[RULE_QUOTE_MAX])
{
	size_t i = 0;

	for (; text[i] && i + sizeof "..." < RULE_QUOTE_MAX; i++)
		to[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	to[i] = '\0';
	if (text[i])
		strcat(to, "...");
	return to;
}

/* The kernel splits at blanks outside double quotes, which may stand anywhere in an argument. */
static struct slice next_argument(struct slice *rest)
{
	size_t begin = 0, end;
	bool is_quoted = false;
	struct slice found;

	while (begin < rest->n && strchr(" \t\n\r\v\f", rest->p[begin]))
		begin++;
	for (end = begin; end < rest->n; end++) {
		if (rest->p[end] == '"')
			is_quoted = !is_quoted;
		else if (!is_quoted && strchr(" \t\n\r\v\f", rest->p[end]))
			break;
	}
	found = (struct slice){ rest->p + begin, end - begin };
	*rest = (struct slice){ rest->p + end, rest->n - end };
	return found;
}

/* Dashes and underscores are alike to the kernel. */
static bool is_named(struct slice argument, const char *name, struct slice *ret_value)
{
	struct slice value = argument;
	struct slice key = slice_cut(&value, '=');
	size_t n = strlen(name);

	if (key.n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((key.p[i] == '_' ? '-' : key.p[i]) != (name[i] == '_' ? '-' : name[i]))
			return false;
	*ret_value = value;
	return true;
}

bool rule_argument(const char *line, const char *name, char *to, size_t size)
{
	struct slice rest = slice_of(line), argument, value;
	bool is_there = false;

	to[0] = '\0';
	while ((argument = next_argument(&rest)).n) {
		/* What stands behind "--" is for the first process. */
		if (slice_equals(argument, "--"))
			break;
		if (!is_named(argument, name, &value))
			continue;
		is_there = true;
		if (value.n >= size)
			value.n = size - 1;
		memcpy(to, value.p, value.n);
		to[value.n] = '\0';
	}
	return is_there;
}

/* GRUB tells every kernel by which name it found it. */
bool rule_is_by_grub(const struct audit_facts *facts)
{
	char value[FACTS_WORD_MAX];

	return facts->boot.is_running_known &&
	       rule_argument(facts->boot.running, "BOOT_IMAGE", value, sizeof value);
}

struct finding *rule_find_argument(const struct audit_facts *facts, struct findings *out,
				   enum finding_severity severity, const char *name)
{
	char value[FACTS_WORD_MAX];
	struct finding *f;

	if (facts->boot.is_configured_known != FACT_YES ||
	    rule_argument(facts->boot.configured, name, value, sizeof value))
		return rule_find(out, severity, REMEDY_REMOVE_KERNEL_ARGUMENT);
	if (rule_is_by_grub(facts))
		return rule_find(out, severity, REMEDY_REBOOT);
	f = rule_find(out, severity, REMEDY_ADVICE);
	rule_advice(f, "It was not GRUB that started this kernel: take the argument away where whatever "
		       "did so has it.");
	return f;
}

enum fact rule_has_invariant_tsc(const struct audit_facts *facts)
{
	const struct fact_cpu *cpu = &facts->cpu;

	if (cpu->constant_tsc == FACT_UNKNOWN || cpu->nonstop_tsc == FACT_UNKNOWN)
		return cpu->invariant_by_cpuid;
	return cpu->constant_tsc == FACT_YES && cpu->nonstop_tsc == FACT_YES ? FACT_YES : FACT_NO;
}

bool rule_is_bare(const struct audit_facts *facts)
{
	return facts->place.is_guest == FACT_NO;
}

const struct fact_unit *rule_enabled(const struct audit_facts *facts, const char *daemon)
{
	for (unsigned i = 0; i < facts->daemons.n_units; i++) {
		const struct fact_unit *unit = &facts->daemons.units[i];

		if (unit->is_enabled && strcmp(unit->daemon, daemon) == 0)
			return unit;
	}
	return NULL;
}

/* Of one that was found running the process has a name that is cut at 15 bytes. */
static bool is_process_of(const char *process, const char *daemon)
{
	return strcmp(process, daemon) == 0 ||
	       (strcmp(daemon, "timesyncd") == 0 && strcmp(process, "systemd-timesyn") == 0);
}

bool rule_is_owner(const struct audit_facts *facts, const char *daemon)
{
	for (unsigned i = 0; i < facts->daemons.n_owners; i++)
		if (is_process_of(facts->daemons.owners[i].name, daemon))
			return true;
	return facts->daemons.n_owners == 0 && rule_enabled(facts, daemon);
}

void rule_container(const struct audit_facts *facts, struct findings *out)
{
	struct finding *f;

	if (facts->place.is_container != FACT_YES)
		return;
	f = rule_find(out, FINDING_NOTE, REMEDY_ADVICE);
	rule_evidence(f, "this is a container: its clock is that of the machine that it runs on, and "
			 "not its own to fix");
	rule_advice(f, "Run vmtime check on that machine.");
}
