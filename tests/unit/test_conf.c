/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_grammar.h"
#include "memory_files.h"
#include "rng.h"

static int read_bytes(const char *text, size_t n, struct target *t, struct conf_notes *notes,
                      struct conf_error *error)
{
	static const struct memory_file NONE[] = { { .path = NULL } };
	struct memory_files memory = { NONE };
	struct conf_loader loader = memory_loader(&memory);

	*error = (struct conf_error){ .text = "untouched" };
	conf_notes_init(notes);
	return conf_read_text(&TABLE, t, &loader, "test", 1, (struct slice){ text, n }, notes,
	                      error);
}

static struct target accept_text(const char *text)
{
	struct target t = fresh_target();
	struct conf_notes notes;
	struct conf_error error;

	if (read_bytes(text, strlen(text), &t, &notes, &error))
		fail_msg("%s was refused: %s", text, error.text);
	assert_string_equal(error.text, "untouched");
	return t;
}

static void refuse_bytes(const char *text, size_t n, const char *want)
{
	struct target t = fresh_target();
	struct conf_notes notes;
	struct conf_error error;
	char got[1024];

	if (!read_bytes(text, n, &t, &notes, &error))
		fail_msg("%s was accepted", text);
	conf_error_format(&error, got, sizeof got);
	assert_string_equal(got, want);
}

static void test_each_kind_is_stored(void **state)
{
	(void)state;
	struct target t =
		accept_text("decimal -0.000000001\naddress ::ffff:1.2.3.4\ncolours red blue\n"
	                    "colours green\nnumber -7 kind blue kind red\nwords a  b \ncount 4294967295\nppm 83333.333\nspan 90min\nrate 50ppb\n"
	                    "text 12345678\nrefid PHC\nswitch on\ncolour blue\npair 1 2\n");

	assert_true(t.decimal == -1e-9);
	assert_string_equal(t.address, "::ffff:1.2.3.4");
	assert_int_equal(t.colours, 1 << RED | 1 << GREEN | 1 << BLUE);
	assert_int_equal(t.kinds, 1 << RED | 1 << BLUE);
	assert_string_equal(t.trail, "a  b");
	assert_int_equal(t.number, -7);
	assert_int_equal(t.count, UINT32_MAX);
	assert_true(t.ppm.ppb == 83333333);
	assert_int_equal(t.span.ns, 5400 * S);
	assert_true(t.rate.ppb == 50);
	assert_string_equal(t.text, "12345678");
	assert_int_equal(t.refid, 0x50484300);
	assert_true(t.is_on);
	assert_int_equal(t.colour, BLUE);
	assert_true(t.has_pair && t.first == 1 && t.second == 2);
}

static void test_grammar(void **state)
{
	(void)state;
	static const struct {
		const char *what, *text;
		int number;
	} cases[] = {
		{ "nothing", "", 0 },
		{ "blank lines", "\n \n\t\r\n\n", 0 },
		{ "no end of the last line", "number 3", 3 },
		{ "ends of lines as elsewhere", "number 3\r\nnumber 4\r\n", 4 },
		{ "any case", "NumBer 3", 3 },
		{ "blanks around", " \t number \v 3 \f ", 3 },
		{ "the last one counts", "number 3\nnumber 4\n", 4 },
		{ "comments", "# number 5\n! number 5\n;number 5\n %number 5\nnumber 3\n", 3 },
		{ "any bytes but NUL in comments", "#\x01\xff\x7f\nnumber 3", 3 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct target t = accept_text(cases[i].text);

		if (t.number != cases[i].number)
			fail_msg("%s: got %d", cases[i].what, t.number);
	}
}

/* clang-format off */
static const struct {
	const char *text, *want;
} REFUSALS[] = {
	{ "number two", "test:1:8: number: expected N, a whole number from -7 to 24, got \"two\"" },
	{ "\n\n  number 25", "test:3:10: number: expected N, a whole number from -7 to 24, got \"25\"" },
	{ "number", "test:1:7: number: expected N, a whole number from -7 to 24, got the end of the line" },
	{ "number 3.0", "test:1:8: number: expected N, a whole number from -7 to 24, got \"3.0\"" },
	{ "number 99999999999999999999", "test:1:8: number: expected N, a whole number from -7 to 24, got \"99999999999999999999\"" },
	{ "number 3 #", "test:1:10: number: expected the name of an option, got \"#\"" },
	{ "count -1", "test:1:7: count: expected N, a whole number from 0 to 4294967295, got \"-1\"" },
	{ "count 4294967296", "test:1:7: count: expected N, a whole number from 0 to 4294967295, got \"4294967296\"" },
	{ "ppm nan", "test:1:5: ppm: expected PPM, a number of ppm from -1000 to 100000, got \"nan\"" },
	{ "ppm inf", "test:1:5: ppm: expected PPM, a number of ppm from -1000 to 100000, got \"inf\"" },
	{ "ppm 0x10", "test:1:5: ppm: expected PPM, a number of ppm from -1000 to 100000, got \"0x10\"" },
	{ "ppm 1,5", "test:1:5: ppm: expected PPM, a number of ppm from -1000 to 100000, got \"1,5\"" },
	{ "ppm 100000.000000001", "test:1:5: ppm: expected PPM, a number of ppm from -1000 to 100000, got \"100000.000000001\"" },
	{ "span 5", "test:1:6: span: expected SPAN, a length of time with its unit (ns us ms s min h) from 0ns to 2h, got \"5\"" },
	{ "span 5 ms", "test:1:6: span: expected SPAN, a length of time with its unit (ns us ms s min h) from 0ns to 2h, got \"5\"" },
	{ "span ms", "test:1:6: span: expected SPAN, a length of time with its unit (ns us ms s min h) from 0ns to 2h, got \"ms\"" },
	{ "span -5ms", "test:1:6: span: expected SPAN, a length of time with its unit (ns us ms s min h) from 0ns to 2h, got \"-5ms\"" },
	{ "span 7201s", "test:1:6: span: expected SPAN, a length of time with its unit (ns us ms s min h) from 0ns to 2h, got \"7201s\"" },
	{ "span 9999999999999h", "test:1:6: span: expected SPAN, a length of time with its unit (ns us ms s min h) from 0ns to 2h, got \"9999999999999h\"" },
	{ "rate 5", "test:1:6: rate: expected RATE, a rate with its unit (ppb ppm) from 0ppb to 500ppm, got \"5\"" },
	{ "rate 5ms", "test:1:6: rate: expected RATE, a rate with its unit (ppb ppm) from 0ppb to 500ppm, got \"5ms\"" },
	{ "text 123456789", "test:1:6: text: expected TEXT, a word of at most 8 bytes, got \"123456789\"" },
	{ "refid PHC00", "test:1:7: refid: expected NAME, one to four printable characters, got \"PHC00\"" },
	{ "refid \xff", "test:1:7: refid: expected NAME, one to four printable characters, got \"\\xff\"" },
	{ "switch yes", "test:1:8: switch: expected SWITCH, on or off, got \"yes\"" },
	{ "colour pink", "test:1:8: colour: expected COLOUR, one of red, green, blue, got \"pink\"" },
	{ "pair 1", "test:1:7: pair: expected SECOND, a whole number from 0 to 9, got the end of the line" },
	{ "pair 1 2 3", "test:1:10: pair: expected the end of the line, got \"3\"" },
	{ "number 3 seconds", "test:1:17: number seconds: expected S, a number of seconds from -1 to 10, got the end of the line" },
	{ "number 3 seconds x", "test:1:18: number seconds: expected S, a number of seconds from -1 to 10, got \"x\"" },
	{ "number 3 flag 4", "test:1:15: number: expected the name of an option, got \"4\"" },
	{ "number 3 old 2", "test:1:14: number old: expected N, a whole number from 0 to 1, got \"2\"" },
	{ "nonsense", "test:1:1: expected a directive, got \"nonsense\"" },
	{ "numbe 3", "test:1:1: expected a directive, got \"numbe\"" },
	{ "numbers 3", "test:1:1: expected a directive, got \"numbers\"" },
	{ "number 3\n\"\\", "test:2:1: expected a directive, got \"\\\"\\\\\"" },
	{ "text \x01", "test:1:6: expected text, got the byte \"\\x01\"" },
	{ "mark bad", "test:1: mark: expected a good one" },
	{ "gone 1", "test:1:6: gone: expected the end of the line, got \"1\"" },
	{ "decimal 1000000.1", "test:1:9: decimal: expected X, a number from -1000000 to 1000000, got \"1000000.1\"" },
	{ "decimal", "test:1:8: decimal: expected X, a number from -1000000 to 1000000, got the end of the line" },
	{ "address 1.2.3", "test:1:9: address: expected ADDRESS, an IPv4 or IPv6 address, got \"1.2.3\"" },
	{ "address fe80::1%lo", "test:1:9: address: expected ADDRESS, an IPv4 or IPv6 address, got \"fe80::1%lo\"" },
	{ "colours red pink", "test:1:13: colours: expected COLOUR, one of red, green, blue, got \"pink\"" },
	{ "few", "test:1:4: few: expected N, a whole number from 0 to 9, got the end of the line" },
	{ "few 1 10", "test:1:7: few: expected N, a whole number from 0 to 9, got \"10\"" },
	{ "few 1 2 3", "test:1:9: few: expected the end of the line, got \"3\"" },
	{ "words", "test:1: words: expected some" },
	{ "sources", "test:1:8: sources: expected a directory, got the end of the line" },
	{ "include", "test:1:8: include: expected one path of at most 255 bytes, got the end of the line" },
	{ "include a b", "test:1:11: include: expected one path of at most 255 bytes, got \"b\"" },
	{ "confdir", "test:1:8: confdir: expected a directory, got the end of the line" },
	{ "include /none", "test:1: cannot read \"/none\": No such file or directory" },
};
/* clang-format on */

static void test_refusals_say_what_was_expected(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(REFUSALS); i++)
		refuse_bytes(REFUSALS[i].text, strlen(REFUSALS[i].text), REFUSALS[i].want);
	refuse_bytes("number\0 3", 9, "test:1:7: expected text, got the byte \"\\x00\"");
	refuse_bytes("\0", 1, "test:1:1: expected text, got the byte \"\\x00\"");
	refuse_bytes("number 3\n# a\0b", 14, "test:2:4: expected text, got the byte \"\\x00\"");
}

static void test_a_refused_value_is_not_stored(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ROWS); i++) {
		struct target t, before;

		for (const struct conf_value *v = ROWS[i].values; v->at; v++) {
			memset(&t, 0x5a, sizeof t);
			before = t;
			assert_false(conf_value_read(v, slice_of("no!!good!!"), &t));
			assert_false(conf_value_read(v, slice_of(""), &t));
			assert_memory_equal(&t, &before, sizeof t);
		}
	}
}

static void test_long_lines(void **state)
{
	(void)state;
	char text[CONF_LINE_MAX + 2];
	struct target t = fresh_target();
	struct conf_notes notes;
	struct conf_error error;

	memset(text, ' ', sizeof text);
	memcpy(text, "number 3", 8);
	text[CONF_LINE_MAX] = '\n';
	assert_int_equal(read_bytes(text, sizeof text, &t, &notes, &error), 0);
	assert_int_equal(t.number, 3);
	text[CONF_LINE_MAX] = ' ';
	text[CONF_LINE_MAX + 1] = '\n';
	refuse_bytes(text, sizeof text, "test:1: expected a line of at most 2048 bytes, got 2049");
	memcpy(text, "# a comm", 8);
	refuse_bytes(text, sizeof text, "test:1: expected a line of at most 2048 bytes, got 2049");
}

static void test_long_paths(void **state)
{
	(void)state;
	char text[400], want[400], path[CONF_PATH_MAX + 1];

	memset(path, 'x', CONF_PATH_MAX);
	path[CONF_PATH_MAX] = '\0';
	snprintf(text, sizeof text, "confdir /none %s", path);
	snprintf(want, sizeof want,
	         "test:1:15: confdir: expected a path of at most 255 bytes, got \"%.74s\"", path);
	refuse_bytes(text, strlen(text), want);
	snprintf(text, sizeof text, "include %s", path);
	snprintf(want, sizeof want,
	         "test:1:9: include: expected one path of at most 255 bytes, got \"%.74s\"", path);
	refuse_bytes(text, strlen(text), want);
}

static void test_notes(void **state)
{
	(void)state;
	const char *text = "gone\nGONE\nnumber 3 old 1\n\nmark odd\nfew 1\nfew 1 2\n";
	struct target t = fresh_target();
	struct conf_notes notes;
	struct conf_note note;
	struct conf_error error;
	char line[512];
	static const char *const want[] = {
		"test:1: gone: has no meaning here; it is ignored",
		"test:3: number old: gone; it is ignored",
		"test:5: mark: an odd one",
		"test:6: few: few is none; it is ignored",
	};

	assert_int_equal(read_bytes(text, strlen(text), &t, &notes, &error), 0);
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_true(conf_notes_pop(&notes, &note));
		assert_string_equal(conf_note_format(&note, line, sizeof line), want[i]);
	}
	memset(&note, 'x', sizeof note);
	assert_false(conf_notes_pop(&notes, &note));
	assert_int_equal(note.text[0], 'x');
	assert_int_equal(notes.n_lost, 0);
}

/* More notes than there is room for are counted, and the parser goes on. */
static void test_too_many_notes(void **state)
{
	(void)state;
	struct conf_row rows[CONF_NOTES_MAX + 5];
	char names[COUNT(rows)][8], text[COUNT(rows) * 8] = "";
	struct conf_table table = CONF_TABLE(rows);
	struct conf_notes notes;
	struct conf_error error;
	struct conf_loader loader = { 0 };

	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(names[i], sizeof names[i], "n%zu", i);
		rows[i] = (struct conf_row){ names[i], CONF_IGNORE, .help = "gone" };
		strcat(strcat(text, names[i]), "\n");
	}
	conf_notes_init(&notes);
	assert_int_equal(
		conf_read_text(&table, NULL, &loader, "test", 1, slice_of(text), &notes, &error),
		0);
	assert_int_equal(notes.n, CONF_NOTES_MAX);
	assert_int_equal(notes.n_lost, 5);
}

static struct target random_target(struct rng *rng)
{
	struct target t = fresh_target();

	t.number = (int)rng_in(rng, -7, 24);
	t.count = (unsigned)rng_next(rng);
	t.seconds = VT_NS(rng_in(rng, -S, 10 * S) >> rng_in(rng, 0, 30));
	t.ppm = (vt_rate){ (double)rng_in(rng, -1000 * S, 100000 * S) / 1e6 };
	t.span = VT_NS(rng_in(rng, 0, 7200 * S));
	if (rng_in(rng, 0, 1)) /* often a round one */
		t.span = VT_NS(t.span.ns / 60000000 * 60000000);
	t.rate = (vt_rate){ (double)rng_in(rng, 0, 500000) };
	for (int i = (int)rng_in(rng, 0, 8); i > 0; i--)
		t.text[i - 1] = (char)rng_in(rng, '!', '~');
	for (int i = (int)rng_in(rng, 0, 4); i > 0; i--)
		t.refid = t.refid >> 8 | (uint32_t)rng_in(rng, '!', '~') << 24;
	t.is_on = rng_in(rng, 0, 1);
	t.is_flagged = rng_in(rng, 0, 1);
	t.decimal = (double)rng_in(rng, -CONF_DECIMAL_MAX, CONF_DECIMAL_MAX) / 1e9;
	t.colours = (unsigned)rng_in(rng, 0, 7);
	t.kinds = (unsigned)rng_in(rng, 0, 7);
	if (rng_in(rng, 0, 1))
		strcpy(t.address, rng_in(rng, 0, 1) ? "10.0.0.1" : "fe80::1");
	t.colour = (enum colour)rng_in(rng, 0, BLUE);
	t.has_pair = rng_in(rng, 0, 1);
	t.first = t.has_pair ? (int)rng_in(rng, 0, 9) : 0;
	t.second = t.has_pair ? (int)rng_in(rng, 0, 9) : 0;
	return t;
}

static bool is_same(const struct target *a, const struct target *b)
{
	return a->number == b->number && a->count == b->count && a->seconds.ns == b->seconds.ns &&
	       a->span.ns == b->span.ns && a->ppm.ppb == b->ppm.ppb && a->rate.ppb == b->rate.ppb &&
	       a->decimal == b->decimal && strcmp(a->address, b->address) == 0 &&
	       a->colours == b->colours && a->kinds == b->kinds &&
	       strcmp(a->text, b->text) == 0 && a->refid == b->refid && a->is_on == b->is_on &&
	       a->has_pair == b->has_pair && a->is_flagged == b->is_flagged &&
	       a->colour == b->colour && a->first == b->first && a->second == b->second;
}

static void test_what_is_printed_reads_as_the_same(void **state)
{
	struct rng *rng = *state;

	for (int i = 0; i < 20000; i++) {
		struct target t = random_target(rng), again;
		char text[2048];

		assert_true(conf_print(&TABLE, &t, text, sizeof text) < sizeof text);
		again = accept_text(text);
		if (!is_same(&t, &again))
			fail_msg("read as something else:\n%s", text);
	}
}

static void test_print_counts_beyond_the_buffer(void **state)
{
	struct rng *rng = *state;
	struct target t = random_target(rng);
	char text[2048], small[2048];
	size_t n = conf_print(&TABLE, &t, text, sizeof text);

	assert_int_equal(n, strlen(text));
	for (size_t size = 0; size <= n + 1; size++) {
		memset(small, '~', sizeof small);
		assert_int_equal(conf_print(&TABLE, &t, small, size), n);
		assert_int_equal(small[size], '~');
		if (size == 0)
			continue;
		assert_memory_equal(small, text, size - 1);
		assert_int_equal(small[size - 1], '\0');
	}
}

static void test_reference_has_every_row(void **state)
{
	(void)state;
	char text[4096];
	size_t n = conf_reference(&TABLE, text, sizeof text);

	assert_int_equal(n, strlen(text));
	for (size_t i = 0; i < COUNT(ROWS) + COUNT(MORE_ROWS); i++)
		assert_non_null(strstr(text, conf_row_at(&TABLE, i)->name));
	assert_null(conf_row_at(&TABLE, COUNT(ROWS) + COUNT(MORE_ROWS)));
	assert_non_null(strstr(text, "colours [COLOUR ...]\n\tCOLOUR: one of red, green, blue\n"));
	assert_non_null(strstr(text, "pair FIRST SECOND\n\tFIRST: a whole number from 0 to 9\n"
	                             "\tSECOND: a whole number from 0 to 9\n\tTwo numbers.\n"));
	assert_non_null(strstr(text, "\tAccepted with a warning, without effect:\n"
	                             "\t\t(gone)\n\t\told\n\ncount N\n"));
	assert_non_null(strstr(text, "\nAccepted with a warning, without effect:\n"
	                             "\t(has no meaning here)\n\tgone\n"
	                             "\t(few is none)\n\tfew\n"));
	assert_non_null(strstr(text, "number N [OPTION ...]\n"));
	assert_non_null(strstr(text, "\tseconds S\n\t\tS: a number of seconds from -1 to 10\n"
	                             "\t\tdefault: 0\n\t\tSeconds.\n"));
}

/* Bytes at random: an answer, within the limits, and nothing but an answer. */
static void test_noise(void **state)
{
	struct rng *rng = *state;
	static const char *const WORDS[] = { "number",  "pair", "mark",    " ",  "\n", "7",
		                             "include", "/x",   "seconds", "1e", "-",  "#",
		                             "colours", "red",  "words",   "few" };
	char text[256];

	for (int i = 0; i < 20000; i++) {
		struct target t = fresh_target();
		struct conf_notes notes;
		struct conf_error error;
		size_t n = 0;

		while (n < sizeof text - 8) {
			const char *word = WORDS[rng_in(rng, 0, COUNT(WORDS) - 1)];

			if (rng_in(rng, 0, 9) == 0)
				text[n++] = (char)rng_next(rng);
			memcpy(text + n, word, strlen(word));
			n += strlen(word);
		}
		if (read_bytes(text, n, &t, &notes, &error))
			assert_true(error.place.line > 0 && error.text[0]);
	}
}

int main(void)
{
	struct rng rng;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_kind_is_stored),
		cmocka_unit_test(test_grammar),
		cmocka_unit_test(test_refusals_say_what_was_expected),
		cmocka_unit_test(test_a_refused_value_is_not_stored),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_long_paths),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_too_many_notes),
		cmocka_unit_test_prestate(test_what_is_printed_reads_as_the_same, &rng),
		cmocka_unit_test_prestate(test_print_counts_beyond_the_buffer, &rng),
		cmocka_unit_test(test_reference_has_every_row),
		cmocka_unit_test_prestate(test_noise, &rng),
	};

	rng_start(&rng);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
