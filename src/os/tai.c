/* SPDX-License-Identifier: Apache-2.0 */
#include "os/tai.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#include "base/slice.h"

#define NTP_TO_UNIX  INT64_C(2208988800) /* seconds from 1900 to 1970 */
#define SECONDS_MAX  1000                /* no difference is ever that large   */
#define TABLE_MAX    65536               /* a hundred lines are a tenth of it  */

/* Neither -EBADMSG nor an entry: an empty line, a comment. */
static int read_line(struct slice line, bool *ret_is_entry, int64_t *ret_from, int64_t *ret_seconds)
{
	struct slice body = slice_trim(slice_cut(&line, '#'));
	struct slice from, seconds;

	*ret_is_entry = false;
	if (!body.n)
		return 0;
	from = slice_word(&body);
	seconds = slice_word(&body);
	if (!slice_to_int(from, ret_from) || !slice_to_int(seconds, ret_seconds) ||
	    slice_trim(body).n)
		return -EBADMSG;
	if (*ret_from < 0 || *ret_seconds < 0 || *ret_seconds > SECONDS_MAX)
		return -EBADMSG;
	*ret_is_entry = true;
	return 0;
}

int tai_look_up(const char *table, size_t length, vt_real at, int *ret_seconds)
{
	struct slice rest = { table, length };
	int64_t now = at.ns / INT64_C(1000000000);
	int64_t latest = -1;
	int found = -1;

	while (rest.n) {
		struct slice line = slice_cut(&rest, '\n');
		int64_t from = 0, seconds = 0;
		bool is_entry;
		int r = read_line(line, &is_entry, &from, &seconds);

		if (r < 0)
			return r;
		if (!is_entry)
			continue;
		if (from <= latest)
			return -EBADMSG;
		latest = from;
		if (vt_sat_sub(from, NTP_TO_UNIX) <= now)
			found = (int)seconds;
	}
	if (found < 0)
		return -ENODATA;
	*ret_seconds = found;
	return 0;
}

static int look_up_file(const char *path, vt_real at, int *ret_seconds)
{
	char table[TABLE_MAX];
	size_t used = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -ENODATA;
	for (ssize_t n; used < sizeof table; used += (size_t)n) {
		n = read(fd, table + used, sizeof table - used);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			break;
	}
	close(fd);
	/* A table that fills all of it may have been cut: its end is missing. */
	if (used == sizeof table || tai_look_up(table, used, at, ret_seconds) < 0)
		return -ENODATA;
	return 0;
}

int tai_minus_utc(const struct os_calls *calls, const char *path, vt_real at, int *ret_seconds)
{
	struct timex t = { .modes = 0 };

	if (!calls)
		calls = &OS_CALLS;
	if (calls->adjtimex(calls->context, &t) >= 0 && t.tai != 0) {
		*ret_seconds = t.tai;
		return 0;
	}
	return look_up_file(path, at, ret_seconds);
}
