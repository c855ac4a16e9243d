/* SPDX-License-Identifier: Apache-2.0 */
#include "guestd/control.h"

#include <stdlib.h>

#include "guestd/report.h"
#include "proto/control.h"

static int encode(struct daemon *d, struct slice line, vt_mono now, char **ret, size_t *ret_n)
{
	struct control_request request;
	struct control_error error;
	struct report_status report;

	if (control_decode_request(line.p, line.n, &request, &error) < 0)
		return control_encode_error(&error, ret, ret_n);
	report_make(d, now, &report);
	return control_encode_reply(&request, &report, ret, ret_n);
}

void control_answer(struct daemon *d, vt_mono now)
{
	struct line_request request;
	char *reply;
	size_t length;

	while (line_server_pop(&d->server, &request)) {
		if (encode(d, request.line, now, &reply, &length) < 0)
			continue; /* out of memory: the client hears nothing, the clock comes first */
		/* The server ends the line itself. */
		line_server_reply(&d->server, request.client, reply, length - 1);
		free(reply);
	}
}
