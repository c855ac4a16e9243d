/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fuzz_guest_agent.c - the guest agent's port against arbitrary bytes
 *
 * Every byte is taken, every request and every refusal makes a reply of one line that is not long,
 * and 0xFF always leads back to a state in which a request is understood.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/agent_reader.h"
#include "proto/guest_agent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

static void answer(struct slice text)
{
	const struct guest_agent_answer nothing = { .host = { .state = REPORT_OK } };
	struct guest_agent_request request;
	struct guest_agent_error error;
	char *line;
	size_t n;

	if (guest_agent_decode(text, &request, &error) < 0) {
		require(guest_agent_encode_error(&error, &line, &n) == 0);
	} else {
		require(request.command < GUEST_AGENT_COMMANDS);
		require(guest_agent_encode(&request, &nothing, &line, &n) == 0);
	}
	/* Half of what guestd/agent.h keeps room for: it stops to read beyond the other half. */
	require(n <= 2048 && line[n - 1] == '\n' && !memchr(line, '\n', n - 1));
	free(line);
}

/* Takes all of it; returns how many requests there were. */
static unsigned feed(struct agent_reader *reader, const char *bytes, size_t n)
{
	unsigned requests = 0;

	while (n > 0) {
		struct slice request;
		const char *why;
		size_t taken = 0;

		switch (agent_reader_feed(reader, (struct slice){ bytes, n }, &taken, &request, &why)) {
		case AGENT_READER_MORE: require(taken == n); break;
		case AGENT_READER_REQUEST:
			requests++;
			answer(request);
			break;
		case AGENT_READER_BAD: require(strlen(why) > 0); break;
		}
		require(taken > 0 && taken <= n);
		bytes += taken;
		n -= taken;
	}
	return requests;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char RESCUE[] = "\xff{\"execute\":\"guest-ping\"}";
	struct agent_reader reader;

	agent_reader_reset(&reader);
	(void)feed(&reader, (const char *)data, size);
	require(feed(&reader, RESCUE, sizeof RESCUE - 1) == 1);
	return 0;
}
