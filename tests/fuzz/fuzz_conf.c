/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fuzz_conf.c - any bytes as a configuration
 *
 * The input is the main file; from each byte 0x1e on it is the next of a few files that the main
 * one can include.  What loads must print as text that loads as the same; what does not must say
 * why and leave the settings alone.
 */

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "guestd/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#define N_FILES   6
#define SEPARATOR '\x1e'

static const char *const NAMES[N_FILES] = { "/main", "/a", "/b", "/d/1.conf", "/d/2.conf",
	                                      "/s/a.sources" };

struct files {
	struct slice text[N_FILES];
	const char *only; /* other than NULL: the one file there is, a text that was printed */
};

static int read_file(void *context, const char *path, char *to, size_t size, size_t *ret_n)
{
	const struct files *files = context;

	if (files->only) {
		*ret_n = strlen(files->only);
		assert(*ret_n <= size);
		memcpy(to, files->only, *ret_n);
		return 0;
	}
	for (size_t i = 0; i < N_FILES; i++) {
		struct slice text = files->text[i];

		if (strcmp(path, NAMES[i]) != 0)
			continue;
		if (text.n > size)
			return -EFBIG;
		if (text.n)
			memcpy(to, text.p, text.n);
		*ret_n = text.n;
		return 0;
	}
	return -ENOENT;
}

static int find_all(void *context, const char *pattern, int (*found)(void *list, const char *path),
		    void *list)
{
	int err = 0;

	(void)context;
	for (size_t i = 1; i < 5 && !err; i++)
		if (strstr(pattern, "d/") ? i > 2 : i <= 2)
			err = found(list, NAMES[i]);
	return err;
}

static int list_all(void *context, const char *directory, const char *suffix,
		    int (*found)(void *list, const char *path), void *list)
{
	if (strcmp(suffix, ".sources") == 0)
		return strcmp(directory, "/s") == 0 ? found(list, "/s/a.sources") : -ENOENT;
	return strcmp(directory, "/d") == 0 ? find_all(context, "/d/*", found, list) : -ENOENT;
}

static int load(struct files *files, struct settings *ret, struct conf_error *reterr)
{
	const struct conf_loader loader = { files, read_file, find_all, list_all };
	struct conf_notes notes;
	struct conf_note note;
	int err;

	conf_notes_init(&notes);
	err = settings_load("/main", NULL, 0, &loader, &notes, ret, reterr);
	while (conf_notes_pop(&notes, &note))
		assert(note.text[0] && note.place.file[0] && note.place.line > 0);
	return err;
}

static void check_error(const struct conf_error *error, const struct settings *untouched)
{
	char text[1024];

	assert(error->text[0] && error->place.file[0]);
	conf_error_format(error, text, sizeof text);
	for (size_t i = 0; text[i]; i++)
		assert(text[i] >= ' ' && text[i] <= '~');
	for (size_t i = 0; i < sizeof *untouched; i++)
		assert(((const unsigned char *)untouched)[i] == 0x5a);
}

static void check_print(const struct settings *settings)
{
	char text[SETTINGS_PRINT_MAX], again[SETTINGS_PRINT_MAX];
	struct files files = { .only = text };
	struct settings loaded;
	struct conf_error error;

	assert(settings_print(settings, text, sizeof text) < sizeof text);
	if (load(&files, &loaded, &error)) {
		fprintf(stderr, "%s\n%s", error.text, text);
		abort();
	}
	settings_print(&loaded, again, sizeof again);
	assert(strcmp(text, again) == 0);
	assert(settings_equal(settings, &loaded));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct slice rest = { (const char *)bytes, n };
	struct files files = { .only = NULL };
	struct settings settings;
	struct conf_error error = { .text = "" };

	for (size_t i = 0; i < N_FILES; i++)
		files.text[i] = slice_cut(&rest, SEPARATOR);
	memset(&settings, 0x5a, sizeof settings);
	if (load(&files, &settings, &error))
		check_error(&error, &settings);
	else
		check_print(&settings);
	return 0;
}
