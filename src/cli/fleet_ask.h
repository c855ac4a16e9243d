/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_FLEET_ASK_H
#define CLI_FLEET_ASK_H

/*
 * fleet_ask.h - questions to vmtime-hostd
 */

#include "base/attr.h"
#include "cli/ask.h"
#include "proto/fleet_control.h"

/*
 * The host and all its guests, page by page, from the daemon behind the socket @path.  0, and the
 * guests are the caller's to free(); or -1 with a sentence in @reterr_text.
 */
int fleet_ask_guests(const char *path, struct fleet_report *ret,
                     char reterr_text[ASK_SENTENCE_MAX]) must_check;

/* Has guests synchronised as @request says, and waits for it.  0, or -1 with a sentence. */
int fleet_ask_sync(const char *path, const struct fleet_request *request, struct fleet_synced *ret,
                   char reterr_text[ASK_SENTENCE_MAX]) must_check;

#endif
