/* SPDX-License-Identifier: Apache-2.0 */
#include "os/clocksource.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CURRENT "/sys/devices/system/clocksource/clocksource0/current_clocksource"

/* False, and @name untouched, where nothing is told. */
static bool read_name(int fd, char name[32])
{
	char text[32] = { 0 };
	ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);

	if (n <= 0)
		return false;
	text[strcspn(text, "\n")] = '\0';
	if (!text[0])
		return false;
	memcpy(name, text, sizeof text);
	return true;
}

void clocksource_init(struct clocksource *c, const char *root)
{
	char path[512];
	int n = snprintf(path, sizeof path, "%s%s", root, CURRENT);

	*c = CLOCKSOURCE_INIT;
	if (n > 0 && (size_t)n < sizeof path)
		c->fd = open(path, O_RDONLY | O_CLOEXEC);
	read_name(c->fd, c->name);
}

bool clocksource_check(struct clocksource *c)
{
	char name[32];

	if (!read_name(c->fd, name) || strcmp(name, c->name) == 0)
		return false;
	memcpy(c->name, name, sizeof name);
	c->epoch++;
	return true;
}

void clocksource_fini(struct clocksource *c)
{
	if (c->fd >= 0)
		close(c->fd);
	*c = CLOCKSOURCE_INIT;
}
