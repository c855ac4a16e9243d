/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fleet_ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOSTD "vmtime-hostd"

/* One exchange, into what belongs to the command.  0 or -1 with a sentence. */
static int ask(const char *path, const struct fleet_request *request, void *ret,
               char reterr_text[ASK_SENTENCE_MAX])
{
	char line[CONTROL_REQUEST_MAX], *reply = NULL;
	const vt_span timeout = vt_span_add(VT_SEC(ASK_TIMEOUT_S), request->timeout);
	struct control_error why;
	enum line_client_outcome outcome = LINE_CLIENT_FAILED;
	enum control_outcome read;
	size_t length = 0;
	int error = fleet_control_request(request, line, sizeof line);

	if (error == 0)
		outcome = line_client_ask(path, slice_trim(slice_of(line)), timeout, &reply, &length,
		                          &error);
	if (outcome != LINE_CLIENT_ANSWERED) {
		ask_explain_failure_of(HOSTD, outcome, path, error, reterr_text);
		return -1;
	}
	read = fleet_control_read(reply, length, request->command, ret, &why);
	free(reply);
	ask_explain_of(HOSTD, read, path, &why, reterr_text);
	return read == CONTROL_ANSWERED ? 0 : -1;
}

/* The guests of @page behind those of @all, and no longer the page's.  False: no memory. */
static bool append(struct fleet_report *all, struct fleet_page *page)
{
	const size_t n = all->n + page->report.n;
	struct fleet_guest *longer = realloc(all->guests, (n ? n : 1) * sizeof *longer);

	if (longer) {
		memcpy(longer + all->n, page->report.guests, page->report.n * sizeof *longer);
		all->guests = longer;
		all->n = (unsigned)n;
		all->host = page->report.host;
	}
	free(page->report.guests);
	return longer != NULL;
}

int fleet_ask_guests(const char *path, struct fleet_report *ret, char reterr_text[ASK_SENTENCE_MAX])
{
	struct fleet_request request = { .command = FLEET_COMMAND_GUESTS };
	struct fleet_report all = { .n = 0 };
	struct fleet_page page;

	do {
		if (ask(path, &request, &page, reterr_text)) {
			free(all.guests);
			return -1;
		}
		request.has_after = page.has_next;
		request.after = page.next;
		if (!append(&all, &page)) {
			snprintf(reterr_text, ASK_SENTENCE_MAX, "out of memory");
			free(all.guests);
			return -1;
		}
	} while (page.has_next && page.report.n > 0 && all.n < FLEET_GUESTS_MAX);
	*ret = all;
	return 0;
}

int fleet_ask_sync(const char *path, const struct fleet_request *request, struct fleet_synced *ret,
                   char reterr_text[ASK_SENTENCE_MAX])
{
	return ask(path, request, ret, reterr_text);
}
