/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/libvirt_message.h"

#include <libvirt/libvirt-qemu.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/agent.h"

static enum agent_command command_of(enum work_kind kind)
{
	switch (kind) {
	case WORK_NUDGE: return AGENT_NUDGE;
	case WORK_STATUS: return AGENT_STATUS;
	case WORK_QUALITY: return AGENT_HOST_QUALITY;
	case WORK_INFO:
	case WORK_GET_TIME:
	case WORK_SET_TIME:
	case WORK_RESET_RTC: break;
	}
	return AGENT_COMMANDS;
}

/* libvirt makes its own error of an agent's "error", so what comes here is an answer or nonsense. */
static void take_answer(const char *line, enum agent_command command, struct work_outcome *outcome)
{
	struct agent_reply reply;

	if (agent_decode(line, strlen(line), command, &reply, outcome->text, sizeof outcome->text) ==
	    AGENT_ANSWERED)
		outcome->reply = reply.vmtime;
	else
		outcome->result = WORK_GARBAGE;
}

int libvirt_message_send(virDomainPtr domain, const struct work *work, int patience_s,
                         struct work_outcome *outcome)
{
	const struct agent_request request = {
		.command = command_of(work->kind),
		.reason = work->reason,
		.quality = work->quality,
	};
	char text[AGENT_REQUEST_MAX];
	size_t n;
	char *line;

	if (request.command == AGENT_COMMANDS || agent_encode(&request, text, &n) < 0) {
		outcome->result = WORK_LOST;
		outcome->was_sent = false;
		snprintf(outcome->text, sizeof outcome->text, "the message could not be made");
		return 0;
	}
	text[n - 1] = 0; /* libvirt ends the line itself */
	line = virDomainQemuAgentCommand(domain, text, patience_s, 0);
	if (!line)
		return -1;
	take_answer(line, request.command, outcome);
	free(line);
	return 0;
}
