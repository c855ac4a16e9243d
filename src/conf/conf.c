/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf.h"

#include <stdio.h>
#include <string.h>

static const char *format_place(const struct conf_place *place, const char *text, char *to,
				size_t size)
{
	if (place->line && place->column)
		snprintf(to, size, "%s:%u:%u: %s", place->file, place->line, place->column, text);
	else if (place->line)
		snprintf(to, size, "%s:%u: %s", place->file, place->line, text);
	else
		snprintf(to, size, "%s: %s", place->file, text);
	return to;
}

const char *conf_error_format(const struct conf_error *error, char *to, size_t size)
{
	return format_place(&error->place, error->text, to, size);
}

const char *conf_note_format(const struct conf_note *note, char *to, size_t size)
{
	return format_place(&note->place, note->text, to, size);
}

void conf_notes_init(struct conf_notes *notes)
{
	notes->n = 0;
	notes->next = 0;
	notes->n_lost = 0;
}

bool conf_notes_pop(struct conf_notes *notes, struct conf_note *ret)
{
	if (notes->next == notes->n)
		return false;
	*ret = notes->list[notes->next++];
	return true;
}
