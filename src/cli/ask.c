/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ask.h"

#include <stdio.h>
#include <string.h>

#include "base/slice.h"
#include "cli/words.h"
#include "os/line_client.h"

void ask_explain_failure_of(const char *daemon, enum line_client_outcome outcome, const char *path,
                            int error, char to[ASK_SENTENCE_MAX])
{
	char safe[WORDS_SAFE_MAX / 2];

	words_safe(path, safe, sizeof safe);
	switch (outcome) {
	case LINE_CLIENT_ANSWERED: return;
	case LINE_CLIENT_NO_DAEMON:
		snprintf(to, ASK_SENTENCE_MAX, "%s is not running: nothing answers at %s", daemon,
		         safe);
		return;
	case LINE_CLIENT_DENIED:
		snprintf(to, ASK_SENTENCE_MAX, "this user may not connect to %s at %s", daemon, safe);
		return;
	case LINE_CLIENT_TIMEOUT:
		snprintf(to, ASK_SENTENCE_MAX, "%s did not answer within %d seconds at %s", daemon,
		         ASK_TIMEOUT_S, safe);
		return;
	case LINE_CLIENT_CLOSED:
		snprintf(to, ASK_SENTENCE_MAX, "%s hung up before its reply was complete at %s",
		         daemon, safe);
		return;
	case LINE_CLIENT_TOO_LONG:
		snprintf(to, ASK_SENTENCE_MAX, "what answers at %s says too much to be %s", safe,
		         daemon);
		return;
	case LINE_CLIENT_FAILED:
		snprintf(to, ASK_SENTENCE_MAX, "%s cannot be asked at %s: %s", daemon, safe,
		         strerror(-error));
		return;
	}
}

void ask_explain_failure(enum line_client_outcome outcome, const char *path, int error,
                         char to[ASK_SENTENCE_MAX])
{
	ask_explain_failure_of("vmtimed", outcome, path, error, to);
}

int ask_line(const char *path, const struct control_request *request, char **ret,
             size_t *ret_length, char reterr_text[ASK_SENTENCE_MAX])
{
	char line[CONTROL_REQUEST_MAX];
	vt_span timeout = vt_span_add(VT_SEC(ASK_TIMEOUT_S), request->arguments.timeout);
	int error = control_encode_request(request, line, sizeof line);
	enum line_client_outcome outcome = LINE_CLIENT_FAILED;

	if (error == 0)
		outcome = line_client_ask(path, slice_trim(slice_of(line)), timeout, ret, ret_length,
		                          &error);
	ask_explain_failure(outcome, path, error, reterr_text);
	if (outcome == LINE_CLIENT_NO_DAEMON)
		return ASK_NOBODY;
	return outcome == LINE_CLIENT_ANSWERED ? 0 : -1;
}

void ask_explain_of(const char *daemon, enum control_outcome outcome, const char *path,
                    const struct control_error *error, char to[ASK_SENTENCE_MAX])
{
	char safe[WORDS_SAFE_MAX / 4];

	switch (outcome) {
	case CONTROL_ANSWERED: return;
	case CONTROL_REFUSED:
		snprintf(to, ASK_SENTENCE_MAX, "%s refused: %s", daemon, error->text);
		return;
	case CONTROL_GARBAGE:
		snprintf(to, ASK_SENTENCE_MAX, "what answers at %s is not understood: %s",
		         words_safe(path, safe, sizeof safe), error->text);
		return;
	}
}

void ask_explain(enum control_outcome outcome, const char *path, const struct control_error *error,
                 char to[ASK_SENTENCE_MAX])
{
	ask_explain_of("vmtimed", outcome, path, error, to);
}
