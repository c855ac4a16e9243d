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
	if (row->values[0].kind)
		return conf_value_format(&row->values[0], target, word, sizeof word)[0];
	/* An element that is there is something, though it be an empty list. */
	return !row->rest || row->element || conf_value_format(row->rest, target, word, sizeof word)[0];
}

static void print_words(struct text *t, const struct conf_row *row, const void *target)
{
	char word[CONF_WORD_MAX];

	add(t, "%s", row->name);
	for (const struct conf_value *v = row->values; v->kind != CONF_NONE; v++)
		add(t, " %s", conf_value_format(v, target, word, sizeof word));
	if (row->rest && row->rest->at && conf_value_format(row->rest, target, word, sizeof word)[0])
		add(t, " %s", word);
}

static bool is_initial(const struct conf_row *row, const void *target)
{
	char word[CONF_WORD_MAX];

	return !row->given && row->initial &&
	       strcmp(conf_value_format(&row->values[0], target, word, sizeof word),
		      row->initial) == 0;
}

/* An option that adds one flag a time is written once for each. */
static void print_option(struct text *t, const struct conf_row *option, const void *target)
{
	const struct conf_value *value = option->values;
	unsigned flags;

	if (value->kind != CONF_FLAGS) {
		add(t, " ");
		print_words(t, option, target);
		return;
	}
	flags = *(const unsigned *)((const char *)target + (value->at - 1));
	for (unsigned i = 0; value->choices[i]; i++)
		if (flags >> i & 1)
			add(t, " %s %s", option->name, value->choices[i]);
}

static void print_line(struct text *t, const struct conf_row *row, const void *target)
{
	const struct conf_row *option;

	if (!has_something(row, target))
		return;
	print_words(t, row, target);
	for (size_t i = 0; (option = conf_row_at(row->options, i)); i++) {
		if (!has_something(option, target) || is_initial(option, target))
			continue;
		print_option(t, option, target);
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
	const struct conf_row *row;

	for (size_t i = 0; (row = conf_row_at(table, i)); i++) {
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

static const char *name_of(const struct conf_value *value)
{
	return value->name ? value->name : "VALUE";
}

static void explain_value(struct text *t, const struct conf_value *value, const char *indent)
{
	char expected[160];

	add(t, "%s\t%s: %s\n", indent, name_of(value),
	    conf_value_expected(value, expected, sizeof expected));
}

/* The words of a row as one writes them, then what each value may be, the default and the help. */
static void explain(struct text *t, const struct conf_row *row, const char *indent)
{
	add(t, "%s%s", indent, row->name);
	for (const struct conf_value *v = row->values; v->kind != CONF_NONE; v++)
		add(t, " %s", name_of(v));
	if (row->rest)
		add(t, row->rest_min ? " %s ..." : " [%s ...]", name_of(row->rest));
	add(t, "%s\n", row->options ? " [OPTION ...]" : "");
	for (const struct conf_value *v = row->values; v->kind != CONF_NONE; v++)
		explain_value(t, v, indent);
	if (row->rest)
		explain_value(t, row->rest, indent);
	if (row->initial)
		add(t, "%s\tdefault: %s\n", indent, row->initial);
	add(t, "%s\t%s\n", indent, row->help);
}

/* The rows without meaning here: a name a line, the reason once for those that share it. */
static void list_ignored(struct text *t, const struct conf_table *table, const char *indent)
{
	const char *reason = NULL;
	const struct conf_row *row;

	for (size_t i = 0; (row = conf_row_at(table, i)); i++) {
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
	const struct conf_row *row, *option;

	for (size_t i = 0; (row = conf_row_at(table, i)); i++) {
		if (row->act == CONF_IGNORE)
			continue;
		explain(&t, row, "");
		for (size_t k = 0; (option = conf_row_at(row->options, k)); k++)
			if (option->act != CONF_IGNORE)
				explain(&t, option, "\t");
		list_ignored(&t, row->options, "\t");
		add(&t, "\n");
	}
	list_ignored(&t, table, "");
	terminate(&t);
	return t.n;
}
