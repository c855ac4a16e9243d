/* SPDX-License-Identifier: Apache-2.0 */
#include "os/owner.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/slice.h"
#include "os/files.h"
#include "os/owner_args.h"

/*
 * Who sets the clock.  @unit is part of the names of its units: a daemon that was started by hand
 * from a service (a shell under sshd) must not make us recommend to stop that service.
 */
static const struct candidate {
	const char *name; /* /proc/PID/comm */
	const char *unit;
	bool (*steers)(const struct owner_args *args, struct slice config); /* NULL: always */
	bool has_config; /* what -f names has a say */
} CANDIDATES[] = {
	{ "chronyd", "chrony", owner_args_chronyd, false },
	{ "vmtimed", "vmtime", owner_args_chronyd, false },
	{ "ntpd", "ntp", NULL, false }, /* the reference ntpd, NTPsec, OpenNTPD */
	{ "busybox", "ntp", owner_args_busybox, false },
	{ "openntpd", "ntp", NULL, false },
	{ "ntp-daemon", "ntp", NULL, false }, /* ntpd-rs */
	{ "ntpd-rs", "ntp", NULL, false },
	{ "systemd-timesyn", "timesync", NULL, false },
	{ "phc2sys", "phc2sys", owner_args_phc2sys, true },
	{ "ptp4l", "ptp4l", owner_args_ptp4l, true },
	{ "vmtoolsd", "tools", owner_args_vmtoolsd, false },
	{ "VBoxService", "box", owner_args_vboxservice, false },
};

#define CONFIG_MAX 65536 /* a longer one is not read */

/* timemaster starts several of the above under its own unit. */
#define SUPERVISOR_UNIT "timemaster"

static const struct candidate *find_candidate(const char *name)
{
	for (size_t i = 0; i < COUNT(CANDIDATES); i++)
		if (strcmp(CANDIDATES[i].name, name) == 0)
			return &CANDIDATES[i];
	return NULL;
}

/* The text behind "@label" at the start of a line of /proc/PID/status, or NULL. */
static const char *status_field(const char *status, const char *label)
{
	size_t length = strlen(label);

	for (const char *line = status; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, label, length) == 0)
			return line + length;
	}
	return NULL;
}

/* The rights of a process that has ended and was not waited for are still shown. */
static bool has_ended(const char *status)
{
	const char *field = status_field(status, "State:");

	return field && strspn(field, "\t ZX") > strspn(field, "\t ");
}

static bool may_set_clock(const char *status)
{
	const char *field = status_field(status, "CapEff:");

	return !has_ended(status) && field && (strtoull(field, NULL, 16) >> CAP_SYS_TIME & 1);
}

static pid_t parent_of(const char *status)
{
	const char *field = status_field(status, "PPid:");

	return field ? (pid_t)strtol(field, NULL, 10) : 0;
}

/*
 * CAP_SYS_TIME within a user namespace of its own is of no use to anybody.  The link names the
 * namespace, but only root may read it of others; anybody may compare the maps.  Where neither can
 * be read, the process counts as one of ours.
 */
static bool is_in_our_namespace(int proc, pid_t pid, pid_t self)
{
	char path[64], ours[512], theirs[512];
	ssize_t n_ours, n_theirs;

	snprintf(path, sizeof path, "%ld/ns/user", (long)self);
	n_ours = readlinkat(proc, path, ours, sizeof ours);
	snprintf(path, sizeof path, "%ld/ns/user", (long)pid);
	n_theirs = readlinkat(proc, path, theirs, sizeof theirs);
	if (n_ours > 0 && n_theirs > 0)
		return n_ours == n_theirs && memcmp(ours, theirs, (size_t)n_ours) == 0;

	snprintf(path, sizeof path, "%ld/uid_map", (long)self);
	n_ours = file_read_small(proc, path, ours, sizeof ours);
	snprintf(path, sizeof path, "%ld/uid_map", (long)pid);
	n_theirs = file_read_small(proc, path, theirs, sizeof theirs);
	return n_ours < 0 || n_theirs < 0 || strcmp(ours, theirs) == 0;
}

/* Reads the arguments; more than fit are cut, which can only make it look like an owner. */
static void read_args(int proc, pid_t pid, struct owner_args *args)
{
	char path[64];
	ssize_t n;
	int fd;

	args->length = 0;
	snprintf(path, sizeof path, "%ld/cmdline", (long)pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return;
	n = read(fd, args->text, sizeof args->text - 1);
	close(fd);
	args->length = n > 0 ? (size_t)n : 0;
	args->text[args->length] = '\0';
}

/*
 * The unit at the end of a cgroup's path such as "/system.slice/chrony.service", where it is a
 * service that belongs to @candidate and only slices stand before it: a service of a container is
 * not ours to stop.  NULL: none.  Cuts @path.
 */
static const char *unit_of(char *path, const struct candidate *candidate)
{
	char *unit = strrchr(path, '/');
	char *dot;
	char *save = NULL;

	if (!unit)
		return NULL;
	*unit++ = '\0';
	for (char *part = strtok_r(path, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
		dot = strrchr(part, '.');
		if (!dot || strcmp(dot, ".slice") != 0)
			return NULL;
	}
	dot = strrchr(unit, '.');
	if (!dot || strcmp(dot, ".service") != 0)
		return NULL;
	*dot = '\0';
	for (const char *c = unit; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-_.@:", *c))
			return NULL;
	return strcasestr(unit, candidate->unit) || strstr(unit, SUPERVISOR_UNIT) ? unit : NULL;
}

/* The path in the line of /proc/PID/cgroup that systemd uses: "0::" or "N:name=systemd:". */
static char *cgroup_path(char *text)
{
	char *save = NULL;
	char *named = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *found = strstr(line, ":name=systemd:");

		if (found)
			named = found + strlen(":name=systemd:");
		else if (!named && strncmp(line, "0::", 3) == 0)
			named = line + 3;
	}
	return named;
}

static void write_hand_over(int proc, pid_t pid, const struct candidate *candidate,
			    struct owner *owner)
{
	char path[64], text[1024];
	char *group;
	const char *unit = NULL;
	int n = 0;

	snprintf(path, sizeof path, "%ld/cgroup", (long)pid);
	if (file_read_small(proc, path, text, sizeof text) > 0) {
		group = cgroup_path(text);
		unit = group ? unit_of(group, candidate) : NULL;
	}
	if (unit)
		n = snprintf(owner->hand_over, sizeof owner->hand_over,
			     "systemctl disable --now %s", unit);
	if (!unit || n >= (int)sizeof owner->hand_over)
		snprintf(owner->hand_over, sizeof owner->hand_over, "kill %ld", (long)pid);
}

/* Do its arguments, and the file that they name, leave it an owner? */
static bool steers(const char *root, int proc, pid_t pid, const struct candidate *candidate)
{
	struct owner_args args;
	struct slice config = { NULL, 0 };
	char path[FILE_PATH_MAX];
	char *text = NULL;
	const char *named;
	size_t length;
	bool answer;

	if (!candidate->steers)
		return true;
	read_args(proc, pid, &args);
	named = owner_args_config_path(&args);
	/* A relative path is relative to a folder that we may not know. */
	if (candidate->has_config && named && named[0] == '/' &&
	    snprintf(path, sizeof path, "%s%s", root, named) < (int)sizeof path &&
	    file_read(path, CONFIG_MAX, &text, &length) == 0)
		config = (struct slice){ text, length };
	answer = candidate->steers(&args, config);
	free(text);
	return answer;
}

/* What stays the same while we look through the processes. */
struct search {
	const char *root;
	int proc;
	pid_t self, parent;
};

/* A process that vanishes while we look is none. */
static bool is_owner(const struct search *s, pid_t pid, struct owner *ret)
{
	char path[64], name[32], status[4096];
	const struct candidate *candidate;

	snprintf(path, sizeof path, "%ld/comm", (long)pid);
	if (file_read_small(s->proc, path, name, sizeof name) <= 0)
		return false;
	candidate = find_candidate(name);
	if (!candidate)
		return false;

	snprintf(path, sizeof path, "%ld/status", (long)pid);
	if (file_read_small(s->proc, path, status, sizeof status) <= 0 || !may_set_clock(status))
		return false;
	ret->pid = pid;
	if (ret->pid == s->self || ret->pid == s->parent || parent_of(status) == s->self)
		return false;
	if (!is_in_our_namespace(s->proc, pid, s->self))
		return false;
	if (!steers(s->root, s->proc, pid, candidate))
		return false;

	snprintf(ret->name, sizeof ret->name, "%s", candidate->name);
	write_hand_over(s->proc, pid, candidate, ret);
	return true;
}

/* The pid that an entry of /proc is named after; 0 for the others. */
static pid_t pid_of(const char *name)
{
	size_t length = strspn(name, "0123456789");

	return length > 0 && length < 10 && !name[length] ? (pid_t)strtol(name, NULL, 10) : 0;
}

static pid_t read_parent(int proc, pid_t self)
{
	char path[64], status[4096];

	snprintf(path, sizeof path, "%ld/status", (long)self);
	if (file_read_small(proc, path, status, sizeof status) <= 0)
		return 0;
	return parent_of(status);
}

enum owner_outcome owner_list(const char *root, pid_t self, struct owner *ret, unsigned size,
			      unsigned *ret_n)
{
	struct owner found = { .pid = 0 };
	char path[FILE_PATH_MAX];
	struct dirent *entry;
	struct search search;
	unsigned n = 0;
	DIR *proc;

	if (snprintf(path, sizeof path, "%s/proc", root) >= (int)sizeof path)
		return OWNER_UNKNOWN;
	proc = opendir(path);
	if (!proc)
		return OWNER_UNKNOWN;
	search = (struct search){ root, dirfd(proc), self, read_parent(dirfd(proc), self) };

	while (n < size && (entry = readdir(proc)))
		if (pid_of(entry->d_name) && is_owner(&search, pid_of(entry->d_name), &found))
			ret[n++] = found;
	closedir(proc);

	if (!n)
		return OWNER_NONE;
	*ret_n = n;
	return OWNER_FOUND;
}

enum owner_outcome owner_find(const char *root, pid_t self, struct owner *ret)
{
	unsigned n;

	return owner_list(root, self, ret, 1, &n);
}
