/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fuzz_agent.c - an agent that answers anything at all to each request
 *
 * Outputs are written only for an answer, and what was not understood is told in a sentence
 * that can be printed.  What is said to a vmtimed through its agent is said as on the channel.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/agent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

static void check_text(const char *text, size_t size)
{
	require(text[0] && memchr(text, '\0', size));
	for (; *text; text++)
		require(*text >= ' ' && *text <= '~');
}

static void check_answer(const char *line, size_t n, enum agent_command command)
{
	struct agent_reply reply = { .id = -77 };
	char why[100] = "";

	if (agent_decode(line, n, command, &reply, why, sizeof why) != AGENT_ANSWERED) {
		require(reply.id == -77);
		check_text(why, sizeof why);
		return;
	}
	require(memchr(reply.version, '\0', sizeof reply.version));
	require(reply.vmtime.state <= REPORT_CONTESTED);
	if (reply.version[0])
		check_text(reply.version, sizeof reply.version);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (unsigned i = 0; i < AGENT_COMMANDS; i++)
		check_answer((const char *)data, size, (enum agent_command)i);
	return 0;
}
