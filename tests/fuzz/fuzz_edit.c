/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fuzz_edit.c - files of configuration that are edited, against arbitrary bytes
 *
 * Without Augeas, which would take most of the time: what is appended stands behind all that was
 * there, says what was asked for, and has to be done only once.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/augeas_edit.h"
#include "audit/edit.h"
#include "audit/kernel_words.h"
#include "audit/shell_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stands in the place of the library's. */
enum augeas_end augeas_edit(const char *lens, struct slice before,
			    const struct augeas_change *changes, size_t n, size_t lines,
			    struct text *after, char *why, size_t size)
{
	(void)lens;
	(void)before;
	(void)changes;
	(void)n;
	(void)lines;
	(void)after;
	snprintf(why, size, "this is a fuzzer");
	return AUGEAS_ABSENT;
}

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

typedef enum edit_end editor(struct slice before, struct text *after, struct edit_reason *why);

static enum edit_end add(struct slice before, struct text *after, struct edit_reason *why)
{
	return edit_kernel_line(before, "V", "name=1", false, after, why);
}

static enum edit_end drop(struct slice before, struct text *after, struct edit_reason *why)
{
	return edit_kernel_line(before, "V", "name=1", true, after, why);
}

static enum edit_end assign(struct slice before, struct text *after, struct edit_reason *why)
{
	return edit_shell(before, "V", "a \"b\" $c", after, why);
}

static enum edit_end put_clock(struct slice before, struct text *after, struct edit_reason *why)
{
	return edit_refclock(before, "/dev/ptp_kvm", after, why);
}

static enum edit_end put_step(struct slice before, struct text *after, struct edit_reason *why)
{
	return edit_makestep(before, "1", "-1", after, why);
}

static void try(editor *edit, struct slice before)
{
	struct text after = { 0 }, again = { 0 };
	struct edit_reason why = { "" };

	switch (edit(before, &after, &why)) {
	case EDIT_NOTHING: require(after.n == 0); break;
	case EDIT_REFUSED: require(after.n == 0 && why.text[0]); break;
	case EDIT_DONE: abort();
	case EDIT_APPENDED:
		require(after.n > before.n && after.p[after.n - 1] == '\n');
		require(!before.n || memcmp(after.p, before.p, before.n) == 0);
		require(edit((struct slice){ after.p, after.n }, &again, &why) == EDIT_NOTHING);
		break;
	}
	text_fini(&after);
	text_fini(&again);
}

/* The words alone: put in they are there, and taken out they are not. */
static void try_words(struct slice line)
{
	struct text to = { 0 };

	kernel_words_put(line, "name=1", &to);
	require(kernel_words_have((struct slice){ to.p, to.n }, "name=1") ||
	        !kernel_words_are_whole(line));
	text_fini(&to);
	kernel_words_drop(line, "name=1", &to);
	require(!to.n || (!kernel_words_have((struct slice){ to.p, to.n }, "name=1") &&
	                  !kernel_words_contradict((struct slice){ to.p, to.n }, "name=1")));
	text_fini(&to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static editor *const EDITORS[] = { add, drop, assign, put_clock, put_step };
	struct slice text = { (const char *)data, size };

	for (size_t i = 0; i < COUNT(EDITORS); i++)
		try(EDITORS[i], text);
	if (size)
		try_words(text);
	return 0;
}
