/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fuzz_host.c - the host's channel against arbitrary bytes
 *
 * What is taken is in range, what is refused is refused in a sentence that can be sent, and
 * nothing is taken that is longer than allowed.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/host_channel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

static void check_quality(const struct report_host_quality *q)
{
	require(memchr(q->daemon, '\0', sizeof q->daemon) != NULL);
	require(!q->has_root_distance || q->root_distance.ns >= 0);
	require(!q->is_synchronized || (q->has_root_distance && q->leap != REPORT_LEAP_UNSYNCHRONISED));
	require(q->leap <= REPORT_LEAP_UNSYNCHRONISED);
}

/* The same bytes as a guest's answer to the host. */
static void check_answers(const char *line, size_t size)
{
	for (unsigned i = 0; i < HOST_COMMANDS; i++) {
		const struct host_request asked = { .command = (enum host_command)i };
		struct host_reply reply = { .bound = { -77 } };
		struct control_error error = { .code = CONTROL_INTERNAL };

		if (host_channel_decode_reply(line, size, &asked, &reply, &error) == CONTROL_ANSWERED) {
			require(reply.state <= REPORT_CONTESTED && size <= HOST_CHANNEL_REPLY_MAX + 2);
			continue;
		}
		require(reply.bound.ns == -77 && memchr(error.text, '\0', sizeof error.text));
		for (const char *c = error.text; *c; c++)
			require(*c >= ' ' && *c <= '~');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct host_request request;
	struct control_error error;
	const struct host_reply reply = { .state = REPORT_OK, .has_offset = true };
	char *line;
	size_t length;

	check_answers((const char *)data, size);
	if (host_channel_decode((const char *)data, size, &request, &error)) {
		require(control_encode_error(&error, &line, &length) == 0);
	} else {
		require(size <= HOST_CHANNEL_REQUEST_MAX + 2);
		require(request.command < HOST_COMMANDS && request.reason < HOST_REASONS);
		require(request.reason == HOST_REASON_NONE || request.command == HOST_NUDGE);
		if (request.command == HOST_QUALITY)
			check_quality(&request.quality);
		require(host_channel_encode(&request, &reply, &line, &length) == 0);
	}
	require(length <= 1024 && line[length - 1] == '\n' && !memchr(line, '\n', length - 1));
	free(line);
	return 0;
}
