/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fix.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "audit/remedies.h"
#include "cli/check.h"
#include "cli/check_text.h"
#include "cli/fix_text.h"
#include "cli/fix_work.h"
#include "cli/output.h"

/* One run; large, so it is kept on the heap. */
struct fix {
	const struct options *options;
	char root[ROOT_PATH_MAX];
	struct remedy_choice choice;
	struct audit_facts facts;
	struct findings findings;
	struct plan plan;
};

static bool is_dry(const struct fix *fix)
{
	return (fix->options->given & OPTION_DRY_RUN) != 0;
}

static bool is_sure(const struct fix *fix)
{
	return (fix->options->given & OPTION_YES) != 0;
}

/* 0, or EXIT_USAGE after a sentence. */
static int read_choice(struct fix *fix)
{
	const char *prefer = fix->options->prefer;

	fix->choice.ids = fix->options->words + 1;
	for (char *const *id = fix->choice.ids; *id; id++, fix->choice.n_ids++)
		if (!findings_by_id(*id))
			return options_usage_error("there is no finding", *id);
	if (!prefer)
		return 0;
	if (strcmp(prefer, "chrony") == 0)
		fix->choice.daemon = REMEDY_CHRONY;
	else if (strcmp(prefer, "vmtimed") == 0)
		fix->choice.daemon = REMEDY_VMTIMED;
	else
		return options_usage_error("--prefer takes chrony or vmtimed, not", prefer);
	return 0;
}

static int look(struct fix *fix)
{
	unsigned sites = check_sites(fix->options);
	int r = facts_gather(&fix->facts, fix->root, geteuid() == 0);

	if (r < 0)
		return fix_complain(fix->root[0] ? fix->root : "this machine", r);
	facts_suppose(&fix->facts, sites & SITE_GUEST, sites & SITE_HOST);
	findings_judge(&fix->facts, sites, &fix->findings);
	return FIX_OK;
}

/* Reads an answer from standard input; false for anything but @wanted or its first letter. */
static bool answers(const char *question, const char *wanted)
{
	char line[64];

	printf("%s ", question);
	fflush(stdout);
	if (!fgets(line, sizeof line, stdin)) {
		printf("\n");
		return false;
	}
	line[strcspn(line, "\n")] = '\0';
	return strcmp(line, wanted) == 0 || (line[0] == wanted[0] && !line[1]);
}

/* Two daemons could do it: a person who is there is asked. */
static void ask_daemon(struct fix *fix)
{
	if (is_dry(fix) || is_sure(fix) ||
	    !remedies_ask_daemon(&fix->facts, &fix->findings, &fix->choice))
		return;
	fix->choice.daemon = answers("chrony or vmtimed is to follow the host's clock.  vmtimed in the "
	                             "place of chrony? [vmtimed/N]", "vmtimed")
	                     ? REMEDY_VMTIMED : REMEDY_CHRONY;
}

/* What a run that was killed has begun is finished, or taken back where it was being taken back. */
static int finish(const struct fix *fix, struct journal *journal, unsigned number)
{
	struct journal_entry entry;
	int r = journal_load(journal, number, &entry);

	if (r < 0)
		return fix_complain("an entry of the journal", r);
	if (entry.state == JOURNAL_DONE) {
		journal_entry_fini(&entry);
		return FIX_OK;
	}
	r = FIX_OK;
	printf("run %u of fix was interrupted%s\n", number,
	       is_dry(fix) ? "; fix will finish it first" : ", and is finished now:");
	if (!is_dry(fix))
		r = entry.state == JOURNAL_BEGUN ? fix_forward(fix->root, journal, &entry)
		                                 : fix_back(fix->root, journal, &entry);
	journal_entry_fini(&entry);
	return r;
}

/* Whoever may not look into the journal changes nothing, and is told so later. */
static int finish_all(const struct fix *fix)
{
	unsigned list[JOURNAL_ENTRIES];
	struct journal journal;
	int r = journal_open(&journal, fix->root, false), n;

	if (r == -ENOENT || r == -EACCES)
		return FIX_OK;
	if (r < 0)
		return fix_complain("the journal", r);
	r = FIX_OK;
	n = journal_list(&journal, list, JOURNAL_ENTRIES);
	for (int i = 0; i < n && r == FIX_OK; i++)
		r = finish(fix, &journal, list[i]);
	journal_close(&journal);
	return n < 0 ? fix_complain("the journal", n) : r;
}

static void show(const struct fix *fix)
{
	if (fix->plan.rules.n)
		printf("mends: %s\n", fix->plan.rules.p);
	fix_text_plan(stdout, &fix->plan);
	fix_text_notes(stdout, &fix->plan);
	check_text_trouble(stdout, &fix->facts);
	if (fix->plan.needs_reboot && fix->plan.n)
		printf("It takes a reboot until all of it is in force.\n");
}

static bool has_files(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n; i++)
		if (plan->steps[i].kind == STEP_FILE || plan->steps[i].kind == STEP_FOLDER)
			return true;
	return false;
}

static void stamp(char *to, size_t size)
{
	time_t now = time(NULL);
	struct tm parts;

	if (!gmtime_r(&now, &parts) || !strftime(to, size, "%Y-%m-%dT%H:%M:%SZ", &parts))
		snprintf(to, size, "unknown");
}

/* Writes the plan down and carries it out from there. */
static int carry_out(const struct fix *fix)
{
	struct journal journal;
	struct journal_entry entry;
	unsigned number;
	char made[32];
	int r = journal_open(&journal, fix->root, true);

	if (r < 0)
		return fix_complain("the journal cannot be written, and nothing is done", r);
	stamp(made, sizeof made);
	r = journal_add(&journal, &fix->plan, made, &number);
	if (r == 0)
		r = journal_load(&journal, number, &entry);
	if (r < 0) {
		journal_close(&journal);
		return fix_complain("the journal cannot be written, and nothing is done", r);
	}
	r = fix_forward(fix->root, &journal, &entry);
	if (r == FIX_OK)
		printf("done; `vmtime undo %u` takes it back\n", number);
	journal_entry_fini(&entry);
	journal_close(&journal);
	return r;
}

/* Is a remedy of @finding still left to be done? */
static bool is_left(const struct fix *fix, const struct finding *finding)
{
	struct slice rest = { fix->plan.rules.p, fix->plan.rules.n }, word;

	if (finding->remedy == REMEDY_REBOOT || finding->remedy == REMEDY_ADVICE ||
	    finding->remedy == REMEDY_NONE)
		return false;
	for (word = slice_word(&rest); word.n; word = slice_word(&rest))
		if (slice_equals(word, finding->rule->id))
			return true;
	return false;
}

/* Looks again whether what was to be mended is.  Below another root nothing runs, so nothing tells. */
static int verify(struct fix *fix)
{
	int r;

	if (fix->root[0])
		return FIX_OK;
	r = look(fix);
	for (unsigned i = 0; r == FIX_OK && i < fix->findings.n; i++) {
		const struct finding *f = &fix->findings.list[i];

		if (!is_left(fix, f))
			continue;
		fprintf(stderr, "vmtime: %s is still found: %s\n", f->rule->id, f->evidence);
		return FIX_NOT_DONE;
	}
	return r;
}

static int need_root(void)
{
	fprintf(stderr, "vmtime: fix needs root for this; with --dry-run it only shows it\n");
	return FIX_NOT_DONE;
}

/* Commands alone, for a tree where they cannot run: shown, and nothing to be written down. */
static int act(struct fix *fix)
{
	int r;

	if (is_dry(fix))
		return FIX_OK;
	if (fix->root[0] && !has_files(&fix->plan)) {
		printf("These are for the system itself; nothing in %s is changed.\n", fix->root);
		return FIX_OK;
	}
	if (!fix->root[0] && geteuid() != 0)
		return need_root();
	if (!is_sure(fix) && !answers("Do this? [y/N]", "yes")) {
		printf("Nothing was done.\n");
		return FIX_NOT_DONE;
	}
	r = carry_out(fix);
	return r == FIX_OK ? verify(fix) : r;
}

static int mend(struct fix *fix)
{
	int r = finish_all(fix);

	if (r != FIX_OK)
		return r;
	r = look(fix);
	if (r != FIX_OK)
		return r;
	if (fix->facts.place.is_container == FACT_YES) {
		fprintf(stderr, "vmtime: this is a container: its clock is that of the machine that it "
		        "runs on, and is not its to fix\n");
		return FIX_NOT_DONE;
	}
	ask_daemon(fix);
	if (remedies_plan(&fix->facts, &fix->findings, &fix->choice, &fix->plan) < 0)
		return output_complain("not enough memory");
	show(fix);
	if (fix->plan.n)
		return act(fix);
	printf("There is nothing for fix to do.\n");
	return FIX_OK;
}

int fix_run(const struct options *options)
{
	struct fix *fix = calloc(1, sizeof *fix);
	int r;

	if (!fix)
		return output_complain("not enough memory");
	fix->options = options;
	r = fix_root(options->root, fix->root);
	if (r < 0)
		r = fix_complain("--root", r);
	else
		r = read_choice(fix);
	if (r == 0)
		r = mend(fix);
	plan_fini(&fix->plan);
	free(fix);
	return output_finish() == EXIT_SHOWN ? r : FIX_NOT_DONE;
}
