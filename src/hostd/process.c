/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/process.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/slice.h"
#include "os/files.h"

static vt_span length(struct timeval t)
{
	return vt_span_add(VT_SEC(t.tv_sec), VT_US(t.tv_usec));
}

/* /proc/self/statm: pages of all, pages in memory, ...; see proc(5). */
static bool read_memory(struct process_usage *ret)
{
	const int64_t page = sysconf(_SC_PAGESIZE);
	char text[128];
	struct slice rest;
	int64_t all, resident;

	if (file_read_small(AT_FDCWD, "/proc/self/statm", text, sizeof text) < 0 || page <= 0)
		return false;
	rest = slice_of(text);
	if (!slice_to_int(slice_word(&rest), &all) || !slice_to_int(slice_word(&rest), &resident))
		return false;
	ret->virtual_bytes = (uint64_t)(all * page);
	ret->resident_bytes = (uint64_t)(resident * page);
	return true;
}

struct process_usage process_look(void)
{
	struct process_usage usage = { .cpu = { 0 } };
	struct rusage r;

	if (getrusage(RUSAGE_SELF, &r) == 0)
		usage.cpu = vt_span_add(length(r.ru_utime), length(r.ru_stime));
	usage.has_memory = read_memory(&usage);
	return usage;
}
