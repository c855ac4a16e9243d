/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/libvirt_words.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <string.h>

/* libvirt counts in milliseconds of its own: its patience may end a little before ours. */
#define EARLY VT_MS(20)

/* clang-format off */
/* By event and detail; a detail of -1 is any that has no row of its own above. */
static const struct {
	int event, detail;
	enum libvirt_news news;
	enum host_reason reason;
} EVENTS[] = {
	{ VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_MIGRATED,      NEWS_STARTED, HOST_REASON_MIGRATION },
	{ VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_RESTORED,      NEWS_STARTED, HOST_REASON_RESTORE },
	{ VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_FROM_SNAPSHOT, NEWS_STARTED, HOST_REASON_RESTORE },
	{ VIR_DOMAIN_EVENT_STARTED, -1,                                     NEWS_STARTED, HOST_REASON_NONE },
	{ VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_MIGRATED,      NEWS_RUNNING, HOST_REASON_MIGRATION },
	{ VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_FROM_SNAPSHOT, NEWS_RUNNING, HOST_REASON_RESTORE },
	{ VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_POSTCOPY,      NEWS_RUNNING, HOST_REASON_MIGRATION },
	{ VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_POSTCOPY_FAILED, NEWS_RUNNING, HOST_REASON_MIGRATION },
	{ VIR_DOMAIN_EVENT_RESUMED, -1,                                     NEWS_RUNNING, HOST_REASON_PAUSE },
	{ VIR_DOMAIN_EVENT_SUSPENDED, -1,                                   NEWS_STOPPED, HOST_REASON_NONE },
	{ VIR_DOMAIN_EVENT_PMSUSPENDED, -1,                                 NEWS_STOPPED, HOST_REASON_NONE },
	{ VIR_DOMAIN_EVENT_CRASHED, -1,                                     NEWS_STOPPED, HOST_REASON_NONE },
	{ VIR_DOMAIN_EVENT_SHUTDOWN, -1,                                    NEWS_STOPPED, HOST_REASON_NONE },
	{ VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_MIGRATED,      NEWS_LEFT,    HOST_REASON_NONE },
	{ VIR_DOMAIN_EVENT_STOPPED, -1,                                     NEWS_ENDED,   HOST_REASON_NONE },
	{ VIR_DOMAIN_EVENT_DEFINED, VIR_DOMAIN_EVENT_DEFINED_RENAMED,       NEWS_UNDEFINED, HOST_REASON_NONE },
	{ VIR_DOMAIN_EVENT_DEFINED, -1,                                     NEWS_DEFINED, HOST_REASON_NONE },
	{ VIR_DOMAIN_EVENT_UNDEFINED, -1,                                   NEWS_UNDEFINED, HOST_REASON_NONE },
};
/* clang-format on */

enum libvirt_news libvirt_news_of(int event, int detail, enum host_reason *ret_reason)
{
	*ret_reason = HOST_REASON_NONE;
	for (size_t i = 0; i < COUNT(EVENTS); i++) {
		if (EVENTS[i].event != event ||
		    (EVENTS[i].detail != -1 && EVENTS[i].detail != detail))
			continue;
		*ret_reason = EVENTS[i].reason;
		return EVENTS[i].news;
	}
	return NEWS_NONE;
}

/* The agent answered with an error: which? */
static enum work_result result_of_refusal(const char *message)
{
	if (strstr(message, "frozen"))
		return WORK_FROZEN;
	if (strstr(message, "has not been found") || strstr(message, "has been disabled") ||
	    strstr(message, "not currently supported"))
		return WORK_UNSUPPORTED;
	return WORK_REFUSED;
}

enum work_result libvirt_result_of(int code, int domain, const char *message, vt_span took,
                                   vt_span patience, bool *ret_was_sent)
{
	/* What comes before the agent is spoken to. */
	*ret_was_sent = false;
	switch (code) {
	case VIR_ERR_OPERATION_INVALID:
		return WORK_STOPPED;
	case VIR_ERR_ARGUMENT_UNSUPPORTED: /* it has no port for an agent */
	case VIR_ERR_OPERATION_UNSUPPORTED:
	case VIR_ERR_CONFIG_UNSUPPORTED:
	case VIR_ERR_NO_SUPPORT:
	case VIR_ERR_ACCESS_DENIED:
	case VIR_ERR_OPERATION_DENIED:
	case VIR_ERR_AUTH_FAILED:
	case VIR_ERR_AUTH_CANCELLED:
		return WORK_UNSUPPORTED;
	case VIR_ERR_OPERATION_TIMEOUT: /* somebody else speaks to it all the time */
		return WORK_TIMED_OUT;
	case VIR_ERR_NO_DOMAIN:
	case VIR_ERR_NO_CONNECT:
	case VIR_ERR_INVALID_CONN:
		return WORK_LOST;
	default:
		break;
	}
	*ret_was_sent = true;
	if (code == VIR_ERR_RPC || domain == VIR_FROM_RPC || domain == VIR_FROM_REMOTE ||
	    code == VIR_ERR_SYSTEM_ERROR)
		return WORK_LOST;
	if (code == VIR_ERR_AGENT_UNSYNCED)
		return WORK_GARBAGE;
	if (vt_span_add(took, EARLY).ns >= patience.ns)
		return WORK_TIMED_OUT;
	if (code == VIR_ERR_AGENT_UNRESPONSIVE)
		return WORK_LOST;
	return result_of_refusal(message);
}

bool libvirt_is_vmtimed(const char *message)
{
	return strstr(message, "has not been found in vmtimed") != NULL;
}

void libvirt_printable(const char *from, char *to, size_t size)
{
	size_t n = 0;

	for (; from[n] && n + 1 < size; n++)
		to[n] = from[n] >= ' ' && from[n] <= '~' ? from[n] : '?';
	to[n] = 0;
}
