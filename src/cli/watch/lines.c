/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/watch/lines.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>

#include "cli/instant.h"
#include "cli/watch/feed.h"
#include "cli/watch/view.h"
#include "cli/words.h"

void lines_status(FILE *out, const struct report_status *status, vt_real real)
{
	char time[WORDS_TIME_MAX], span[WORDS_SPAN_MAX], safe[WORDS_SAFE_MAX];

	fprintf(out, "%s  %-9s", words_time(time, real), report_state_name(status->state));
	if (status->tracking.refid != 0)
		fprintf(out, "  %9s", view_offset(span, status->tracking.system_offset));
	if (status->has_bound)
		fprintf(out, "  +/- %s", words_bound(span, status->bound));
	if (status->tracking.name[0])
		fprintf(out, "  %s", words_safe(status->tracking.name, safe, sizeof safe));
	if (status->reason[0])
		fprintf(out, "  %s", words_safe(status->reason, safe, sizeof safe));
	fputc('\n', out);
}

void lines_event(FILE *out, const struct report_event *event)
{
	char time[WORDS_TIME_MAX], span[WORDS_SPAN_MAX], safe[WORDS_SAFE_MAX];

	fprintf(out, "%s  event: %s: ",
	        words_time(time, event->is_repaired ? event->at : event->noticed),
	        words_safe(event->cause, safe, sizeof safe));
	if (event->size.ns != 0)
		fprintf(out, "the clock was %s %s, ", words_span(span, event->size),
		        event->size.ns > 0 ? "behind" : "ahead");
	fprintf(out, "noticed within %s, ", words_span(span, event->noticed_after));
	if (event->is_repaired)
		fprintf(out, "%s %s later\n", event->size.ns ? "repaired" : "nothing was wrong",
		        words_span(span, event->repaired_after));
	else
		fputs("not repaired yet\n", out);
}

/* Only what happens while we watch is news. */
static void tell_news(const struct report_status *status, struct report_event *last, bool is_first)
{
	const struct report_event *event = &status->last_event;

	if (!is_first && event->is_there &&
	    (!last->is_there || last->number != event->number ||
	     last->noticed.ns != event->noticed.ns || last->is_repaired != event->is_repaired))
		lines_event(stdout, event);
	*last = *event;
}

/* False: nobody takes them. */
static bool flush_lines(void)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return true;
	if (errno != EPIPE)
		fprintf(stderr, "vmtime: cannot write: %s\n",
		        errno ? strerror(errno) : "output error");
	return false;
}

int lines_run(const char *socket)
{
	struct report_event last = { 0 };
	bool is_first = true, is_taken = true;
	struct feed feed;

	feed_init(&feed, socket, VT_SEC(1), instant_mono());
	while (is_taken) {
		char trouble[ASK_SENTENCE_MAX], time[WORDS_TIME_MAX];
		struct report_status status = { 0 };
		enum feed_outcome outcome;
		struct pollfd fd;
		size_t n = feed_prepare(&feed, &fd);

		if (poll(&fd, n, instant_timeout_ms(feed_deadline(&feed))) < 0)
			n = 0;
		feed_dispatch(&feed, instant_mono(), &fd, n);
		while ((outcome = feed_pop(&feed, &status, trouble)) != FEED_NOTHING) {
			if (outcome == FEED_STATUS) {
				tell_news(&status, &last, is_first);
				lines_status(stdout, &status, instant_real());
				is_first = false;
			} else if (outcome == FEED_TROUBLE) {
				printf("%s  %-9s  %s\n", words_time(time, instant_real()),
				       "no answer", trouble);
			}
			is_taken = flush_lines();
		}
	}
	feed_fini(&feed);
	return 1;
}
