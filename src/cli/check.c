/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "audit/facts.h"
#include "audit/findings.h"
#include "cli/check_text.h"
#include "cli/output.h"
#include "cli/words.h"
#include "proto/check_json.h"

/* What one look gives; large, so it is kept on the heap. */
struct check {
	struct audit_facts facts;
	struct findings findings;
	struct check_finding json_findings[FINDINGS_MAX];
	struct check_unread json_unread[FACTS_UNREAD];
	char json_what[FACTS_UNREAD][WORDS_SAFE_MAX];
	char json_words[5][WORDS_SAFE_MAX];
};

static void wait_for(vt_span span)
{
	struct timespec left = { (time_t)(span.ns / 1000000000), (long)(span.ns % 1000000000) };

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

static bool is_plain_terminal(void)
{
	const char *terminal = getenv("TERM"), *no_colour = getenv("NO_COLOR");

	return (no_colour && no_colour[0]) || (terminal && strcmp(terminal, "dumb") == 0) ||
	       !isatty(STDOUT_FILENO);
}

static void fill_lists(struct check *check, struct check_report *report)
{
	const struct audit_facts *facts = &check->facts;

	for (unsigned i = 0; i < check->findings.n; i++) {
		const struct finding *f = &check->findings.list[i];

		check->json_findings[i] = (struct check_finding){
			.id = f->rule->id, .severity = finding_severity_name(f->severity),
			.evidence = f->evidence, .reason = f->rule->reason,
			.remedy = audit_remedy_name(f->remedy), .subject = f->subject,
			.advice = f->advice,
		};
	}
	for (unsigned i = 0; i < facts->n_unread; i++)
		check->json_unread[i] = (struct check_unread){
			.what = words_safe(facts->unread[i].what, check->json_what[i],
			                   WORDS_SAFE_MAX),
			.why = facts->unread[i].why, .needs_root = facts->unread[i].needs_root,
		};
	report->findings = check->json_findings;
	report->n_findings = check->findings.n;
	report->unread = check->json_unread;
	report->n_unread = facts->n_unread;
}

static bool print_json(struct check *check)
{
	const struct audit_facts *facts = &check->facts;
	char (*words)[WORDS_SAFE_MAX] = check->json_words;
	struct check_report report = {
		.name = words_safe(facts->system.name, words[0], WORDS_SAFE_MAX),
		.id = words_safe(facts->system.id, words[1], WORDS_SAFE_MAX),
		.release = words_safe(facts->system.version, words[2], WORDS_SAFE_MAX),
		.kernel = words_safe(facts->system.kernel, words[3], WORDS_SAFE_MAX),
		.hypervisor = words_safe(facts->place.hypervisor, words[4], WORDS_SAFE_MAX),
		.is_guest = facts->place.is_guest == FACT_YES,
		.is_host = facts->place.is_host == FACT_YES,
		.is_container = facts->place.is_container == FACT_YES,
		.worst = check->findings.n
		                 ? finding_severity_name(check->findings.list[0].severity)
		                 : NULL,
	};
	char *text;

	fill_lists(check, &report);
	text = check_json(&report);
	if (text)
		fputs(text, stdout);
	free(text);
	return text != NULL;
}

static int status_of(const struct check *check)
{
	if (check_text_is_blind(&check->facts))
		return CHECK_BLIND;
	if (!check->findings.n)
		return CHECK_FINE;
	switch (check->findings.list[0].severity) {
	case FINDING_NOTE: return CHECK_FINE;
	case FINDING_WARNING: return CHECK_WARNINGS;
	case FINDING_BROKEN: return CHECK_BROKEN;
	}
	return CHECK_BLIND;
}

unsigned check_sites(const struct options *options)
{
	return ((options->given & OPTION_GUEST) ? SITE_GUEST : 0u) |
	       ((options->given & OPTION_HOST) ? SITE_HOST : 0u);
}

/* 0, or CHECK_BLIND after a sentence. */
static int look(struct check *check, const struct options *options)
{
	const char *root = options->root ? options->root : "";
	unsigned sites = check_sites(options);
	char sentence[512], safe[256];
	int r = facts_gather(&check->facts, root, geteuid() == 0);

	if (r) {
		snprintf(sentence, sizeof sentence, "cannot look at %s: %s",
		         words_safe(root, safe, sizeof safe), strerror(-r));
		(void)output_complain(sentence);
		return CHECK_BLIND;
	}
	facts_suppose(&check->facts, sites & SITE_GUEST, sites & SITE_HOST);
	if (options->given & OPTION_WAIT) {
		wait_for(options->wait);
		facts_look_again(&check->facts);
	}
	findings_judge(&check->facts, sites, &check->findings);
	return 0;
}

static int show(struct check *check, const struct options *options,
                const struct finding_rule *rule)
{
	int status = rule ? CHECK_FINE : status_of(check);
	bool is_shown = true;

	if (rule)
		check_text_explain(stdout, rule, &check->findings);
	else if (options->given & OPTION_JSON)
		is_shown = print_json(check);
	else
		check_text_print(stdout, &check->facts, &check->findings, !is_plain_terminal());
	return output_finish() == EXIT_SHOWN && is_shown ? status : CHECK_BLIND;
}

/* CHECK_BLIND, after a sentence that lists the ids. */
static int refuse_id(const char *id)
{
	const struct finding_rule *rule;
	char sentence[1024], safe[WORDS_SAFE_MAX];
	size_t used;

	snprintf(sentence, sizeof sentence, "there is no finding '%.80s'; there are",
	         words_safe(id, safe, sizeof safe));
	for (size_t i = 0; (rule = findings_rule(i)); i++) {
		used = strlen(sentence);
		snprintf(sentence + used, sizeof sentence - used, "%s %s", i ? "," : "", rule->id);
	}
	(void)output_complain(sentence);
	return CHECK_BLIND;
}

int check_run(const struct options *options)
{
	const struct finding_rule *rule = NULL;
	struct check *check;
	int r;

	if (options->explain) {
		rule = findings_by_id(options->explain);
		if (!rule)
			return refuse_id(options->explain);
	}
	check = calloc(1, sizeof *check);
	if (!check) {
		(void)output_complain("not enough memory");
		return CHECK_BLIND;
	}
	r = look(check, options);
	if (!r)
		r = show(check, options, rule);
	free(check);
	return r;
}
