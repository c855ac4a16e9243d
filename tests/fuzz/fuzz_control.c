/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fuzz_control.c - both ends of the control protocol against arbitrary bytes
 *
 * The first byte chooses: 'r' is a request, the number of a command a reply to it.  What
 * is understood must survive being written and read again.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

static void fuzz_request(const char *line, size_t length)
{
	struct control_request request, again;
	struct control_error error;
	char text[CONTROL_REQUEST_MAX], *reply;
	size_t reply_length;

	if (control_decode_request(line, length, &request, &error)) {
		require(control_encode_error(&error, &reply, &reply_length) == 0);
		require(reply[reply_length - 1] == '\n' && strlen(reply) == reply_length);
		free(reply);
		return;
	}
	require(control_encode_request(&request, text, sizeof text) == 0);
	require(control_decode_request(text, strlen(text), &again, &error) == 0);
	require(again.command == request.command && again.id.kind == request.id.kind &&
	        again.id.number == request.id.number &&
	        strcmp(again.id.text, request.id.text) == 0);
	require(again.arguments.limit == request.arguments.limit &&
	        again.arguments.has_since == request.arguments.has_since &&
	        again.arguments.timeout.ns == request.arguments.timeout.ns);
}

static void fuzz_reply(const char *line, size_t length, enum control_command command)
{
	const struct control_request request = { .command = command };
	static union report report;
	struct control_error error;
	char *first, *second, *pretty;
	size_t first_length, second_length;

	memset(&report, 0, sizeof report);
	switch (control_decode_reply(line, length, command, &report, &error)) {
	case CONTROL_GARBAGE:
	case CONTROL_REFUSED: require(strlen(error.text) < sizeof error.text); return;
	case CONTROL_ANSWERED: break;
	}
	require(control_pretty(line, length, command, &pretty, &error) == CONTROL_ANSWERED);
	free(pretty);
	require(control_encode_reply(&request, &report, &first, &first_length) == 0);
	require(first_length <= CONTROL_REPLY_MAX);
	memset(&report, 0, sizeof report);
	require(control_decode_reply(first, first_length, command, &report, &error) ==
	        CONTROL_ANSWERED);
	require(control_encode_reply(&request, &report, &second, &second_length) == 0);
	require(first_length == second_length && memcmp(first, second, first_length) == 0);
	free(first);
	free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;

	if (data[0] == 'r')
		fuzz_request((const char *)data + 1, size - 1);
	else if (data[0] < CONTROL_COMMANDS)
		fuzz_reply((const char *)data + 1, size - 1, (enum control_command)data[0]);
	return 0;
}
