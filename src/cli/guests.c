/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/guests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fleet_ask.h"
#include "cli/guest_text.h"
#include "cli/guests_watch.h"
#include "cli/instant.h"
#include "cli/output.h"
#include "cli/words.h"

/* Trailing blanks are for nobody. */
static void print_line(const char *line)
{
	size_t n = strlen(line);

	while (n > 0 && line[n - 1] == ' ')
		n--;
	printf("%.*s\n", (int)n, line);
}

static void print_table(struct fleet_report *report)
{
	char line[GUEST_LINE_MAX];
	enum guest_concern concern;
	struct guest_lines lines;

	guest_text_sort(report);
	guest_lines_begin(&lines, report, instant_real());
	while (guest_lines_next(&lines, line, &concern))
		print_line(line);
}

static int print_json(const struct fleet_report *report)
{
	char *text;

	if (fleet_control_pretty(report, &text) < 0)
		return output_complain("out of memory");
	fputs(text, stdout);
	free(text);
	return output_finish();
}

int guests_run(const struct options *options)
{
	char sentence[ASK_SENTENCE_MAX];
	struct fleet_report report;
	int r;

	if ((options->given & (OPTION_JSON | OPTION_WATCH)) == (OPTION_JSON | OPTION_WATCH))
		return options_usage_error("there is no --watch beside", "--json");
	if (options->given & OPTION_WATCH)
		return guests_watch(options->socket);
	if (fleet_ask_guests(options->socket, &report, sentence))
		return output_complain(sentence);
	if (options->given & OPTION_JSON) {
		r = print_json(&report);
	} else {
		print_table(&report);
		r = output_finish();
	}
	free(report.guests);
	return r;
}

/* --- sync --- */

static void print_one(const struct fleet_sync *one)
{
	char name[WORDS_SAFE_MAX], note[WORDS_SAFE_MAX], offset[WORDS_SPAN_MAX], give[WORDS_SPAN_MAX];
	const char *what = one->end == FLEET_END_SET ? "set, and right" : "right";

	printf("%s: %s", words_safe(one->name, name, sizeof name),
	       one->is_verified ? what : "not right");
	if (one->has_offset && one->is_verified)
		printf(" within %s", words_bound(offset, vt_span_add(vt_span_abs(one->offset),
		                                                     one->uncertainty)));
	else if (one->has_offset)
		printf(", %s %s (+/- %s)", words_span(offset, one->offset),
		       one->offset.ns > 0 ? "behind" : "ahead", words_bound(give, one->uncertainty));
	if (*one->note)
		printf(": %s", words_safe(one->note, note, sizeof note));
	putchar('\n');
}

static int print_synced(const struct fleet_synced *s)
{
	const unsigned all = s->verified + s->failed + s->pending;
	int r;

	for (unsigned i = 0; i < s->n; i++)
		print_one(&s->list[i]);
	if (all > s->n || all != 1)
		printf("%u of %u guests are right.\n", s->verified, all);
	if (s->pending)
		printf("For %u the time was up before their turn came.\n", s->pending);
	r = output_finish();
	return r == EXIT_SHOWN && s->verified < all ? EXIT_NO_ANSWER : r;
}

/* 0, or EXIT_USAGE after a sentence. */
static int read_names(const struct options *options, struct fleet_request *ret)
{
	char *const *words = options->words + 1;

	ret->has_all = ret->is_all = (options->given & OPTION_ALL) != 0;
	if (ret->is_all && words[0])
		return options_usage_error("--all or names, not also", words[0]);
	if (!ret->is_all && !words[0])
		return options_usage_error("name guests, or say --all, behind", options->words[0]);
	for (; words[ret->n_names]; ret->n_names++) {
		const char *name = words[ret->n_names];

		if (ret->n_names == FLEET_NAMES_MAX)
			return options_usage_error("at most 32 guests by name, not also", name);
		if (!*name || strlen(name) >= FLEET_NAME_MAX)
			return options_usage_error("no guest has the name", name);
		strcpy(ret->names[ret->n_names], name);
	}
	return 0;
}

int sync_run(const struct options *options)
{
	struct fleet_request request = { .command = FLEET_COMMAND_SYNC,
					 .timeout = FLEET_SYNC_TIMEOUT };
	struct fleet_synced synced;
	char sentence[ASK_SENTENCE_MAX];
	int r = read_names(options, &request);

	if (r)
		return r;
	request.has_timeout = true;
	if (options->given & OPTION_TIMEOUT)
		request.timeout = vt_span_min(options->timeout, CONTROL_TIMEOUT_MAX);
	if (fleet_ask_sync(options->socket, &request, &synced, sentence))
		return output_complain(sentence);
	return print_synced(&synced);
}
