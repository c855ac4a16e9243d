/* SPDX-License-Identifier: Apache-2.0 */
#include "os/counter.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__) || defined(__i386__)
#include <x86intrin.h>
#endif

#define OFFERED "/sys/devices/system/clocksource/clocksource0/available_clocksource"

#if defined(__x86_64__) || defined(__i386__)

enum vmclock_counter counter_kind(void)
{
	return VMCLOCK_X86_TSC;
}

uint64_t counter_read(void)
{
	/* Not to be read before what precedes it, as the kernel's own reading. */
	_mm_lfence();
	return __rdtsc();
}

#else

enum vmclock_counter counter_kind(void)
{
	return VMCLOCK_NO_COUNTER;
}

uint64_t counter_read(void)
{
	return 0;
}

#endif

/* The kernel takes a counter off this list when it finds that it cannot be relied on. */
static bool is_offered(const char *root, const char *name)
{
	char path[512], text[256];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "%s%s", root, OFFERED);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	for (char *rest = text, *word; (word = strsep(&rest, " \n"));)
		if (strcmp(word, name) == 0)
			return true;
	return false;
}

bool counter_is_trusted(const char *root, const char *clocksource)
{
	if (strcmp(clocksource, "tsc") == 0)
		return true;
	return strcmp(clocksource, "kvm-clock") == 0 && is_offered(root, "tsc");
}
