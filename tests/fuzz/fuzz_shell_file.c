/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fuzz_shell_file.c - files of shell variables against arbitrary bytes
 *
 * Assignments come in order, lie within the text and begin with their name; a value that is all
 * there can be quoted, and what was quoted is read back as it was.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "audit/shell_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

static void check_round_trip(const char *value)
{
	char quoted[9000], text[9010], back[4096];
	bool is_plain;

	require(shell_quote(value, quoted, sizeof quoted));
	memcpy(text, "V=", 2);
	strcpy(text + 2, quoted);
	/* A continuation within double quotes is none of the value's bytes. */
	if (strstr(value, "\\\n") || strstr(value, "\\\r\n"))
		return;
	require(shell_file_value(slice_of(text), "V", back, sizeof back, &is_plain));
	require(strcmp(back, value) == 0 && is_plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct shell_file file = { { (const char *)data, size }, 0, 1 };
	struct shell_assignment a;
	size_t last = 0;
	unsigned last_line = 1;
	char value[4096], name[64];
	bool is_plain;

	while (shell_file_next(&file, &a)) {
		require(a.begin >= last && a.begin < a.value_begin && a.value_begin <= a.end &&
			a.end <= size);
		require(a.name.p == file.text.p + a.begin && a.name.n > 0);
		require(a.raw.p == file.text.p + a.value_begin && a.raw.n == a.end - a.value_begin);
		require(a.line >= last_line && a.line <= file.line);
		last = a.end;
		last_line = a.line;
		if (shell_assignment_value(&a, value, sizeof value))
			check_round_trip(value);
		if (slice_copy(a.name, name, sizeof name))
			require(shell_file_value(file.text, name, value, sizeof value, &is_plain));
	}
	return 0;
}
