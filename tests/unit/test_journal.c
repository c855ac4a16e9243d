/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "audit/journal.h"
#include "audit/plan_text.h"
#include "audit/work.h"
#include "scratch.h"

/* An image of @text's own; NULL: no file. */
static struct swap_image image_of(const char *text)
{
	struct swap_image image = { 0 };

	if (!text)
		return image;
	image = (struct swap_image){ true, strdup(text), strlen(text) };
	assert_non_null(image.data);
	return image;
}

static void put_file(struct plan *plan, const char *path, const char *before, const char *after)
{
	struct swap_image old = image_of(before), new = image_of(after);

	plan_file(plan, path, &old, &new, 0644);
}

static void put_boot(struct plan *plan, const char *path, const char *before)
{
	struct swap_image old = image_of(before);

	plan_boot(plan, path, &old, 0600);
}

static void put_command(struct plan *plan, enum step_kind kind, const char *word)
{
	plan_command(plan, kind, false, (const char *const[]){ "program", word, NULL });
}

/* What a fix of a kernel command line and a module is made of. */
static struct plan make_plan(void)
{
	struct plan plan = { 0 };

	put_command(&plan, STEP_REGENERATE, "regenerate");
	put_boot(&plan, "/boot/grub/grub.cfg", "menu old\n");
	put_file(&plan, "/etc/default/grub", "A=1\n", "A=2\n");
	put_command(&plan, STEP_DO, "generate");
	plan_folder(&plan, "/etc/new folder", 0755);
	put_file(&plan, "/etc/new folder/100%.conf", NULL, "ptp_kvm\n");
	put_file(&plan, "/etc/gone", "was\n", NULL);
	put_command(&plan, STEP_UNDO, "unload");
	plan_rule(&plan, "one");
	plan_rule(&plan, "two");
	plan_rule(&plan, "one");
	assert_false(plan.has_failed);
	return plan;
}

static void make_tree(struct scratch *s)
{
	scratch_write_text(s, "boot/grub/grub.cfg", "menu old\n");
	scratch_write_text(s, "etc/default/grub", "A=1\n");
	scratch_write_text(s, "etc/gone", "was\n");
	scratch_make_parents(scratch_path(s, "var/lib/x"));
}

static void check_old(struct scratch *s)
{
	scratch_check_text(s, "boot/grub/grub.cfg", "menu old\n");
	scratch_check_text(s, "etc/default/grub", "A=1\n");
	scratch_check_text(s, "etc/gone", "was\n");
	assert_false(scratch_exists(s, "etc/new folder"));
	assert_false(scratch_exists(s, "var/lib/vmtime"));
	assert_true(scratch_exists(s, "var/lib"));
}

static void check_new(struct scratch *s)
{
	scratch_check_text(s, "etc/default/grub", "A=2\n");
	scratch_check_text(s, "etc/new folder/100%.conf", "ptp_kvm\n");
	assert_false(scratch_exists(s, "etc/gone"));
}

/* Writes the plan down; the journal stays open. */
static void begin(struct scratch *s, struct journal *journal, struct journal_entry *entry)
{
	struct plan plan = make_plan();
	unsigned number;

	assert_int_equal(journal_open(journal, s->folder, true), 0);
	assert_int_equal(journal_add(journal, &plan, "2026-11-23T21:12:00Z", &number), 0);
	plan_fini(&plan);
	assert_int_equal(journal_load(journal, number, entry), 0);
}

/* At most @n steps; true where the end was reached. */
static bool work_some(struct work *w, unsigned n)
{
	struct work_report report;
	enum work_end end = WORK_STEPPED;

	while (n-- && (end = work_next(w, &report)) == WORK_STEPPED)
		work_report_fini(&report);
	assert_true(end == WORK_STEPPED || end == WORK_DONE);
	return end == WORK_DONE;
}

static bool work_all(struct scratch *s, struct journal *journal, struct journal_entry *entry,
		     enum work_direction direction, unsigned n)
{
	struct work w;

	work_init(&w, s->folder, journal, entry, direction);
	return work_some(&w, n);
}

static void end(struct journal *journal, struct journal_entry *entry)
{
	journal_entry_fini(entry);
	journal_close(journal);
}

static void test_plan_survives_the_text(void **state)
{
	(void)state;
	struct plan plan = make_plan(), read = { 0 };
	struct text first = { 0 }, second = { 0 };
	char made[32];

	plan_text_write(&plan, "now", &first);
	assert_int_equal(plan_text_read((struct slice){ first.p, first.n }, made, sizeof made, &read), 0);
	plan_text_write(&read, made, &second);
	assert_string_equal(first.p, second.p);
	assert_non_null(strstr(first.p, "\nrules one two\n"));
	assert_non_null(strstr(first.p, "\nfile 0644 none some /etc/new%20folder/100%25.conf\n"));
	plan_fini(&read);

	/* Cut anywhere, or with another version, it is refused. */
	for (size_t n = 0; n < first.n - 1; n++) {
		assert_int_equal(plan_text_read((struct slice){ first.p, n }, made, sizeof made, &read),
		                 -EBADMSG);
		assert_null(read.steps);
	}
	first.p[strlen("vmtime-undo ")] = '2';
	assert_int_equal(plan_text_read((struct slice){ first.p, first.n }, made, sizeof made, &read),
	                 -EBADMSG);
	plan_fini(&plan);
	text_fini(&first);
	text_fini(&second);
}

static void test_plan_text_refuses(void **state)
{
	(void)state;
	static const char *const LINES[] = {
		"file 0644 some some relative/path", "file 0644 some /etc/x", "file 644 some some /etc/x",
		"file 0644 some some /etc/%4", "file 0644 some some /etc/%zz", "boot 0600 some /a/../b",
		"do", "unknown word", "folder 0755", "file 0644 some some /etc/%00x",
	};

	for (size_t i = 0; i < COUNT(LINES); i++) {
		char text[256], made[32];
		struct plan read = { 0 };

		print_message("%s\n", LINES[i]);
		snprintf(text, sizeof text, PLAN_TEXT_VERSION "\n%s\nend\n", LINES[i]);
		assert_int_equal(plan_text_read(slice_of(text), made, sizeof made, &read), -EBADMSG);
		assert_null(read.steps);
	}
}

static void test_there_and_back(void **state)
{
	struct scratch *s = *state;
	struct journal journal;
	struct journal_entry entry;
	struct stat st;

	make_tree(s);
	begin(s, &journal, &entry);
	scratch_check_text(s, "etc/default/grub", "A=1\n");
	assert_int_equal(entry.state, JOURNAL_BEGUN);
	assert_int_equal(stat(scratch_path(s, "var/lib/vmtime/undo"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_true(work_all(s, &journal, &entry, WORK_FORWARD, 100));
	assert_int_equal(entry.state, JOURNAL_DONE);
	check_new(s);
	end(&journal, &entry);

	assert_int_equal(journal_open(&journal, s->folder, false), 0);
	assert_int_equal(journal_load(&journal, 1, &entry), 0);
	assert_int_equal(entry.state, JOURNAL_DONE);
	assert_string_equal(entry.made, "2026-11-23T21:12:00Z");
	assert_string_equal(entry.plan.rules.p, "one two");
	assert_true(work_all(s, &journal, &entry, WORK_BACK, 100));
	end(&journal, &entry);
	check_old(s);
}

/* Stopped after any number of steps, and again after any number of steps back. */
static void test_stopped_anywhere(void **state)
{
	struct scratch *s = *state;

	for (unsigned forward = 0; forward < 10; forward++)
		for (unsigned back = 0; back < 10; back++) {
			struct journal journal;
			struct journal_entry entry;
			bool is_over;

			make_tree(s);
			begin(s, &journal, &entry);
			(void)work_all(s, &journal, &entry, WORK_FORWARD, forward);
			end(&journal, &entry);

			assert_int_equal(journal_open(&journal, s->folder, false), 0);
			assert_int_equal(journal_load(&journal, 1, &entry), 0);
			is_over = work_all(s, &journal, &entry, WORK_BACK, back);
			end(&journal, &entry);
			if (!is_over) {
				assert_int_equal(journal_open(&journal, s->folder, false), 0);
				assert_int_equal(journal_load(&journal, 1, &entry), 0);
				assert_true(work_all(s, &journal, &entry, WORK_BACK, 100));
				end(&journal, &entry);
			}
			check_old(s);
		}
}

static void test_finished_by_the_next(void **state)
{
	struct scratch *s = *state;

	for (unsigned forward = 0; forward < 10; forward++) {
		struct journal journal;
		struct journal_entry entry;

		make_tree(s);
		begin(s, &journal, &entry);
		(void)work_all(s, &journal, &entry, WORK_FORWARD, forward);
		end(&journal, &entry);
		assert_int_equal(journal_open(&journal, s->folder, false), 0);
		assert_int_equal(journal_load(&journal, 1, &entry), 0);
		assert_true(work_all(s, &journal, &entry, WORK_FORWARD, 100));
		check_new(s);
		assert_true(work_all(s, &journal, &entry, WORK_BACK, 100));
		end(&journal, &entry);
		check_old(s);
	}
}

static void test_somebody_else(void **state)
{
	struct scratch *s = *state;
	struct journal journal;
	struct journal_entry entry;
	struct text diffs = { 0 };
	bool is_changed = false;

	make_tree(s);
	begin(s, &journal, &entry);
	assert_true(work_all(s, &journal, &entry, WORK_FORWARD, 100));
	assert_int_equal(work_look_back(s->folder, &entry, &diffs, &is_changed), 0);
	assert_false(is_changed);
	assert_null(diffs.p);
	scratch_write_text(s, "etc/default/grub", "A=2\nB=1\n");
	assert_int_equal(work_look_back(s->folder, &entry, &diffs, &is_changed), 0);
	assert_true(is_changed);
	assert_string_equal(diffs.p, "--- /etc/default/grub (as fix left it)\n+++ /etc/default/grub\n"
			    "@@ -1 +1,2 @@\n A=2\n+B=1\n");
	text_fini(&diffs);
	end(&journal, &entry);
}

static void test_faster_than_us(void **state)
{
	struct scratch *s = *state;
	struct journal journal;
	struct journal_entry entry;
	struct work_report report;
	enum work_end r;
	struct work w;

	make_tree(s);
	begin(s, &journal, &entry);
	scratch_write_text(s, "etc/gone", "another\n");
	work_init(&w, s->folder, &journal, &entry, WORK_FORWARD);
	while ((r = work_next(&w, &report)) == WORK_STEPPED)
		work_report_fini(&report);
	assert_int_equal(r, WORK_CHANGED);
	assert_string_equal(report.step->path, "/etc/gone");
	scratch_check_text(s, "etc/gone", "another\n");
	end(&journal, &entry);
}

static void write_boot(struct scratch *s, const char *text)
{
	scratch_write_text(s, "boot/grub/grub.cfg", text);
}

/* What comes back of a boot file: the bytes, unless others wrote it since. */
static void test_boot_files(void **state)
{
	struct scratch *s = *state;
	struct journal journal;
	struct journal_entry entry;

	/* Generated by the run, and left alone since. */
	make_tree(s);
	begin(s, &journal, &entry);
	write_boot(s, "menu new\n");
	assert_true(work_all(s, &journal, &entry, WORK_FORWARD, 100));
	end(&journal, &entry);
	assert_int_equal(journal_open(&journal, s->folder, false), 0);
	assert_int_equal(journal_load(&journal, 1, &entry), 0);
	assert_true(work_all(s, &journal, &entry, WORK_BACK, 100));
	end(&journal, &entry);
	check_old(s);

	/* Written anew since: the generator's turn, and it stays so for who finishes. */
	begin(s, &journal, &entry);
	write_boot(s, "menu new\n");
	assert_true(work_all(s, &journal, &entry, WORK_FORWARD, 100));
	end(&journal, &entry);
	write_boot(s, "menu new and a kernel\n");
	assert_int_equal(journal_open(&journal, s->folder, false), 0);
	assert_int_equal(journal_load(&journal, 1, &entry), 0);
	assert_false(work_all(s, &journal, &entry, WORK_BACK, 1));
	assert_int_equal(entry.state, JOURNAL_REGENERATING);
	assert_true(work_all(s, &journal, &entry, WORK_BACK, 100));
	end(&journal, &entry);
	scratch_check_text(s, "boot/grub/grub.cfg", "menu new and a kernel\n");
	scratch_check_text(s, "etc/default/grub", "A=1\n");
}

static void test_one_at_a_time_and_ours(void **state)
{
	struct scratch *s = *state;
	struct journal journal, second;

	make_tree(s);
	assert_int_equal(journal_open(&second, s->folder, false), -ENOENT);
	assert_int_equal(journal_open(&journal, s->folder, true), 0);
	assert_int_equal(journal_open(&second, s->folder, true), -EWOULDBLOCK);
	assert_int_equal(chmod(scratch_path(s, "var/lib/vmtime/undo"), 0770), 0);
	assert_int_equal(journal_open(&second, s->folder, true), -EPERM);
	journal_close(&journal);
	assert_false(scratch_exists(s, "var/lib/vmtime"));

	/* A link in its place leads nowhere. */
	scratch_make_parents(scratch_path(s, "var/lib/vmtime/x"));
	scratch_make_parents(scratch_path(s, "elsewhere/x"));
	assert_int_equal(symlink("/elsewhere", scratch_path(s, "var/lib/vmtime/undo")), 0);
	assert_true(journal_open(&journal, s->folder, true) < 0);
}

static void test_damage(void **state)
{
	struct scratch *s = *state;
	struct journal journal;
	struct journal_entry entry;
	unsigned list[4];

	make_tree(s);
	begin(s, &journal, &entry);
	journal_entry_fini(&entry);
	assert_int_equal(journal_load(&journal, 2, &entry), -ENOENT);
	assert_int_equal(unlink(scratch_path(s, "var/lib/vmtime/undo/0001/3.before")), 0);
	assert_int_equal(journal_load(&journal, 1, &entry), -EBADMSG);
	scratch_write_text(s, "var/lib/vmtime/undo/0001/state", "strange");
	assert_int_equal(journal_load(&journal, 1, &entry), -EBADMSG);

	/* What a killed program left half made is no entry. */
	scratch_write_text(s, "var/lib/vmtime/undo/0002.new/plan", "half");
	scratch_write_text(s, "var/lib/vmtime/undo/0003.old/plan", "half");
	assert_int_equal(journal_list(&journal, list, COUNT(list)), 1);
	assert_int_equal(list[0], 1);
	assert_false(scratch_exists(s, "var/lib/vmtime/undo/0002.new"));
	assert_false(scratch_exists(s, "var/lib/vmtime/undo/0003.old"));
	journal_close(&journal);
	assert_true(scratch_exists(s, "var/lib/vmtime/undo/0001"));
}

#define scratch_test(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_survives_the_text),
		cmocka_unit_test(test_plan_text_refuses),
		scratch_test(test_there_and_back),
		scratch_test(test_stopped_anywhere),
		scratch_test(test_finished_by_the_next),
		scratch_test(test_somebody_else),
		scratch_test(test_faster_than_us),
		scratch_test(test_boot_files),
		scratch_test(test_one_at_a_time_and_ours),
		scratch_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
