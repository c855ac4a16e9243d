/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/check_text.h"

#include <string.h>

#include "base/attr.h"
#include "cli/words.h"

#define COLUMNS 96
#define INDENT  9 /* "warning  " */

static const char *const COLOURS[] = {
	[FINDING_NOTE] = "", [FINDING_WARNING] = "\033[1;33m", [FINDING_BROKEN] = "\033[1;31m",
};

const char *check_text_place(const struct audit_facts *facts)
{
	const struct fact_place *place = &facts->place;
	bool is_host = place->is_host == FACT_YES;

	if (place->is_container == FACT_YES)
		return "a container";
	if (place->is_guest == FACT_YES && place->is_kvm)
		return is_host ? "a KVM guest that has guests itself" : "a KVM guest";
	if (place->is_guest == FACT_YES)
		return is_host ? "a guest that has guests itself" : "a guest, not of KVM";
	if (is_host)
		return place->n_kvm_users || facts->libvirt.n_domains ? "a host with guests"
		                                                      : "a host";
	return "a machine, host or guest unknown";
}

bool check_text_is_blind(const struct audit_facts *facts)
{
	return facts->place.is_container == FACT_YES ||
	       (!facts->system.id[0] && facts->place.is_guest == FACT_UNKNOWN &&
	        facts->place.is_host == FACT_UNKNOWN && !facts->boot.is_running_known);
}

bool check_text_is_fixable(enum audit_remedy remedy)
{
	switch (remedy) {
	case REMEDY_NONE:
	case REMEDY_ADVICE:
	case REMEDY_REBOOT:
	case REMEDY_DOMAIN_XML:
	case REMEDIES: return false;
	case REMEDY_ADD_KERNEL_ARGUMENT:
	case REMEDY_REMOVE_KERNEL_ARGUMENT:
	case REMEDY_FIX_FREQUENCY:
	case REMEDY_ENABLE_CPUPOWER:
	case REMEDY_LOAD_PTP_KVM:
	case REMEDY_REFCLOCK:
	case REMEDY_MAKESTEP:
	case REMEDY_RTCSYNC:
	case REMEDY_SYNC_TIME: return true;
	}
	return false;
}

/* Breaks @text at blanks; @used columns of the first line are taken. */
static void print_wrapped(FILE *out, unsigned used, unsigned indent, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, " ");

		if (used > indent && used + 1 + n > COLUMNS) {
			fprintf(out, "\n%*s", (int)indent, "");
			used = indent;
		} else if (used > indent) {
			fputc(' ', out);
			used++;
		}
		fprintf(out, "%.*s", (int)n, text);
		used += (unsigned)n;
		text += n + strspn(text + n, " ");
	}
	fputc('\n', out);
}

static void print_finding(FILE *out, const struct finding *f, bool is_coloured)
{
	const char *colour = is_coloured ? COLOURS[f->severity] : "";

	fprintf(out, "%s%-*s%s%s:", colour, INDENT, finding_severity_name(f->severity),
	        colour[0] ? "\033[0m" : "", f->rule->id);
	print_wrapped(out, INDENT + (unsigned)strlen(f->rule->id) + 1, INDENT, f->evidence);
	if (f->severity == FINDING_NOTE)
		return;
	fprintf(out, "%*s", INDENT, "");
	print_wrapped(out, INDENT, INDENT, f->rule->reason);
	if (check_text_is_fixable(f->remedy))
		fprintf(out, "%*s-> vmtime fix %s\n", INDENT, "", f->rule->id);
	else if (f->remedy == REMEDY_REBOOT)
		fprintf(out, "%*s-> reboot\n", INDENT, "");
	if (f->advice[0]) {
		fprintf(out, "%*s->", INDENT, "");
		print_wrapped(out, INDENT + 2, INDENT, f->advice);
	}
}

static void print_counts(FILE *out, const struct findings *findings)
{
	static const char *const NAMES[][2] = {
		[FINDING_NOTE] = { "note", "notes" },
		[FINDING_WARNING] = { "warning", "warnings" },
		[FINDING_BROKEN] = { "broken", "broken" },
	};
	unsigned n[COUNT(NAMES)] = { 0 };
	const char *separator = "";

	for (unsigned i = 0; i < findings->n; i++)
		n[findings->list[i].severity]++;
	if (!findings->n)
		fputs("nothing to find fault with", out);
	for (unsigned s = COUNT(NAMES); s-- > 0;) {
		if (!n[s])
			continue;
		fprintf(out, "%s%u %s", separator, n[s], NAMES[s][n[s] != 1]);
		separator = ", ";
	}
	fputs(".\n", out);
}

static void print_unread(FILE *out, const struct audit_facts *facts)
{
	const char *separator = "\nNot looked at, for want of root: ";
	char safe[WORDS_SAFE_MAX];

	for (unsigned i = 0; i < facts->n_unread; i++) {
		if (!facts->unread[i].needs_root)
			continue;
		fprintf(out, "%s%s", separator, words_safe(facts->unread[i].what, safe, sizeof safe));
		separator = ", ";
	}
	if (separator[0] == ',')
		fputc('\n', out);
	if (facts->n_unread_lost)
		fprintf(out, "\nNot looked at: %u more files\n", facts->n_unread_lost);
	for (unsigned i = 0; i < facts->n_unread; i++) {
		if (facts->unread[i].needs_root)
			continue;
		fprintf(out, "\nNot looked at: %s: ",
		        words_safe(facts->unread[i].what, safe, sizeof safe));
		fprintf(out, "%s\n", facts->unread[i].why);
	}
}

static void print_trouble(FILE *out, const struct fact_time_conf *conf)
{
	char safe[WORDS_SAFE_MAX];

	if (conf->trouble[0] && (conf->file == FACT_FILE_READ || conf->file == FACT_FILE_ODD))
		fprintf(out, "\nNot understood: %s\n", words_safe(conf->trouble, safe, sizeof safe));
}

void check_text_trouble(FILE *out, const struct audit_facts *facts)
{
	print_trouble(out, &facts->chrony);
	print_trouble(out, &facts->vmtime);
}

void check_text_print(FILE *out, const struct audit_facts *facts, const struct findings *findings,
                      bool is_coloured)
{
	char safe[WORDS_SAFE_MAX];

	if (check_text_is_blind(facts) && !findings->n) {
		fputs("There is nothing to look at.\n", out);
		return;
	}
	fprintf(out, "%s, %s: ",
	        facts->system.name[0] ? words_safe(facts->system.name, safe, sizeof safe)
	                              : "An unknown distribution",
	        check_text_place(facts));
	print_counts(out, findings);
	if (findings->n)
		fputc('\n', out);
	for (unsigned i = 0; i < findings->n; i++)
		print_finding(out, &findings->list[i], is_coloured);
	if (check_text_is_blind(facts))
		return;
	print_unread(out, facts);
	check_text_trouble(out, facts);
	if (facts->steal.is_known && !facts->steal.has_second &&
	    facts->place.is_guest == FACT_YES)
		fputs("\nNot looked at: time stolen now, which takes a while: vmtime check --wait 10\n",
		      out);
}

static void print_part(FILE *out, const char *label, const char *text)
{
	fprintf(out, "  %-9s", label);
	print_wrapped(out, 11, 11, text);
}

void check_text_explain(FILE *out, const struct finding_rule *rule,
                        const struct findings *findings)
{
	const char *label = "Here";

	fprintf(out, "%s: %s\n\n", rule->id, rule->title);
	print_part(out, "Where", rule->site == SITE_BOTH    ? "on guests and hosts"
	                         : rule->site == SITE_GUEST ? "on guests"
	                                                    : "on hosts");
	print_part(out, "Why", rule->reason);
	print_part(out, "Not", rule->quiet);
	print_part(out, "Remedy", rule->remedy);
	for (unsigned i = 0; i < findings->n; i++) {
		if (findings->list[i].rule != rule)
			continue;
		print_part(out, label, findings->list[i].evidence);
		label = "";
	}
	if (label[0])
		print_part(out, label, "nothing to say");
}
