/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/augeas_edit.h"

#include <augeas.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIBRARY "libaugeas.so.0"

/* The functions of the library that are used, by their own types. */
struct library {
	void *handle;
	__typeof__(&aug_init) init;
	__typeof__(&aug_close) close;
	__typeof__(&aug_set) set;
	__typeof__(&aug_get) get;
	__typeof__(&aug_text_store) text_store;
	__typeof__(&aug_text_retrieve) text_retrieve;
};

/* POSIX promises that a function's address fits into what dlsym returns. */
static bool find(void *handle, const char *name, void *to)
{
	void *symbol = dlsym(handle, name);

	memcpy(to, &symbol, sizeof symbol);
	return symbol != NULL;
}

static bool load(struct library *l)
{
	l->handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!l->handle)
		return false;
	if (find(l->handle, "aug_init", &l->init) && find(l->handle, "aug_close", &l->close) &&
	    find(l->handle, "aug_set", &l->set) && find(l->handle, "aug_get", &l->get) &&
	    find(l->handle, "aug_text_store", &l->text_store) &&
	    find(l->handle, "aug_text_retrieve", &l->text_retrieve))
		return true;
	dlclose(l->handle);
	return false;
}

static size_t count_lines(struct slice text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n' || i + 1 == text.n;
	return n;
}

/* Is it one run of at most @lines lines that has become another? */
static bool is_small(struct slice a, struct slice b, size_t lines)
{
	size_t head = 0, tail = 0, i;

	for (i = 0; i < a.n && i < b.n && a.p[i] == b.p[i]; i++)
		if (a.p[i] == '\n')
			head = i + 1;
	if (i == a.n && (a.n == 0 || a.p[a.n - 1] == '\n'))
		head = i;
	for (i = 0; i < a.n - head && i < b.n - head && a.p[a.n - 1 - i] == b.p[b.n - 1 - i]; i++)
		if (a.p[a.n - 1 - i] == '\n')
			tail = i;
	return count_lines((struct slice){ a.p + head, a.n - head - tail }) <= lines &&
	       count_lines((struct slice){ b.p + head, b.n - head - tail }) <= lines;
}

/* What the library says about a text that it could not read or write. */
static void explain(const struct library *l, augeas *aug, char *why, size_t size)
{
	const char *line = NULL;

	(void)l->get(aug, "/augeas/text/tree/error/line", &line);
	if (line)
		snprintf(why, size, "Augeas does not understand its line %s", line);
	else
		snprintf(why, size, "Augeas does not understand it");
}

static enum augeas_end edit(const struct library *l, augeas *aug, const char *lens,
			    const struct augeas_change *changes, size_t n, const char **ret,
			    char *why, size_t size)
{
	char path[256];

	if (l->text_store(aug, lens, "/in", "/tree") < 0) {
		explain(l, aug, why, size);
		return AUGEAS_REFUSED;
	}
	for (size_t i = 0; i < n; i++) {
		if ((size_t)snprintf(path, sizeof path, "/tree/%s", changes[i].path) >= sizeof path ||
		    l->set(aug, path, changes[i].value) < 0) {
			snprintf(why, size, "Augeas cannot change it");
			return AUGEAS_REFUSED;
		}
	}
	if (l->text_retrieve(aug, lens, "/in", "/tree", "/out") < 0 ||
	    l->get(aug, "/out", ret) != 1 || !*ret) {
		snprintf(why, size, "Augeas cannot write it back");
		return AUGEAS_REFUSED;
	}
	return AUGEAS_EDITED;
}

static enum augeas_end edit_text(const struct library *l, augeas *aug, const char *lens,
				 struct slice before, const struct augeas_change *changes, size_t n,
				 size_t lines, struct text *after, char *why, size_t size)
{
	char *copy = strndup(before.p ? before.p : "", before.n);
	enum augeas_end end = AUGEAS_REFUSED;
	const char *out = NULL;

	if (!copy || strlen(copy) != before.n || l->set(aug, "/in", copy) < 0)
		snprintf(why, size, "it is no text");
	else
		end = edit(l, aug, lens, changes, n, &out, why, size);
	free(copy);
	if (end != AUGEAS_EDITED)
		return end;
	if (!is_small(before, slice_of(out), lines)) {
		snprintf(why, size, "Augeas would change more of it than this");
		return AUGEAS_REFUSED;
	}
	text_add(after, slice_of(out));
	return AUGEAS_EDITED;
}

enum augeas_end augeas_edit(const char *lens, struct slice before,
			    const struct augeas_change *changes, size_t n, size_t lines,
			    struct text *after, char *why, size_t size)
{
	struct library l = { 0 };
	enum augeas_end end = AUGEAS_ABSENT;
	augeas *aug;

	snprintf(why, size, "the library of Augeas (%s) is not installed", LIBRARY);
	if (!load(&l))
		return AUGEAS_ABSENT;
	/* No file is read but the module of the one lens. */
	aug = l.init("/", NULL, AUG_NO_LOAD | AUG_NO_MODL_AUTOLOAD);
	if (aug) {
		end = edit_text(&l, aug, lens, before, changes, n, lines, after, why, size);
		l.close(aug);
	}
	dlclose(l.handle);
	return end;
}
