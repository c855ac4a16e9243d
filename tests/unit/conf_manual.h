/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_CONF_MANUAL_H
#define UNIT_CONF_MANUAL_H

/*
 * conf_manual.h - does a manual page tell what a table of directives tells?
 *
 * Include cmocka.h first.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/table.h"

/* The manual's text as one line of words: without roff's requests, fonts and escapes. */
static inline void read_manual(const char *page, char *to, size_t size)
{
	const char *root = getenv("VMTIME_ROOT");
	char path[512], line[512];
	size_t n = 0;
	FILE *file;

	if (!root)
		fail_msg("VMTIME_ROOT does not say where the sources are");
	snprintf(path, sizeof path, "%s/man/%s", root, page);
	file = fopen(path, "re");
	if (!file)
		fail_msg("%s cannot be opened", path);
	while (fgets(line, sizeof line, file)) {
		const char *p = line;

		if (line[0] == '.')
			continue;
		for (; *p && *p != '\n' && n + 2 < size; p++) {
			if (p[0] == '\\' && p[1] == 'f')
				p += 2;
			else if (p[0] != '\\')
				to[n++] = *p;
		}
		to[n++] = ' ';
	}
	to[n] = '\0';
	fclose(file);
	assert_true(n + 2 < size);
}

/* Every name, value, range, default and sentence of the table, in this order, is in the manual. */
static inline void check_manual(const char *manual, const struct conf_table *table)
{
	char head[384], expected[256], initial[64] = "";
	const char *at = manual;
	const struct conf_table *told = NULL; /* server, pool and peer share their options */
	const struct conf_row *row;

	for (size_t i = 0; (row = conf_row_at(table, i)); i++) {
		if (row->act == CONF_IGNORE) {
			if (!strstr(manual, row->name))
				fail_msg("the manual lacks %s", row->name);
			continue;
		}
		snprintf(head, sizeof head, " %s%s%s ", row->name, row->values[0].kind ? " " : "",
		         row->values[0].kind ? row->values[0].name : "");
		at = strstr(at, head);
		if (!at || !strstr(at, row->help))
			fail_msg("the manual lacks \"%s\": %s", head, row->help);
		at = strstr(at, row->help);
		for (const struct conf_value *v = row->values; v->kind; v++) {
			snprintf(head, sizeof head, "%s is %s.", v->name,
			         conf_value_expected(v, expected, sizeof expected));
			if (v->kind != CONF_TEXT && !strstr(at, head))
				fail_msg("%s: the manual lacks \"%s\"", row->name, head);
		}
		if (row->rest) {
			snprintf(head, sizeof head, "%s is %s.", row->rest->name,
			         conf_value_expected(row->rest, expected, sizeof expected));
			if (!strstr(at, head))
				fail_msg("%s: the manual lacks \"%s\"", row->name, head);
		}
		if (row->initial)
			snprintf(initial, sizeof initial, "Default: %s.", row->initial);
		if (row->initial && !strstr(at, initial))
			fail_msg("%s: the manual lacks \"%s\"", row->name, initial);
		if (row->options && row->options != told)
			check_manual(at, row->options);
		told = row->options;
	}
}

#endif
