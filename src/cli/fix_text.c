/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fix_text.h"

#include <string.h>

#include "audit/line_diff.h"

void fix_text_safe(FILE *out, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\n' || c == '\t' || (c >= ' ' && c <= '~'))
			putc(c, out);
		else
			fprintf(out, "\\x%02x", c);
	}
}

static void print_diff(FILE *out, const struct step *step)
{
	struct text diff = { 0 };

	line_diff(&diff, step->before.exists ? step->path : "/dev/null",
	          step->after.exists ? step->path : "/dev/null",
	          (struct slice){ step->before.data, step->before.length },
	          (struct slice){ step->after.data, step->after.length });
	if (diff.n)
		fix_text_safe(out, diff.p, diff.n);
	else
		fprintf(out, "%s: made, empty\n", step->path);
	text_fini(&diff);
}

static void print_command(FILE *out, const char *before, const struct step *step, const char *after)
{
	struct text command = { 0 };

	step_command_text(step, &command);
	fprintf(out, "%s", before);
	if (command.n)
		fix_text_safe(out, command.p, command.n);
	fprintf(out, "%s\n", after);
	text_fini(&command);
}

void fix_text_plan(FILE *out, const struct plan *plan)
{
	bool has_commands = false;

	for (size_t i = 0; i < plan->n; i++)
		if (plan->steps[i].kind == STEP_FILE)
			print_diff(out, &plan->steps[i]);
	for (size_t i = 0; i < plan->n; i++) {
		if (plan->steps[i].kind != STEP_DO)
			continue;
		if (!has_commands)
			fprintf(out, "commands:\n");
		has_commands = true;
		print_command(out, "  ", &plan->steps[i],
		              plan->steps[i].may_fail ? "   (goes on if it fails)" : "");
	}
}

/* Lines after the first are indented as it is. */
static void print_note(FILE *out, const struct plan_note *note)
{
	fprintf(out, "  %s: ", note->rule);
	for (const char *c = note->text; *c; c++) {
		fix_text_safe(out, c, 1);
		if (*c == '\n')
			fprintf(out, "    ");
	}
	putc('\n', out);
}

void fix_text_notes(FILE *out, const struct plan *plan)
{
	if (plan->n_notes)
		fprintf(out, "to be known:\n");
	for (size_t i = 0; i < plan->n_notes; i++)
		print_note(out, &plan->notes[i]);
}

static void print_output(FILE *out, const struct command_result *result)
{
	if (!result->output || !result->output[0])
		return;
	fix_text_safe(out, result->output, strlen(result->output));
	if (result->output[strlen(result->output) - 1] != '\n')
		putc('\n', out);
}

void fix_text_step(FILE *out, const struct work_report *report)
{
	switch (report->did) {
	case DID_NOTHING: return;
	case DID_WRITE: fprintf(out, "  wrote %s\n", report->step->path); return;
	case DID_REMOVE: fprintf(out, "  removed %s\n", report->step->path); return;
	case DID_MAKE: fprintf(out, "  made %s\n", report->step->path); return;
	case DID_RECORD: print_command(out, "  to be run there: ", report->step, ""); return;
	case DID_RUN:
		print_command(out, report->has_failed_quietly ? "  failed: " : "  ran ", report->step, "");
		if (report->has_failed_quietly && report->error)
			fprintf(out, "%s\n", strerror(-report->error));
		if (report->has_failed_quietly)
			print_output(out, &report->result);
		return;
	}
}

void fix_text_stop(enum work_end end, const struct work_report *report)
{
	const struct step *step = report->step;

	switch (end) {
	case WORK_STEPPED:
	case WORK_DONE: return;
	case WORK_CHANGED:
		fprintf(stderr, "vmtime: %s was changed by somebody else meanwhile\n", step->path);
		return;
	case WORK_REFUSED:
		fprintf(stderr, "vmtime: %s: %s\n", step ? step->path : "the journal",
		        strerror(-report->error));
		return;
	case WORK_FAILED:
		if (!step) {
			fprintf(stderr, "vmtime: a command failed\n");
			return;
		}
		print_command(stderr, "vmtime: failed: ", step, "");
		if (report->error)
			fprintf(stderr, "%s\n", strerror(-report->error));
		else
			fprintf(stderr, "its exit status was %d, and it said:\n", report->result.status);
		print_output(stderr, &report->result);
		return;
	}
}
