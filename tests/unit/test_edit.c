/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/augeas_edit.h"
#include "audit/edit.h"
#include "audit/kernel_words.h"

#define NAME "GRUB_CMDLINE_LINUX"
#define ARG  "processor.max_cstate=1"

static bool has_augeas;

/* clang-format off */
static const struct row {
	const char *name, *before;
	enum edit_end end;      /* where there is an Augeas; without, EDIT_DONE is EDIT_APPENDED */
	const char *after;      /* with Augeas */
	const char *last;       /* the last line of it without; NULL: the same text */
} ADDED[] = {
	{ "an ordinary file", "GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX=\"quiet\"\nGRUB_TIMEOUT=5\n", EDIT_DONE,
	  "GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX=\"quiet " ARG "\"\nGRUB_TIMEOUT=5\n",
	  "GRUB_CMDLINE_LINUX=\"quiet " ARG "\"\n" },
	{ "empty value", "GRUB_CMDLINE_LINUX=\"\"\n", EDIT_DONE, "GRUB_CMDLINE_LINUX=\"" ARG "\"\n",
	  "GRUB_CMDLINE_LINUX=\"" ARG "\"\n" },
	{ "no quotes", "GRUB_CMDLINE_LINUX=quiet\n", EDIT_DONE, "GRUB_CMDLINE_LINUX=\"quiet " ARG "\"\n",
	  "GRUB_CMDLINE_LINUX=\"quiet " ARG "\"\n" },
	{ "single quotes", "GRUB_CMDLINE_LINUX='a \"b c\"'\n", EDIT_DONE,
	  "GRUB_CMDLINE_LINUX='a \"b c\" " ARG "'\n", "GRUB_CMDLINE_LINUX='a \"b c\" " ARG "'\n" },
	{ "a comment behind", "GRUB_CMDLINE_LINUX=\"a\" # mine\n", EDIT_DONE,
	  "GRUB_CMDLINE_LINUX=\"a " ARG "\" # mine\n", "GRUB_CMDLINE_LINUX=\"a " ARG "\"\n" },
	{ "escapes", "GRUB_CMDLINE_LINUX=\"a=\\\"b c\\\" d\"\n", EDIT_DONE,
	  "GRUB_CMDLINE_LINUX=\"a=\\\"b c\\\" d " ARG "\"\n", "GRUB_CMDLINE_LINUX=\"a=\\\"b c\\\" d " ARG "\"\n" },
	{ "a line that goes on", "GRUB_CMDLINE_LINUX=\"a \\\nb\"\nX=1\n", EDIT_DONE,
	  "GRUB_CMDLINE_LINUX=\"a \\\nb " ARG "\"\nX=1\n", "GRUB_CMDLINE_LINUX=\"a \\\nb " ARG "\"\n" },
	{ "several assignments", "GRUB_CMDLINE_LINUX=\"a\"\nGRUB_CMDLINE_LINUX=\"b\"\n", EDIT_DONE,
	  "GRUB_CMDLINE_LINUX=\"a\"\nGRUB_CMDLINE_LINUX=\"b " ARG "\"\n", "GRUB_CMDLINE_LINUX=\"b " ARG "\"\n" },
	{ "one that adds", "GRUB_CMDLINE_LINUX=\"a\"\nGRUB_CMDLINE_LINUX+=\" b\"\n", EDIT_APPENDED,
	  "GRUB_CMDLINE_LINUX=\"a\"\nGRUB_CMDLINE_LINUX+=\" b\"\nGRUB_CMDLINE_LINUX=\"a b " ARG "\"\n", NULL },
	{ "absent", "GRUB_DEFAULT=0\n", EDIT_DONE, "GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX=\"" ARG "\"\n", NULL },
	{ "an empty file", "", EDIT_DONE, "GRUB_CMDLINE_LINUX=\"" ARG "\"\n", NULL },
	{ "in a comment", "#GRUB_CMDLINE_LINUX=\"x\"\n", EDIT_DONE,
	  "#GRUB_CMDLINE_LINUX=\"x\"\nGRUB_CMDLINE_LINUX=\"" ARG "\"\n", NULL },
	{ "there already", "GRUB_CMDLINE_LINUX=\"a " ARG " b\"\n", EDIT_NOTHING, "", NULL },
	{ "another value", "GRUB_CMDLINE_LINUX=\"a processor.max_cstate=9 b\"\n", EDIT_DONE,
	  "GRUB_CMDLINE_LINUX=\"a b " ARG "\"\n", "GRUB_CMDLINE_LINUX=\"a b " ARG "\"\n" },
	{ "computed", "GRUB_CMDLINE_LINUX=\"$(cat /x) a\"\n", EDIT_APPENDED,
	  "GRUB_CMDLINE_LINUX=\"$(cat /x) a\"\nGRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX " ARG "\"\n", NULL },
	{ "no last line end", "GRUB_CMDLINE_LINUX=\"a\"", EDIT_APPENDED,
	  "GRUB_CMDLINE_LINUX=\"a\"\nGRUB_CMDLINE_LINUX=\"a " ARG "\"\n", NULL },
	{ "CR LF", "GRUB_CMDLINE_LINUX=\"a\"\r\n", EDIT_REFUSED, "", NULL },
	{ "an open quote in the value", "GRUB_CMDLINE_LINUX='a=\"b c'\n", EDIT_REFUSED, "", NULL },
	{ "an open quote", "GRUB_CMDLINE_LINUX=\"a\n", EDIT_REFUSED, "", NULL },
	{ "a last line that goes on", "X=1 \\\n", EDIT_REFUSED, "", NULL },
};

static const struct row REMOVED[] = {
	{ "in the middle", "GRUB_CMDLINE_LINUX=\"a no-kvmclock b\"\n", EDIT_DONE,
	  "GRUB_CMDLINE_LINUX=\"a b\"\n", "GRUB_CMDLINE_LINUX=\"a b\"\n" },
	{ "alone", "GRUB_CMDLINE_LINUX=no-kvmclock\n", EDIT_DONE, "GRUB_CMDLINE_LINUX=\"\"\n",
	  "GRUB_CMDLINE_LINUX=\"\"\n" },
	{ "not there", "GRUB_CMDLINE_LINUX=\"a no-kvmclock-vsyscall\"\n", EDIT_NOTHING, "", NULL },
	{ "in a quoted word", "GRUB_CMDLINE_LINUX='a=\"x no-kvmclock y\"'\n", EDIT_NOTHING, "", NULL },
	{ "computed", "GRUB_CMDLINE_LINUX=\"$A no-kvmclock\"\n", EDIT_REFUSED, "", NULL },
};
/* clang-format on */

static void check_row(const struct row *row, bool is_removal)
{
	struct text after = { 0 };
	struct edit_reason why = { "" };
	enum edit_end wanted = row->end;
	enum edit_end end = edit_kernel_line(slice_of(row->before), NAME,
	                                     is_removal ? "no-kvmclock" : ARG, is_removal, &after, &why);

	print_message("%s\n", row->name);
	if (wanted == EDIT_DONE && !has_augeas)
		wanted = EDIT_APPENDED;
	assert_int_equal(end, wanted);
	if (has_augeas || wanted != EDIT_APPENDED || !row->last) {
		assert_string_equal(after.p ? after.p : "", row->after);
	} else {
		assert_memory_equal(after.p, row->before, strlen(row->before));
		assert_string_equal(after.p + strlen(row->before), row->last);
	}
	if (end == EDIT_REFUSED || end == EDIT_APPENDED)
		assert_true(why.text[0] != '\0');
	/* A second time there is nothing to do. */
	if (after.n) {
		struct text again = { 0 };

		end = edit_kernel_line((struct slice){ after.p, after.n }, NAME,
		                       is_removal ? "no-kvmclock" : ARG, is_removal, &again, &why);
		assert_int_equal(end, EDIT_NOTHING);
		assert_null(again.p);
	}
	text_fini(&after);
}

static void test_kernel_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ADDED); i++)
		check_row(&ADDED[i], false);
	for (size_t i = 0; i < COUNT(REMOVED); i++)
		check_row(&REMOVED[i], true);
}

/* clang-format off */
static const struct chrony_row {
	const char *name, *before;
	enum edit_end end;
	const char *after, *appended;
} MAKESTEPS[] = {
	{ "another one", "# a\nmakestep 1 3\nrtcsync\n", EDIT_DONE, "# a\nmakestep 1 -1\nrtcsync\n", "makestep 1 -1\n" },
	{ "none", "rtcsync\n", EDIT_DONE, "rtcsync\nmakestep 1 -1\n", "makestep 1 -1\n" },
	{ "the same", "makestep  1 -1\n", EDIT_NOTHING, "", "" },
	{ "two", "makestep 1 -1\nmakestep 1 3\n", EDIT_DONE, "makestep 1 -1\nmakestep 1 -1\n", "makestep 1 -1\n" },
	{ "what the lens refuses", "opencommands tracking\nmakestep 1 3\n", EDIT_APPENDED,
	  "opencommands tracking\nmakestep 1 3\nmakestep 1 -1\n", "makestep 1 -1\n" },
	{ "no last line end", "makestep 1 3", EDIT_APPENDED, "makestep 1 3\nmakestep 1 -1\n", "\nmakestep 1 -1\n" },
	{ "CR LF", "makestep 1 3\r\n", EDIT_APPENDED, "makestep 1 3\r\nmakestep 1 -1\n", "makestep 1 -1\n" },
	{ "include, confdir, sourcedir",
	  "confdir /etc/chrony/conf.d\ninclude /etc/more.conf\nsourcedir /run/chrony-dhcp\nmakestep 1 3\n", EDIT_DONE,
	  "confdir /etc/chrony/conf.d\ninclude /etc/more.conf\nsourcedir /run/chrony-dhcp\nmakestep 1 -1\n",
	  "makestep 1 -1\n" },
};
/* clang-format on */

static void test_makesteps(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(MAKESTEPS); i++) {
		const struct chrony_row *row = &MAKESTEPS[i];
		enum edit_end wanted = row->end == EDIT_DONE && !has_augeas ? EDIT_APPENDED : row->end;
		struct text after = { 0 };
		struct edit_reason why;

		print_message("%s\n", row->name);
		assert_int_equal(edit_makestep(slice_of(row->before), "1", "-1", &after, &why), wanted);
		if (has_augeas || wanted != EDIT_APPENDED)
			assert_string_equal(after.p ? after.p : "", row->after);
		else
			assert_string_equal(after.p + strlen(row->before), row->appended);
		text_fini(&after);
	}
}

static void test_other_lines(void **state)
{
	(void)state;
	struct text after = { 0 };
	struct edit_reason why;

	assert_int_equal(edit_refclock(slice_of("rtcsync\n"), "/dev/ptp_kvm", &after, &why),
	                 has_augeas ? EDIT_DONE : EDIT_APPENDED);
	assert_string_equal(after.p, "rtcsync\nrefclock PHC /dev/ptp_kvm poll 0 dpoll -2\n");
	text_fini(&after);
	assert_int_equal(edit_rtcsync(slice_of("# rtcsync\n"), &after, &why),
	                 has_augeas ? EDIT_DONE : EDIT_APPENDED);
	assert_string_equal(after.p, "# rtcsync\nrtcsync\n");
	text_fini(&after);
	assert_int_equal(edit_rtcsync(slice_of("  RTCSYNC\n"), &after, &why), EDIT_NOTHING);
	assert_int_equal(edit_line(slice_of("# ptp_kvm\na"), "ptp_kvm", &after), EDIT_DONE);
	assert_string_equal(after.p, "# ptp_kvm\na\nptp_kvm\n");
	text_fini(&after);
	assert_int_equal(edit_line(slice_of("ptp_kvm \nx\n"), "ptp_kvm", &after), EDIT_NOTHING);
	assert_null(after.p);
}

static void test_shell(void **state)
{
	(void)state;
	struct text after = { 0 };
	struct edit_reason why;
	const enum edit_end done = has_augeas ? EDIT_DONE : EDIT_APPENDED;

	assert_int_equal(edit_shell(slice_of("# SYNC_TIME=1\n"), "SYNC_TIME", "1", &after, &why), done);
	assert_string_equal(after.p, "# SYNC_TIME=1\nSYNC_TIME=1\n");
	text_fini(&after);
	assert_int_equal(edit_shell(slice_of("SYNC_TIME=1\n"), "SYNC_TIME", "1", &after, &why),
	                 EDIT_NOTHING);
	assert_null(after.p);
}

/* Is there a library with its lenses?  Without it the other half of each test is looked at. */
static void look_for_augeas(void)
{
	const struct augeas_change change = { "A", "2" };
	struct text after = { 0 };
	char why[256];

	has_augeas = augeas_edit("Shellvars.lns", slice_of("A=1\n"), &change, 1, 1, &after, why,
	                         sizeof why) == AUGEAS_EDITED;
	text_fini(&after);
	printf("with%s Augeas\n", has_augeas ? "" : "out");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel_lines),
		cmocka_unit_test(test_makesteps),
		cmocka_unit_test(test_other_lines),
		cmocka_unit_test(test_shell),
	};

	look_for_augeas();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
