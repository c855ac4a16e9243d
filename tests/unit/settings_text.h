/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_SETTINGS_TEXT_H
#define UNIT_SETTINGS_TEXT_H

/*
 * settings_text.h - settings from text, for the tests of settings
 *
 * Include cmocka.h first: text that must load and does not fails the test.
 */

#include <string.h>

#include "guestd/settings.h"
#include "guestd/settings_table.h"
#include "memory_files.h"

/* What loading one file came to. */
struct loaded {
	int err;
	struct settings settings;
	struct conf_notes notes;
	char error[1024];
};

static inline void load(const struct memory_file *files, const char *path, const char *const *extra,
			size_t n_extra, struct loaded *ret)
{
	struct memory_files memory = { files };
	struct conf_loader loader = memory_loader(&memory);
	struct conf_error error = { .text = "untouched" };

	memset(&ret->settings, 0x5a, sizeof ret->settings);
	conf_notes_init(&ret->notes);
	ret->err =
		settings_load(path, extra, n_extra, &loader, &ret->notes, &ret->settings, &error);
	conf_error_format(&error, ret->error, sizeof ret->error);
}

static inline void load_text(const char *text, struct loaded *ret)
{
	struct memory_file files[] = { { .path = "/c", .text = text }, { .path = NULL } };

	load(files, "/c", NULL, 0, ret);
}

static inline struct settings accept_text(const char *text)
{
	struct loaded loaded;

	load_text(text, &loaded);
	if (loaded.err)
		fail_msg("refused: %s\n%s", loaded.error, text);
	return loaded.settings;
}

#endif
