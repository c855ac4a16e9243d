/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/nudge.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/ask.h"
#include "cli/output.h"
#include "proto/host_reason.h"

static int show(const struct options *options, const char *line, size_t length)
{
	struct report_nudge nudge = { false };
	struct control_error error;
	enum control_outcome outcome =
		control_decode_reply(line, length, CONTROL_NUDGE, &nudge, &error);

	if (outcome != CONTROL_ANSWERED)
		return output_refusal(outcome, options->socket, &error);
	puts(nudge.is_delayed ? "vmtimed reads its sources in a moment: it was nudged often of late."
	                      : "vmtimed reads its sources now.");
	return output_finish();
}

int nudge_run(const struct options *options)
{
	struct control_request request = { .command = CONTROL_NUDGE };
	char sentence[ASK_SENTENCE_MAX], *line;
	size_t length;
	int r;

	if (options->given & OPTION_REASON) {
		request.arguments.has_reason = true;
		if (!host_reason_find(options->reason, &request.arguments.reason))
			return options_usage_error("--reason takes pause, restore, migration, host-step or "
			                           "resume, not", options->reason);
	}
	if (ask_line(options->socket, &request, &line, &length, sentence))
		return output_complain(sentence);
	r = show(options, line, length);
	free(line);
	return r;
}
