/* SPDX-License-Identifier: Apache-2.0 */

/*
 * test_watch_parts.c - what `vmtime watch` is made of: scale, history, characters, painter
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "cli/watch/glyphs.h"
#include "cli/watch/history.h"
#include "cli/watch/painter.h"
#include "cli/watch/scale.h"

static void test_scale_shows_what_there_is(void **state)
{
	(void)state;

	for (int64_t largest = 0; largest < INT64_MAX / 8; largest = largest * 3 + 1)
		for (int64_t typical = 0; typical <= largest; typical = typical * 7 + 1) {
			const struct scale s = scale_fit(VT_NS(-largest), VT_NS(typical));
			double before = -1;

			/* All of it, with some room above it. */
			assert_true(scale_height(&s, VT_NS(largest)) < 0.99);
			assert_true(scale_height(&s, VT_NS(largest)) ==
			            -scale_height(&s, VT_NS(-largest)));
			for (int64_t ns = 1; ns < s.top.ns; ns = ns * 2 + 1) {
				const double height = scale_height(&s, VT_NS(ns));

				assert_true(height > 0 && height > before);
				before = height;
			}
			assert_true(scale_height(&s, VT_NS(0)) == 0);
			assert_true(scale_height(&s, VT_NS(INT64_MAX)) == 1);
			assert_true(scale_height(&s, VT_NS(INT64_MIN)) == -1);
		}
}

/* What the scale is for: both can be seen on twenty rows of four dots. */
static void test_20_ns_and_10_s_in_one_chart(void **state)
{
	(void)state;
	const struct scale s = scale_fit(VT_SEC(10), VT_NS(20));

	assert_true(scale_height(&s, VT_NS(20)) > 2.0 / 40);
	assert_true(scale_height(&s, VT_SEC(10)) > 0.9);
	assert_true(scale_height(&s, VT_SEC(10)) - scale_height(&s, VT_MS(10)) > 0.25);
}

static void test_labels(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		int64_t ns;
		const char *label;
	} cases[] = {
		{ 0, "0" }, { 20, "+20 ns" }, { -1000, "-1 us" }, { 500000000, "+500 ms" },
		{ 20000000000, "+20 s" }, { -60000000000, "-1 min" }, { 3600000000000, "+1 h" },
		{ 86400000000000, "+1 d" },
	};
	/* clang-format on */
	char label[SCALE_LABEL_MAX];
	vt_span ticks[40];
	const struct scale s = scale_fit(VT_US(900), VT_NS(25));
	const size_t n = scale_ticks(&s, ticks, COUNT(ticks));

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(scale_label(label, VT_NS(cases[i].ns)), cases[i].label);
	assert_int_equal(n, 7);
	assert_string_equal(scale_label(label, ticks[0]), "+2 ms");
	assert_string_equal(scale_label(label, ticks[1]), "+1 ms");
	assert_string_equal(scale_label(label, ticks[6]), "+10 ns");
	assert_int_equal(scale_ticks(&s, ticks, 3), 3);
}

/* --- History --- */

static struct history history;

static int fresh(void **state)
{
	(void)state;
	history_init(&history);
	return 0;
}

static void sample(int64_t at_ms, int64_t offset_ns, int64_t bound_ns, enum report_state state)
{
	struct report_status status = {
		.state = state,
		.has_bound = bound_ns > 0,
		.bound = VT_NS(bound_ns),
		.tracking = { .refid = 1, .system_offset = VT_NS(offset_ns) },
	};

	history_add(&history, &status, (vt_mono){ at_ms * 1000000 });
}

static void test_stretches_begin_at_whole_multiples(void **state)
{
	(void)state;
	struct history_fold folds[3];

	sample(2999, 7, 70, REPORT_OK);
	sample(3000, -5, 50, REPORT_OK);
	sample(3999, 3, 90, REPORT_DISRUPTED);
	sample(4000, 1, 10, REPORT_OK);
	for (int64_t end = 4000; end < 5000; end += 333) {
		history_fold(&history, (vt_mono){ end * 1000000 }, VT_SEC(1), folds, 3);
		assert_int_equal(folds[0].n, 1);
		assert_int_equal(folds[1].n, 2);
		assert_int_equal(folds[1].lowest.ns, -5);
		assert_int_equal(folds[1].highest.ns, 3);
		assert_int_equal(folds[1].bound.ns, 90);
		assert_int_equal(folds[1].state, REPORT_DISRUPTED);
		assert_int_equal(folds[2].n, 1);
	}
	history_fold(&history, (vt_mono){ 5000000000 }, VT_SEC(1), folds, 3);
	assert_int_equal(folds[0].n, 2);
	assert_int_equal(folds[2].n, 0);
	assert_false(folds[2].is_silent);
	history_add(&history, NULL, (vt_mono){ 5100000000 });
	history_fold(&history, (vt_mono){ 5200000000 }, VT_SEC(1), folds, 3);
	assert_true(folds[2].is_silent && !folds[2].has_offset);
}

static void test_the_ring_keeps_the_latest(void **state)
{
	(void)state;
	struct history_fold folds[4];
	const int64_t n = HISTORY_SAMPLES + 3;

	for (int64_t i = 0; i < n; i++)
		sample(i * 1000, i, 1, REPORT_OK);
	history_fold(&history, (vt_mono){ (n - 1) * 1000000000 }, VT_SEC(1), folds, 4);
	for (int64_t i = 0; i < 4; i++)
		assert_int_equal(folds[i].highest.ns, n - 4 + i);
	history_fold(&history, (vt_mono){ 4 * INT64_C(1000000000) }, VT_SEC(1), folds, 4);
	assert_int_equal(folds[1].n, 0);
	assert_int_equal(folds[2].n, 1);
	assert_int_equal(folds[2].highest.ns, 3);
}

static void test_an_event_is_an_excursion(void **state)
{
	(void)state;
	struct report_event event = {
		.is_there = true,
		.number = 4,
		.cause = "jump, cause unknown",
		.end = REPORT_END_STEPPED,
		.noticed = { INT64_C(1789999990000000000) },
		.at = { INT64_C(1790000000000000000) },
		.size = VT_SEC(10),
		.is_repaired = true,
		.noticed_after = VT_SEC(1),
		.repaired_after = VT_MS(200),
		.wrong_for = VT_MS(1200),
	};
	struct report_event open = event;
	/* Told half a second after it was repaired. */
	const vt_mono now = { 9500000000 };
	const vt_real real = vt_real_add(event.at, VT_MS(500));
	struct history_fold folds[8];
	vt_span largest, typical;

	sample(9500, 20, 900, REPORT_OK);
	open.end = REPORT_END_OPEN;
	open.is_repaired = false;
	open.at.ns = open.size.ns = open.repaired_after.ns = open.wrong_for.ns = 0;
	assert_true(history_note(&history, &open, (vt_mono){ 8850000000 }, open.noticed));
	assert_int_equal(history.marks[0].at.ns, 8850000000);
	/* Its end is the same event's, and so is a better name for it. */
	assert_false(history_note(&history, &event, now, real));
	assert_int_equal(history.marks[0].at.ns, 9000000000);
	strcpy(event.cause, "pause");
	assert_false(history_note(&history, &event, now, real));
	assert_int_equal(history.n_marks, 1);
	assert_string_equal(history.marks[0].event.cause, "pause");
	history_fold(&history, now, VT_MS(500), folds, 8);
	for (int i = 0; i < 8; i++)
		assert_int_equal(folds[i].is_away, i >= 3 && i <= 6); /* 7.8 s to 9 s */
	assert_int_equal(folds[5].away.ns, VT_SEC(10).ns);
	assert_null(folds[5].mark);
	assert_ptr_equal(folds[6].mark, &history.marks[0]);
	history_extent(folds, 8, &largest, &typical);
	assert_int_equal(largest.ns, VT_SEC(10).ns);
	assert_int_equal(typical.ns, 20);
	for (int i = 0; i < 2 * HISTORY_MARKS; i++) {
		event.number++;
		assert_true(history_note(&history, &event, now, real));
	}
	assert_int_equal(history.n_marks, HISTORY_MARKS);
	assert_int_equal(history.marks[HISTORY_MARKS - 1].event.number, event.number);
}

/* --- Characters --- */

static void test_which_characters(void **state)
{
	(void)state;
	assert_int_equal(glyphs_choose("xterm", NULL, NULL, "de_DE.UTF-8"), GLYPHS_BRAILLE);
	assert_int_equal(glyphs_choose("xterm", "", "", "C.utf8"), GLYPHS_BRAILLE);
	assert_int_equal(glyphs_choose("xterm", "C", "C.utf8", "C.utf8"), GLYPHS_ASCII);
	assert_int_equal(glyphs_choose("xterm", NULL, "de_DE@euro", "C.utf8"), GLYPHS_ASCII);
	assert_int_equal(glyphs_choose("linux", NULL, "C.UTF-8", NULL), GLYPHS_BLOCKS);
	assert_int_equal(glyphs_choose(NULL, NULL, NULL, NULL), GLYPHS_ASCII);
	/* Left column from the top: dots 1, 2, 3, 7; right: 4, 5, 6, 8. */
	assert_int_equal(glyphs_dots(GLYPHS_BRAILLE, 1u << 0), 0x2801);
	assert_int_equal(glyphs_dots(GLYPHS_BRAILLE, 1u << 1), 0x2808);
	assert_int_equal(glyphs_dots(GLYPHS_BRAILLE, 1u << 6), 0x2840);
	assert_int_equal(glyphs_dots(GLYPHS_BRAILLE, 1u << 7), 0x2880);
	assert_int_equal(glyphs_dots(GLYPHS_BRAILLE, 0xff), 0x28ff);
	assert_int_equal(glyphs_dots(GLYPHS_BLOCKS, 2), 0x2584);
	assert_int_equal(glyphs_dots(GLYPHS_BRAILLE, 0), ' ');
}

/* --- Painter --- */

static char bytes[PAINTER_BYTES_MAX(20, 3)];

static const char *paint(const struct screen *shown, const struct screen *wanted, bool is_coloured)
{
	const size_t n = painter_write(shown, wanted, is_coloured, bytes, sizeof bytes - 1);

	bytes[n] = '\0';
	return bytes;
}

static void test_only_what_differs(void **state)
{
	(void)state;
	struct screen shown = SCREEN_INIT, wanted = SCREEN_INIT;

	assert_int_equal(screen_resize(&shown, 20, 3), 0);
	assert_int_equal(screen_resize(&wanted, 20, 3), 0);
	screen_clear(&shown);
	screen_clear(&wanted);
	assert_string_equal(paint(&shown, &wanted, true), "");
	screen_text(&wanted, 3, 1, 20, STYLE_PLAIN, "ab");
	assert_string_equal(paint(&shown, &wanted, true), "\033[2;4Hab");
	screen_text(&wanted, 3, 1, 20, STYLE_BAD, "a");
	assert_string_equal(paint(&shown, &wanted, true), "\033[2;4H\033[0;1;31ma\033[0mb");
	assert_string_equal(paint(&shown, &wanted, false), "\033[2;4H\033[0;1ma\033[0mb");
	screen_copy(&shown, &wanted);
	assert_string_equal(paint(&shown, &wanted, true), "");
	screen_put(&wanted, 4, 1, 0x28ff, STYLE_PLAIN);
	assert_string_equal(paint(&shown, &wanted, true), "\033[2;5H\xe2\xa3\xbf");
	screen_put(&wanted, 4, 1, 'b', STYLE_PLAIN);
	/* The cursor is not believed to be anywhere after the last column. */
	screen_text(&wanted, 19, 0, 20, STYLE_PLAIN, "x");
	screen_text(&wanted, 0, 1, 20, STYLE_PLAIN, "y");
	assert_string_equal(paint(&shown, &wanted, true), "\033[1;20Hx\033[2;1Hy");
	screen_forget(&shown);
	assert_true(strlen(paint(&shown, &wanted, true)) >= 60);
	screen_fini(&shown);
	screen_fini(&wanted);
}

/* The dearest frame that there can be has room where it was promised. */
static void test_room_for_every_frame(void **state)
{
	(void)state;
	struct screen shown = SCREEN_INIT, wanted = SCREEN_INIT;
	const size_t size = PAINTER_BYTES_MAX(SCREEN_COLUMNS_MAX, SCREEN_ROWS_MAX);
	char *to = malloc(size);

	assert_non_null(to);
	assert_int_equal(screen_resize(&shown, SCREEN_COLUMNS_MAX, SCREEN_ROWS_MAX), 0);
	assert_int_equal(screen_resize(&wanted, SCREEN_COLUMNS_MAX, SCREEN_ROWS_MAX), 0);
	screen_clear(&shown);
	for (int row = 0; row < SCREEN_ROWS_MAX; row++)
		for (int column = 0; column < SCREEN_COLUMNS_MAX; column++)
			screen_put(&wanted, column, row, 0x28ff,
			           column % 2 ? STYLE_GOOD : STYLE_BAND);
	assert_in_range(painter_write(&shown, &wanted, true, to, size), 1000000, size);
	/* Every other cell: the cursor has to be moved each time. */
	for (int row = 0; row < SCREEN_ROWS_MAX; row++)
		for (int column = 0; column < SCREEN_COLUMNS_MAX; column += 2)
			*screen_at(&wanted, column, row) = *screen_at(&shown, column, row);
	assert_in_range(painter_write(&shown, &wanted, true, to, size), 500000, size);
	free(to);
	screen_fini(&shown);
	screen_fini(&wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scale_shows_what_there_is),
		cmocka_unit_test(test_20_ns_and_10_s_in_one_chart),
		cmocka_unit_test(test_labels),
		cmocka_unit_test_setup(test_stretches_begin_at_whole_multiples, fresh),
		cmocka_unit_test_setup(test_the_ring_keeps_the_latest, fresh),
		cmocka_unit_test_setup(test_an_event_is_an_excursion, fresh),
		cmocka_unit_test(test_which_characters),
		cmocka_unit_test(test_only_what_differs),
		cmocka_unit_test(test_room_for_every_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
