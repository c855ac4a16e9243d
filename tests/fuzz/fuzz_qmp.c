/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fuzz_qmp.c - a monitor that says anything at all, in any portions
 *
 * The first byte is the size of a portion.  However a stream is cut, the same lines come out of
 * it; what is taken from a line is terminated and of a kind that there is.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/frames.h"
#include "proto/qmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

static void check_line(struct slice line)
{
	struct qmp_message m = { .id = -77 };
	char why[200] = "";

	require(line.n <= FRAMES_MAX && !memchr(line.p, '\n', line.n) && !memchr(line.p, 0xff, line.n));
	if (qmp_decode(line.p, line.n, &m, why, sizeof why)) {
		require(m.id == -77 && why[0] && memchr(why, '\0', sizeof why));
		return;
	}
	require(m.kind <= QMP_EVENT && m.event < QMP_EVENTS && !why[0]);
	require(memchr(m.text, '\0', sizeof m.text) && memchr(m.status, '\0', sizeof m.status));
	require(memchr(m.uuid, '\0', sizeof m.uuid));
	require(qmp_find_port(line.p, line.n, "/run/agent") <= QMP_PORT_CLOSED);
}

/* A number that stands for all frames and their order. */
static uint64_t take_all(const uint8_t *data, size_t size, size_t portion, bool is_checked)
{
	struct frames frames;
	uint64_t sum = 1;

	frames_init(&frames);
	for (size_t at = 0; at < size; at += portion) {
		struct slice input = { (const char *)data + at, size - at < portion ? size - at : portion };
		struct slice line = { NULL, 0 };
		enum frame_kind kind;

		while ((kind = frames_next(&frames, &input, &line)) != FRAME_NONE) {
			sum = sum * 31 + kind;
			if (kind != FRAME_LINE)
				continue;
			for (size_t i = 0; i < line.n; i++)
				sum = sum * 31 + (unsigned char)line.p[i];
			if (is_checked)
				check_line(line);
		}
		require(input.n == 0 && frames.used <= FRAMES_MAX);
	}
	frames_fini(&frames);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	require(take_all(data + 1, size - 1, (size_t)data[0] + 1, true) ==
	        take_all(data + 1, size - 1, size, false));
	return 0;
}
