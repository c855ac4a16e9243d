/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_ASK_H
#define CLI_ASK_H

/*
 * ask.h - one question to vmtimed, and one sentence where there is no answer
 */

#include <stddef.h>

#include "base/attr.h"
#include "os/line_client.h"
#include "proto/control.h"

#define ASK_SENTENCE_MAX 640
#define ASK_TIMEOUT_S    5

/*
 * Asks the daemon behind the socket @path, which has ASK_TIMEOUT_S for its answer, and the time
 * that the request itself allows it.  Returns 0 and the reply's line, to be freed by the
 * caller with free(); or -1, ASK_NOBODY where no daemon is there, with a sentence for people in
 * @reterr_text, which is safe to print.
 */
#define ASK_NOBODY (-2)
int ask_line(const char *path, const struct control_request *request, char **ret,
             size_t *ret_length, char reterr_text[ASK_SENTENCE_MAX]) must_check;

/* The sentence for an exchange that came to nothing; @error as os/line_client tells it. */
void ask_explain_failure(enum line_client_outcome outcome, const char *path, int error,
                         char to[ASK_SENTENCE_MAX]);

/* The same of another daemon than vmtimed. */
void ask_explain_failure_of(const char *daemon, enum line_client_outcome outcome, const char *path,
                            int error, char to[ASK_SENTENCE_MAX]);

/* The sentence for a reply that control_decode_reply did not answer with. */
void ask_explain(enum control_outcome outcome, const char *path, const struct control_error *error,
                 char to[ASK_SENTENCE_MAX]);
void ask_explain_of(const char *daemon, enum control_outcome outcome, const char *path,
                    const struct control_error *error, char to[ASK_SENTENCE_MAX]);

#endif
