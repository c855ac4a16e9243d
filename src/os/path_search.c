/* SPDX-License-Identifier: Apache-2.0 */
#include "os/path_search.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Where the part begins that @at stands in: behind the slash before it. */
static const char *part_of(const char *path, const char *at)
{
	while (at > path && at[-1] != '/')
		at--;
	return at;
}

void path_search_begin(struct path_search *s, const char *pattern)
{
	const char *star = strchr(pattern, '*');
	const char *part = part_of(pattern, star ? star : pattern + strlen(pattern));
	const char *end = part + strcspn(part, "/");
	size_t n = (size_t)(part - pattern);

	*s = (struct path_search){ .has_star = star != NULL };
	s->is_over = n >= sizeof s->folder;
	if (s->is_over)
		return;
	memcpy(s->folder, pattern, n); /* with its slash */
	s->before = (struct slice){ part, (size_t)((star ? star : end) - part) };
	if (star)
		s->after = (struct slice){ star + 1, (size_t)(end - star - 1) };
	s->rest = slice_of(end);
	if (star)
		s->dir = opendir(s->folder);
}

static bool join(const struct path_search *s, const char *name, struct path_match *ret)
{
	struct stat st;
	int n = snprintf(ret->path, sizeof ret->path, "%s%s%.*s", s->folder, name, (int)s->rest.n,
	                 s->rest.p);

	return n > 0 && (size_t)n < sizeof ret->path && lstat(ret->path, &st) == 0;
}

static bool matches(const struct path_search *s, const char *name, struct path_match *ret)
{
	size_t n = strlen(name), around = s->before.n + s->after.n;

	if (n <= around || n - around >= sizeof ret->star ||
	    (s->before.n == 0 && name[0] == '.') || memcmp(name, s->before.p, s->before.n) != 0 ||
	    memcmp(name + n - s->after.n, s->after.p, s->after.n) != 0)
		return false;
	memcpy(ret->star, name + s->before.n, n - around);
	ret->star[n - around] = '\0';
	return true;
}

bool path_search_next(struct path_search *s, struct path_match *ret)
{
	const struct dirent *entry;

	if (!s->has_star && !s->is_over) {
		s->is_over = true;
		ret->star[0] = '\0';
		return join(s, s->before.p, ret);
	}
	while (s->dir && (entry = readdir(s->dir)))
		if (matches(s, entry->d_name, ret) && join(s, entry->d_name, ret))
			return true;
	return false;
}

void path_search_end(struct path_search *s)
{
	if (s->dir)
		closedir(s->dir);
	s->dir = NULL;
}
