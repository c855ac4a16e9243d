/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fleet_play_agent.c - the agents of fleet_play, good and bad ones
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "fleet_play.h"

static void carry_out(struct guest *g, struct pending *p)
{
	int64_t now = read_clock(CLOCK_REALTIME);

	p->is_carried_out = true;
	p->time = guest_time(g);
	if (p->what == GET)
		g->gets++;
	if (p->what != SET)
		return;
	g->sets++;
	if (llabs(g->error) < WRONG)
		g->needless++;
	if (llabs(p->value - now) > llabs(g->worst_sent))
		g->worst_sent = p->value - now;
	if (g->mode != LIAR && g->mode != DULL && g->mode != FROZEN)
		g->error = p->value - now;
	g->error_after = g->error;
}

static void answer_well(struct guest *g, const struct pending *p, char *text, size_t size)
{
	static const char INFO_TEXT[] =
		"{\"return\": {\"version\": \"9.0.0\", \"supported_commands\": ["
		"{\"enabled\": true, \"name\": \"guest-get-time\", \"success-response\": true}, "
		"{\"enabled\": true, \"name\": \"guest-set-time\", \"success-response\": true}]}}\n";

	(void)g;
	switch (p->what) {
	case SYNC:
		snprintf(text, size,
		         "{\"error\": {\"class\": \"GenericError\", \"desc\": \"JSON parse error, stray "
		         "'\\\\xFF'\"}}\n\xff{\"return\": %lld}\n",
		         (long long)p->value);
		break;
	case INFO: snprintf(text, size, "%s", INFO_TEXT); break;
	case GET:
		snprintf(text, size, "{\"return\": %lld}\n", (long long)(p->time / 1000 * 1000));
		break;
	case SET: snprintf(text, size, "{\"return\": {}}\n"); break;
	case FREEZE_STATUS:
		snprintf(text, size, "{\"return\": \"%s\"}\n", g->mode == FROZEN ? "frozen" : "thawed");
		break;
	case OTHER:
		snprintf(text, size, "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"The "
		                     "command has not been found\"}}\n");
		break;
	}
}

static void answer_deep(struct guest *g)
{
	char text[20100];

	snprintf(text, sizeof text, "{\"return\": ");
	memset(text + 11, '[', 10000);
	memset(text + 10011, ']', 10000);
	snprintf(text + 20011, sizeof text - 20011, "}\n");
	say(g->qga, text);
}

static void answer_error(struct guest *g, const char *class, const char *why)
{
	char text[300];

	snprintf(text, sizeof text, "{\"error\": {\"class\": \"%s\", \"desc\": \"%s\"}}\n", class, why);
	say(g->qga, text);
}

/* The modes that leave everything but set-time as it should be. */
static bool answers_badly(struct guest *g, const struct pending *p)
{
	switch (g->mode) {
	case HWCLOCK:
		if (p->what == SET)
			answer_error(g, "GenericError", "hwclock failed to set hardware clock to system time");
		return p->what == SET;
	case DULL:
		if (p->what == SET)
			answer_error(g, "GenericError", "it is not possible to set the time");
		return p->what == SET;
	case FROZEN:
		if (p->what == SET || p->what == GET)
			answer_error(g, "CommandNotFound",
			             "Command has been disabled: the agent is in frozen state");
		return p->what == SET || p->what == GET;
	case HANG: return true;
	case GARBAGE: say(g->qga, "\x01\x02 no JSON {{{\n"); return true;
	case HALF: say(g->qga, "{\"return\": 17"); return true;
	case DEEP: answer_deep(g); return true;
	case LOSSY: return ++g->requests % 3 == 0;
	case WELL:
	case FLOODING:
	case LIAR:
	case STUMBLE:
	case STALE:
	case MODES: break;
	}
	return false;
}

static void answer(struct fleet *f, struct guest *g, const struct pending *p)
{
	char text[600];

	if (g->mode == FLOODING) {
		g->flooded = 0;
		watch(f, g->qga, (uint64_t)(g - f->guests) * ROLES + QGA, true);
		return;
	}
	if (g->mode == STALE && p->what != SYNC) {
		say(g->qga, "{\"return\": 1500000000000000000}\n");
		say(g->qga, "{\"return\": {}}\n");
		return;
	}
	if (answers_badly(g, p))
		return;
	answer_well(g, p, text, sizeof text);
	say(g->qga, text);
}

void flood(struct fleet *f, struct guest *g)
{
	static char rubbish[65536];
	ssize_t n;

	memset(rubbish, 'x', sizeof rubbish);
	n = send(g->qga, rubbish, sizeof rubbish, MSG_NOSIGNAL);
	if (n > 0)
		g->flooded += (size_t)n;
	if (g->flooded >= FLOOD || (n < 0 && errno != EAGAIN))
		watch(f, g->qga, (uint64_t)(g - f->guests) * ROLES + QGA, false);
}

void take_request(struct guest *g, const char *line)
{
	struct pending p = { .what = OTHER };
	const char *value;
	int64_t now = read_clock(CLOCK_MONOTONIC);

	if (strstr(line, "guest-sync-delimited"))
		p.what = SYNC, value = strstr(line, "\"id\":");
	else if (strstr(line, "guest-set-time"))
		p.what = SET, value = strstr(line, "\"time\":");
	else
		value = NULL;
	if (strstr(line, "guest-info"))
		p.what = INFO;
	if (strstr(line, "guest-get-time"))
		p.what = GET;
	if (strstr(line, "guest-fsfreeze-status"))
		p.what = FREEZE_STATUS;
	if (value)
		p.value = atoll(strchr(value, ':') + 1);
	if (p.what == SET && !g->first_set) {
		g->first_set = now;
		g->error_before = g->error;
	}
	if (g->n == PENDING_MAX)
		return;
	p.carried_out_at = now + g->delay / 2;
	p.answered_at = now + g->delay + (p.what == SET && g->mode == HWCLOCK ? SECOND : 0);
	g->pending[g->n++] = p;
	if (g->mode == STUMBLE && p.what == SYNC) {
		g->mode = WELL;
		stop(g);
		g->wake_at = now + SECOND / 2;
	}
}

int64_t serve(struct fleet *f, struct guest *g, int64_t now)
{
	int64_t next = INT64_MAX;
	unsigned done = 0;

	if (g->wake_at && g->wake_at <= now) {
		g->wake_at = 0;
		resume(g, 0);
	}
	if (g->wake_at)
		next = g->wake_at;
	if (!g->is_running)
		return next;
	for (unsigned i = 0; i < g->n; i++) {
		struct pending *p = &g->pending[i];

		if (!p->is_carried_out && p->carried_out_at <= now)
			carry_out(g, p);
		if (p->answered_at > now) {
			int64_t at = p->is_carried_out ? p->answered_at : p->carried_out_at;

			next = at < next ? at : next;
			break; /* one after the other */
		}
		answer(f, g, p);
		done++;
	}
	g->n -= done;
	memmove(g->pending, g->pending + done, g->n * sizeof *g->pending);
	return next;
}
