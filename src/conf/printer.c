/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Text that grows into a buffer and is counted beyond it. */
struct text {
	char *to;
	size_t size, n;
};

printf_like(2, 3) static void add(struct text *t, const char *format, ...)
{
	bool has_room = t->n < t->size;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(has_room ? t->to + t->n : NULL, has_room ? t->size - t->n : 0, format, args);
	va_end(args);
	if (n > 0)
		t->n += (size_t)n;
}

static bool is_written(const struct conf_row *row, const void *target)
{
	return !row->given || *(const bool *)((const char *)target + (row->given - 1));
}

/* A row without values needs only its `given`; an empty first value means that there is none. */
static bool has_something(const struct conf_row *row, const void *target)
{
	char word[CONF_WORD_MAX];

	if (row->act != CONF_SET || !is_written(row, target))
		return false;
	return row->values[0].kind == CONF_NONE ||
	       conf_value_format(&row->values[0], target, word, sizeof word)[0];
}

static void print_words(struct text *t, const struct conf_row *row, const void *target)
{
	char word[CONF_WORD_MAX];

	add(t, "%s", row->name);
	for (const struct conf_value *value = row->values; value->kind != CONF_NONE; value++)
		add(t, " %s", conf_value_format(value, target, word, sizeof word));
}

static bool is_initial(const struct conf_row *row, const void *target)
{
	char word[CONF_WORD_MAX];

	return !row->given && row->initial &&
	       strcmp(conf_value_format(&row->values[0], target, word, sizeof word),
		      row->initial) == 0;
}

static void print_line(struct text *t, const struct conf_row *row, const void *target)
{
	if (!has_something(row, target))
		return;
	print_words(t, row, target);
	for (size_t i = 0; row->options && i < row->options->n; i++) {
		const struct conf_row *option = &row->options->rows[i];

		if (!has_something(option, target) || is_initial(option, target))
			continue;
		add(t, " ");
		print_words(t, option, target);
	}
	add(t, "\n");
}

static void terminate(const struct text *t)
{
	if (t->size)
		t->to[t->n < t->size ? t->n : t->size - 1] = '\0';
}

size_t conf_print(const struct conf_table *table, void *target, char *to, size_t size)
{
	struct text t = { to, size, 0 };

	for (size_t i = 0; i < table->n; i++) {
		const struct conf_row *row = &table->rows[i];
		const void *element;

		if (!row->element) {
			print_line(&t, row, target);
			continue;
		}
		for (unsigned k = 0; (element = row->element(target, k)); k++)
			print_line(&t, row, element);
	}
	terminate(&t);
	return t.n;
}

/* The words of a row as one writes them, then what each value may be, the default and the help. */
static void explain(struct text *t, const struct conf_row *row, const char *indent)
{
	char expected[160];

	add(t, "%s%s", indent, row->name);
	for (const struct conf_value *value = row->values; value->kind != CONF_NONE; value++)
		add(t, " %s", value->name ? value->name : "VALUE");
	add(t, "%s\n", row->options ? " [OPTION ...]" : "");
	for (const struct conf_value *value = row->values; value->kind != CONF_NONE; value++)
		add(t, "%s\t%s: %s\n", indent, value->name ? value->name : "VALUE",
		    conf_value_expected(value, expected, sizeof expected));
	if (row->initial)
		add(t, "%s\tdefault: %s\n", indent, row->initial);
	add(t, "%s\t%s\n", indent, row->help);
}

/* The rows without meaning here: a name a line, the reason once for those that share it. */
static void list_ignored(struct text *t, const struct conf_table *table, const char *indent)
{
	const char *reason = NULL;

	for (size_t i = 0; i < table->n; i++) {
		const struct conf_row *row = &table->rows[i];

		if (row->act != CONF_IGNORE)
			continue;
		if (!reason)
			add(t, "%sAccepted with a warning, without effect:\n", indent);
		if (!reason || strcmp(reason, row->help) != 0)
			add(t, "%s\t(%s)\n", indent, row->help);
		reason = row->help;
		add(t, "%s\t%s\n", indent, row->name);
	}
}

size_t conf_reference(const struct conf_table *table, char *to, size_t size)
{
	struct text t = { to, size, 0 };

	for (size_t i = 0; i < table->n; i++) {
		const struct conf_row *row = &table->rows[i];

		if (row->act == CONF_IGNORE)
			continue;
		explain(&t, row, "");
		for (size_t k = 0; row->options && k < row->options->n; k++)
			if (row->options->rows[k].act != CONF_IGNORE)
				explain(&t, &row->options->rows[k], "\t");
		if (row->options)
			list_ignored(&t, row->options, "\t");
		add(&t, "\n");
	}
	list_ignored(&t, table, "");
	terminate(&t);
	return t.n;
}
