/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "conf_grammar.h"
#include "memory_files.h"

static int read_files(const struct memory_file *files, const char *path, struct target *t,
		      char *error_text, size_t size)
{
	struct memory_files memory = { files };
	struct conf_loader loader = memory_loader(&memory);
	struct conf_notes notes;
	struct conf_error error = { .text = "none" };
	int err;

	*t = fresh_target();
	conf_notes_init(&notes);
	err = conf_read_file(&TABLE, t, &loader, path, &notes, &error);
	conf_error_format(&error, error_text, size);
	return err;
}

static void test_files_are_read_in_place_and_in_order(void **state)
{
	(void)state;
	static const struct memory_file FILES[] = {
		{ .path = "/a/10.conf", .text = "mark a10" },
		{ .path = "/a/20.conf", .text = "mark a20" },
		{ .path = "/a/30.other", .text = "mark a30" },
		{ .path = "/b/15.conf", .text = "mark b15" },
		{ .path = "/b/20.conf", .text = "mark b20" },
		{ .path = "/main",
		  .text = "mark one\ninclude /sub\nmark two\nconfdir /a /none /b\n"
			  "mark three\ninclude /a/*\ninclude /none/*\nmark four\n" },
		{ .path = "/sub", .text = "mark sub" },
		{ .path = NULL },
	};
	struct target t;
	char error[512];

	assert_int_equal(read_files(FILES, "/main", &t, error, sizeof error), 0);
	assert_string_equal(t.trail, "one sub two a10 b15 a20 three a10 a20 a30 four ");
}

/* Programs write them: what is wrong in one is told and left out, and the rest counts. */
static void test_sources_in_folders(void **state)
{
	(void)state;
	static const struct memory_file FILES[] = {
		{ .path = "/dhcp/a.sources", .text = "mark a\nnumber 3\nmark c x\nmark bad\nmark b\n" },
		{ .path = "/dhcp/b.conf", .text = "mark not" },
		{ .path = "/dhcp/c.sources", .error = -EACCES },
		{ .path = "/dhcp/d.sources", .text = "include /dhcp/b.conf" },
		{ .path = "/main", .text = "\nsources /none /dhcp /own\nnumber 5\n" },
		{ .path = "/own/a.sources", .text = "mark shadowed" },
		{ .path = "/own/e.sources", .text = "mark e" },
		{ .path = "/wrong", .text = "sources /dhcp\nnumber x\n" },
		{ .path = NULL },
	};
	static const char *const NOTES[] = {
		"/dhcp/a.sources:2:1: left out: expected a directive, got \"number\"",
		"/dhcp/a.sources:3:8: left out: mark: expected the end of the line, got \"x\"",
		"/dhcp/a.sources:4: left out: mark: expected a good one",
		"/main:2: left out: cannot read \"/dhcp/c.sources\": Permission denied",
		"/dhcp/d.sources:1:1: left out: expected a directive, got \"include\"",
	};
	struct memory_files memory = { FILES };
	struct conf_loader loader = memory_loader(&memory);
	struct target t = fresh_target();
	struct conf_notes notes;
	struct conf_note note;
	struct conf_error error = { .text = "" };
	char line[512];

	conf_notes_init(&notes);
	assert_int_equal(conf_read_file(&TABLE, &t, &loader, "/main", &notes, &error), 0);
	assert_string_equal(t.trail, "a b e ");
	assert_int_equal(t.number, 5);
	for (size_t i = 0; i < COUNT(NOTES); i++) {
		assert_true(conf_notes_pop(&notes, &note));
		assert_string_equal(conf_note_format(&note, line, sizeof line), NOTES[i]);
	}
	assert_false(conf_notes_pop(&notes, &note));
	/* Behind such a folder the main file is judged as strictly as before. */
	assert_int_equal(read_files(FILES, "/wrong", &t, line, sizeof line), -EINVAL);
	assert_string_equal(line,
	                    "/wrong:2:8: number: expected N, a whole number from -7 to 24, got "
	                    "\"x\"");
}

static void test_files_that_cannot_be_read(void **state)
{
	(void)state;
	static char large[CONF_FILE_MAX + 1];
	static const struct memory_file FILES[] = {
		{ .path = "/bad/x.conf", .text = "mark fine\nnumber x\n" },
		{ .path = "/deep", .text = "\nconfdir /bad\n" },
		{ .path = "/denied", .error = -EACCES },
		{ .path = "/directory", .error = -EISDIR },
		{ .path = "/fifo", .error = -EOPNOTSUPP },
		{ .path = "/large", .text = large, .n = sizeof large },
		{ .path = "/locked/x.conf", .error = -EPERM },
		{ .path = "/main", .text = "mark one\n  include /denied\n" },
		{ .path = "/noise", .text = large, .n = sizeof large - 1 },
		{ .path = "/opener", .text = "confdir /locked" },
		{ .path = NULL },
	};
	static const struct {
		const char *path;
		int err;
		const char *want;
	} cases[] = {
		{ "/none", -ENOENT, "/none: cannot be read: No such file or directory" },
		{ "/denied", -EACCES, "/denied: cannot be read: Permission denied" },
		{ "/directory", -EISDIR, "/directory: cannot be read: Is a directory" },
		{ "/fifo", -EOPNOTSUPP, "/fifo: cannot be read: it is not a regular file" },
		{ "/large", -EFBIG,
		  "/large: cannot be read: it is larger than 1 MiB, the limit "
		  "for a file of configuration" },
		{ "/main", -EACCES, "/main:2: cannot read \"/denied\": Permission denied" },
		{ "/deep", -EINVAL,
		  "/bad/x.conf:2:8: number: expected N, a whole number from -7 "
		  "to 24, got \"x\"" },
		{ "/opener", -EACCES,
		  "/opener:1:9: confdir: cannot look for \"/locked\": "
		  "Permission denied" },
		{ "/noise", -EINVAL,
		  "/noise:1: expected a line of at most 2048 bytes, got "
		  "1048576" },
	};
	struct target t;
	char error[512];

	memset(large, 'x', sizeof large);
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(read_files(FILES, cases[i].path, &t, error, sizeof error),
				 cases[i].err);
		assert_string_equal(error, cases[i].want);
	}
}

static void test_loops_end(void **state)
{
	(void)state;
	static const struct memory_file FILES[] = {
		{ .path = "/a", .text = "include /b" },
		{ .path = "/b", .text = "\ninclude /a" },
		{ .path = "/d/x.conf", .text = "confdir /d" },
		{ .path = "/glob", .text = "include /glo?" },
		{ .path = "/self", .text = "include /self" },
		{ .path = "/x1", .text = "include /x2" },
		{ .path = "/x2", .text = "include /x3" },
		{ .path = "/x3", .text = "include /x4" },
		{ .path = "/x4", .text = "include /x5" },
		{ .path = "/x5", .text = "include /x6" },
		{ .path = "/x6", .text = "include /x7" },
		{ .path = "/x7", .text = "include /x8" },
		{ .path = "/x8", .text = "include /x9" },
		{ .path = "/x9", .text = "mark deep" },
		{ .path = NULL },
	};
	static const struct {
		const char *path, *want;
	} cases[] = {
		{ "/self", "/self:1: \"/self\" includes itself" },
		{ "/a", "/b:2: \"/a\" includes itself" },
		{ "/glob", "/glob:1: \"/glob\" includes itself" },
		{ "/d/x.conf", "/d/x.conf:1: \"/d/x.conf\" includes itself" },
		{ "/x1", "/x8:1: files include each other more than 8 deep" },
	};
	struct target t;
	char error[512];

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(read_files(FILES, cases[i].path, &t, error, sizeof error),
				 -EINVAL);
		assert_string_equal(error, cases[i].want);
	}
	assert_int_equal(read_files(FILES, "/x2", &t, error, sizeof error), 0);
	assert_string_equal(t.trail, "deep ");
}

/* Eight deep and wide at each level would be read for years. */
static void test_bombs_are_bounded(void **state)
{
	(void)state;
	static const char WIDE[] = "include /leaf\ninclude /leaf\ninclude /leaf\ninclude /leaf\n";
	static char many[CONF_FILES_MAX * sizeof WIDE];
	static const struct memory_file FILES[] = {
		{ .path = "/leaf", .text = "mark x" },
		{ .path = "/many", .text = many },
		{ .path = NULL },
	};
	struct memory_file lots[CONF_LIST_MAX + 3];
	char names[COUNT(lots)][16];
	struct target t;
	char error[512];

	for (int i = 0; i < CONF_FILES_MAX; i += 4)
		strcat(many, WIDE);
	assert_int_equal(read_files(FILES, "/many", &t, error, sizeof error), -EINVAL);
	assert_string_equal(error, "/many:256: more than 256 files of configuration");

	for (size_t i = 0; i < COUNT(lots) - 2; i++) {
		snprintf(names[i], sizeof names[i], "/d/%03zu.conf", i);
		lots[i] = (struct memory_file){ .path = names[i], .text = "" };
	}
	lots[COUNT(lots) - 2] = (struct memory_file){ .path = "/main", .text = "confdir /d" };
	lots[COUNT(lots) - 1] = (struct memory_file){ .path = NULL };
	assert_int_equal(read_files(lots, "/main", &t, error, sizeof error), -E2BIG);
	assert_string_equal(error, "/main:1:9: confdir: expected at most 128 files, got more with "
				   "\"/d\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_are_read_in_place_and_in_order),
		cmocka_unit_test(test_sources_in_folders),
		cmocka_unit_test(test_files_that_cannot_be_read),
		cmocka_unit_test(test_loops_end),
		cmocka_unit_test(test_bombs_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
