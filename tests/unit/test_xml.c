/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/xml.h"

/* The whole walk as one line: "<a/b x='1'", ">a/b", "\"text\"", "." or "!". */
static void walk(const char *text, char *to, size_t size)
{
	size_t n = strlen(text), used = 0;
	char *exact = malloc(n + 1); /* of just its size, for the sanitizer */
	enum xml_event event;
	struct slice piece = { "", 0 };
	struct xml xml;

	assert_non_null(exact);
	memcpy(exact, text, n);
	xml_init(&xml, (struct slice){ exact, n });
	to[0] = '\0';
	do {
		event = xml_next(&xml, &piece);
		switch (event) {
		case XML_OPEN:
			used += (size_t)snprintf(to + used, size - used, "<%s%.*s", xml.path,
						 (int)piece.n, piece.p);
			break;
		case XML_CLOSE:
			used += (size_t)snprintf(to + used, size - used, ">%s", xml.path);
			break;
		case XML_TEXT:
			used += (size_t)snprintf(to + used, size - used, "\"%.*s\"",
						 (int)piece.n, piece.p);
			break;
		case XML_END: used += (size_t)snprintf(to + used, size - used, "."); break;
		case XML_BAD: used += (size_t)snprintf(to + used, size - used, "!"); break;
		}
		assert_true(used < size);
	} while (event != XML_END && event != XML_BAD);
	/* The end is where it stays. */
	assert_int_equal(xml_next(&xml, &piece), event);
	free(exact);
}

static void test_walks(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct { const char *text, *want; } CASES[] = {
		{ "<a/>",                               "<a>a." },
		{ "<a></a>",                            "<a>a." },
		{ "<a><b x='1'/><c>t</c></a>",          "<a<a/b x='1'>a/b<a/c\"t\">a/c>a." },
		{ "<?xml version='1.0'?>\n<a/>\n",      "\"\n\"<a>a\"\n\"." },
		{ "<!-- <x> --><a><!-- </a> --></a>",   "<a>a." },
		{ "<a><![CDATA[<b>&]]></a>",            "<a\"<b>&\">a." },
		{ "<a x='>'/>",                         "<a x='>'>a." },
		{ "<a>/></a>",                          "<a\"/>\">a." },
		{ "<a:b/>",                             "<a:b>a:b." },
		{ "",                                   "." },
		{ "<a>",                                "<a!" },
		{ "<a></b>",                            "<a!" },
		{ "</a>",                               "!" },
		{ "<ab></a>",                           "<ab!" },
		{ "<a></ab>",                           "<a!" },
		{ "<a",                                 "!" },
		{ "<a x='1/>",                          "!" },
		{ "<>",                                 "!" },
		{ "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", "!" },
		{ "<!-- a",                             "!" },
		{ "<a><![CDATA[b</a>",                  "<a!" },
		{ "<a><b></a></b>",                     "<a<a/b!" },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(CASES); i++) {
		char got[256];

		walk(CASES[i].text, got, sizeof got);
		if (strcmp(got, CASES[i].want) != 0)
			fail_msg("%s: got %s, want %s", CASES[i].text, got, CASES[i].want);
	}
}

static void test_too_deep_is_refused(void **state)
{
	char text[4096];
	static char got[1 << 18];
	size_t n = 0;

	(void)state;
	while (n + 4 < sizeof text)
		n += (size_t)snprintf(text + n, sizeof text - n, "<a>");
	walk(text, got, sizeof got);
	assert_int_equal(got[strlen(got) - 1], '!');
}

static void test_attributes(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct { const char *attributes, *name, *want; bool is_there; } CASES[] = {
		{ " name='rtc' track='wall'",      "track", "wall",   true },
		{ " name='rtc' track=\"wall\" ",   "name",  "rtc",    true },
		{ " name = 'rtc'",                 "name",  "rtc",    true },
		{ " name=''",                      "name",  "",       true },
		{ " a='name=\"x\"'",               "name",  "",       false },
		{ " a='&lt;&amp;&quot;&#65;&x;'",  "a",     "<&\"A&x;", true },
		{ " a='&lt'",                      "a",     "&lt",    true },
		{ " name=rtc",                     "name",  "",       false },
		{ " name='rtc",                    "name",  "",       false },
		{ " name",                         "name",  "",       false },
		{ "",                              "name",  "",       false },
		{ " a='0123456789012345678901'",   "a",     "012345678901234", true },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(CASES); i++) {
		char got[16];
		bool is_there = xml_attribute(slice_of(CASES[i].attributes), CASES[i].name, got,
					      sizeof got);

		if (is_there != CASES[i].is_there || strcmp(got, CASES[i].want) != 0)
			fail_msg("%s: got %d \"%s\"", CASES[i].attributes, is_there, got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walks),
		cmocka_unit_test(test_too_deep_is_refused),
		cmocka_unit_test(test_attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
