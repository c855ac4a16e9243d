/* SPDX-License-Identifier: Apache-2.0 */

/* facts_chrony.c - what chrony.conf and vmtime.conf say, with all that they include */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/gather.h"
#include "conf/table.h"
#include "os/conf_files.h"
#include "os/ptp_find.h"
#include "os/root_path.h"

#define VMTIME_CONF "/etc/vmtime/vmtime.conf"

/* The next word as a whole number; false, and @ret untouched, for any other. */
static bool take_int(struct slice *words, int *ret)
{
	int64_t n;

	if (!slice_to_int(slice_word(words), &n) || n < INT_MIN || n > INT_MAX)
		return false;
	*ret = (int)n;
	return true;
}

static void read_refclock_option(struct fact_refclock *clock, struct slice option,
				 struct slice *words)
{
	if (slice_equals_nocase(option, "poll"))
		clock->has_poll = take_int(words, &clock->poll);
	else if (slice_equals_nocase(option, "dpoll"))
		clock->has_dpoll = take_int(words, &clock->dpoll);
}

static int read_refclock(const struct conf_row *row, void *target, struct slice words,
			 struct conf_reader *reader)
{
	struct fact_time_conf *conf = target;
	struct slice driver = slice_word(&words), parameter = slice_word(&words), option;
	struct fact_refclock *clock;
	struct conf_place place;

	if (!parameter.n)
		return conf_refuse(reader, "%s: expected a driver and its parameter", row->name);
	if (conf->n_refclocks == FACTS_REFCLOCKS)
		return conf_refuse(reader, "more than %d refclocks are not looked at",
				   FACTS_REFCLOCKS);
	clock = &conf->refclocks[conf->n_refclocks++];
	*clock = (struct fact_refclock){ .is_phc = slice_equals_nocase(driver, "PHC") };
	gather_cut(slice_cut(&parameter, ':'), clock->device, sizeof clock->device);
	while ((option = slice_word(&words)).n)
		read_refclock_option(clock, option, &words);
	conf_where(reader, &place);
	gather_cut(slice_of(place.file), clock->file, sizeof clock->file);
	clock->line = place.line;
	return 0;
}

static int read_makestep(const struct conf_row *row, void *target, struct slice words,
			 struct conf_reader *reader)
{
	struct fact_time_conf *conf = target;
	struct slice threshold = slice_word(&words);
	struct conf_place place;
	double seconds;
	int limit;

	if (!slice_to_double(threshold, &seconds) || !take_int(&words, &limit))
		return conf_refuse(reader, "%s: expected a threshold and a limit", row->name);
	conf->has_makestep = true;
	conf->makestep_threshold_s = seconds;
	conf->makestep_limit = limit;
	conf_where(reader, &place);
	gather_cut(slice_of(place.file), conf->makestep_file, sizeof conf->makestep_file);
	conf->makestep_line = place.line;
	return 0;
}

static int count_server(const struct conf_row *row, void *target, struct slice words,
			struct conf_reader *reader)
{
	struct fact_time_conf *conf = target;

	(void)row, (void)words, (void)reader;
	conf->n_servers++;
	return 0;
}

static int read_switch(const struct conf_row *row, void *target, struct slice words,
		       struct conf_reader *reader)
{
	struct fact_time_conf *conf = target;

	(void)reader;
	if (strcmp(row->name, "rtcsync") == 0)
		conf->has_rtcsync = true;
	else if (strcmp(row->name, "rtcfile") == 0)
		conf->has_rtcfile = true;
	else
		conf->has_hostclock_off = slice_equals_nocase(slice_word(&words), "off");
	return 0;
}

/* clang-format off */
static const struct conf_row SOURCE_ROWS[] = {
	{ .name = "server", .words = count_server },
	{ .name = "pool",   .words = count_server },
	{ .name = "peer",   .words = count_server },
};
static const struct conf_table SOURCES = CONF_TABLE(SOURCE_ROWS);

static const struct conf_row ROWS[] = {
	{ .name = "server",    .words = count_server },
	{ .name = "pool",      .words = count_server },
	{ .name = "peer",      .words = count_server },
	{ .name = "refclock",  .words = read_refclock },
	{ .name = "makestep",  .words = read_makestep },
	{ .name = "rtcsync",   .words = read_switch },
	{ .name = "rtcfile",   .words = read_switch },
	{ .name = "hostclock", .words = read_switch },
	{ .name = "include",   .act = CONF_INCLUDE },
	{ .name = "confdir",   .act = CONF_CONFDIR },
	{ .name = "sourcedir", .act = CONF_SOURCEDIR, .lines = &SOURCES },
};
static const struct conf_table TABLE = CONF_TABLE(ROWS);
/* clang-format on */

/* What the loader works for. */
struct tree {
	struct audit_facts *facts;
	struct fact_time_conf *conf;
};

static int load(void *context, const char *path, char *to, size_t size, size_t *ret_n)
{
	struct tree *tree = context;
	char full[PATH_MAX];
	int r = root_path(tree->facts->root, path, full, sizeof full);

	if (r == 0)
		r = conf_files_read(NULL, full, to, size, ret_n);
	if (r == -EACCES || r == -EPERM)
		gather_unread(tree->facts, path, -r);
	return r;
}

/* Hands on what was found, as the machine itself would name it. */
struct found {
	int (*found)(void *list, const char *path);
	void *list;
	size_t n_root;
	const char *folder; /* in front of the last name; NULL: what is behind the root */
};

static int hand_on(void *list, const char *path)
{
	struct found *f = list;
	char named[PATH_MAX];

	if (!f->folder)
		return f->found(f->list, path + f->n_root);
	if (snprintf(named, sizeof named, "%s/%s", f->folder, strrchr(path, '/') + 1) >=
	    (int)sizeof named)
		return -ENAMETOOLONG;
	return f->found(f->list, named);
}

static int expand(void *context, const char *pattern, int (*found)(void *list, const char *path),
		  void *list)
{
	struct tree *tree = context;
	struct found f = { found, list, strlen(tree->facts->root), NULL };
	char full[PATH_MAX];

	if (snprintf(full, sizeof full, "%s%s", tree->facts->root, pattern) >= (int)sizeof full)
		return -ENAMETOOLONG;
	return conf_files_expand(NULL, full, hand_on, &f);
}

static int list_folder(void *context, const char *directory, const char *suffix,
		       int (*found)(void *list, const char *path), void *list)
{
	struct tree *tree = context;
	struct found f = { found, list, 0, directory };
	char full[PATH_MAX];
	int r;

	if (strcmp(suffix, ".conf") == 0 && !tree->conf->drop_in_folder[0])
		gather_cut(slice_of(directory), tree->conf->drop_in_folder,
			   sizeof tree->conf->drop_in_folder);
	r = root_path(tree->facts->root, directory, full, sizeof full);
	if (r)
		return r;
	r = conf_files_list(NULL, full, suffix, hand_on, &f);
	if (r == -EACCES)
		gather_unread(tree->facts, directory, EACCES);
	return r;
}

/* What /sys calls the clock with this number. */
static enum fact_device device_by_number(struct audit_facts *facts, unsigned number)
{
	char path[FACTS_PATH_MAX], name[PTP_NAME_MAX];

	snprintf(path, sizeof path, "/sys/class/ptp/ptp%u/clock_name", number);
	if (!gather_word(facts, path, name, sizeof name)) {
		snprintf(path, sizeof path, "/dev/ptp%u", number);
		if (gather_has_name(facts, path) || !gather_exists(facts, "/sys/class"))
			return DEVICE_UNKNOWN;
		return DEVICE_MISSING;
	}
	if (strcmp(name, PTP_NAME_KVM) == 0)
		return DEVICE_KVM;
	return strncmp(name, PTP_NAME_VMCLOCK, strlen(PTP_NAME_VMCLOCK)) == 0 ? DEVICE_VMCLOCK
									      : DEVICE_OTHER;
}

static enum fact_device device_of(struct audit_facts *facts, const char *device)
{
	char target[FACTS_WORD_MAX], path[FACTS_WORD_MAX + 8];
	unsigned number;

	if (ptp_path_number(device, &number))
		return device_by_number(facts, number);
	/* udev's names: links to a node beside them. */
	if (gather_link(facts, device, target, sizeof target)) {
		snprintf(path, sizeof path, "%s%s", target[0] == '/' ? "" : "/dev/", target);
		return ptp_path_number(path, &number) ? device_by_number(facts, number)
						      : DEVICE_UNKNOWN;
	}
	if (device[0] != '/' || gather_has_name(facts, device) ||
	    !gather_exists(facts, "/sys/class"))
		return DEVICE_UNKNOWN;
	return DEVICE_MISSING;
}

static void describe_trouble(struct fact_time_conf *conf, struct conf_notes *notes)
{
	struct conf_note note;

	conf->is_whole = !conf_notes_pop(notes, &note);
	if (!conf->is_whole)
		conf_note_format(&note, conf->trouble, sizeof conf->trouble);
}

static void read_conf(struct audit_facts *facts, struct fact_time_conf *conf)
{
	struct tree tree = { facts, conf };
	const struct conf_loader loader = { &tree, load, expand, list_folder };
	struct conf_notes *notes = malloc(sizeof *notes);
	struct conf_error error = { { "", 0, 0 }, "" };
	int r;

	if (!notes)
		return;
	conf_notes_init(notes);
	r = conf_scan_file(&TABLE, conf, &loader, conf->path, notes, &error);
	if (r == -ENOENT) {
		conf->file = FACT_FILE_ABSENT;
	} else if (r) {
		conf->file = r == -EACCES || r == -EPERM ? FACT_FILE_REFUSED : FACT_FILE_ODD;
		conf_error_format(&error, conf->trouble, sizeof conf->trouble);
	} else {
		conf->file = FACT_FILE_READ;
		describe_trouble(conf, notes);
	}
	for (unsigned i = 0; i < conf->n_refclocks; i++)
		if (conf->refclocks[i].is_phc)
			conf->refclocks[i].what = device_of(facts, conf->refclocks[i].device);
	free(notes);
}

/* Where chronyd looks: the distribution decides at build time. */
static const char *chrony_path(const struct audit_facts *facts)
{
	bool is_debian = facts->system.family == FAMILY_DEBIAN;
	const char *first = is_debian ? "/etc/chrony/chrony.conf" : "/etc/chrony.conf";
	const char *second = is_debian ? "/etc/chrony.conf" : "/etc/chrony/chrony.conf";
	bool has_daemon = gather_exists(facts, "/usr/sbin/chronyd") ||
			  facts_unit(facts, "chrony.service") ||
			  facts_unit(facts, "chronyd.service");

	if (gather_exists(facts, first))
		return first;
	if (facts->system.family == FAMILY_UNKNOWN && gather_exists(facts, second))
		return second;
	return has_daemon ? first : "";
}

void gather_chrony(struct audit_facts *facts)
{
	snprintf(facts->chrony.path, sizeof facts->chrony.path, "%s", chrony_path(facts));
	if (facts->chrony.path[0])
		read_conf(facts, &facts->chrony);
	snprintf(facts->vmtime.path, sizeof facts->vmtime.path, VMTIME_CONF);
	read_conf(facts, &facts->vmtime);
}
