/* SPDX-License-Identifier: Apache-2.0 */

/*
 * document.c - docs/findings.md, printed from the table of findings
 *
 *     document            prints it
 *     document FILE       exits 1, and says so, where FILE holds anything else
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/findings.h"

static const char HEAD[] =
	"# Findings\n"
	"\n"
	"What `vmtime check` looks at, worst first. This page is printed from the table in\n"
	"`src/audit/rules_table.c`; the test `findings-document` compares them. After a change of the\n"
	"table: `ninja -C build && build/tests/audit/document >docs/findings.md`.\n"
	"\n"
	"The severity is the worst that a finding can have. What is *broken* is wrong now, or will be at\n"
	"the next pause or boot. A *warning* says that the time is worse than it could be. A *note* is\n"
	"worth knowing and changes no exit status. What could not be looked at is no finding.\n"
	"\n"
	"| finding | on | at worst | what is looked at |\n"
	"|---|---|---|---|\n";

static const char *site_name(unsigned site)
{
	return site == SITE_BOTH ? "both" : site == SITE_GUEST ? "guests" : "hosts";
}

static void print_document(FILE *out)
{
	const struct finding_rule *rule;

	fputs(HEAD, out);
	for (size_t i = 0; (rule = findings_rule(i)); i++)
		fprintf(out, "| [%s](#%s) | %s | %s | %s |\n", rule->id, rule->id,
			site_name(rule->site), finding_severity_name(rule->worst), rule->title);
	for (size_t i = 0; (rule = findings_rule(i)); i++)
		fprintf(out, "\n## %s\n\n%s\n\n- When not: %s\n- Remedy: %s\n", rule->id,
			rule->reason, rule->quiet, rule->remedy);
}

/* 0 where @path holds @text. */
static int compare(const char *path, const char *text, size_t length)
{
	FILE *file = fopen(path, "re");
	char *there = malloc(length + 1);
	size_t n = 0;

	if (!file || !there) {
		perror(path);
		free(there);
		if (file)
			fclose(file);
		return 1;
	}
	n = fread(there, 1, length + 1, file);
	fclose(file);
	if (n != length || memcmp(there, text, length) != 0) {
		printf("%s is not what the table of findings says\n", path);
		free(there);
		return 1;
	}
	free(there);
	return 0;
}

int main(int argc, char **argv)
{
	char *text = NULL;
	size_t length = 0;
	FILE *memory;
	int r;

	if (argc == 1) {
		print_document(stdout);
		return fflush(stdout) != 0;
	}
	memory = open_memstream(&text, &length);
	if (!memory)
		return 1;
	print_document(memory);
	fclose(memory);
	r = compare(argv[1], text, length);
	free(text);
	return r;
}
