/* SPDX-License-Identifier: Apache-2.0 */

/*
 * test_watch_view.c - frames of `vmtime watch`, as text
 *
 * Each frame stands in tests/unit/frames; `test_watch_view write` writes them anew, to be looked
 * at with git diff.  In a frame's first line stands what it is; blanks at the ends of rows are cut.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "cli/watch/view.h"

#define TEXT_MAX 65536

static const vt_mono NOW = { INT64_C(5000400000000) };
static const vt_real REAL = { INT64_C(1795452803250000000) };

static struct report_status a_status(void)
{
	return (struct report_status){
		.state = REPORT_OK,
		.has_state_age = true,
		.state_age = VT_SEC(7100),
		.has_bound = true,
		.bound = VT_NS(912),
		.tracking = { .refid = 1,
		              .name = "PHC0",
		              .stratum = 1,
		              .system_offset = VT_NS(12) },
		.sources = { .n = 1,
		             .sources = { { .name = "PHC0",
		                            .method = "precise",
		                            .reading_interval = VT_SEC(1),
		                            .selection = REPORT_SELECTED,
		                            .is_host = true,
		                            .reach = 0377,
		                            .has_sample = true,
		                            .adjusted_offset = VT_NS(12),
		                            .error = VT_NS(41) } } },
	};
}

/* A wave of 20 ns with a little on it, two samples a second, as a quiet clock looks. */
/* The last sample is @ago half seconds old. */
static struct view_model *a_model(enum glyphs_kind glyphs, int seconds, int ago)
{
	static const int wave[] = {
		0, 4, 9, 14, 18, 20, 19, 15, 8, 2, -5, -11, -16, -21, -17, -10
	};
	struct view_model *m = calloc(1, sizeof *m);

	assert_non_null(m);
	view_init(m, glyphs, NOW);
	m->status = a_status();
	m->has_status = m->is_answering = true;
	for (int i = -2 * seconds; i <= -ago; i++) {
		struct report_status then = a_status();
		const size_t step = (size_t)(i + 4096);

		then.tracking.system_offset =
			VT_NS(wave[step / 3 % COUNT(wave)] + (int)(step * 7 % 5) - 2);
		then.bound = VT_NS(600 + (int)(step % 2) * 300);
		history_add(&m->history, &then, vt_mono_add(NOW, VT_MS(i * 500)));
	}
	return m;
}

static struct report_event an_event(vt_span ago, vt_span size)
{
	struct report_event event = {
		.is_there = true,
		.number = (uint64_t)ago.ns,
		.end = REPORT_END_STEPPED,
		.at = vt_real_add(REAL, VT_NS(-ago.ns)),
		.size = size,
		.is_repaired = true,
		.noticed_after = VT_SEC(1),
		.repaired_after = VT_MS(188),
		.wrong_for = VT_MS(1188),
	};

	strcpy(event.cause, "jump, cause unknown");
	return event;
}

static void happened(struct view_model *m, vt_span ago, vt_span size)
{
	const struct report_event event = an_event(ago, size);

	assert_true(history_note(&m->history, &event, NOW, REAL));
}

static size_t put_utf8(char *to, uint32_t glyph)
{
	if (glyph < 0x80) {
		to[0] = (char)glyph;
		return 1;
	}
	to[0] = (char)(0xe0 | glyph >> 12);
	to[1] = (char)(0x80 | (glyph >> 6 & 0x3f));
	to[2] = (char)(0x80 | (glyph & 0x3f));
	return 3;
}

static void text_of(const struct screen *s, char to[TEXT_MAX])
{
	size_t used = 0;

	for (int row = 0; row < s->rows; row++) {
		size_t end = used;

		for (int column = 0; column < s->columns; column++) {
			const uint32_t glyph = screen_at(s, column, row)->glyph;

			assert_true(used + 8 < TEXT_MAX && glyph >= ' ');
			used += put_utf8(to + used, glyph);
			if (glyph != ' ')
				end = used;
		}
		used = end;
		to[used++] = '\n';
	}
	to[used] = '\0';
}

struct golden {
	const char *name;
	int columns, rows;
	struct view_model *(*make)(void);
};

static struct view_model *quiet(void)
{
	return a_model(GLYPHS_BRAILLE, 300, 0);
}

static struct view_model *jumped(void)
{
	struct view_model *m = a_model(GLYPHS_BRAILLE, 300, 0);

	happened(m, VT_SEC(4000), VT_MS(3));
	happened(m, VT_SEC(48), VT_US(-300));
	happened(m, VT_SEC(20), VT_SEC(10));
	return m;
}

static struct view_model *jumped_ascii(void)
{
	struct view_model *m = jumped();

	m->glyphs = GLYPHS_ASCII;
	return m;
}

static struct view_model *jumped_blocks(void)
{
	struct view_model *m = jumped();

	m->glyphs = GLYPHS_BLOCKS;
	return m;
}

static struct view_model *zoomed(void)
{
	struct view_model *m = jumped();

	m->zoom = 2;
	return m;
}

static struct view_model *silent(void)
{
	struct view_model *m = a_model(GLYPHS_BRAILLE, 300, 25);

	m->is_answering = false;
	m->since = vt_mono_add(NOW, VT_MS(-12400));
	strcpy(m->trouble, "vmtimed is not running: nothing answers at /run/vmtime/vmtimed.sock");
	for (int i = -24; i <= 0; i++)
		history_add(&m->history, NULL, vt_mono_add(NOW, VT_MS(i * 500)));
	return m;
}

static struct view_model *fresh(void)
{
	struct view_model *m = calloc(1, sizeof *m);

	assert_non_null(m);
	view_init(m, GLYPHS_BRAILLE, NOW);
	return m;
}

static struct view_model *troubled(void)
{
	struct view_model *m = quiet();
	struct report_source *s = m->status.sources.sources;

	m->status.state = REPORT_HOLDOVER;
	m->status.state_age = VT_SEC(3);
	strcpy(m->status.reason, "PHC0: the host refuses\x1b[2J to answer");
	strcpy(s[0].trouble, "the host refuses\x1b[2J to answer");
	s[0].selection = REPORT_UNUSABLE;
	for (unsigned i = 1; i < 9; i++) {
		s[i] = a_status().sources.sources[0];
		snprintf(s[i].name, sizeof s[i].name, "source-number-%u", i);
		s[i].selection = (enum report_selection)(i % 6);
		s[i].has_sample = i != 3;
		s[i].adjusted_offset = VT_MS(-(int)i * 700);
		s[i].reach = i;
	}
	strcpy(s[2].method, "");
	m->status.sources.n = 9;
	return m;
}

/* clang-format off */
static const struct golden GOLDEN[] = {
	{ "quiet-80x24",    80, 24, quiet         },
	{ "jumped-80x24",   80, 24, jumped        },
	{ "jumped-40x10",   40, 10, jumped        },
	{ "jumped-200x60", 200, 60, jumped        },
	{ "jumped-20x5",    20,  5, jumped        },
	{ "jumped-1x1",      1,  1, jumped        },
	{ "ascii-80x24",    80, 24, jumped_ascii  },
	{ "blocks-80x24",   80, 24, jumped_blocks },
	{ "zoomed-80x24",   80, 24, zoomed        },
	{ "silent-80x24",   80, 24, silent        },
	{ "fresh-80x24",    80, 24, fresh         },
	{ "troubled-80x24", 80, 24, troubled      },
};
/* clang-format on */

static void draw(const struct golden *golden, char to[TEXT_MAX])
{
	struct view_model *m = golden->make();
	struct screen s = SCREEN_INIT;

	assert_int_equal(screen_resize(&s, golden->columns, golden->rows), 0);
	view_draw(m, NOW, REAL, &s);
	text_of(&s, to);
	screen_fini(&s);
	free(m);
}

static FILE *open_frame(const struct golden *golden, const char *mode)
{
	const char *root = getenv("VMTIME_ROOT");
	char path[4096];
	FILE *file;

	snprintf(path, sizeof path, "%s/tests/unit/frames/%s.txt", root ? root : ".", golden->name);
	file = fopen(path, mode);
	if (!file)
		fail_msg("no %s", path);
	return file;
}

static void test_frames(void **state)
{
	(void)state;
	static char drawn[TEXT_MAX], want[TEXT_MAX];

	for (size_t i = 0; i < COUNT(GOLDEN); i++) {
		FILE *file = open_frame(&GOLDEN[i], "r");
		size_t n = fread(want, 1, sizeof want - 1, file);

		fclose(file);
		want[n] = '\0';
		draw(&GOLDEN[i], drawn);
		if (strcmp(drawn, want) != 0)
			fail_msg("%s is drawn as\n%s", GOLDEN[i].name, drawn);
	}
}

/* Whatever the size, nothing is written beside the screen, and every cell is something. */
static void test_every_size(void **state)
{
	(void)state;
	struct view_model *models[] = {
		quiet(), jumped(), silent(), fresh(), troubled(), zoomed()
	};
	struct screen s = SCREEN_INIT;

	for (int columns = 1; columns < 130; columns += columns < 40 ? 1 : 13)
		for (int rows = 1; rows < 70; rows += rows < 30 ? 1 : 7) {
			assert_int_equal(screen_resize(&s, columns, rows), 0);
			for (size_t i = 0; i < COUNT(models); i++) {
				view_draw(models[i], NOW, REAL, &s);
				for (int c = 0; c < columns * rows; c++)
					assert_in_range(s.cells[c].glyph, ' ', 0xffff);
			}
		}
	assert_int_equal(screen_resize(&s, 100000, 100000), 0);
	assert_int_equal(s.columns, SCREEN_COLUMNS_MAX);
	assert_int_equal(s.rows, SCREEN_ROWS_MAX);
	view_draw(models[1], NOW, REAL, &s);
	screen_fini(&s);
	for (size_t i = 0; i < COUNT(models); i++)
		free(models[i]);
}

static void write_frames(void **state)
{
	(void)state;
	static char drawn[TEXT_MAX];

	for (size_t i = 0; i < COUNT(GOLDEN); i++) {
		FILE *file = open_frame(&GOLDEN[i], "w");

		draw(&GOLDEN[i], drawn);
		fputs(drawn, file);
		assert_int_equal(fclose(file), 0);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_every_size),
	};
	const struct CMUnitTest writing[] = { cmocka_unit_test(write_frames) };

	if (argc > 1 && strcmp(argv[1], "write") == 0)
		return cmocka_run_group_tests(writing, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
