/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fuzz_xml.c - libvirt's definitions of guests against arbitrary bytes
 *
 * A walk ends, opens as often as it closes where the document is one, and hands out pieces of it.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "audit/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	enum xml_event event;
	struct slice piece = { "", 0 };
	size_t depth = 0, n_events = 0;
	char value[32];
	struct xml xml;

	xml_init(&xml, (struct slice){ text, size });
	do {
		event = xml_next(&xml, &piece);
		require(n_events++ <= 2 * size + 1);
		require(strlen(xml.path) == xml.n_path && xml.n_path < sizeof xml.path);
		if (event == XML_OPEN || event == XML_TEXT)
			require(piece.p >= text && piece.p + piece.n <= text + size);
		if (event == XML_OPEN) {
			depth++;
			xml_attribute(piece, "name", value, sizeof value);
			require(strlen(value) < sizeof value);
		}
		if (event == XML_TEXT)
			xml_decode(piece, value, sizeof value);
		if (event == XML_CLOSE)
			require(depth-- > 0);
	} while (event != XML_END && event != XML_BAD);
	if (event == XML_END)
		require(depth == 0);
	return 0;
}
